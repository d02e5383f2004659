"""The member `_attachments` as it comes in: names, types, and bytes as base64 or a stub in their place."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from server.gateway.couchdb.refusals import not_yet
from server.platform.inflate import MAX_BODY_BYTES, DamagedGzip, Gunzip
from sync.revisions.canonical import Json

OCTETS = "application/octet-stream"


class BadAttachment(Exception):
    """What a document says of an attachment can't be read; the message tells it in CouchDB's words."""


@dataclass(frozen=True, slots=True)
class Attached:
    """One attachment as a document brings it; `data` None for a stub, whose bytes are somewhere here already."""

    name: str
    content_type: str
    data: bytes | None
    digest: str | None
    revpos: int | None


def read_attachments(said: Mapping[str, Json]) -> tuple[Attached, ...]:
    """Return what a document brings; raise BadAttachment."""
    return tuple(_attached(name, each) for name, each in said.items())


def _attached(name: str, said: Json) -> Attached:
    if name.startswith("_"):
        raise BadAttachment(f"Attachment name '{name}' starts with prohibited character '_'")
    if not isinstance(said, Mapping):
        raise BadAttachment(f"Invalid attachment: {name}")
    kind, digest, revpos = said.get("content_type"), said.get("digest"), said.get("revpos")
    return Attached(
        name,
        kind if isinstance(kind, str) and kind else OCTETS,
        _data(name, said),
        digest if isinstance(digest, str) else None,
        revpos if type(revpos) is int and revpos > 0 else None,
    )


def _data(name: str, said: Mapping[str, Json]) -> bytes | None:
    if "data" not in said:
        if said.get("follows") is True:
            raise BadAttachment(f"Attachment {name} is said to follow, and nothing does")
        return None
    text = said["data"]
    try:
        data = base64.b64decode("".join(text.split()), validate=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        data = None
    if data is None:
        raise BadAttachment(f"Invalid attachment data for {name}")
    # CouchDB keeps texts packed and sends them so.
    return _unpacked(name, data) if said.get("encoding") == "gzip" else data


def _unpacked(name: str, packed: bytes) -> bytes:
    gunzip = Gunzip()
    data = bytearray()
    try:
        for piece in gunzip.pieces(packed):
            data += piece
            if len(data) > MAX_BODY_BYTES:
                raise not_yet("This server takes no attachments of such length yet.")
    except DamagedGzip:
        raise BadAttachment(f"Invalid attachment data for {name}") from None
    if not gunzip.is_complete:
        raise BadAttachment(f"Invalid attachment data for {name}")
    return bytes(data)
