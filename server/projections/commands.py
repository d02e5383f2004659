"""`nuong follow again`: a follower computes its rows anew, from the beginning of the feeds."""

import click
from sqlalchemy import delete, select

from server.auth.audit import note
from server.console import Console, Failure, run
from server.journal.followers.tables import checkpoints


@click.group("follow")
def follow() -> None:
    """Look after what followers compute from the journal."""


@follow.command("again")
@click.argument("follower")
@click.option("--database", help="Of this database alone; otherwise of all.")
def again(follower: str, database: str | None) -> None:
    """Have FOLLOWER read its feeds from the beginning, as after a rule has changed."""
    count = run(lambda console: begin_anew(console, follower, database))
    click.echo(f"{follower} begins anew in {count} databases; a server that runs goes on with it within seconds.")


async def begin_anew(console: Console, follower: str, database: str | None = None) -> int:
    """Forget how far a follower is, in one database or in all; return in how many. Raise Failure where it is nowhere.

    Whoever follows sees the checkpoint gone and reads from the beginning; those who read up to this one wait for it.
    """
    mine = checkpoints.c.follower == follower
    if database is not None:
        mine &= checkpoints.c.database == database
    async with console.storage.write() as connection:
        count = (await connection.execute(delete(checkpoints).where(mine))).rowcount
        if not count:
            known = await connection.scalars(select(checkpoints.c.follower).distinct().order_by(checkpoints.c.follower))
            names = ", ".join(known) or "none yet"
            place = "" if database is None else f" in {database}"
            raise Failure(f"No follower {follower} has read anything{place}. Those that have: {names}.")
        subject = follower if database is None else f"{follower} {database}"
        await note(connection, console.clock, None, "follow_again", subject[:200], databases=count)
    return count


commands: tuple[click.Command, ...] = (follow,)
