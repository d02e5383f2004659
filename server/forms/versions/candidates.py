"""A form version between its upload and its publication: checked by the server, waiting for its author's browser."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.auth.authorise import require
from server.auth.principal import Principal
from server.errors import Problem
from server.forms.answers.typed_values import LOCAL_TIME
from server.forms.authoring.proposals import FormProposal
from server.forms.contents import XFORM_TYPE, XLS_TYPE, XLSX_TYPE, Content, file_type, keep
from server.forms.conversion.checks import has_errors
from server.forms.conversion.conversion_process import converted
from server.forms.conversion.findings import FIRST_ROW, Finding, error
from server.forms.conversion.workbook import OLE
from server.forms.conversion.xlsform import ConvertedForm, Upload
from server.forms.tables import LIVE, contents, form_candidates, form_versions
from server.forms.versions.difference import VersionDifference, difference
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.ids import uuid7

#: That one form may save to; a workbook may name as many as it has rows.
MOST_FORMS: Final = 20


@dataclass(frozen=True, slots=True)
class FormCandidate:
    """A form that could be published; contents are named by sha256."""

    id: str
    project: str
    form: str
    version: str
    titles: Mapping[str, str]
    languages: Sequence[str]
    xform: str
    source: str
    lists: Mapping[str, str]
    points: Sequence[str]
    #: The proposals that its author accepted, as the cells that became others.
    accepted: Sequence[Mapping[str, Any]] = ()


#: What a candidate and the version that it becomes have in common.
SHARED_COLUMNS: Final = tuple(name for name in FormCandidate.__slots__ if name not in ("id", "accepted"))


@dataclass(frozen=True, slots=True)
class CheckedForm:
    """The check of an upload; `candidate` and `form` are None when anything is an error."""

    findings: Sequence[Finding]
    accepted: Sequence[FormProposal] = ()
    candidate: FormCandidate | None = None
    form: ConvertedForm | None = None
    #: From the version that is live; None for a form's first.
    difference: VersionDifference | None = None


async def check_upload(
    storage: Storage,
    clock: Clock,
    upload: Upload,
    *,
    project: str,
    person: str | None,
    is_theirs: Callable[[str], bool] = lambda _project: True,
) -> CheckedForm:
    """Check a spreadsheet with the files of its lists, and keep it as a candidate if nothing is wrong with it.

    Of forms in projects that are not `is_theirs` nobody is told anything.
    """
    told = replace(upload, published=await _published(storage), new_version=_new_version(clock), project=project)
    conversion = await converted(replace(told, entity_forms=None))
    if conversion.asks_for:
        live = await _live_xforms(storage, conversion.asks_for)
        theirs = {form: found for form, found in live.items() if is_theirs(found[0])}
        conversion = await converted(replace(told, entity_forms=theirs))
    form = conversion.form
    if form is None:
        return CheckedForm(conversion.findings, conversion.accepted)
    of_project, before = (await _live_xforms(storage, [form.form])).get(form.form, ("", b""))
    differs = await asyncio.to_thread(difference, before, form.xform) if of_project == project else None
    async with storage.write() as connection:
        findings = [*conversion.findings, *await _elsewhere(connection, form, project)]
        if has_errors(findings):
            return CheckedForm(findings, conversion.accepted)
        xform = Content.of(form.xform, XFORM_TYPE)
        source = Content.of(upload.data, XLS_TYPE if upload.data.startswith(OLE) else XLSX_TYPE)
        files = {name: Content.of(body, file_type(name)) for name, body in form.lists.items()}
        await keep(connection, [xform, source, *files.values()])
        candidate = FormCandidate(
            id=uuid7(clock),
            project=project,
            form=form.form,
            version=form.version,
            titles=dict(form.titles),
            languages=[language.code for language in form.schema.languages],
            xform=xform.sha256,
            source=source.sha256,
            lists={name: content.sha256 for name, content in files.items()},
            points=form.points,
            accepted=[asdict(proposal) for proposal in conversion.accepted],
        )
        own = {"id": candidate.id, "accepted": candidate.accepted, "by_person": person, "checked_at": clock()}
        await connection.execute(form_candidates.insert().values({**columns_of(candidate), **own}))
    return CheckedForm(findings, conversion.accepted, candidate, form, differs)


async def read_candidate(storage: Storage, candidate_id: str) -> FormCandidate | None:
    """Return a candidate; None when there is none of this id."""
    query = select(*(form_candidates.c[name] for name in FormCandidate.__slots__)).where(
        form_candidates.c.id == candidate_id
    )
    async with storage.read() as connection:
        row = (await connection.execute(query)).first()
    return FormCandidate(**{**row._mapping, "accepted": row.accepted or ()}) if row is not None else None


async def candidate_to_publish(storage: Storage, principal: Principal, candidate_id: str) -> FormCandidate:
    """Return a candidate of a project in which this person publishes, or refuse."""
    require(principal, "publish_forms")
    found = await read_candidate(storage, candidate_id)
    if found is None:
        raise Problem("not_found")
    require(principal, "publish_forms", found.project)
    return found


def columns_of(candidate: FormCandidate) -> dict[str, Any]:
    """Return the columns that a candidate and the version that it becomes have in common."""
    return {name: getattr(candidate, name) for name in SHARED_COLUMNS}


def _new_version(clock: Clock) -> str:
    """Return a version for a form that has none that fits: the minute, which two versions seldom share."""
    return f"{clock().astimezone(LOCAL_TIME):%Y%m%d%H%M}"


async def _published(storage: Storage) -> Mapping[str, Collection[str]]:
    versions: dict[str, set[str]] = defaultdict(set)
    async with storage.read() as connection:
        for row in await connection.execute(select(form_versions.c.form, form_versions.c.version)):
            versions[row.form].add(row.version)
    return versions


async def _live_xforms(storage: Storage, names: Collection[str]) -> dict[str, tuple[str, bytes]]:
    """Return the project and the XForm of each of these forms that is live."""
    query = select(form_versions.c.form, form_versions.c.project, contents.c.body)
    query = query.join(contents, form_versions.c.xform == contents.c.sha256)
    # PostgreSQL would refuse the question about a NUL.
    wanted = [name for name in sorted(names)[:MOST_FORMS] if "\0" not in name]
    query = query.where(form_versions.c.form.in_(wanted), form_versions.c.status == LIVE)
    async with storage.read() as connection:
        return {row.form: (row.project, bytes(row.body)) for row in await connection.execute(query)}


async def _elsewhere(connection: AsyncConnection, form: ConvertedForm, project: str) -> list[Finding]:
    query = select(form_versions.c.project).where(form_versions.c.form == form.form, form_versions.c.project != project)
    others = sorted(set(await connection.scalars(query)))
    return [error("other_project", "settings", FIRST_ROW, form=form.form, project=other) for other in others]
