"""`/{db}/{id}/{name}`: one attachment of a document, its bytes as they are."""

import base64
import hashlib
import re

from server.gateway.couchdb.admission import admitted
from server.gateway.couchdb.answer import Answer, answer
from server.gateway.couchdb.attachments_out import attachments_of
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.etags import etags
from server.gateway.couchdb.parse_attachments import OCTETS
from server.gateway.couchdb.parse_documents import Flaw
from server.gateway.couchdb.read_document import chosen
from server.gateway.couchdb.refusals import Refusal, conflict, missing
from server.gateway.couchdb.storing import edit
from server.gateway.couchdb.write_document import named_rev, refusal_of
from server.journal.model import ATTACHMENTS
from server.journal.store import attachments
from server.journal.store.branches import branches, contents
from server.platform.json_reader import read
from sync.revisions.canonical import Json

_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")
#: What somebody attached may be a page with a script: it is never run as this server's own.
SANDBOX = {"Content-Security-Policy": "sandbox", "X-Content-Type-Options": "nosniff"}


async def show(call: Call) -> Answer:
    """Return the bytes, or the stretch of them that `Range` names."""
    async with call.parts.storage.read() as connection:
        of = (await branches(connection, call.parts.sql, call.db.name, [call.doc_id])).get(call.doc_id)
        if of is None:
            raise missing()
        rev = chosen(call, of)
        found = await contents(connection, call.parts.sql, call.db.name, {(call.doc_id, rev)})
        stub = attachments_of(found.get((call.doc_id, rev), b"")).get(call.attachment)
        if not isinstance(stub, dict):
            raise _no_attachment()
        digest = str(stub.get("digest"))
        data = (await attachments.find(connection, call.db.name, [digest])).get(digest)
    if data is None:
        raise _no_attachment()
    return _answer(call, data, str(stub.get("content_type")), digest.removeprefix("md5-"))


async def put(call: Call) -> Answer:
    """Attach the body to the document, in a new revision of it; a document that is not here begins with it."""
    data = await call.body()
    said = call.request.headers.get("content-md5")
    if said is not None and said != base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode():
        raise Refusal(412, "content_md5_mismatch", "Possible message corruption.")
    members, stubs = await _leaf(call)
    kind = call.request.headers.get("content-type") or OCTETS
    stubs[call.attachment] = {"content_type": _plain(kind), "data": base64.b64encode(data).decode()}
    return await _edited(call, members, stubs, 201)


async def remove(call: Call) -> Answer:
    """Take the attachment off the document, in a new revision of it."""
    members, stubs = await _leaf(call)
    if stubs.pop(call.attachment, None) is None:
        raise _no_attachment()
    return await _edited(call, members, stubs, 200)


async def _leaf(call: Call) -> tuple[dict[str, Json], dict[str, Json]]:
    """Return the members and the attachments of the revision that is edited."""
    rev = named_rev(call)
    async with call.parts.storage.read() as connection:
        of = (await branches(connection, call.parts.sql, call.db.name, [call.doc_id])).get(call.doc_id)
        if rev is None and (of is None or of.is_deleted):
            return {}, {}
        if of is None or rev is None or rev not in of.graph.held:
            raise conflict()
        found = await contents(connection, call.parts.sql, call.db.name, {(call.doc_id, rev)})
    value = read(found.get((call.doc_id, rev), b"{}"), keeps_numbers=call.db.takes_anything).value
    assert isinstance(value, dict)
    stubs = value.pop(ATTACHMENTS, {})
    return {**value, "_rev": rev}, dict(stubs) if isinstance(stubs, dict) else {}


async def _edited(call: Call, members: dict[str, Json], stubs: dict[str, Json], status: int) -> Answer:
    said: dict[str, Json] = {**members, "_id": call.doc_id, **({ATTACHMENTS: stubs} if stubs else {})}
    [result] = await edit(call, [await admitted(call, said, new_edits=True, doc_id=call.doc_id)])
    if isinstance(result, Flaw):
        raise refusal_of(result)
    return answer({"ok": True, "id": result.doc_id, "rev": result.rev}, status, ETag=f'"{result.rev}"')


def _answer(call: Call, data: bytes, kind: str, md5: str) -> Answer:
    headers = {"ETag": f'"{md5}"', "Accept-Ranges": "bytes", **SANDBOX}
    asked = call.request.headers
    if md5 in etags(asked.getall("if-none-match", [])):
        return Answer(status=304, headers=headers)
    stretch = _RANGE.fullmatch(asked.get("range", "").strip())
    if stretch is None or stretch.groups() == ("", ""):
        # Of several stretches, or in other units, the whole is an answer, too (RFC 9110, 14.2).
        return Answer(data, media_type=_plain(kind), headers={**headers, "Content-MD5": md5}, is_packable=False)
    first, last = stretch.groups()
    start = int(first) if first else max(0, len(data) - int(last))
    end = min(int(last) + 1, len(data)) if first and last else len(data)
    if start >= end:
        said = {**headers, "Content-Range": f"bytes */{len(data)}"}
        body = b'{"error":"requested_range_not_satisfiable","reason":"Requested range not satisfiable"}\n'
        return Answer(body, 416, headers=said, is_packable=False)
    said = {**headers, "Content-Range": f"bytes {start}-{end - 1}/{len(data)}"}
    return Answer(data[start:end], 206, media_type=_plain(kind), headers=said, is_packable=False)


def _plain(kind: str) -> str:
    """Return a type that can stand in a header; what can't is bytes of any kind."""
    return kind if kind.isascii() and kind.isprintable() else OCTETS


def _no_attachment() -> Refusal:
    return missing("Document is missing attachment")
