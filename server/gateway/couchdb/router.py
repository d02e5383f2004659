"""From a raw path to a verb.

The raw path, because `%2F` may stand inside an id and is no separator there: PouchDB asks for `_local%2F…` as well as
for `_local/…`. Trailing slashes mean nothing, and nothing is ever redirected: a redirect would lose a POST.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from server.gateway.couchdb import (
    all_docs,
    attachment,
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
    "_missing_revs": {"POST": revs_diff.missing_revs},
    "_revs_diff": {"POST": revs_diff.revs_diff},
    "_revs_limit": {"GET": database.revs_limit, "PUT": database.set_revs_limit},
    "_security": {"GET": database.security, "PUT": database.set_security},
}
DOCUMENT: Verbs = {"GET": read_document.read, "PUT": write_document.put, "DELETE": write_document.delete}
ATTACHMENT: Verbs = {"GET": attachment.show, "PUT": attachment.put, "DELETE": attachment.remove}
LOCAL: Verbs = {"GET": local.show, "PUT": local.write, "POST": local.write, "DELETE": local.remove}
#: Of CouchDB, and not offered: server-side JavaScript, Mango, purge, partitions, clusters.
NOT_OFFERED = frozenset(
    {"_find", "_index", "_explain", "_purge", "_design_docs", "_partition", "_shards", "_sync_shards", "_view_cleanup"}
    | {"_replicate", "_replicator", "_scheduler", "_node", "_membership", "_temp_view"}
)


@dataclass(frozen=True, slots=True)
class Destination:
    """Target of a path: `database` None for the server itself, `verbs` by method; `is_open` to anonymous callers."""

    verbs: Verbs
    database: str | None = None
    doc_id: str = ""
    attachment: str = ""
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
    if name == "_design" and rest[1:]:
        # Its slash is a separator that belongs to the name; those behind it are as anywhere else.
        rest = [f"_design/{rest[1]}", *rest[2:]]
        name = rest[0]
    if name.startswith("_design/"):
        if rest[1:] and rest[1].startswith("_"):
            # Views, shows, lists, updates.
            raise missing()
        return _document(first, rest)
    if len(rest) == 1 and name in DATABASE:
        return Destination(DATABASE[name], first)
    if name.startswith("_"):
        raise _nothing(name)
    return _document(first, rest)


def _document(database_name: str, rest: list[str]) -> Destination:
    doc_id, name = rest[0], "/".join(rest[1:])
    return Destination(ATTACHMENT if name else DOCUMENT, database_name, doc_id, name)


def _nothing(name: str) -> Refusal:
    if name in NOT_OFFERED:
        return Refusal(501, "not_implemented", "This server does not offer that.")
    return missing()
