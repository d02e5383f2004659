"""Authentication at `/db`: by Basic with name and password, by an access token, or by the cookie of a session.

A password costs twenty milliseconds and 19 MiB to check, and a replicator sends it with every request. So what was
right is remembered as a keyed digest beside the hash that it was right for: one look at the person's row tells whether
it still is. Requests that come side by side share one check, or a browser's six would look like six guesses.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import math
import secrets
from dataclasses import dataclass, replace
from typing import Any

from litestar import Request

from server.auth import people
from server.auth.authentication import bearer_token, client_address
from server.auth.authorise import administers_everything
from server.auth.lockout import Attempt
from server.auth.people import Person
from server.auth.principal import Principal
from server.auth.rate_limit import RateLimiter
from server.auth.sessions import Sessions
from server.errors import Problem
from server.gateway.couchdb.refusals import Refusal, unauthorized
from server.gateway.couchdb.same_origin import require_own_page
from server.platform.cookies import cookie_value
from server.platform.db.engine import Storage

COOKIE = "AuthSession"
COOKIE_HANDLER = "cookie"
REMEMBERED = 1000
WRONG = "Name or password is incorrect."


@dataclass(frozen=True, slots=True)
class Caller:
    """A person at this door and how they were recognised: `default` (Basic), `jwt` or `cookie`.

    `password` is the hash that a password was right for.
    """

    principal: Principal
    username: str
    handler: str
    password: str | None = None

    @property
    def owner(self) -> str:
        """Return whose local documents this caller's are: a device's where there is one, else the person's."""
        return self.principal.enrolment or self.principal.person

    @property
    def is_server_admin(self) -> bool:
        """Whether they administer everything: only then may they make databases."""
        return administers_everything(self.principal)

    @property
    def roles(self) -> list[str]:
        """Return their grants as CouchDB's roles: `<role>`, and `<role>:<project>-<unit>` for each."""
        grants = self.principal.grants
        found = {grant.role for grant in grants} | {f"{grant.role}:{grant.project}-{grant.unit}" for grant in grants}
        return sorted(found | ({"_admin"} if self.is_server_admin else set()))


class Recognition:
    """Recognises callers of one server process."""

    def __init__(self, storage: Storage, sessions: Sessions, pace: RateLimiter, public_url: str | None = None) -> None:
        """Remember nobody yet; `public_url` is an address at which browsers reach this server."""
        self._public_url = public_url
        self._storage = storage
        self._sessions = sessions
        self._pace = pace
        self._key = secrets.token_bytes(32)
        # Keyed digest of name and password → the hash it was right for; in the order of their use.
        self._right: dict[bytes, str] = {}
        self._checking: dict[tuple[bytes, str], asyncio.Task[Person]] = {}

    async def caller(self, request: Request[Any, Any, Any]) -> Caller | None:
        """Return who asks, None where nothing says so; raise Refusal for what was said wrongly."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            name, password = _name_and_password(value)
            return await self._by_password(request, name, password)
        if scheme:
            return await self._by_token(bearer_token(request))
        cookie = cookie_value(request, COOKIE)
        if cookie is None:
            return None
        self.require_own_page(request)
        return await self._by_cookie(cookie)

    def require_own_page(self, request: Request[Any, Any, Any]) -> None:
        """Return if no page of another origin is behind the request; raise Refusal."""
        require_own_page(request, self._public_url)

    async def person(self, request: Request[Any, Any, Any], name: str, password: str) -> Person:
        """Return the person with this name and password; raise Refusal."""
        return (await self._person(request, name, password))[0]

    async def _by_password(self, request: Request[Any, Any, Any], name: str, password: str) -> Caller:
        person, encoded = await self._person(request, name, password)
        principal = Principal(person.id, person.name, None, person.grants)
        return Caller(principal, person.username, "default", encoded)

    async def _person(self, request: Request[Any, Any, Any], name: str, password: str) -> tuple[Person, str]:
        said = hmac.digest(self._key, f"{name}\0{password}".encode("utf-8", "replace"), hashlib.sha256)
        async with self._storage.read() as connection:
            found = await people.find_by_username(connection, name)
        if found is None or self._right.get(said) != found[1]:
            await self._checked(request, said, name, password)
            if found is None:
                raise unauthorized(WRONG)
            self._remember(said, found[1])
        person = found[0]
        if not person.is_active:
            raise unauthorized("The account is closed.")
        return found

    async def _checked(self, request: Request[Any, Any, Any], said: bytes, name: str, password: str) -> None:
        address = client_address(request)
        if (checking := self._checking.get((said, address))) is None:
            wait_s = self._pace.wait_s(address)
            if wait_s:
                raise Refusal(429, "too_many_requests", f"Try again in {math.ceil(wait_s)} seconds.")
            checking = asyncio.create_task(self._sessions.confirm_name_and_password(Attempt(name, address), password))
            self._checking[said, address] = checking
            checking.add_done_callback(lambda _: self._checking.pop((said, address), None))
        try:
            await asyncio.shield(checking)
        except Problem as problem:
            if problem.code == "account_locked":
                raise Refusal(
                    403, "forbidden", "Account is temporarily locked due to multiple authentication failures"
                ) from None
            raise unauthorized(problem.kind.title if problem.code == "sign_in_at_province" else WRONG) from None

    async def renewed(self, caller: Caller) -> Caller | None:
        """Return the caller with the rights of this moment; None once they are shut out.

        That is: their account, their device, the sign-in of their token or cookie, or the password that they gave.
        """
        principal = await self._sessions.stands(caller.principal)
        if principal is None:
            return None
        if caller.password is not None:
            async with self._storage.read() as connection:
                found = await people.find_by_username(connection, caller.username)
            if found is None or found[1] != caller.password:
                return None
        return replace(caller, principal=principal)

    def _remember(self, said: bytes, encoded: str) -> None:
        self._right.pop(said, None)
        if len(self._right) >= REMEMBERED:
            del self._right[next(iter(self._right))]
        self._right[said] = encoded

    async def _by_token(self, token: str | None) -> Caller:
        if token is None:
            raise unauthorized(WRONG)
        try:
            principal = await self._sessions.principal(token)
        except Problem:
            raise unauthorized("The token is not valid.") from None
        return await self._named(principal, "jwt")

    async def _by_cookie(self, cookie: str) -> Caller | None:
        principal = await self._sessions.principal_of_refresh(cookie)
        # A cookie that has ended is no cookie: whoever may be anonymous still may.
        return None if principal is None else await self._named(principal, COOKIE_HANDLER)

    async def _named(self, principal: Principal, handler: str) -> Caller:
        async with self._storage.read() as connection:
            person = await people.find(connection, principal.person)
        return Caller(principal, person.username if person else "", handler)


def _name_and_password(value: str) -> tuple[str, str]:
    try:
        name, colon, password = base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        raise unauthorized(WRONG) from None
    if not colon or "\0" in name:
        raise unauthorized(WRONG)
    return name, password
