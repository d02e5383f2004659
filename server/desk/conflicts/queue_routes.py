"""`GET /api/conflicts`: what waits for a data manager, narrowed and grouped, and who is looking at what."""

from collections import Counter
from datetime import datetime
from typing import cast, get_args

from litestar import get
from litestar.di import NamedDependency, Provide
from sqlalchemy import RowMapping

from server.areas.areas import Areas
from server.auth.authorise import scopes_where
from server.auth.names import names_of
from server.auth.principal import Principal
from server.desk.conflicts import queue
from server.desk.conflicts.labels import Alike, spot_of
from server.desk.conflicts.page import unit_name
from server.desk.conflicts.presence import claims_on
from server.desk.conflicts.queue_schemas import (
    Cause,
    Claim,
    ConflictGroup,
    ConflictLine,
    ConflictQueue,
    ConflictSearch,
    FormCount,
    Labels,
    PersonCount,
    PersonName,
    ProjectCount,
    QuestionLine,
    QueueFilters,
    UnitCount,
)
from server.errors import Problem
from server.forms.library import FormLibrary, PublishedForm
from server.platform.api_description.declarations import raises
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.paging import PAGING, Paging
from sync.matching.text_normalisation import fold

#: How many groups are worth showing: the rest are few of a kind.
GROUPS = 50


@get(
    "",
    dependencies={"search": Provide(ConflictSearch, sync_to_thread=False), **PAGING},
    operation_id="listConflicts",
    summary="List what people must decide",
)
@raises("not_allowed", "not_found")
async def list_conflicts(
    *,
    principal: NamedDependency[Principal],
    storage: NamedDependency[Storage],
    areas: NamedDependency[Areas],
    library: NamedDependency[FormLibrary],
    clock: NamedDependency[Clock],
    search: NamedDependency[ConflictSearch],
    paging: NamedDependency[Paging],
) -> ConflictQueue:
    """List the records of one's areas about which people disagree, those that wait longest first.

    For data managers and administrators.
    """
    atlas = await areas.atlas()
    filters = _filters(search, scopes_where(principal, "read_conflicts", atlas, search.database), clock())
    async with storage.read() as connection:
        page = await queue.page(connection, filters, search.order, paging)
        found = await queue.questions_at(connection, page.rows)
        held = await claims_on(connection, set(found), clock())
        counts = await queue.counts(connection, filters)
        total = await queue.total(connection, filters)
        places = await queue.by_place(connection, filters) if paging.before is None else []
        named = {person for rows in found.values() for row in rows for person in row["people"]}
        names = await names_of(connection, named | {person for each in held.values() for person, _ in each})
    words = FormLabels(library)
    lines = []
    for key in page.rows:
        rows = found[key.database, key.record]
        first = rows[0]
        people = sorted({person for row in rows for person in row["people"]})
        lines.append(
            ConflictLine(
                database=key.database,
                record=key.record,
                form=first["form"],
                form_title=await words.title(first["form"], first["form_version"]),
                title=first["title"],
                project=first["project"],
                unit=first["unit"],
                unit_name=unit_name(atlas, first["unit"]),
                since=key.since,
                people=[PersonName(id=each, name=names.get(each, "")) for each in people],
                questions=[await words.line(row) for row in rows],
                claims=[
                    Claim(person=each, name=names.get(each, ""), until=until, is_me=each == principal.person)
                    for each, until in held.get((key.database, key.record), [])
                ],
            )
        )
    return ConflictQueue(
        conflicts=lines,
        next=page.next,
        total=total,
        counts={each: counts.get(each, 0) for each in get_args(Cause)},
        groups=await words.groups(places),
    )


