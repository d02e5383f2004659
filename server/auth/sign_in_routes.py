"""The doors for signing in and out, and for people to see and change their own account."""

from typing import Any

from litestar import Request, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody

from server.areas.areas import Areas
from server.areas.atlas import Atlas
from server.auth import people, refresh
from server.auth.audit import note
from server.auth.authentication import SIGN_IN_BYTES, paced, provide_address
from server.auth.keys import KeyRing
from server.auth.lockout import Attempt
from server.auth.passwords import Passwords
from server.auth.people import Person
from server.auth.principal import Principal
from server.auth.schemas import (
    EnrolmentAnswer,
    GrantAnswer,
    LoginAnswer,
    LoginBody,
    MeAnswer,
    PasswordBody,
    PersonAnswer,
    RefreshBody,
    TokensAnswer,
)
from server.auth.sessions import Sessions
from server.auth.sign_ins import browser_name
from server.auth.tokens import IssuedTokens
from server.errors import Problem
from server.platform.api_description.declarations import raises
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from sync.contract.roles import RIGHTS


@post("/login", status_code=200, guards=[paced])
@raises(
    "wrong_password",
    "account_locked",
    "sign_in_at_province",
    "account_closed",
    "enrolment_of_another",
    "enrolment_revoked",
)
async def login(
    *,
    data: JSONBody[LoginBody],
    request: Request[Any, Any, Any],
    sessions: NamedDependency[Sessions],
    address: NamedDependency[str],
    areas: NamedDependency[Areas],
    server_id: NamedDependency[str],
) -> LoginAnswer:
    """Sign in; with a device's public key, enrol the device."""
    device = data.enrolment
    signed_in = await sessions.login(
        Attempt(data.username, address),
        data.password,
        device.jwk if device else None,
        (device.label if device else "") or browser_name(request.headers.get("user-agent", "")),
    )
    enrolment = signed_in.enrolment
    return LoginAnswer(
        **_tokens(signed_in.tokens),
        person=person_answer(signed_in.person, await areas.atlas()),
        enrolment=enrolment
        and EnrolmentAnswer(
            id=enrolment.id, highest_number=str(enrolment.highest_number), safe=str(enrolment.safe_number)
        ),
        server=server_id,
    )


@post("/refresh", status_code=200, guards=[paced])
@raises("not_signed_in")
async def renew(data: JSONBody[RefreshBody], sessions: NamedDependency[Sessions]) -> TokensAnswer:
    """Give new tokens for a refresh token, which stays valid until its successor is used."""
    return TokensAnswer(**_tokens(await sessions.refresh(data.refresh_token)))


@post("/logout", status_code=204)
async def logout(data: JSONBody[RefreshBody], sessions: NamedDependency[Sessions]) -> None:
    """End the sign-in that the refresh token belongs to."""
    await sessions.logout(data.refresh_token)


@post("/password", status_code=204)
@raises("wrong_password", "account_locked", "sign_in_at_province", "weak_password")
async def change_own_password(
    *,
    data: JSONBody[PasswordBody],
    principal: NamedDependency[Principal],
    sessions: NamedDependency[Sessions],
    address: NamedDependency[str],
    storage: NamedDependency[Storage],
    passwords: NamedDependency[Passwords],
    clock: NamedDependency[Clock],
) -> None:
    """Change one's own password, given the old one; every sign-in but the next ends."""
    async with storage.read() as connection:
        person = await people.find(connection, principal.person)
    if person is None:
        raise Problem("not_signed_in", reason="ended")
    encoded = await passwords.new_hash(data.new_password, person.username, person.name)
    await sessions.confirm_password(principal.person, data.password, address)
    async with storage.write() as connection:
        await people.change(connection, principal.person, {"password": encoded})
        await refresh.revoke_person(connection, principal.person, clock())
        await note(connection, clock, principal.person, "password_changed", principal.person)


@get("/api/me")
async def me(
    principal: NamedDependency[Principal],
    storage: NamedDependency[Storage],
    areas: NamedDependency[Areas],
    server_id: NamedDependency[str],
) -> MeAnswer:
    """Tell who is signed in, and what they may do where."""
    async with storage.read() as connection:
        person = await people.find(connection, principal.person)
    if person is None:
        raise Problem("not_signed_in", reason="ended")
    atlas = await areas.atlas()
    return MeAnswer(
        person=person_answer(person, atlas),
        enrolment=principal.enrolment,
        scopes=[scope.name for scope in atlas.scopes_of(principal)],
        carried=[scope.name for scope in atlas.carried(principal)],
        actions=sorted({action for grant in principal.grants for action in RIGHTS[grant.role].actions}),
        server=server_id,
    )


@get("/.well-known/jwks.json")
async def jwks(keys: NamedDependency[KeyRing]) -> dict[str, list[dict[str, str]]]:
    """Publish the keys that access tokens are signed with (RFC 7517)."""
    return {"keys": [dict(key) for key in await keys.jwks()]}


def person_answer(person: Person, atlas: Atlas) -> PersonAnswer:
    """Return how somebody sees themselves."""
    return PersonAnswer(
        id=person.id,
        username=person.username,
        name=person.name,
        locale=person.locale,
        grants=grant_answers(person, atlas),
    )


def grant_answers(person: Person, atlas: Atlas) -> list[GrantAnswer]:
    """Return a person's grants with the units' names."""
    return [
        GrantAnswer(
            role=grant.role,
            project=grant.project,
            unit=grant.unit,
            unit_name=atlas.units[grant.unit].name if grant.unit in atlas.units else grant.unit,
        )
        for grant in person.grants
    ]


def _tokens(tokens: IssuedTokens) -> dict[str, object]:
    return {
        "access_token": tokens.access_token,
        "expires_in": tokens.expires_in,
        "refresh_token": tokens.refresh_token,
    }


sign_in_router = Router(
    "/api/auth",
    route_handlers=[login, renew, logout, change_own_password],
    dependencies={"address": Provide(provide_address, sync_to_thread=False)},
    request_max_body_size=SIGN_IN_BYTES,
)
