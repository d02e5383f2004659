"""What a server of the world replicates with: the door that others come to, and the parts of its own Push and Pull.

The door is the product's ASGI app under `/db`, from the request's bytes on. Only passwords are simplified: every server
has an account at every other, and what each shows is the same word, since checking one costs more than a replication.
"""

from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast

from litestar.datastructures import State

from server.auth import people
from server.auth.lockout import Attempt
from server.auth.people import Person
from server.auth.rate_limit import RateLimiter
from server.auth.sessions import Sessions
from server.errors import Problem
from server.gateway.couchdb.caller import Recognition
from server.gateway.couchdb.door import couchdb_door
from server.gateway.sync import exchange
from server.ingest.peer_ingest import PeerIngest
from server.peers.book import PeerBook
from server.peers.connections import ReplicationParts
from server.platform.db.engine import Storage
from server.settings import Settings

App = Callable[[Any, Any, Any], Awaitable[None]]
PASSWORD = "each other's"
#: The product's defaults; nothing of this machine's environment.
SETTINGS = Settings.model_construct()


class _Passwords(Sessions):
    """Knows one password."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def confirm_name_and_password(self, attempt: Attempt, password: str) -> Person:
        async with self._storage.read() as connection:
            found = await people.find_by_username(connection, attempt.username)
        if found is None or password != PASSWORD:
            raise Problem("wrong_credentials")
        return found[0]


class _Book(PeerBook):
    """A book in which every peer has that password."""

    async def password(self, peer: str) -> str | None:
        return PASSWORD


def peer_parts(of: exchange.ExchangeParts) -> ReplicationParts:
    """Return what the process of these parts replicates with; `open_client` is the caller's to replace."""
    return ReplicationParts(
        storage=of.storage,
        journal=of.journal,
        areas=of.areas,
        # Asked for by tokens for a CouchDB alone.
        keys=cast(Any, None),
        clock=of.clock,
        book=_Book(of.storage, of.clock, cast(Any, None)),
        ingest=PeerIngest(of.storage, of.journal, of.library, of.clock),
        server_id=of.server_id,
        settings=SETTINGS,
    )


def door(of: exchange.ExchangeParts) -> App:
    """Return the app that others reach under `/db`."""
    sessions, pace = _Passwords(of.storage), RateLimiter(of.clock, 1000, 1000)
    state = State(
        {
            "storage": of.storage,
            "journal": of.journal,
            "areas": of.areas,
            "library": of.library,
            "sessions": sessions,
            "pace": pace,
            "clock": of.clock,
            "settings": SETTINGS,
            "recognition": Recognition(of.storage, sessions, pace),
            "server_id": of.server_id,
        }
    )
    app = SimpleNamespace(state=state)

    async def served(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        await couchdb_door.fn({**scope, "litestar_app": app, "app": app, "state": {}}, receive, send)

    return served
