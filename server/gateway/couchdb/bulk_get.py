"""`POST /{db}/_bulk_get`: many revisions at once, in the order of the request.

A row that nobody can read is answered as CouchDB 3 answers it, with an error in its place; the others go on. Documents
are read and leave a few megabytes at a time, however many and however long those are that one request names.

Whoever accepts parts and no JSON gets a part for each document, with its attachments, as at a CouchDB.

A Nương that asks for `short_revs` beside `revs` gets paths that end where the path of another revision in the answer
goes on: it takes the union of all paths. To a CouchDB a path is a whole.
"""

import secrets
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from server.gateway.couchdb.answer import Answer
from server.gateway.couchdb.attachments_out import known_generation, with_data
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.refusals import INVALID_REV, bad_request
from server.gateway.couchdb.revision_ids import is_rev
from server.gateway.couchdb.write_documents import document, dumps, joined, revisions, string
from server.journal.store.branches import Branches, Key, branches
from server.journal.store.stream_bodies import stream_bodies
from server.platform.json_reader import aside, read_documents
from sync.revisions.admission import is_any_doc_id
from sync.revisions.canonical import Json, MalformedJson
from sync.revisions.revision_id import RevisionId

#: The graphs of so many documents are read at a time; an answer may be as long as its client asks for.
PAGE = 200


@dataclass(frozen=True, slots=True)
class _Asked:
    """One row of the request; `rev` None means every leaf."""

    doc_id: str
    rev: RevisionId | None
    since: tuple[RevisionId, ...] = ()


@dataclass(frozen=True, slots=True)
class _Unfit:
    """A row that asks for nothing, and the error that stands in its place."""

    doc_id: Json
    rev: Json
    error: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Part:
    """One of a row's documents, or the error in its place, with what stands before and behind it."""

    before: bytes
    error: bytes
    of: Branches | None = None
    rev: RevisionId = ""
    after: bytes = b""
    since: tuple[RevisionId, ...] = ()
    until: Collection[RevisionId] = ()

    @property
    def key(self) -> Key | None:
        """Return which body stands in it."""
        return None if self.of is None else (self.of.doc_id, self.rev)

    def in_parts(self, content: bytes | None, boundary: bytes, *, with_revs: bool) -> bytes:
        """Return it as a part of its own, with its body; the head says which document it is."""
        if self.of is None or content is None:
            error = self.error.removeprefix(b'{"error":')[:-1]
            return b'--%b\r\nContent-Type: application/json; error="true"\r\n\r\n%b\r\n' % (boundary, error)
        # A name that a line can't hold stands in the document alone.
        named = b"X-Doc-Id: %b\r\n" % self.of.doc_id.encode() if self.of.doc_id.isprintable() else b""
        head = b"%bX-Rev-Id: %b\r\nContent-Type: application/json" % (named, self.rev.encode())
        return b"--%b\r\n%b\r\n\r\n%b\r\n" % (boundary, head, self._document(self.of, content, with_revs=with_revs))

    def _document(self, of: Branches, content: bytes, *, with_revs: bool) -> bytes:
        more = revisions(of.line(self.rev, self.until)) if with_revs else b""
        return document(of.doc_id, self.rev, content, deleted=of.graph.held[self.rev], more=more)

    def written(self, content: bytes | None, *, with_revs: bool) -> bytes:
        """Return it with its body; a body that is gone is an error, too."""
        if self.of is None or content is None:
            return self.before + self.error + self.after
        doc = self._document(self.of, content, with_revs=with_revs)
        return b'%b{"ok":%b}%b' % (self.before, doc, self.after)


async def bulk_get(call: Call) -> Answer:
    """Answer a result for each row of the request."""
    asked = await aside(_asked_rows, await call.text())
    kind = _kind_of_parts(call.request.headers.get("accept", ""))
    if kind is None:
        return Answer(pieces=_listed(call, asked))
    boundary = secrets.token_hex(16)
    return Answer(pieces=_as_parts(call, asked, boundary.encode()), media_type=f'{kind}; boundary="{boundary}"')


def _kind_of_parts(accepted: str) -> str | None:
    """Return the type of parts that somebody takes who takes no JSON; None for everybody else."""
    types = {each.partition(";")[0].strip().lower() for each in accepted.split(",")}
    if not types.isdisjoint({"application/json", "application/*", "*/*", ""}):
        return None
    return next((kind for kind in ("multipart/mixed", "multipart/related") if kind in types), None)


def _asked_rows(body: bytes) -> list[_Asked | _Unfit]:
    try:
        said, readings = read_documents(body)
        if not isinstance(said, dict) or not isinstance(said.get("docs"), list):
            raise bad_request("Missing JSON list of 'docs'.")
        return [_flawed(row.value, row.flaws[0]) if row.flaws else _asked(row.value) for row in readings]
    except MalformedJson as error:
        raise bad_request(f"invalid UTF-8 JSON ({error})") from None


def _flawed(said: Json, flaw: MalformedJson) -> _Unfit:
    doc_id = said.get("id") if isinstance(said, Mapping) else None
    return _Unfit(doc_id, None, "bad_request", f"invalid JSON ({flaw})")


