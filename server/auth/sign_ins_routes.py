"""The doors at which people see and end their own sign-ins."""

from litestar import Router, delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from server.auth import sign_ins
from server.auth.audit import note
from server.auth.principal import Principal
from server.auth.schemas import SignInAnswer, SignInsAnswer
from server.errors import Problem
from server.platform.api_description.declarations import raises
from server.platform.clock import Clock
from server.platform.db.engine import Storage


@get("/")
async def list_sign_ins(
    principal: NamedDependency[Principal], storage: NamedDependency[Storage], clock: NamedDependency[Clock]
) -> SignInsAnswer:
    """List one's own sign-ins: this one first, then the last used first."""
    async with storage.read() as connection:
        found = await sign_ins.standing(connection, principal, clock())
    return SignInsAnswer(
        sessions=[
            SignInAnswer(
                id=each.id,
                label=each.label,
                is_device=each.enrolment is not None,
                began_at=each.began_at,
                used_at=each.used_at,
                is_this=each.is_this,
            )
            for each in found
        ]
    )


@delete("/{session:str}")
@raises("not_found")
async def end_sign_in(
    session: FromPath[str],
    principal: NamedDependency[Principal],
    storage: NamedDependency[Storage],
    clock: NamedDependency[Clock],
) -> None:
    """End one of one's own sign-ins; what its device has not sent stays on it, and goes under its seal."""
    async with storage.write() as connection:
        found = await sign_ins.standing(connection, principal, clock())
        chosen = next((each for each in found if each.id == session), None)
        if chosen is None:
            raise Problem("not_found")
        await sign_ins.end(connection, chosen, clock())
        await note(connection, clock, principal.person, "sign_in_ended", principal.person, label=chosen.label)


@delete("/")
async def end_other_sign_ins(
    principal: NamedDependency[Principal], storage: NamedDependency[Storage], clock: NamedDependency[Clock]
) -> None:
    """End all of one's own sign-ins but this one."""
    async with storage.write() as connection:
        others = [each for each in await sign_ins.standing(connection, principal, clock()) if not each.is_this]
        for each in others:
            await sign_ins.end(connection, each, clock())
            await note(connection, clock, principal.person, "sign_in_ended", principal.person, label=each.label)


sign_ins_router = Router("/api/me/sessions", route_handlers=[list_sign_ins, end_sign_in, end_other_sign_ins])
