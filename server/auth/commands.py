"""`nuong person` and `nuong keys`: people and signing keys from the console, which needs no sign-in."""

import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

from server.areas.atlas import Atlas, local_day
from server.areas.commands import open_atlas
from server.areas.grants import EVERY_PROJECT, PROVINCE, Grant
from server.auth import people
from server.auth.audit import note
from server.auth.keys import key_ring
from server.auth.members import Manager, NewMember
from server.auth.passwords import Passwords
from server.auth.people import Person
from server.console import Console, Failure, run
from server.platform.clock import system_clock
from sync.contract.roles import ROLES, Role

Result = TypeVar("Result")


@click.group()
def person() -> None:
    """People and what they may do."""


@person.command()
@click.argument("username")
@click.option("--name", required=True, help="The person's full name.")
@click.option("--locale", type=click.Choice(["vi", "en"]), default="vi", show_default=True)
@click.option("--birth-year", type=click.IntRange(1900, 2100))
@click.option("--role", type=click.Choice(ROLES), help="A first grant; with --project and --unit.")
@click.option("--project", default=EVERY_PROJECT, show_default=True, help="agri, tourism, …")
@click.option("--unit", default=PROVINCE, show_default=True, help="A code (03226) or a unit (03226-2025).")
def add(
    *, username: str, name: str, locale: str, birth_year: int | None, role: Role | None, project: str, unit: str
) -> None:
    """Add a person; the password is asked for, or read from standard input."""
    password = _password()

    async def work(manager: Manager) -> Person:
        grants = (_grant(manager.atlas, role, project, unit),) if role else ()
        return await manager.add(NewMember(username, name, password, locale, birth_year, grants))

    click.echo(f"Added {_line(_run_manager(work))}")


@person.command("list")
def list_people() -> None:
    """List everybody, by given name."""
    for each in _run_manager(Manager.everybody):
        click.echo(_line(each))


@person.command()
@click.argument("username")
@click.argument("role", type=click.Choice(ROLES))
@click.argument("project")
@click.argument("unit", default=PROVINCE)
@click.option("--remove", is_flag=True, help="Take the grant away instead.")
def grant(username: str, role: Role, project: str, unit: str, *, remove: bool) -> None:
    """Give USERNAME a ROLE in a PROJECT (* is every one) and a UNIT (the province where none is named)."""

    async def work(manager: Manager) -> Person:
        found = await _find(manager, username)
        wanted = _grant(manager.atlas, role, project, unit)
        others = tuple(held for held in found.grants if held != wanted)
        return await manager.set_grants(found.id, others if remove else (*others, wanted))

    click.echo(_line(_run_manager(work)))


@person.command()
@click.argument("username")
def password(username: str) -> None:
    """Set USERNAME's password and end their sign-ins."""
    chosen = _password()

    async def work(manager: Manager) -> Person:
        return await manager.change((await _find(manager, username)).id, {"password": chosen})

    click.echo(f"Changed the password of {_run_manager(work).username}.")


@person.command()
@click.argument("username")
@click.option("--open", "reopen", is_flag=True, help="Open it again instead.")
def close(username: str, *, reopen: bool) -> None:
    """Close USERNAME's account and end their sign-ins; what they recorded stays."""

    async def work(manager: Manager) -> Person:
        return await manager.change((await _find(manager, username)).id, {"active": reopen})

    click.echo(_line(_run_manager(work)))


@click.group()
def keys() -> None:
    """The keys that access tokens are signed with."""


@keys.command()
def rotate() -> None:
    """Make a new signing key; tokens of the old one stay good until they run out."""

    async def work(console: Console) -> str:
        kid = await key_ring(console.settings, console.storage, console.clock).rotate()
        async with console.storage.write() as connection:
            await note(connection, console.clock, None, "keys_rotated", kid)
        return kid

    click.echo(f"Signing with {run(work)} from now on; running servers follow within half a minute.")


def _run_manager(work: Callable[[Manager], Awaitable[Result]]) -> Result:
    async def over_console(console: Console) -> Result:
        atlas = await open_atlas(console)
        return await work(Manager(console.storage, Passwords(), console.clock, atlas, principal=None))

    return run(over_console)


async def _find(manager: Manager, username: str) -> Person:
    name = people.folded(username)
    found = next((each for each in await manager.everybody() if each.username == name), None)
    if found is None:
        raise Failure(f"Nobody is called {username}.")
    return found


def _grant(atlas: Atlas, role: Role, project: str, unit: str) -> Grant:
    known = atlas.units.get(unit) or atlas.resolve(unit, local_day(system_clock()))
    if known is None:
        raise Failure(f"There is no unit {unit}; `nuong areas list` shows them.")
    wanted = Grant(role, project, known.id)
    if not atlas.is_grantable(wanted):
        raise Failure(f"There is no project {project}, or nothing is recorded under {known.name} any more.")
    return wanted


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def _line(each: Person) -> str:
    held = "; ".join(f"{grant.role} {grant.project} {grant.unit}" for grant in each.grants) or "no grants"
    return f"{each.username:16} {each.name} ({held}){'' if each.is_active else ', closed'}"


commands = (person, keys)
