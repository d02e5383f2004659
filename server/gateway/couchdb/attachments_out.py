"""Attachments of documents on their way out: stubs as they are stored, or bytes in their place where asked."""

import base64
from collections.abc import Collection, Mapping
from functools import partial

from server.gateway.couchdb.call import Call
from server.gateway.couchdb.refusals import bad_request
from server.gateway.couchdb.revision_ids import is_rev
from server.journal.model import ATTACHMENTS
from server.journal.store import attachments
from server.journal.store.branches import Branches
from server.platform.canonical_json import canonical
from server.platform.json_reader import aside_where_long, read
from sync.revisions.canonical import Json
from sync.revisions.revision_id import RevisionId, generation_of

#: What nearly no document has. In one that has it further inside, it is looked for in vain.
_MARK = b'"_attachments":{'
#: So many documents at a time are read where their attachments come with them.
PAGE_WITH_DATA = 4


def attachments_of(content: bytes) -> Mapping[str, Json]:
    """Return the stubs of a stored document, by name."""
    if _MARK not in content:
        return {}
    value = read(content, keeps_numbers=True).value
    found = value.get(ATTACHMENTS) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


async def with_data(call: Call, content: bytes, since: int = 0) -> bytes:
    """Return a document's content with the bytes of its attachments, those of generations up to `since` left out."""
    if not call.db.takes_anything or _MARK not in content:
        return content
    value = read(content, keeps_numbers=True).value
    stubs = value.get(ATTACHMENTS) if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(stubs, dict):
        return content
    wanted = {name: stub for name, stub in stubs.items() if isinstance(stub, dict) and _revpos(stub) > since}
    async with call.parts.storage.read() as connection:
        digests = {str(stub.get("digest")) for stub in wanted.values()}
        found = await attachments.find(connection, call.db.name, digests)
    size = sum(map(len, found.values()))
    return await aside_where_long(size, partial(_inlined, value, stubs, wanted, found))


def _inlined(
    value: Mapping[str, Json],
    stubs: Mapping[str, Json],
    wanted: Mapping[str, Mapping[str, Json]],
    found: Mapping[str, bytes],
) -> bytes:
    inlined: dict[str, Json] = dict(stubs)
    for name, stub in wanted.items():
        inlined[name] = _whole(stub, found[str(stub["digest"])])
    return canonical({**value, ATTACHMENTS: inlined}, is_read=True)


def _whole(stub: Mapping[str, Json], data: bytes) -> dict[str, Json]:
    kept = {name: each for name, each in stub.items() if name not in ("stub", "length")}
    return {**kept, "data": base64.b64encode(data).decode()}


def _revpos(stub: Mapping[str, Json]) -> int:
    revpos = stub.get("revpos")
    return revpos if isinstance(revpos, int) else 1


def since_asked(call: Call) -> list[RevisionId] | None:
    """Return the revisions whose attachments the client has, as `atts_since` names them; None where it is absent."""
    if "atts_since" not in call.query:
        return None
    asked = call.json("atts_since")
    if not isinstance(asked, list) or not all(map(is_rev, asked)):
        raise bad_request("Invalid rev format")
    return [str(rev) for rev in asked]


def known_generation(of: Branches, rev: RevisionId, asked: Collection[RevisionId]) -> int:
    """Return the greatest generation of those asked that are ancestors of `rev`, or itself; 0 where none is."""
    line = set(of.line(rev)) if asked else set()
    return max((generation_of(each) for each in asked if each in line), default=0)
