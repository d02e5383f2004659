"""Revision ids as CouchDB reads them: more texts than are ids here."""

import re

#: Any hash may stand behind the generation. No number is longer: it would only cost time to read.
_LEGIBLE = re.compile(r"[0-9]{1,18}-.*", re.DOTALL)


def is_rev(said: object) -> bool:
    """Whether this can be asked for: one whose hash has another form than ours is simply not here."""
    return isinstance(said, str) and _LEGIBLE.fullmatch(said) is not None
