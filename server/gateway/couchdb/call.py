"""One request at the door, as the verbs see it: who, where, what, and the parts of the server to work with."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Request

from server.areas.areas import Areas
from server.auth.rate_limit import RateLimiter
from server.auth.sessions import Sessions
from server.forms.library import FormLibrary
from server.gateway.couchdb.caller import Caller, Recognition
from server.gateway.couchdb.databases import Database, Databases
from server.gateway.couchdb.refusals import Refusal, bad_parameter, bad_request, unauthorized
from server.journal.journal import Journal
from server.journal.store.statements import Statements
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.inflate import read_body
from server.platform.json_reader import aside, read
from server.settings import Settings
from sync.contract.counts import read_count
from sync.revisions.canonical import Json, MalformedJson, parse


@dataclass(frozen=True, slots=True)
class CouchParts:
    """The services that the verbs use."""

    storage: Storage
    journal: Journal
    areas: Areas
    library: FormLibrary
    sessions: Sessions
    pace: RateLimiter
    clock: Clock
    settings: Settings
    sql: Statements
    recognition: Recognition
    databases: Databases


@dataclass(frozen=True, slots=True)
class Call:
    """A request; `doc_id` and `attachment` are unquoted."""

    parts: CouchParts
    request: Request[Any, Any, Any]
    method: str
    query: Mapping[str, str]
    caller: Caller | None
    server_id: str
    database: Database | None = None
    doc_id: str = ""
    attachment: str = ""

    @property
    def person(self) -> Caller:
        """Return who asks; refuse somebody who is not known."""
        if self.caller is None:
            raise unauthorized()
        return self.caller

    @property
    def db(self) -> Database:
        """Return the database that the path names."""
        assert self.database is not None
        return self.database

    def flag(self, name: str) -> bool:
        """Return a query value that is `true` or `false`; false when it is absent."""
        text = self.query.get(name, "false")
        if text not in ("true", "false"):
            raise bad_parameter(name)
        return text == "true"

    def count(self, name: str) -> int | None:
        """Return a query value that counts something; None when it is absent."""
        if name not in self.query:
            return None
        count = read_count(self.query[name])
        if count is None:
            raise bad_parameter(name)
        return count

    def json(self, name: str) -> Json:
        """Return a query value that is JSON."""
        try:
            return parse(self.query[name].encode("utf-8", "replace"))
        except MalformedJson:
            raise bad_request("invalid UTF-8 JSON") from None

    async def body(self, limit: int | None = None) -> bytes:
        """Return the request's body, inflated under the caps; `limit` is a lower one than the settings'."""
        headers = self.request.headers
        return await read_body(
            _pieces(self.request),
            headers.get("content-encoding"),
            limit=self.parts.settings.request_bytes if limit is None else limit,
            announced=self.request.content_length,
        )

    async def text(self, limit: int | None = None) -> bytes:
        """Return the body, which must be said to be JSON."""
        self._require_json()
        return await self.body(limit)

    async def mapping(self, limit: int | None = None) -> dict[str, Json]:
        """Return the body, which must be a JSON object without flaws."""
        return await aside(mapping_of, await self.text(limit))

    async def document(self) -> dict[str, Json]:
        """Return the body as `mapping` does, a document for this database."""
        return mapping_of(await self.text(), keeps_numbers=self.db.takes_anything)

    async def mapping_if_any(self) -> dict[str, Json]:
        """Return the body as `mapping` does; one without a byte says nothing, of whatever type."""
        if not (body := await self.body()):
            return {}
        self._require_json()
        return await aside(mapping_of, body)

    def _require_json(self) -> None:
        # A browser sends other types across origins without asking first; JSON it does not.
        content_type = self.request.headers.get("content-type", "application/json").partition(";")[0].strip()
        if content_type.lower() != "application/json":
            raise Refusal(415, "bad_content_type", "Content-Type must be application/json")


def mapping_of(body: bytes, *, keeps_numbers: bool = False) -> dict[str, Json]:
    """Return a body that must be a JSON object without flaws; raise Refusal."""
    try:
        reading = read(body, keeps_numbers=keeps_numbers)
    except MalformedJson as error:
        raise bad_request(f"invalid UTF-8 JSON ({error})") from None
    if reading.flaws:
        raise bad_request(f"invalid UTF-8 JSON ({reading.flaws[0]})")
    if not isinstance(reading.value, dict):
        raise bad_request("Request body must be a JSON object")
    return reading.value


async def _pieces(request: Request[Any, Any, Any]) -> AsyncIterator[bytes]:
    """Yield the body as it arrives: the framework's own stream knows only its own kind of handlers."""
    while True:
        message = await request.receive()
        if message["type"] != "http.request":
            raise bad_request("The request ended too early.")
        yield message["body"]
        if not message["more_body"]:
            return
