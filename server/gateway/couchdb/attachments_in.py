"""Attachments of documents on their way in, where anything is taken: bytes are kept apart, stubs stand in documents.

A stub that comes in says that the bytes are here already: under this name in the nearest ancestor that is here, or
under this digest anywhere in the database. Where they are not, nothing of the request is stored (412), as at a CouchDB.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from server.gateway.couchdb.attachments_out import attachments_of
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.parse_attachments import Attached, BadAttachment, read_attachments
from server.gateway.couchdb.parse_documents import Flaw, Incoming
from server.gateway.couchdb.refusals import Refusal, bad_request, too_many
from server.journal.model import ATTACHMENTS
from server.journal.store import attachments
from server.journal.store.attachments import Blob, ForgedDigest
from server.journal.store.branches import Branches, Key, branches, contents
from server.platform.canonical_json import canonical
from sync.revisions.canonical import Json
from sync.revisions.revision_id import generation_of

MOST_ATTACHMENTS = 10_000


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A document with what it brings: the attachments that it names, and the bytes of those that are no stubs."""

    document: Incoming
    attached: Sequence[Attached]
    blobs: Mapping[str, Blob]

    @classmethod
    def of(cls, document: Incoming) -> "_Loaded":
        """Return a document read to the last byte, which takes its time; raise BadAttachment."""
        attached = read_attachments(document.attached)
        return cls(document, attached, {one.name: Blob.of(one.data) for one in attached if one.data is not None})

    @property
    def stubs(self) -> list[Attached]:
        """Return those whose bytes must be here already."""
        return [one for one in self.attached if one.data is None]

    def nearest(self, here: Mapping[str, Branches]) -> Key | None:
        """Return the first of the revisions that the document stands on that is here."""
        doc_id, of = self.document.doc_id, here.get(self.document.doc_id)
        line = (*((self.document.rev,) if self.document.rev else ()), *self.document.path)
        rev = next((rev for rev in line if of is not None and rev in of.graph.held), None)
        return None if rev is None else (doc_id, rev)


@dataclass(frozen=True, slots=True)
class _Here:
    """What is here that stubs may mean: entries of ancestors by document and name, lengths by digest."""

    branches: Mapping[str, Branches]
    entries: Mapping[Key, Mapping[str, Json]]
    lengths: Mapping[str, int]


async def with_stubs(call: Call, documents: Sequence[Incoming | Flaw], *, new_edits: bool) -> Sequence[Incoming | Flaw]:
    """Keep the bytes that documents bring, and return the documents with stubs in their place; raise Refusal."""
    places = [place for place, each in enumerate(documents) if isinstance(each, Incoming) and each.attached]
    if not places:
        return documents
    bringing = await asyncio.to_thread(_read, [documents[place] for place in places])
    here = await _here(call, bringing)
    done = list(documents)
    for place, each in zip(places, bringing, strict=True):
        done[place] = _with_stubs(each, here, new_edits=new_edits)
    blobs = [blob for each in bringing for blob in each.blobs.values()]
    if blobs:
        try:
            async with call.parts.storage.write() as connection:
                await attachments.keep(connection, call.db.name, blobs)
        except ForgedDigest:
            raise Refusal(412, "content_md5_mismatch", "Other bytes are here under this digest.") from None
    return done


def _read(documents: Sequence[Incoming | Flaw]) -> list[_Loaded]:
    named = [each for each in documents if isinstance(each, Incoming)]
    if sum(len(each.attached) for each in named) > MOST_ATTACHMENTS:
        raise too_many(MOST_ATTACHMENTS)
    try:
        return [_Loaded.of(each) for each in named]
    except BadAttachment as bad:
        raise bad_request(str(bad)) from None


async def _here(call: Call, bringing: Sequence[_Loaded]) -> _Here:
    async with call.parts.storage.read() as connection:
        ids = {each.document.doc_id for each in bringing}
        of = await branches(connection, call.parts.sql, call.db.name, ids)
        keys = {key for each in bringing if each.stubs and (key := each.nearest(of)) is not None}
        found = await contents(connection, call.parts.sql, call.db.name, keys)
        digests = {one.digest for each in bringing for one in each.stubs if one.digest}
        lengths = await attachments.lengths(connection, call.db.name, digests) if digests else {}
    return _Here(of, {key: attachments_of(content) for key, content in found.items()}, lengths)


def _with_stubs(bringing: _Loaded, here: _Here, *, new_edits: bool) -> Incoming:
    document = bringing.document
    generation = _generation(document, here, new_edits=new_edits)
    nearest = bringing.nearest(here.branches)
    before = here.entries.get(nearest, {}) if nearest is not None else {}
    stubs: dict[str, Json] = {}
    for one in bringing.attached:
        blob = bringing.blobs.get(one.name)
        stub = _found(one, before, here, generation) if blob is None else _stub(one, blob, generation, new_edits)
        if stub is None:
            raise Refusal(412, "missing_stub", f"Invalid attachment stub in {document.doc_id} for {one.name}")
        stubs[one.name] = stub
    content = canonical({**document.document.members, ATTACHMENTS: stubs}, is_read=True)
    return replace(document, content=content)


def _generation(document: Incoming, here: _Here, *, new_edits: bool) -> int:
    if not new_edits:
        assert document.rev is not None
        return generation_of(document.rev)
    of = here.branches.get(document.doc_id)
    # Without a revision it begins anew, over its tombstone where there is one.
    parent = document.rev or (of.winner if of is not None else None)
    return 1 if parent is None else generation_of(parent) + 1


def _stub(one: Attached, blob: Blob, generation: int, new_edits: bool) -> dict[str, Json]:
    # A copy knows with which revision its bytes came; an edit brings them with this one.
    revpos = generation if new_edits or one.revpos is None else min(one.revpos, generation)
    return _entry(one.content_type, blob.digest, len(blob.content), revpos)


def _found(one: Attached, before: Mapping[str, Json], here: _Here, generation: int) -> Json:
    entry = before.get(one.name)
    if isinstance(entry, dict):
        return entry
    if one.digest not in here.lengths:
        return None
    assert one.digest is not None
    revpos = generation if one.revpos is None else min(one.revpos, generation)
    return _entry(one.content_type, one.digest, here.lengths[one.digest], revpos)


def _entry(content_type: str, digest: str, length: int, revpos: int) -> dict[str, Json]:
    return {"content_type": content_type, "digest": digest, "length": length, "revpos": revpos, "stub": True}
