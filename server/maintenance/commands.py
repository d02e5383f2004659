"""`nuong media verify`: every file looked at now, and what is gone or damaged asked for again."""

import asyncio

import click

from server.areas.areas import Areas
from server.background import records_follower
from server.console import Console, Failure, run
from server.forms.library import FormLibrary
from server.maintenance.lost_media import LostMedia
from server.maintenance.media_watch import MediaFolder, MediaWatch
from server.media.files import MediaFiles


@click.group("media")
def media() -> None:
    """Look after photos and sound."""


@media.command("verify")
@click.option("--all-gone", is_flag=True, help="Go on where not one file is found: the folder is lost for good.")
def verify(*, all_gone: bool) -> None:
    """Read every file; those that are gone or damaged are brought again by phones, hubs and the province."""

    async def work(console: Console) -> dict[str, int]:
        files = MediaFiles(console.settings.media_dir)
        folder = MediaFolder(console.storage, files)
        if not all_gone and await folder.state() == "gone":
            raise Failure(
                f"NUONG_MEDIA_DIR: not one file is found in {files.root}. Is its disk mounted? "
                "Where it is lost for good, --all-gone has everything brought again."
            )
        areas = Areas(console.storage, console.journal, console.clock)
        library = FormLibrary(console.storage)
        records = records_follower(
            console.settings, console.storage, console.journal, clock=console.clock, library=library, areas=areas
        )
        lost = LostMedia(console.storage, console.journal, files, records)
        return await MediaWatch(folder, lost, _at_once).verify()

    found = run(work)
    if not found:
        click.echo("Every file is whole.")
        return
    gone, damaged = found.get("gone", 0), found.get("damaged", 0)
    raise Failure(
        f"{gone} files were gone, {damaged} damaged; whoever has them is asked for them at the next exchange."
    )


async def _at_once(_: float) -> None:
    await asyncio.sleep(0)


commands: tuple[click.Command, ...] = (media,)
