"""From a request's headers to its principal, and the guards of doors whose handlers need not know who asks."""

import math
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import Any

from litestar.connection import ASGIConnection, Request
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler

from server.auth.principal import Principal
from server.auth.rate_limit import RateLimiter
from server.auth.sessions import Sessions
from server.errors import Problem
from server.platform.api_description.declarations import raises, signs_in

#: Anybody may send the bodies of signing in: no more is read than a name, a long password and a device's key take.
SIGN_IN_BYTES = 16_000

#: What an IPv6 customer has to themselves.
NETWORK_BITS = 64

Connection = ASGIConnection[Any, Any, Any, Any]


def client_address(connection: Connection) -> str:
    """Return whose address counts as one guesser's: that of the client, or behind a trusted proxy the one it names.

    Of IPv6 the network: each customer has so many addresses that each guess could have its own.
    """
    host = connection.client.host if connection.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), NETWORK_BITS), strict=False))


def provide_address(request: Request[Any, Any, Any]) -> str:
    """Return `client_address`: the dependency `address` of the doors that take a password."""
    return client_address(request)


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


@signs_in("bearer")
async def provide_principal(request: Request[Any, Any, Any], sessions: NamedDependency[Sessions]) -> Principal:
    """Return who asks: the dependency `principal` of every handler that names it."""
    return await principal_of(request, sessions)


@raises("too_many_requests")
async def paced(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Guard a door that strangers may knock at; raises `too_many_requests`."""
    pace: RateLimiter = connection.app.state["pace"]
    wait_s = pace.wait_s(client_address(connection))
    if wait_s:
        raise Problem("too_many_requests", wait_s=math.ceil(wait_s))


@signs_in("bearer")
async def signed_in(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Guard a door that any signed-in person may use."""
    await principal_of(connection, connection.app.state["sessions"])
