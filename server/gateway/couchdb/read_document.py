"""`GET /{db}/{id}`: one revision of a document, or several branches of it with `open_revs`."""

import secrets
from collections.abc import AsyncIterator, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from server.gateway.couchdb.answer import Answer
from server.gateway.couchdb.attachments_out import known_generation, since_asked, with_data
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.etags import etags
from server.gateway.couchdb.refusals import bad_request, missing
from server.gateway.couchdb.revision_ids import is_rev
from server.gateway.couchdb.write_documents import document, dumps, rev_list, revisions
from server.journal.store.branches import Branches, Key, branches, contents
from sync.revisions.revision_id import RevisionId


async def read(call: Call) -> Answer:
    """Return the winner or the revision asked for; with `open_revs` the branches, as a list or as parts."""
    if "open_revs" in call.query:
        return await _open_revs(call)
    async with call.parts.storage.read() as connection:
        of = (await branches(connection, call.parts.sql, call.db.name, [call.doc_id])).get(call.doc_id)
        if of is None:
            raise missing()
        rev = chosen(call, of)
        found = await contents(connection, call.parts.sql, call.db.name, {(of.doc_id, rev)})
        here = await _bodies_of_line(call, connection, of, rev) if call.flag("revs_info") else frozenset()
    if (of.doc_id, rev) not in found:
        raise missing()
    etag = f'"{rev}"'
    if rev in etags(call.request.headers.getall("if-none-match", [])) and not _extras(call):
        return Answer(status=304, headers={"ETag": etag})
    content, since = found[of.doc_id, rev], since_asked(call)
    if call.flag("attachments") or since is not None:
        content = await with_data(call, content, known_generation(of, rev, since or ()))
    body = document(of.doc_id, rev, content, deleted=of.graph.held[rev], more=_members(call, of, rev, here))
    return Answer(body + b"\n", headers={"ETag": etag})


_EXTRAS = ("revs", "revs_info", "conflicts", "deleted_conflicts", "meta", "attachments")


def _extras(call: Call) -> bool:
    return any(call.flag(name) for name in _EXTRAS)


def chosen(call: Call, of: Branches) -> RevisionId:
    """Return the revision that the request is about: the winner, or the one that `rev` names. Raise Refusal."""
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


async def _open_revs(call: Call) -> Answer:
    async with call.parts.storage.read() as connection:
        of = (await branches(connection, call.parts.sql, call.db.name, [call.doc_id])).get(call.doc_id)
        wanted = _wanted(call, of)
        held = of.graph.held if of is not None else {}
        keys: set[Key] = {(call.doc_id, rev) for rev in wanted if rev in held}
        found = await contents(connection, call.parts.sql, call.db.name, keys)
    rows = _rows(call, of, wanted, found, since_asked(call))
    return _parts(rows) if _takes_parts(call) else Answer(pieces=_listed(rows))


async def _rows(
    call: Call, of: Branches | None, wanted: Sequence[RevisionId], found: dict[Key, bytes], since: list[str] | None
) -> AsyncIterator[tuple[bytes, bool]]:
    """Yield each revision and whether it is here, one by one: with attachments each may be megabytes long."""
    # Whoever takes parts takes the attachments with them, as CouchDB's replicator does.
    takes_data = call.flag("attachments") or since is not None or _takes_parts(call)
    for rev in wanted:
        if of is None or (call.doc_id, rev) not in found:
            yield dumps({"missing": rev}), False
            continue
        more = revisions(of.line(rev)) if call.flag("revs") else b""
        content = found[of.doc_id, rev]
        if takes_data:
            content = await with_data(call, content, known_generation(of, rev, since or ()))
        yield document(of.doc_id, rev, content, deleted=of.graph.held[rev], more=more), True


async def _listed(rows: AsyncIterator[tuple[bytes, bool]]) -> AsyncIterator[bytes]:
    start = b"["
    async for row, is_here in rows:
        yield start + (b'{"ok":%b}' % row if is_here else row)
        start = b","
    yield (b"[" if start == b"[" else b"") + b"]\n"


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


def _parts(rows: AsyncIterator[tuple[bytes, bool]]) -> Answer:
    """Return rows as multipart/mixed (RFC 2046): what CouchDB's replicator asks for."""
    boundary = secrets.token_hex(16)

    async def pieces() -> AsyncIterator[bytes]:
        async for row, is_here in rows:
            kind = b"application/json" if is_here else b'application/json; error="true"'
            yield b"--%b\r\nContent-Type: %b\r\n\r\n%b\r\n" % (boundary.encode(), kind, row)
        yield b"--%b--" % boundary.encode()

    return Answer(pieces=pieces(), media_type=f'multipart/mixed; boundary="{boundary}"')
