"""`GET /{db}/{id}`: one revision of a document, or several branches of it with `open_revs`."""

import secrets
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from server.gateway.couchdb.answer import Answer
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.refusals import bad_request, missing
from server.gateway.couchdb.revision_ids import is_rev
from server.gateway.couchdb.write_documents import document, dumps, rev_list, revisions
from server.journal.store.branches import Branches, Key, branches, contents
from sync.revisions.revision_id import RevisionId


async def read(call: Call) -> Answer:
    """Return the winner or the revision asked for; with `open_revs` the branches, as a list or as parts."""
    async with call.parts.storage.read() as connection:
        of = (await branches(connection, call.parts.sql, call.db.name, [call.doc_id])).get(call.doc_id)
        if "open_revs" in call.query:
            return await _open_revs(call, connection, of)
        if of is None:
            raise missing()
        rev = _chosen(call, of)
        found = await contents(connection, call.parts.sql, call.db.name, {(of.doc_id, rev)})
        here = await _bodies_of_line(call, connection, of, rev) if call.flag("revs_info") else frozenset()
    if (of.doc_id, rev) not in found:
        raise missing()
    etag = f'"{rev}"'
    if call.request.headers.get("if-none-match") == etag and not _extras(call):
        return Answer(status=304, headers={"ETag": etag})
    body = document(
        of.doc_id, rev, found[of.doc_id, rev], deleted=of.graph.held[rev], more=_members(call, of, rev, here)
    )
    return Answer(body + b"\n", headers={"ETag": etag})


def _extras(call: Call) -> bool:
    return any(call.flag(name) for name in ("revs", "revs_info", "conflicts", "deleted_conflicts", "meta"))


def _chosen(call: Call, of: Branches) -> RevisionId:
    rev = call.query.get("rev")
    if rev is None:
        if of.is_deleted:
            raise missing("deleted")
        return of.winner
    if not is_rev(rev):
        raise bad_request("Invalid rev format")
    if call.flag("latest"):
        latest = of.latest(rev)
        rev = latest[0] if latest else rev
    if rev not in of.graph.held:
        raise missing()
    return rev


def _members(call: Call, of: Branches, rev: RevisionId, here: frozenset[RevisionId]) -> bytes:
    has_all = call.flag("meta")
    more = b""
    if call.flag("revs"):
        more += revisions(of.line(rev))
    if call.flag("revs_info"):
        rows = [{"rev": each, "status": _status(of, each, here)} for each in of.line(rev)]
        more += b',"_revs_info":' + dumps(rows)
    if call.flag("conflicts") or has_all:
        more += rev_list(b"_conflicts", of.losers(deleted=False))
    if call.flag("deleted_conflicts") or has_all:
        more += rev_list(b"_deleted_conflicts", of.losers(deleted=True))
    return more


def _status(of: Branches, rev: RevisionId, here: frozenset[RevisionId]) -> str:
    if rev not in here:
        return "missing"
    return "deleted" if of.graph.held[rev] else "available"


async def _bodies_of_line(
    call: Call, connection: AsyncConnection, of: Branches, rev: RevisionId
) -> frozenset[RevisionId]:
    keys = {(of.doc_id, each) for each in of.line(rev) if each in of.graph.held}
    found = await contents(connection, call.parts.sql, call.db.name, keys)
    return frozenset(each for _, each in found)


async def _open_revs(call: Call, connection: AsyncConnection, of: Branches | None) -> Answer:
    wanted = _wanted(call, of)
    held = of.graph.held if of is not None else {}
    keys: set[Key] = {(call.doc_id, rev) for rev in wanted if rev in held}
    found = await contents(connection, call.parts.sql, call.db.name, keys)
    rows: list[tuple[bytes, bool]] = []
    for rev in wanted:
        if of is None or (call.doc_id, rev) not in found:
            rows.append((dumps({"missing": rev}), False))
            continue
        more = revisions(of.line(rev)) if call.flag("revs") else b""
        rows.append((document(of.doc_id, rev, found[of.doc_id, rev], deleted=held[rev], more=more), True))
    if _takes_parts(call):
        return _parts(rows)
    listed = (b'{"ok":%b}' % row if is_here else row for row, is_here in rows)
    return Answer(b"[" + b",".join(listed) + b"]\n")


def _wanted(call: Call, of: Branches | None) -> Sequence[RevisionId]:
    if call.query["open_revs"] == "all":
        if of is None:
            raise missing()
        return of.leaves
    asked = call.json("open_revs")
    if not isinstance(asked, list) or not all(is_rev(rev) for rev in asked):
        raise bad_request("Invalid rev format")
    revs = [str(rev) for rev in asked]
    if of is not None and call.flag("latest"):
        return list(dict.fromkeys(each for rev in revs for each in of.latest(rev) or [rev]))
    return list(dict.fromkeys(revs))


def _takes_parts(call: Call) -> bool:
    accepted = call.request.headers.get("accept", "")
    return "multipart/mixed" in accepted and "application/json" not in accepted.partition("multipart/mixed")[0]


def _parts(rows: Sequence[tuple[bytes, bool]]) -> Answer:
    """Return rows as multipart/mixed (RFC 2046): what CouchDB's replicator asks for."""
    boundary = secrets.token_hex(16)
    body = b""
    for row, is_here in rows:
        kind = b"application/json" if is_here else b'application/json; error="true"'
        body += b"--%b\r\nContent-Type: %b\r\n\r\n%b\r\n" % (boundary.encode(), kind, row)
    return Answer(body + b"--%b--" % boundary.encode(), media_type=f'multipart/mixed; boundary="{boundary}"')
