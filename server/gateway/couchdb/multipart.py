"""A document with its attachments as `multipart/related` (RFC 2387): how CouchDB's replicator sends the longer ones."""

import asyncio
import base64
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message

from server.errors import Problem
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.refusals import bad_request, not_yet
from server.platform.json_reader import read
from sync.revisions.canonical import Json, MalformedJson


async def related(call: Call) -> dict[str, Json]:
    """Return the document, its attachments inside it; raise Refusal where none are taken yet, and nothing is kept."""
    if call.db.takes_anything:
        raise not_yet("This server takes no attachments yet.")
    content_type = call.request.headers.get("content-type", "")
    try:
        body = await call.body()
    except Problem as problem:
        if problem.code != "too_large":
            raise
        # A replicator takes 413 for this document's fault and its checkpoint passes it: then it would be lost.
        raise not_yet("This server takes no documents with so many bytes of attachments yet.") from None
    return await asyncio.to_thread(_joined, content_type, body)


def _joined(content_type: str, body: bytes) -> dict[str, Json]:
    whole = message_from_bytes(b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n" + body)
    parts = [_bytes(part) for part in whole.get_payload() if isinstance(part, Message)] if whole.is_multipart() else []
    if not parts:
        raise bad_request("The body is no multipart/related.")
    try:
        reading = read(parts[0])
    except MalformedJson as error:
        raise bad_request(f"invalid UTF-8 JSON ({error})") from None
    if reading.flaws or not isinstance(reading.value, dict):
        raise bad_request("The first part must be a document without flaws.")
    document = dict(reading.value)
    attachments = document.get("_attachments")
    following = iter(parts[1:])
    if isinstance(attachments, dict):
        document["_attachments"] = {name: _with_data(said, following) for name, said in attachments.items()}
    return document


def _with_data(said: Json, following: Iterator[bytes]) -> Json:
    if not isinstance(said, dict) or said.get("follows") is not True:
        return said
    data = next(following, None)
    if data is None:
        raise bad_request("An attachment that is said to follow does not.")
    return {**{name: each for name, each in said.items() if name != "follows"}, "data": base64.b64encode(data).decode()}


def _bytes(part: Message) -> bytes:
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""
