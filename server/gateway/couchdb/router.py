"""From a raw path to a verb.

The raw path, because `%2F` may stand inside an id and is no separator there: PouchDB asks for `_local%2F…` as well as
for `_local/…`. Trailing slashes mean nothing, and nothing is ever redirected: a redirect would lose a POST.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from server.gateway.couchdb import (
    all_docs,
    bulk_docs,
    bulk_get,
    changes,
    database,
    local,
    read_document,
    revs_diff,
    session,
    welcome,
    write_document,
)
from server.gateway.couchdb.answer import Answer
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.refusals import Refusal, missing

Verb = Callable[[Call], Awaitable[Answer]]
Verbs = Mapping[str, Verb]

SERVER: Mapping[str, Verbs] = {
    "": {"GET": welcome.welcome},
    "_all_dbs": {"GET": welcome.all_dbs},
    "_session": {"GET": session.show, "POST": session.begin, "DELETE": session.end},
}
DATABASE: Mapping[str, Verbs] = {
    "": {"GET": database.info, "DELETE": database.remove, "POST": write_document.post},
    "_all_docs": {"GET": all_docs.all_docs, "POST": all_docs.all_docs},
    "_bulk_docs": {"POST": bulk_docs.bulk_docs},
    "_bulk_get": {"POST": bulk_get.bulk_get},
    "_changes": {"GET": changes.changes, "POST": changes.changes},
    "_compact": {"POST": database.compact},
    "_ensure_full_commit": {"POST": database.ensure_full_commit},
    "_revs_diff": {"POST": revs_diff.revs_diff},
    "_security": {"GET": database.security, "PUT": database.set_security},
}
DOCUMENT: Verbs = {"GET": read_document.read, "PUT": write_document.put, "DELETE": write_document.delete}
LOCAL: Verbs = {"GET": local.show, "PUT": local.write, "POST": local.write, "DELETE": local.remove}
#: Of CouchDB, and not offered: server-side JavaScript, Mango, purge, partitions, clusters.
NOT_OFFERED = frozenset(
    {"_find", "_index", "_explain", "_purge", "_design_docs", "_partition", "_shards", "_sync_shards", "_view_cleanup"}
    | {"_replicate", "_replicator", "_scheduler", "_node", "_membership", "_temp_view", "_missing_revs", "_revs_limit"}
)


@dataclass(frozen=True, slots=True)
class Destination:
    """Target of a path: `database` None for the server itself, `verbs` by method; `is_open` to anonymous callers."""

    verbs: Verbs
    database: str | None = None
    doc_id: str = ""
    is_open: bool = False
    is_database: bool = False

    def verb(self, method: str) -> Verb:
        """Return what to do; raise Refusal for a method that this path does not know."""
        found = self.verbs.get("GET" if method == "HEAD" else method)
        if found is None:
            allowed = ",".join(sorted({*self.verbs, *(("HEAD",) if "GET" in self.verbs else ())}))
            raise Refusal(405, "method_not_allowed", f"Only {allowed} allowed")
        return found


def destination(raw_path: str) -> Destination:
    """Return where a raw path behind `/db` leads; raise Refusal where there is nothing."""
    if raw_path and not raw_path.startswith("/"):
        # A mount takes every path that begins like it.
        raise missing()
    parts = [unquote(part) for part in raw_path.strip("/").split("/")]
    first, rest = parts[0], parts[1:]
    if not rest and first in SERVER:
        return Destination(SERVER[first], is_open=True)
    if first.startswith("_"):
        raise _nothing(first)
    if not rest:
        return Destination(DATABASE[""], first, is_database=True)
    name = rest[0]
    if name.startswith("_local/") or (name == "_local" and rest[1:]):
        return Destination(LOCAL, first, "/".join(rest).removeprefix("_local/"))
    if name.startswith("_design/") or (name == "_design" and rest[1:]):
        return Destination(DOCUMENT, first, _design(rest))
    if len(rest) == 1 and name in DATABASE:
        return Destination(DATABASE[name], first)
    if name.startswith("_"):
        raise _nothing(name)
    if len(rest) > 1:
        raise missing("Document is missing attachment")
    return Destination(DOCUMENT, first, name)


def _design(rest: list[str]) -> str:
    parts = "/".join(rest).split("/")
    if len(parts) > 2:
        # Views, shows, lists, updates, attachments.
        raise missing()
    return "/".join(parts)


def _nothing(name: str) -> Refusal:
    if name in NOT_OFFERED:
        return Refusal(501, "not_implemented", "This server does not offer that.")
    return missing()
