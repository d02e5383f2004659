"""A document with its attachments as `multipart/related` (RFC 2387): how CouchDB's replicator sends the longer ones."""

import asyncio
import base64
from collections.abc import Iterator
from email.message import Message

from server.errors import Problem
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.refusals import bad_request, not_yet
from server.platform.json_reader import read
from sync.revisions.canonical import Json, MalformedJson


async def related(call: Call) -> dict[str, Json]:
    """Return the document, its attachments inside it; raise Refusal."""
    content_type = call.request.headers.get("content-type", "")
    try:
        body = await call.body()
    except Problem as problem:
        if problem.code != "too_large":
            raise
        # A replicator takes 413 for this document's fault and its checkpoint passes it: then it would be lost.
        raise not_yet("This server takes no documents with so many bytes of attachments yet.") from None
    return await asyncio.to_thread(_joined, content_type, body, keeps_numbers=call.db.takes_anything)


def _joined(content_type: str, body: bytes, *, keeps_numbers: bool) -> dict[str, Json]:
    parts = _parts(content_type, body)
    if not parts:
        raise bad_request("The body is no multipart/related.")
    try:
        reading = read(parts[0], keeps_numbers=keeps_numbers)
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


def _parts(content_type: str, body: bytes) -> list[bytes]:
    """Return the bodies of the parts, byte for byte: no type of a part means anything here, not even a mail's."""
    head = Message()
    head["Content-Type"] = content_type
    boundary = head.get_boundary()
    if not boundary:
        return []
    parts: list[bytes] = []
    for piece in (b"\r\n" + body).split(b"\r\n--" + boundary.encode("latin-1"))[1:]:
        if piece.startswith(b"--"):
            break
        parts.append(piece.partition(b"\r\n\r\n")[2])
    return parts
