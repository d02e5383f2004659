"""A candidate goes live: its version is kept for ever, its catalog document written, its predecessor retired.

Later it may be retired, and brought back.

One transaction: phones never see a form whose contents they cannot fetch, nor two live versions of one form. A version
that is published is never published again with other content.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.areas.grants import CATALOG
from server.auth.audit import note
from server.errors import Problem
from server.forms.contents import assign
from server.forms.tables import LIVE, RETIRED, accepted_proposals, form_versions
from server.forms.versions.candidates import SHARED_COLUMNS, FormCandidate, columns_of
from server.forms.versions.catalog import document_id, form_document
from server.journal.journal import Journal
from server.journal.model import NewRevision, Origin
from server.platform.clock import Clock
from server.platform.db.engine import Storage

Status = Literal["live", "retired"]


@dataclass(frozen=True, slots=True)
class FormVersion:
    """A published version as its list shows it."""

    what: FormCandidate
    status: Status
    loaded_in_browser: bool
    published_by: str | None
    published_at: datetime


class _PublishedMeanwhile(Exception):
    """Another version of the form went live meanwhile."""


async def publish(
    storage: Storage,
    journal: Journal,
    clock: Clock,
    candidate: FormCandidate,
    *,
    person: str | None,
    loaded_in_browser: bool,
) -> FormVersion:
    """Publish; the same candidate again answers the same. Raise `form_version_exists`, `form_of_another_project`."""
    while True:
        versions = await versions_of(storage, candidate.form)
        for known in versions:
            if known.what.version == candidate.version:
                return _same(known, candidate)
            if known.what.project != candidate.project:
                raise Problem("form_of_another_project", form=candidate.form, project=known.what.project)
        published = FormVersion(candidate, LIVE, loaded_in_browser, person, clock())
        try:
            await _write(storage, journal, clock, published, [known for known in versions if known.status == LIVE])
        except (_PublishedMeanwhile, IntegrityError):
            # Somebody published beside us; what to retire has to be read again.
            continue
        return published


async def change_status(
    storage: Storage, journal: Journal, clock: Clock, known: FormVersion, status: Status, *, person: str | None
) -> FormVersion:
    """Retire a version, or bring one back in place of the one that is live; the same again changes nothing.

    A retired version begins no new records; those that are of it, and drafts that wait on phones, still come in.
    """
    while True:
        versions = await versions_of(storage, known.what.form)
        known = next(one for one in versions if one.what.version == known.what.version)
        if known.status == status:
            return known
        live = [one for one in versions if one.status == LIVE]
        turned: dict[str, Status] = {known.what.version: status}
        if status == LIVE:
            turned |= {one.what.version: RETIRED for one in live}
        changed = [one for one in versions if one.what.version in turned]
        revisions = await _revisions(journal, [(one, turned[one.what.version]) for one in changed])
        try:
            async with storage.write() as connection:
                await journal.write_within(connection, CATALOG, revisions, Origin(person=person))
                await _require_live(connection, known.what.form, live)
                for version, to in turned.items():
                    await _set_status(connection, known.what.form, version, to)
                action = "form_retired" if status == RETIRED else "form_brought_back"
                subject = document_id(known.what.form, known.what.version)
                await note(connection, clock, person, action, subject, project=known.what.project)
        except _PublishedMeanwhile:
            continue
        return replace(known, status=status)


async def versions_of(storage: Storage, form: str | None = None) -> list[FormVersion]:
    """Return the published versions of one form or of all, by form, newest first."""
    query = select(form_versions).order_by(
        form_versions.c.form, form_versions.c.published_at.desc(), form_versions.c.version.desc()
    )
    if form is not None:
        query = query.where(form_versions.c.form == form)
    async with storage.read() as connection:
        return [_version(row._mapping) for row in await connection.execute(query)]


async def accepted_in(storage: Storage, form: str, version: str) -> list[dict[str, Any]]:
    """Return the proposals that went into a version, in the order in which they were applied; often none."""
    of_version = (accepted_proposals.c.form == form, accepted_proposals.c.version == version)
    async with storage.read() as connection:
        found = (await connection.execute(select(accepted_proposals.c.accepted).where(*of_version))).scalar()
    return list(found or ())


async def _write(
    storage: Storage, journal: Journal, clock: Clock, published: FormVersion, live: Sequence[FormVersion]
) -> None:
    candidate = published.what
    revisions = await _revisions(journal, [(old, RETIRED) for old in live])
    document = form_document(candidate, LIVE)
    revisions.append(NewRevision.following(document_id(candidate.form, candidate.version), document, parent=None))

    async with storage.write() as connection:
        await journal.write_within(connection, CATALOG, revisions, Origin(person=published.published_by))
        await _require_live(connection, candidate.form, live)
        await connection.execute(
            update(form_versions).where(form_versions.c.form == candidate.form).values(status=RETIRED)
        )
        row = {
            **columns_of(candidate),
            "status": LIVE,
            "loaded_in_browser": published.loaded_in_browser,
            "published_by": published.published_by,
            "published_at": published.published_at,
        }
        await connection.execute(form_versions.insert().values(row))
        if candidate.accepted:
            named = {"form": candidate.form, "version": candidate.version}
            await connection.execute(accepted_proposals.insert().values(**named, accepted=list(candidate.accepted)))
        await assign(connection, [candidate.xform, *candidate.lists.values()], candidate.project)
        await note(
            connection,
            clock,
            published.published_by,
            "form_published",
            document_id(candidate.form, candidate.version),
            project=candidate.project,
            loaded_in_browser=published.loaded_in_browser,
        )


async def _revisions(journal: Journal, turned: Sequence[tuple[FormVersion, Status]]) -> list[NewRevision]:
    """Return the next revisions of the documents of these versions, with these statuses."""
    winners = await journal.documents(CATALOG, [document_id(one.what.form, one.what.version) for one, _ in turned])
    return [
        NewRevision.following(doc_id, form_document(one.what, status), parent=winners[doc_id].rev)
        for one, status in turned
        if (doc_id := document_id(one.what.form, one.what.version)) in winners
    ]


async def _require_live(connection: AsyncConnection, form: str, live: Sequence[FormVersion]) -> None:
    """Raise `_PublishedMeanwhile` unless these versions are live, within the transaction that retires them."""
    is_live = (form_versions.c.form == form, form_versions.c.status == LIVE)
    now = set(await connection.scalars(select(form_versions.c.version).where(*is_live)))
    if now != {one.what.version for one in live}:
        raise _PublishedMeanwhile


async def _set_status(connection: AsyncConnection, form: str, version: str, status: Status) -> None:
    is_it = (form_versions.c.form == form, form_versions.c.version == version)
    await connection.execute(update(form_versions).where(*is_it).values(status=status))


def _same(known: FormVersion, candidate: FormCandidate) -> FormVersion:
    is_same = (known.what.xform, known.what.lists, known.what.project) == (
        candidate.xform,
        candidate.lists,
        candidate.project,
    )
    if not is_same:
        raise Problem("form_version_exists", form=candidate.form, version=candidate.version)
    return known


def _version(row: Any) -> FormVersion:
    shared = {name: row[name] for name in SHARED_COLUMNS}
    return FormVersion(
        FormCandidate(id="", **shared),
        row["status"],
        row["loaded_in_browser"],
        row["published_by"],
        row["published_at"],
    )
