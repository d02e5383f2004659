"""`nuong form`: publishing and listing forms from the console.

A console has no browser, so a form published here was not loaded by its author's: the screen does that, and says so.
"""

from pathlib import Path

import click

from server.areas.commands import open_atlas
from server.console import Console, Failure, run
from server.forms.authoring.proposals import Acceptance, CellChange
from server.forms.contents import XLSX_TYPE, Content
from server.forms.conversion.xlsform import Upload
from server.forms.versions.candidates import CheckedForm, check_upload
from server.forms.versions.publication import FormVersion, publish, versions_of

#: Changes of one proposal that a terminal shows.
MOST_SHOWN = 5
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def form() -> None:
    """Forms and their versions."""


@form.command("publish")
@click.argument("file", type=FILE)
@click.option("--project", required=True, help="agri, tourism, …")
@click.option(
    "--list",
    "lists",
    type=FILE,
    multiple=True,
    help="A file beside the form: a list, or what a label shows.",
)
@click.option("--accept", is_flag=True, help="Accept all that is proposed, and say what that was.")
def publish_form(file: Path, project: str, lists: tuple[Path, ...], accept: bool) -> None:
    """Check the XLSForm FILE and publish it; a version that is published already stays as it is."""
    attached = {path.name: path.read_bytes() for path in lists}
    accepts = Acceptance(is_everything=accept)
    upload = Upload(file.read_bytes(), attached, file_name=file.name, accepts=accepts)

    async def work(console: Console) -> tuple[CheckedForm, FormVersion | None]:
        atlas = await open_atlas(console)
        if project not in atlas.projects:
            raise Failure(f"There is no project {project}.")
        return await publish_upload(console, upload, project)

    checked, version = run(work)
    for change in (change for proposal in checked.accepted for change in proposal.changes):
        click.echo(f"accepted: {_change(change)}")
    for finding in checked.findings:
        place = f"{finding.place}: " if finding.place else ""
        is_error = finding.severity == "error"
        click.echo(f"{finding.severity}: {place}{finding.message}", err=is_error)
        for change in finding.proposal.changes[:MOST_SHOWN] if finding.proposal else ():
            click.echo(f"  proposed: {_change(change)}", err=is_error)
    if version is None:
        if any(finding.proposal for finding in checked.findings if finding.severity == "error"):
            click.echo("What is proposed is accepted with --accept.", err=True)
        raise Failure(f"{file.name} was not published.")
    if checked.difference is not None:
        for differs in checked.difference.questions:
            words = " → ".join(filter(None, (differs.before, differs.after)))
            what = differs.kind.replace("_", " ")
            click.echo(f"since {checked.difference.version}: {differs.path} {what}: {words}")
    click.echo(f"Live: {_line(version)}")
    if not version.loaded_in_browser:
        click.echo("No browser has loaded it: open it once on the forms screen to be sure that phones can.")


@form.command("list")
def list_forms() -> None:
    """List the published versions, newest first."""
    for version in run(lambda console: versions_of(console.storage)):
        click.echo(_line(version))


async def publish_upload(console: Console, upload: Upload, project: str) -> tuple[CheckedForm, FormVersion | None]:
    """Publish a spreadsheet; the very file that is published already is left as it is and returned."""
    source = Content.of(upload.data, XLSX_TYPE).sha256
    for known in await versions_of(console.storage):
        if known.what.source == source and known.what.project == project:
            return CheckedForm(()), known
    checked = await check_upload(console.storage, console.clock, upload, project=project, person=None)
    if checked.candidate is None:
        return checked, None
    version = await publish(
        console.storage, console.journal, console.clock, checked.candidate, person=None, loaded_in_browser=False
    )
    return checked, version


def _change(change: CellChange) -> str:
    """Return a change for a terminal: “survey, row 12, relevant: ${a} == 1 → ${a} = 1”."""
    return f"{change.sheet}, row {change.row}, {change.column}: {change.before or '–'} → {change.after or '–'}"


def _line(version: FormVersion) -> str:
    what = version.what
    title = what.titles.get("vi") or next(iter(what.titles.values()), "")
    return f"{what.form} {what.version} [{what.project}, {version.status}] {title}"


commands = (form,)
