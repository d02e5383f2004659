"""`nuong backup` and `nuong restore`, and `nuong epoch begin` after a restore by other means."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click

from server.backup.manifest import Manifest, read_manifest
from server.backup.run import BackupOptions, RestoreOptions, back_up, restore, verify_and_note
from server.console import Console, Failure, open_storage, run
from server.platform.clock import system_clock
from server.platform.db.engine import Storage
from server.platform.db.server_identity import begin_epoch, identify
from server.settings import Settings, load_settings

Result = TypeVar("Result")


class _TakesTarget(click.Group):
    """A group in which what is no command of its own is what the command `make` takes."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Put `make` in front of a target, and of options."""
        if args and args[0] not in {*self.commands, "--help"}:
            args = ["make", *args]
        return super().parse_args(context, args)


@click.group("backup", cls=_TakesTarget)
def backup() -> None:
    """Keep everything in a folder: `nuong backup TARGET`; read one again: `nuong backup verify SOURCE`."""


@backup.command("make")
@click.argument("target", type=click.Path(path_type=Path, resolve_path=True))
@click.option("--without-media", is_flag=True, help="Leave photos and sound out; phones keep theirs.")
@click.option("--without-secret", is_flag=True, help="Leave the secret out: keep it elsewhere yourself.")
@click.option(
    "--base",
    type=click.Path(path_type=Path, resolve_path=True, exists=True, file_okay=False),
    help="An earlier backup on the same disk: files that it has are linked to, and take no room twice.",
)
def make(target: Path, base: Path | None, *, without_media: bool, without_secret: bool) -> None:
    """Keep the database, media and secret in the new folder TARGET while the server runs, and verify it."""
    wanted = BackupOptions(media=not without_media, secret=not without_secret, base=base)

    async def work(storage: Storage, settings: Settings) -> Manifest:
        made = await back_up(storage, settings, system_clock, target, wanted)
        await verify_and_note(storage, system_clock, target)
        return made

    made = _over_storage(work)
    click.echo(f"{target} holds everything as it was at {made.made_at}, and was verified.")
    if without_secret:
        click.echo("The secret (NUONG_SECRET or NUONG_SECRET_FILE) is not in it: keep a copy elsewhere.")
    if without_media:
        click.echo("Media are not in it: phones keep the photos of saves that it therefore does not cover.")
    elif made.lacking:
        raise Failure(
            f"{len(made.lacking)} files were gone or damaged on this server and are not in the backup, first "
            f"{made.lacking[0]}; `nuong media verify` has them brought again."
        )


@backup.command("verify")
@click.argument("source", type=click.Path(path_type=Path, resolve_path=True, exists=True, file_okay=False))
def verify_backup(source: Path) -> None:
    """Read all of a backup; from then on phones may forget what it covers."""

    async def work(storage: Storage, _: Settings) -> tuple[Manifest, bool]:
        return await verify_and_note(storage, system_clock, source)

    manifest, is_ours = _over_storage(work)
    click.echo(f"{source} is whole: everything as it was at {manifest.made_at}.")
    if not is_ours:
        click.echo("It is not of this server as it is now, so phones are told nothing of it.")


@click.command("restore")
@click.argument("source", type=click.Path(path_type=Path, resolve_path=True, exists=True, file_okay=False))
@click.option("--yes", is_flag=True, help="Don't ask: what a restore brings back is known.")
@click.option("--keep-sign-ins", is_flag=True, help="Let the sign-ins of that time go on, ended ones too.")
@click.option("--new-secret", is_flag=True, help="Go on without the secret that sealed the keys.")
def restore_backup(source: Path, *, yes: bool, keep_sign_ins: bool, new_secret: bool) -> None:
    """Bring a backup into an empty database, with its media and its secret; all of it or nothing."""
    manifest = read_manifest(source)
    click.echo(_what_comes_back(manifest, keep_sign_ins=keep_sign_ins))
    if not yes:
        click.confirm("Restore it?", abort=True)
    how = RestoreOptions(end_sign_ins=not keep_sign_ins, new_secret=new_secret)

    async def work(storage: Storage, settings: Settings) -> None:
        await restore(storage, settings, system_clock, source, how)

    _over_storage(work)
    click.echo("Restored. Phones send again what they still keep and this server lacks, each at its next exchange.")
    if manifest.lacking:
        click.echo(f"{len(manifest.lacking)} files are not in the backup: `nuong media verify` has them brought again.")
    if new_secret:
        click.echo("Run `nuong keys rotate` before starting the server, and give the passwords of peers again.")


@click.group("epoch")
def epoch() -> None:
    """Tell phones that this server lacks what it once confirmed."""


@epoch.command("begin")
def begin() -> None:
    """Begin a new epoch, after a database was put back without `nuong restore`; the server must be stopped."""

    async def work(console: Console) -> None:
        # A database that no server has opened yet gets its ids here.
        await identify(console.storage)
        async with console.storage.write() as connection:
            await begin_epoch(connection)

    run(work)
    click.echo("A new epoch has begun. Start the server, or restart it where it runs: it tells the epoch of its start.")
    click.echo("Phones then send again what they still keep and this server lacks, each at its next exchange.")


def _what_comes_back(manifest: Manifest, *, keep_sign_ins: bool) -> str:
    ends = "go on, those that were ended since too" if keep_sign_ins else "end: everybody signs in once more"
    return "\n".join(
        (
            f"This brings back everything as it was at {manifest.made_at}, and with it what was changed since:",
            "- accounts closed since are open again, and those made since are gone;",
            f"  {manifest.open_accounts} are open in it, {manifest.closed_accounts} closed;",
            "- passwords changed since are the old ones again;",
            "- roles and areas given or taken since are as they were;",
            "- phones shut out since are let in again: shut lost ones out anew at /desk/people;",
            f"- sign-ins of that time {ends}.",
        )
    )


def _over_storage(work: Callable[[Storage, Settings], Awaitable[Result]]) -> Result:
    """Return what `work` returns; nothing is migrated before it."""

    async def over() -> Result:
        settings = load_settings()
        storage = open_storage(settings)
        try:
            return await work(storage, settings)
        finally:
            await storage.close()

    return asyncio.run(over())


commands: tuple[click.Command, ...] = (backup, restore_backup, epoch)
