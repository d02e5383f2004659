"""Revisions as entity tags: the one reader of `If-Match` and `If-None-Match` at this door (RFC 9110, 8.8.3)."""

import re
from collections.abc import Iterable

#: `W/` says that the bytes may differ, as after a proxy has compressed them: the revision is the same. CouchDB also
#: takes a revision without quotes.
_TAG = re.compile(r'(?:W/)?"([^"]*)"|([^\s,"]+)')


def etags(lines: Iterable[str]) -> list[str]:
    """Return what the lines of such a header name, in order, without quotes."""
    return [quoted or bare for quoted, bare in _TAG.findall(",".join(lines))]