def _asked(said: Json) -> _Asked | _Unfit:
    if not isinstance(said, Mapping):
        return _Unfit(None, None, "bad_request", "Each of 'docs' must be an object")
    if "id" not in said:
        return _Unfit(None, None, "bad_request", "document id missed")
    doc_id, rev = said["id"], said.get("rev")
    if not isinstance(doc_id, str):
        return _Unfit(doc_id, None, "illegal_docid", "Document id must be a string")
    if (reason := _against(doc_id)) is not None:
        return _Unfit(doc_id, None, "illegal_docid", reason)
    if "rev" in said and not is_rev(rev):
        return _Unfit(doc_id, rev, *INVALID_REV)
    since = said.get("atts_since", [])
    revs = tuple(map(str, since)) if isinstance(since, list) else ()
    return _odd_since(doc_id, since) or _Asked(doc_id, str(rev) if "rev" in said else None, revs)


def _against(doc_id: str) -> str | None:
    """Return why no document can be called so; None for most of the names that nothing here has."""
    if not doc_id:
        return "Document id must not be empty"
    if doc_id.startswith("_") and not is_any_doc_id(doc_id):
        return "Only reserved document ids may start with underscore."
    return None


def _odd_since(doc_id: str, since: Json) -> _Unfit | None:
    if not isinstance(since, list):
        return _Unfit(doc_id, since, "bad_request", "att_since value must be array of revs.")
    odd = [each for each in since if not is_rev(each)]
    return _Unfit(doc_id, odd[0], *INVALID_REV) if odd else None


async def _listed(call: Call, asked: Sequence[_Asked | _Unfit]) -> AsyncIterator[bytes]:
    with_revs, takes_data = call.flag("revs"), call.flag("attachments")
    start = b'{"results":['
    async for pairs in _read(call, asked):
        if takes_data:
            async for body, part in _with_data(call, pairs):
                piece = part.written(body, with_revs=with_revs)
                yield start + piece.removeprefix(b",") if start else piece
                start = b""
            continue
        for piece in joined((part.written(body, with_revs=with_revs) for body, part in pairs), b""):
            # Every row begins with a comma, which is one too many in front of the first.
            yield start + piece.removeprefix(b",") if start else piece
            start = b""
    yield start + b"]}\n"


async def _as_parts(call: Call, asked: Sequence[_Asked | _Unfit], boundary: bytes) -> AsyncIterator[bytes]:
    with_revs = call.flag("revs")
    async for pairs in _read(call, asked):
        async for body, part in _with_data(call, pairs):
            yield part.in_parts(body, boundary, with_revs=with_revs)
    yield b"--%b--" % boundary


async def _read(call: Call, asked: Sequence[_Asked | _Unfit]) -> AsyncIterator[list[tuple[bytes | None, _Part]]]:
    """Yield the parts with the bodies that stand in them, a few megabytes at a time."""
    latest, is_short = call.flag("latest"), call.flag("short_revs")
    rows = iter(asked)
    while page := list(islice(rows, PAGE)):
        ids = {each.doc_id for each in page if isinstance(each, _Asked)}
        async with call.parts.storage.read() as connection:
            here = await branches(connection, call.parts.sql, call.db.name, ids)
        parts = [part for each in page for part in _parts(each, here, latest=latest)]
        if is_short:
            together = _by_document([key for part in parts if (key := part.key) is not None])
            parts = [part if part.of is None else replace(part, until=together[part.of.doc_id]) for part in parts]
        left = iter(parts)
        keys = [part.key for part in parts]
        async for bodies in stream_bodies(call.parts.storage, call.parts.sql, call.db.name, keys):
            # The bodies first: what stands in front is asked first, and the next part would be lost at their end.
            yield list(zip(bodies, left, strict=False))


async def _with_data(
    call: Call, pairs: Sequence[tuple[bytes | None, _Part]]
) -> AsyncIterator[tuple[bytes | None, _Part]]:
    """Yield the parts with the bytes of their attachments, one by one: each may be megabytes long."""
    for body, part in pairs:
        if body is not None and part.of is not None:
            body = await with_data(call, body, known_generation(part.of, part.rev, part.since))  # noqa: PLW2901
        yield body, part


def _by_document(keys: Collection[Key]) -> dict[str, set[RevisionId]]:
    found: dict[str, set[RevisionId]] = {}
    for doc_id, rev in keys:
        found.setdefault(doc_id, set()).add(rev)
    return found


def _parts(asked: _Asked | _Unfit, here: Mapping[str, Branches], *, latest: bool) -> Iterator[_Part]:
    """Yield the parts of one row, at least one."""
    before = b',{"id":%b,"docs":[' % (string(asked.doc_id) if isinstance(asked.doc_id, str) else dumps(asked.doc_id))
    if isinstance(asked, _Unfit):
        yield _Part(before, _error(asked.doc_id, asked.rev, asked.error, asked.reason), after=b"]}")
        return
    of = here.get(asked.doc_id)
    revs = [] if of is None else _chosen(asked, of, latest=latest)
    if of is None or not revs:
        yield _Part(before, _missing(asked.doc_id, asked.rev), after=b"]}")
        return
    for position, rev in enumerate(revs):
        after = b"]}" if position == len(revs) - 1 else b""
        yield _Part(before if position == 0 else b",", _missing(asked.doc_id, rev), of, rev, after, asked.since)


def _chosen(asked: _Asked, of: Branches, *, latest: bool) -> Sequence[RevisionId]:
    if asked.rev is None:
        return of.leaves
    if latest and (found := of.latest(asked.rev)):
        return found
    return [asked.rev] if asked.rev in of.graph.held else []


def _missing(doc_id: str, rev: RevisionId | None) -> bytes:
    return _error(doc_id, rev or "undefined", "not_found", "missing")


def _error(doc_id: Json, rev: Json, error: str, reason: str) -> bytes:
    return dumps({"error": {"id": doc_id, "rev": rev, "error": error, "reason": reason}})
