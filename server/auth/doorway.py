"""From a request's headers to its principal, and the guards of doors whose handlers need not know who asks."""

import math
from typing import Any

from litestar.connection import ASGIConnection, Request
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler

from server.auth.pace import Pace
from server.auth.principal import Principal
from server.auth.sessions import Sessions
from server.errors import Problem

#: Anybody may send the bodies of signing in: no more is read than a name, a long password and a device's key take.
SIGN_IN_BYTES = 16_000

Connection = ASGIConnection[Any, Any, Any, Any]


def bearer_token(request: Connection) -> str | None:
    """Return the token of `Authorization: Bearer …`, None where there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


async def principal_of(request: Connection, sessions: Sessions) -> Principal:
    """Return who asks, with the rights of this moment; raises `not_signed_in`."""
    token = bearer_token(request)
    if token is None:
        raise Problem("not_signed_in", reason="missing")
    return await sessions.principal(token)


async def provide_principal(request: Request[Any, Any, Any], sessions: NamedDependency[Sessions]) -> Principal:
    """Return who asks: the dependency `principal` of every handler that names it."""
    return await principal_of(request, sessions)


async def paced(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Guard a door that strangers may knock at; raises `too_many_requests`."""
    pace: Pace = connection.app.state["pace"]
    wait_s = pace.wait_s(connection.client.host if connection.client else "")
    if wait_s:
        raise Problem("too_many_requests", wait_s=math.ceil(wait_s))


async def signed_in(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Guard a door that any signed-in person may use."""
    await principal_of(connection, connection.app.state["sessions"])
