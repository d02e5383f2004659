"""`nuong form`: publishing and listing forms from the console.

A console has no browser, so a form published here was not loaded by its author's: the screen does that, and says so.
"""

from pathlib import Path

import click

from server.areas.commands import open_atlas
from server.console import Console, Failure, run
from server.forms.candidates import FormCandidate, check_upload
from server.forms.contents import XLSX_TYPE, Content
from server.forms.findings import Finding
from server.forms.publication import FormVersion, publish, versions_of

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def form() -> None:
    """Forms and their versions."""


@form.command("publish")
@click.argument("file", type=FILE)
@click.option("--project", required=True, help="agri, tourism, …")
@click.option("--list", "lists", type=FILE, multiple=True, help="A .csv file that the form takes choices from.")
def publish_form(file: Path, project: str, lists: tuple[Path, ...]) -> None:
    """Check the XLSForm FILE and publish it; a version that is published already stays as it is."""
    data = file.read_bytes()
    attached = {path.name: path.read_bytes() for path in lists}

    async def work(console: Console) -> tuple[list[Finding], FormVersion | None]:
        atlas = await open_atlas(console)
        if project not in atlas.projects:
            raise Failure(f"There is no project {project}.")
        return await publish_file(console, data, attached, project)

    findings, version = run(work)
    for finding in findings:
        place = f"{finding.place}: " if finding.place else ""
        click.echo(f"{finding.severity}: {place}{finding.message}", err=finding.severity == "error")
    if version is None:
        raise Failure(f"{file.name} was not published.")
    click.echo(f"Live: {_line(version)}")
    if not version.loaded_in_browser:
        click.echo("No browser has loaded it: open it once on the forms screen to be sure that phones can.")


@form.command("list")
def list_forms() -> None:
    """List the published versions, newest first."""
    for version in run(lambda console: versions_of(console.storage)):
        click.echo(_line(version))


async def publish_file(
    console: Console, data: bytes, lists: dict[str, bytes], project: str
) -> tuple[list[Finding], FormVersion | None]:
    """Publish a spreadsheet; the very file that is published already is left as it is and returned."""
    source = Content.of(data, XLSX_TYPE).sha256
    for known in await versions_of(console.storage):
        if known.what.source == source and known.what.project == project:
            return [], known
    checked = await check_upload(console.storage, console.clock, data, lists, project=project, person=None)
    if checked.candidate is None:
        return list(checked.findings), None
    candidate: FormCandidate = checked.candidate
    version = await publish(
        console.storage, console.journal, console.clock, candidate, person=None, loaded_in_browser=False
    )
    return list(checked.findings), version


def _line(version: FormVersion) -> str:
    what = version.what
    title = what.titles.get("vi") or next(iter(what.titles.values()), "")
    return f"{what.form} {what.version} [{what.project}, {version.status}] {title}"


commands = (form,)
