"""A form version between its upload and its publication: checked by the server, waiting for its author's browser."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.forms.checks import has_errors
from server.forms.contents import CSV_TYPE, XFORM_TYPE, XLSX_TYPE, Content, keep
from server.forms.findings import Finding, error
from server.forms.sheets import FIRST_ROW
from server.forms.tables import form_candidates, form_versions
from server.forms.xlsform import ConvertedForm, convert_xlsform
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.ids import uuid7


@dataclass(frozen=True, slots=True)
class FormCandidate:
    """What would be published; contents are named by sha256."""

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


@dataclass(frozen=True, slots=True)
class CheckedForm:
    """What the server thinks of an upload; `candidate` and `form` are None when anything is an error."""

    findings: Sequence[Finding]
    candidate: FormCandidate | None = None
    form: ConvertedForm | None = None


async def check_upload(
    storage: Storage, clock: Clock, data: bytes, lists: Mapping[str, bytes], *, project: str, person: str | None
) -> CheckedForm:
    """Check a spreadsheet with the files of its lists, and keep it as a candidate if nothing is wrong with it."""
    conversion = await asyncio.to_thread(convert_xlsform, data, lists)
    form = conversion.form
    if form is None:
        return CheckedForm(conversion.findings)
    async with storage.write() as connection:
        findings = [*conversion.findings, *await _taken(connection, form, project)]
        if has_errors(findings):
            return CheckedForm(findings)
        xform = Content.of(form.xform, XFORM_TYPE)
        source = Content.of(data, XLSX_TYPE)
        files = {name: Content.of(body, CSV_TYPE) for name, body in form.lists.items()}
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
        )
        row = {**columns_of(candidate), "id": candidate.id, "by_person": person, "checked_at": clock()}
        await connection.execute(form_candidates.insert().values(row))
    return CheckedForm(findings, candidate, form)


async def read_candidate(storage: Storage, candidate_id: str) -> FormCandidate | None:
    """Return a candidate; None when there is none of this id."""
    query = select(*(form_candidates.c[name] for name in FormCandidate.__slots__)).where(
        form_candidates.c.id == candidate_id
    )
    async with storage.read() as connection:
        row = (await connection.execute(query)).first()
    return FormCandidate(**row._mapping) if row is not None else None


def columns_of(candidate: FormCandidate) -> dict[str, Any]:
    """Return the columns that a candidate and the version that it becomes have in common."""
    return {name: getattr(candidate, name) for name in FormCandidate.__slots__ if name != "id"}


async def _taken(connection: AsyncConnection, form: ConvertedForm, project: str) -> list[Finding]:
    query = select(form_versions.c.version, form_versions.c.project).where(form_versions.c.form == form.form)
    known = {row.version: row.project for row in await connection.execute(query)}
    findings = []
    if form.version in known:
        findings.append(error("version_published", "settings", FIRST_ROW, form=form.form, version=form.version))
    for other in sorted(set(known.values()) - {project}):
        findings.append(error("other_project", "settings", FIRST_ROW, form=form.form, project=other))
    return findings