@get("/filters", operation_id="conflictFilters", summary="What the queue can be narrowed to")
@raises("not_allowed")
async def conflict_filters(
    principal: NamedDependency[Principal],
    storage: NamedDependency[Storage],
    areas: NamedDependency[Areas],
    library: NamedDependency[FormLibrary],
) -> QueueFilters:
    """Return the areas, projects, forms, causes and people of what waits in one's areas, the most first."""
    atlas = await areas.atlas()
    databases = scopes_where(principal, "read_conflicts", atlas)
    async with storage.read() as connection:
        found = await queue.tallies(connection, databases)
        names = await names_of(connection, found["person"])
    words = FormLabels(library)
    return QueueFilters(
        units=[UnitCount(unit=each, unit_name=unit_name(atlas, each), records=n) for each, n in _most(found["unit"])],
        projects=[ProjectCount(project=each, records=n) for each, n in _most(found["project"])],
        forms=[
            FormCount(form=each, title=await words.title(each, None), records=n) for each, n in _most(found["form"])
        ],
        people=[PersonCount(id=each, name=names.get(each, ""), records=n) for each, n in _most(found["person"])],
        kinds={each: found["cause"][each] for each in get_args(Cause)},
    )


class FormLabels:
    """Labels of forms and their questions, looked up once in a request."""

    def __init__(self, library: FormLibrary) -> None:
        """Look up nothing yet."""
        self._library = library
        self._latest: dict[str, PublishedForm | None] = {}

    async def title(self, form: str, version: str | None) -> Labels:
        """Return a form's title; of any version where the one named is not here."""
        published = await self._published(form, version)
        return dict(published.titles) if published else {}

    async def line(self, row: RowMapping) -> QuestionLine:
        """Return a question as a list shows it."""
        spot = spot_of(await self._published(row["form"], row["form_version"]), row["path"])
        return QuestionLine(path=row["path"], kind=row["cause"], label=spot.labels, in_row=bool(spot.rows))

    async def groups(self, places: list[queue.AtPath]) -> list[ConflictGroup]:
        """Return the questions that are alike, biggest group first."""
        counted: Counter[tuple[str, str, str]] = Counter()
        labels: dict[tuple[str, str, str], Labels] = {}
        in_rows: dict[tuple[str, str, str], set[str]] = {}
        alike: dict[str, Alike] = {}
        for place in places:
            if place.form not in alike:
                alike[place.form] = Alike(await self._published(place.form, None))
            spot = alike[place.form].spot(place.path)
            group = (place.cause, place.form, spot.pattern)
            counted[group] += place.records
            labels.setdefault(group, spot.labels)
            if spot.rows:
                # The id of a row is one record's only, so that whichever record stands for a path is the one.
                in_rows.setdefault(group, set()).add(place.one_of_them)
        biggest = sorted(counted.items(), key=lambda each: (-each[1], each[0]))[:GROUPS]
        return [
            ConflictGroup(
                kind=cast(Cause, cause),
                form=form,
                form_title=await self.title(form, None),
                path=pattern,
                label=labels[cause, form, pattern],
                questions=questions,
                records=len(in_rows.get((cause, form, pattern), ())) or questions,
            )
            for (cause, form, pattern), questions in biggest
        ]

    async def _published(self, form: str, version: str | None) -> PublishedForm | None:
        found = await self._library.get(form, version) if version is not None else None
        if found is not None:
            return found
        if form not in self._latest:
            self._latest[form] = await self._library.latest(form)
        return self._latest[form]


def _filters(search: ConflictSearch, databases: tuple[str, ...], now: datetime) -> queue.ConflictFilters:
    # As `WITHOUT_NUL`, which the framework looks at in no list.
    if any("\x00" in unit for unit in search.unit or ()):
        raise Problem("invalid_request", parameter="filters")
    return queue.ConflictFilters(
        databases=databases,
        project=search.project,
        units=tuple(search.unit or ()),
        form=search.form,
        kinds=tuple(search.kind or ()),
        person=search.person,
        path=search.path,
        folded_text=fold(search.q.replace("\x00", "")),
    ).aged(now, search.waiting_days, search.newest_days)


def _most(tally: Counter[str]) -> list[tuple[str, int]]:
    return sorted(tally.items(), key=lambda each: (-each[1], each[0]))
