"""A checked form on trial: the phones of chosen people show it before it is live, and nothing of it becomes a record.

A trial is of a candidate, so it has no document in the catalog and no published version: ingest knows no such form,
and projections, review, duplicates, exports and tables meet nothing that they would have to leave out.
It ends when a version of the form is published, when its author ends it, or after `LASTS`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.areas.grants import EVERY_PROJECT
from server.auth.audit import note
from server.auth.principal import Principal
from server.auth.tables import grants, people
from server.errors import Problem
from server.forms.contents import Content, fetch
from server.forms.tables import form_candidates, form_trials, form_versions
from server.forms.versions.candidates import FormCandidate
from server.forms.versions.catalog import document_id
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from sync.contract.roles import RIGHTS

#: Nobody tries a form for longer; a trial that its author forgot goes from the phones by itself.
LASTS: Final = timedelta(days=30)
_RECORDING = [role for role, rights in RIGHTS.items() if "capture" in rights.actions]


@dataclass(frozen=True, slots=True)
class FormTrial:
    """A trial that runs: of which candidate, since when, and who takes part, by id with their names."""

    what: FormCandidate
    begun_at: datetime
    people: dict[str, str]


async def put_on_trial(
    storage: Storage, clock: Clock, candidate: FormCandidate, chosen: Collection[str], *, by: str
) -> None:
    """Hand a candidate to the chosen people and take the form's earlier trial from everybody; nobody ends the trial.

    Raise `not_recording` for whoever does not record in the project, `form_version_exists` for what is published.
    """
    now = clock()
    wanted = sorted(set(chosen))
    async with storage.write() as connection:
        strangers = set(wanted) - await _recording(connection, candidate.project, wanted)
        if strangers:
            raise Problem("not_recording", people=sorted(strangers))
        if wanted and await _is_published(connection, candidate):
            raise Problem("form_version_exists", form=candidate.form, version=candidate.version)
        same = (form_candidates.c.form == candidate.form, form_candidates.c.project == candidate.project)
        earlier = select(form_candidates.c.id).where(*same)
        await connection.execute(delete(form_trials).where(form_trials.c.candidate.in_(earlier)))
        if wanted:
            rows = [{"candidate": candidate.id, "person": each, "begun_at": now} for each in wanted]
            await connection.execute(form_trials.insert(), rows)
        action = "form_tried" if wanted else "form_trial_ended"
        subject = document_id(candidate.form, candidate.version)
        await note(connection, clock, by, action, subject, project=candidate.project, testers=len(wanted))


async def trials_that_run(storage: Storage, clock: Clock, person: str | None = None) -> Sequence[FormTrial]:
    """Return the trials that run, or only those in which a person takes part, by form."""
    query = _running(clock).order_by(form_candidates.c.form, people.c.name, people.c.id)
    if person is not None:
        query = query.where(form_trials.c.person == person)
    found: dict[str, FormTrial] = {}
    async with storage.read() as connection:
        for row in await connection.execute(query):
            what = FormCandidate(**{name: row._mapping[name] for name in FormCandidate.__slots__ if name != "accepted"})
            trial = found.setdefault(row.id, FormTrial(what, row.begun_at, {}))
            trial.people[row.person] = row.person_name
    return list(found.values())


async def fetch_tried(storage: Storage, clock: Clock, sha256: str, principal: Principal) -> Content | None:
    """Return a content of a form that this person tries; None when none of their trials names it."""
    trials = await trials_that_run(storage, clock, principal.person)
    named = {each for trial in trials if is_tester(trial, principal) for each in contents_of(trial.what)}
    return await fetch(storage, sha256) if sha256 in named else None


def is_tester(trial: FormTrial, principal: Principal) -> bool:
    """Whether this person takes part, and still records in the form's project."""
    of_project = (trial.what.project, EVERY_PROJECT)
    return principal.person in trial.people and any(
        grant.role in _RECORDING and grant.project in of_project for grant in principal.grants
    )


def contents_of(what: FormCandidate) -> tuple[str, ...]:
    """Return the hashes of what a phone needs of a form."""
    return what.xform, *what.lists.values()


def _running(clock: Clock) -> Any:
    is_same: ColumnElement[bool] = form_versions.c.form == form_candidates.c.form
    is_over = exists().where(is_same, form_versions.c.published_at >= form_trials.c.begun_at)
    return (
        select(
            *(form_candidates.c[name] for name in FormCandidate.__slots__ if name != "accepted"),
            form_trials.c.begun_at,
            form_trials.c.person,
            people.c.name.label("person_name"),
        )
        .join(form_candidates, form_candidates.c.id == form_trials.c.candidate)
        .join(people, people.c.id == form_trials.c.person)
        .where(form_trials.c.begun_at > clock() - LASTS, ~is_over)
    )


async def _recording(connection: AsyncConnection, project: str, chosen: Sequence[str]) -> set[str]:
    is_chosen = (people.c.id.in_(chosen), people.c.is_active)
    may_record = (grants.c.project.in_((project, EVERY_PROJECT)), grants.c.role.in_(_RECORDING))
    query = select(people.c.id).join(grants, grants.c.person == people.c.id).where(*is_chosen, *may_record)
    return set(await connection.scalars(query))


async def _is_published(connection: AsyncConnection, what: FormCandidate) -> bool:
    is_it = (form_versions.c.form == what.form, form_versions.c.version == what.version)
    return await connection.scalar(select(form_versions.c.version).where(*is_it)) is not None
