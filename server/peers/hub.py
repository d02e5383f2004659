"""Whether this server is a commune's hub, which only reads what the province alone writes.

Nor are conflicts decided here: a manager's decision is an edit that nobody's phone has sealed, so that it would be
nobody's at the province, which keeps such things aside with all that follows them (docs/decisions/0014).
"""

import re
from datetime import datetime, timedelta
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from sqlalchemy import select

from server.errors import Problem
from server.peers.tables import hub, peers
from server.platform.api_description.declarations import raises_by_path
from server.platform.clock import Clock
from server.platform.db.engine import Storage

FRESH = timedelta(seconds=30)
#: Where people, places and forms are written; one's own password too, or the next directory would undo it.
READ_ONLY = ("/api/people", "/api/areas", "/api/forms", "/api/auth/password")
#: Where a manager's decision becomes a revision of a record; questions may be asked, what was kept aside let in.
DECIDES = re.compile(r"/api/(conflicts|duplicates)/(.+/)?(decide|undo|batch|part)")


class HubState:
    """Tells whether this server is a hub; half a minute old at most."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        """Read nothing yet."""
        self._storage = storage
        self._clock = clock
        self._province: str | None = None
        self._read_at: datetime | None = None

    async def province(self) -> str | None:
        """Return the address of the province that this hub is of; None for a server of its own."""
        now = self._clock()
        if self._read_at is None or now - self._read_at > FRESH:
            query = select(peers.c.url).join(hub, hub.c.peer == peers.c.id)
            async with self._storage.read() as connection:
                self._province = await connection.scalar(query)
            self._read_at = now
        return self._province


def refused_at_a_hub(method: str, path: str) -> str | None:
    """Return the code by which a hub refuses this; None where it does it like every server."""
    path = path.rstrip("/")
    if method in ("GET", "HEAD", "OPTIONS"):
        return None
    if DECIDES.fullmatch(path):
        return "hub_does_not_decide"
    # Whole segments: another door's name may begin alike.
    is_written = any(path == each or path.startswith(each + "/") for each in READ_ONLY)
    return "hub_only_reads" if is_written else None


@raises_by_path(lambda method, path: filter(None, [refused_at_a_hub(method, path)]))
async def only_the_province_writes(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Guard: refuse at a hub whatever the province writes or decides; raise `hub_only_reads`, `hub_does_not_decide`."""
    code = refused_at_a_hub(str(connection.scope.get("method", "GET")), connection.scope["path"])
    if code is None:
        return
    state: HubState = connection.app.state["hub_state"]
    province = await state.province()
    if province is not None:
        raise Problem(code, province=province.removesuffix("/db"))
