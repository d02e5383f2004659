"""`POST /{db}/_bulk_get`: many revisions at once, in the order of the request."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from server.gateway.couchdb.answer import Answer
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.outgoing import document, dumps, joined, revisions, string
from server.gateway.couchdb.refusals import bad_request
from server.revisions.branches import Branches, Key, branches, contents
from sync.canonical import Json
from sync.revision import RevisionId

#: So many documents are read at a time; an answer may be as long as its client asks for.
PAGE = 200


@dataclass(frozen=True, slots=True)
class _Asked:
    """One row of the request; `rev` None is the winner."""

    doc_id: str
    rev: RevisionId | None


async def bulk_get(call: Call) -> Answer:
    """Answer a result for each row of the request."""
    docs = (await call.mapping()).get("docs")
    if not isinstance(docs, list):
        raise bad_request("Missing JSON list of 'docs'.")
    return Answer(pieces=_pieces(call, [_asked(each) for each in docs]))


def _asked(said: Json) -> _Asked:
    if not isinstance(said, Mapping) or not isinstance(said.get("id"), str):
        raise bad_request("Each of 'docs' needs an 'id'.")
    rev = said.get("rev")
    return _Asked(str(said["id"]), rev if isinstance(rev, str) else None)


async def _pieces(call: Call, asked: Sequence[_Asked]) -> AsyncIterator[bytes]:
    with_revs, latest = call.flag("revs"), call.flag("latest")
    rows = iter(asked)
    start = b'{"results":['
    while page := list(islice(rows, PAGE)):
        async with call.parts.storage.read() as connection:
            here = await branches(connection, call.parts.sql, call.db.name, {each.doc_id for each in page})
            chosen = [_chosen(each, here.get(each.doc_id), latest=latest) for each in page]
            keys: set[Key] = {(each.doc_id, rev) for each, revs in zip(page, chosen, strict=True) for rev in revs}
            found = await contents(connection, call.parts.sql, call.db.name, keys)
        results = (
            _result(each, revs, here.get(each.doc_id), found, with_revs=with_revs)
            for each, revs in zip(page, chosen, strict=True)
        )
        for piece in joined(results, b","):
            yield start + piece
            start = b","
    yield b"]}\n" if asked else b'{"results":[]}\n'


def _chosen(asked: _Asked, of: Branches | None, *, latest: bool) -> list[RevisionId]:
    if of is None:
        return []
    rev = asked.rev or of.winner
    if latest and (found := of.latest(rev)):
        return found
    return [rev] if rev in of.graph.held else []


def _result(
    asked: _Asked,
    revs: Sequence[RevisionId],
    of: Branches | None,
    found: Mapping[Key, bytes],
    *,
    with_revs: bool,
) -> bytes:
    docs = []
    for rev in revs:
        content = found.get((asked.doc_id, rev))
        if of is not None and content is not None:
            more = revisions(of.line(rev)) if with_revs else b""
            docs.append(b'{"ok":%b}' % document(asked.doc_id, rev, content, deleted=of.graph.held[rev], more=more))
    if not docs:
        rev = asked.rev or "undefined"
        docs.append(dumps({"error": {"id": asked.doc_id, "rev": rev, "error": "not_found", "reason": "missing"}}))
    return b'{"id":%b,"docs":[%b]}' % (string(asked.doc_id), b",".join(docs))
