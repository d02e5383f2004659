"""Bodies of the peers' routes."""

from datetime import datetime
from ipaddress import ip_address
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from server.peers.failures import TroubleCode
from server.peers.media_book import FileReason
from server.platform.body_types import StrictBody

#: Names that no network but one's own resolves.
_OWN_DOMAINS = (".local", ".lan", ".internal", ".home.arpa", ".localhost")


class NewPeerBody(StrictBody):
    """A peer to be added."""

    name: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9][a-z0-9-]*$")]
    url: Annotated[str, Field(max_length=500)]
    scopes: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=100)]], Field(min_length=1, max_length=200)
    ] = ["*"]
    direction: Literal["both", "push", "pull"] = "both"
    mode: Literal["continuous", "once"] = "continuous"
    auth: Literal["none", "password", "token"] = "none"
    username: Annotated[str, Field(max_length=100)] | None = None
    password: SecretStr | None = None

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        return checked_url(value)

    @model_validator(mode="after")
    def _way(self) -> Self:
        checked_way(self.url, has_password=self.auth == "password")
        return self


class StatusAnswer(BaseModel):
    """How far one database is."""

    database: str
    direction: Literal["push", "pull"]
    last_seq: str | None
    behind: int | None
    documents: int
    trouble: TroubleCode | None
    told: str | None
    since: datetime
    checked_at: datetime


class LeftOutAnswer(BaseModel):
    """A revision that one side will not have."""

    database: str
    id: str
    rev: str
    direction: Literal["push", "pull"]
    reason: str


class FileLeftAnswer(BaseModel):
    """A file that could not be carried; `reason` is a code."""

    direction: Literal["push", "pull"]
    database: str
    record: str
    name: str
    sha256: str
    reason: FileReason
    told: str


class PeerAnswer(BaseModel):
    """A peer, how far it is, and what is the matter with it.

    `files_waiting` is how many files one side has and the other awaits; `files_missing` how many are not here at all.
    """

    id: str
    name: str
    url: str
    kind: Literal["replica", "province"]
    direction: Literal["both", "push", "pull"]
    mode: Literal["continuous", "once"]
    auth: Literal["none", "password", "token"]
    username: str | None
    scopes: list[str]
    behind: int
    held: int
    statuses: list[StatusAnswer]
    left_out_count: int
    left_out: list[LeftOutAnswer]
    files_waiting: int
    files_missing: int
    files_left_count: int
    files_left: list[FileLeftAnswer]


class PeersAnswer(BaseModel):
    """The peers that one may see, and the province where this server is its hub.

    `token_url` is the one address that takes tokens; `may_manage` whether one may add and remove peers.
    """

    peers: list[PeerAnswer]
    province: str | None
    token_url: str | None
    may_manage: bool


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class AwaitedFile(BaseModel):
    """A file that a record names and that has not come."""

    sha256: Sha256
    database: Annotated[str, Field(max_length=100)]
    record: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]


class AwaitedAnswer(BaseModel):
    """A page of what is awaited; `next` is where the following one begins, None at the end."""

    awaited: list[AwaitedFile]
    # As long as what `after` takes.
    next: Annotated[str, Field(max_length=8000)] | None


class HeldBody(StrictBody):
    """The contents that another server asks for."""

    sha256s: Annotated[list[Sha256], Field(max_length=1000)]


class HeldFile(BaseModel):
    """A content that is here, and what a record calls it."""

    sha256: Sha256
    bytes: Annotated[int, Field(ge=1, le=10**12)]
    type: Annotated[str, Field(max_length=100)]
    name: Annotated[str, Field(min_length=1, max_length=200)]


class HeldAnswer(BaseModel):
    """Those of the asked files that are here."""

    held: list[HeldFile]


class DirectoryAnswer(BaseModel):
    """The directory of a hub; None where the hub has it already."""

    fingerprint: str
    directory: dict[str, Any] | None


class ContentAnswer(BaseModel):
    """A content as a hub fetches it, in base64."""

    sha256: str
    media_type: str
    body: str


def checked_url(value: str) -> str:
    """Return an address without a password in it: it is shown, and a password is sealed."""
    try:
        parts = urlsplit(value)
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or parts.query or parts.fragment:
        raise ValueError("is no address such as https://couchdb.example.vn")
    if parts.username or parts.password:
        raise ValueError("give the name and the password apart from the address")
    return value.rstrip("/")


def checked_way(url: str, *, has_password: bool) -> str:
    """Return an address to which a password may go: by https, or within one's own network; raise ValueError."""
    parts = urlsplit(url)
    if has_password and parts.scheme == "http" and not _is_own(parts.hostname or ""):
        raise ValueError("needs https: on the way there anybody could read the password")
    return url


def _is_own(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(_OWN_DOMAINS)
