"""`nuong areas`: looking up places from the console."""

from datetime import datetime

import click

from server.areas.areas import Areas
from server.areas.atlas import Atlas, Unit, local_day
from server.console import Console, Failure, run
from server.platform.clock import system_clock

DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def areas() -> None:
    """Places, and what codes meant when."""


@areas.command("list")
@click.option("--on", type=DAY, help="The day; today's units where it is left out.")
def list_units(on: datetime | None) -> None:
    """List the units of a day."""
    day = on.date() if on else local_day(system_clock())
    for unit in run(open_atlas).present(day):
        click.echo(_line(unit))


@areas.command()
@click.argument("code")
@click.option("--on", type=DAY, required=True, help="The day on which the code was written down.")
def resolve(code: str, on: datetime) -> None:
    """Tell which unit CODE meant on a day."""
    atlas = run(open_atlas)
    unit = atlas.resolve(code, on.date())
    if unit is None:
        raise Failure(f"{code} was no unit's code on {on.date().isoformat()}.")
    click.echo(_line(unit))
    for later in atlas.today(unit.id, local_day(system_clock())):
        if later.id != unit.id:
            click.echo(f"  today in {_line(later)}")


async def open_atlas(console: Console) -> Atlas:
    """Return the atlas, brought in where the database is new."""
    areas = Areas(console.storage, console.journal, console.clock)
    await areas.prepare()
    return await areas.atlas()


def _line(unit: Unit) -> str:
    district = f" ({unit.district})" if unit.district else ""
    return f"{unit.id:18} {unit.name}{district}"


commands = (areas,)
