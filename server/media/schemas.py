"""A tus client's description of an upload: the `Upload-Metadata` header, read strictly."""

import base64
import binascii
import re
from typing import Annotated

from pydantic import Field, ValidationError

from server.errors import Problem
from server.platform.body_types import StrictBody

MAX_HEADER_CHARACTERS = 4096
#: What may come together with others.
MAX_SMALL_BYTES = 32_000


class _Described(StrictBody):
    """A content's type, and the record that it belongs to."""

    type: Annotated[str, Field(pattern=r"^[a-z]+/[a-z0-9.+-]{1,60}(;\s?[a-z]+=[a-z0-9.,+-]{1,30})?$")]
    db: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,99}$")]
    record: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^/\\\x00-\x1f]+$")]


class UploadMetadata(_Described):
    """The content's hash and type, and the record that it belongs to."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class BundledFile(_Described):
    """One of several small contents that come together."""

    bytes: Annotated[int, Field(gt=0, le=MAX_SMALL_BYTES)]


def parse_metadata(header: str) -> UploadMetadata:
    """Return what `header` says: comma-separated pairs of a key and its base64 value (tus 1.0, creation)."""
    try:
        return UploadMetadata.model_validate(_pairs(header))
    except ValidationError as error:
        raise Problem("upload_metadata", field=str(error.errors()[0]["loc"][0])) from error


def parse_bundle_metadata(header: str) -> str:
    """Return the hash of a bundle, which is all that is said of it before it is here."""
    values = _pairs(header)
    if set(values) != {"sha256"} or not re.fullmatch(r"[0-9a-f]{64}", values["sha256"]):
        raise Problem("upload_metadata", field="sha256")
    return values["sha256"]


def _pairs(header: str) -> dict[str, str]:
    values: dict[str, str] = {}
    try:
        if len(header) > MAX_HEADER_CHARACTERS:
            raise ValueError("too long")
        for pair in header.split(","):
            key, _, encoded = pair.strip().partition(" ")
            if key in values:
                raise ValueError("a key twice")
            values[key] = base64.b64decode(encoded.strip(), validate=True).decode()
    except (ValueError, binascii.Error) as error:
        raise Problem("upload_metadata", field="") from error
    return values
