"""From the feed to the `records` table: what each record is now and where it stands under review.

A record's row is computed from its winner, its leaves, its review documents and its form, whatever made it due: a new
revision, a decision, a file that came. Computing it twice gives the same row. It never reads ahead of the follower that
closes branches: a row is flagged as a conflict while a question about its record is open, not while two branches are.
It is shown as the work of whoever edited it last as a worker, beside who decided about it since
(`sync.revisions.authorship`).
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sqlalchemy import Select, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.areas.areas import Areas
from server.auth.names import names_of
from server.forms.library import FormLibrary
from server.journal.authorship import RecordAuthorship, first_said, is_saved
from server.journal.followers.follower import Effects
from server.journal.journal import Journal
from server.journal.model import Change, StoredRevision
from server.journal.store import authors
from server.platform.db.engine import Storage
from server.platform.db.upsert import put
from server.platform.db.value_lists import is_one_of
from server.projections.flags import (
    Limits,
    Point,
    asked_values,
    calculation_flags,
    constraint_flags,
    is_clock_suspect,
    named_files,
    place_flags,
)
from server.projections.relocations import ask_where
from server.projections.review_documents import brought, credible, decisions_of, is_record
from server.read_model.record_tables import awaited_media, decisions, open_questions, records
from sync.contract.scope import Scope
from sync.matching.text_normalisation import fold
from sync.review import ReviewDecision, review
from sync.revisions.authorship import Authorship
from sync.revisions.canonical import member

NAME = "records"
FOLLOWED = "branches"
#: SQLite takes only so many parameters in one statement.
_AT_ONCE = 500
_SHA256 = re.compile(r"[0-9a-f]{64}")
#: Where so many files are awaited, only every so many looks are for them: each costs the database a second then.
_MANY, _RARELY = 20_000, 12


class MediaHolding(Protocol):
    """Says of contents whether the media store holds them for a database (absent: no), and whether they open."""

    async def __call__(
        self, connection: AsyncConnection, database: str, sha256s: Collection[str] | Select[tuple[str]]
    ) -> Mapping[str, bool]:
        """Return, for each content that is held, whether it can be opened; a query of hashes stays in the database."""


@dataclass(frozen=True, slots=True)
class _DueRecords:
    """Records of one database whose rows must be computed: their leaves where the feed told them, and new decisions."""

    ids: tuple[str, ...]
    leaves: Mapping[str, int]
    decisions: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Whose:
    """The worker's edit that a record is shown as, and the decision on top of it that holds."""

    edit: StoredRevision
    decision: StoredRevision | None


@dataclass(frozen=True, slots=True)
class _BatchReads:
    """Everything read for a batch: decisions and histories by record, names by person, which contents can be opened.

    `asked` are the records of which a question is open.
    """

    decisions: Mapping[str, list[ReviewDecision]]
    people: Mapping[str, str]
    histories: Mapping[str, list[StoredRevision]]
    held: Mapping[str, bool]
    asked: Mapping[str, Collection[str]]


class RecordsProjection:
    """Computes rows of `records`; a `Projection` of the follower, and again for files that came later."""

    name = NAME
    after: tuple[str, ...] = (FOLLOWED,)
    writes_back: tuple[str, ...] = ()

    def __init__(
        self,
        storage: Storage,
        journal: Journal,
        library: FormLibrary,
        areas: Areas,
        *,
        media: MediaHolding,
        limits: Limits,
    ) -> None:
        """Read nothing yet."""
        self._storage = storage
        self._journal = journal
        self._library = library
        self._areas = areas
        self._media = media
        self._looks = 0
        self._limits = limits

    async def effects(self, database: str, changes: Sequence[Change]) -> Effects:
        """Return what the changes of one database make of its rows."""
        # Databases that administrators made hold anything, also what looks like records, and nobody reviews them.
        if not (await self._areas.atlas()).has_scope(database):
            return _nothing
        return await self._effects(database, _due(database, changes))

    async def look_for_media(self) -> int:
        """Compute the records whose awaited files have come since; return how many."""
        due: dict[str, set[str]] = {}
        self._looks += 1
        async with self._storage.read() as connection:
            awaited = select(awaited_media.c.sha256).limit(_MANY).subquery()
            is_many = await connection.scalar(select(func.count()).select_from(awaited)) == _MANY
            # Hundreds of thousands may be awaited, of which in these seconds hardly any has come.
            if is_many and self._looks % _RARELY:
                return 0
            for database in (await connection.scalars(select(awaited_media.c.database).distinct())).all():
                here = awaited_media.c.database == database
                held = sorted(await self._media(connection, database, select(awaited_media.c.sha256).where(here)))
                for start in range(0, len(held), _AT_ONCE):
                    come = awaited_media.c.sha256.in_(held[start : start + _AT_ONCE])
                    records_due = await connection.scalars(select(awaited_media.c.record).where(here, come))
                    due.setdefault(database, set()).update(records_due)
        for database, ids in due.items():
            effects = await self._effects(database, _DueRecords(tuple(sorted(ids)), {}, ()))
            async with self._storage.write() as connection:
                await effects(connection)
        return sum(map(len, due.values()))

    async def look_for_authors(self) -> int:
        """Compute the records of which a seal that came later says whose they are; return how many."""
        async with self._storage.read() as connection:
            due = await authors.untold(connection)
        for database, ids in due.items():
            effects = await self._effects(database, _DueRecords(tuple(sorted(ids)), {}, ()))
            async with self._storage.write() as connection:
                await effects(connection)
                await authors.mark_told(connection, database, ids)
        return sum(map(len, due.values()))

    async def _effects(self, database: str, due: _DueRecords) -> Effects:
        due = replace(due, decisions=await credible(self._journal, database, due.decisions))
        winners = await self._journal.documents(database, list(due.ids))
        # The feed says of most records all there is to know: one leaf, alive, and as a worker saved it.
        unclear = [each.doc_id for each in winners.values() if due.leaves.get(each.doc_id) != 1 or not is_saved(each)]
        histories = await self._journal.histories(database, unclear) if unclear else {}
        contents = {each.doc_id: _last_said(each, histories) for each in winners.values()}
        spoken = [each for each in winners.values() if contents[each.doc_id].get("type") == "record"]
        whose = {each.doc_id: await self._whose(each, histories.get(each.doc_id, ())) for each in spoken}
        centre = await self._centre(database)
        async with self._storage.read() as connection:
            asked = await _asked(connection, database, due.ids)
            named = {
                each.doc_id: _named_contents(contents[each.doc_id]).union(
                    *_others(each, histories.get(each.doc_id, ()), asked.get(each.doc_id, ()))
                )
                for each in spoken
            }
            known = _BatchReads(
                await decisions_of(connection, database, due.ids, due.decisions),
                await names_of(connection, _people(whose.values())),
                histories,
                await self._media(connection, database, {sha for each in named.values() for sha in each}),
                asked,
            )
        rows = [
            await self._row(each, contents[each.doc_id], whose[each.doc_id], known=known, centre=centre)
            for each in spoken
        ]
        awaited = [
            {"sha256": sha256, "database": database, "record": each.doc_id}
            for each in spoken
            for sha256 in sorted(named[each.doc_id] - known.held.keys())
            # A record may call anything a hash; nobody can send what has none.
            if _SHA256.fullmatch(sha256)
        ]

        async def apply(connection: AsyncConnection) -> None:
            await put(connection, decisions, due.decisions)
            await put(connection, records, rows)
            ids = [row["id"] for row in rows]
            here = (awaited_media.c.database == database) & is_one_of(connection, awaited_media.c.record, ids)
            await connection.execute(delete(awaited_media).where(here))
            await put(connection, awaited_media, awaited)
            await ask_where(connection, ids)

        return apply

    async def _whose(self, stored: StoredRevision, of: Sequence[StoredRevision]) -> _Whose:
        history = RecordAuthorship(of)
        found = history.authorship(stored.rev) if of else Authorship(stored.rev, None)
        edit = await first_said(self._journal, history.by_rev.get(found.edit, stored))
        return _Whose(edit, history.by_rev.get(found.decision or ""))

    async def _row(
        self,
        stored: StoredRevision,
        content: Mapping[str, Any],
        whose: _Whose,
        *,
        known: _BatchReads,
        centre: Point | None,
    ) -> dict[str, Any]:
        """Return the row of a record."""
        edit, decision = whose.edit, whose.decision
        stands = review(stored.rev, known.decisions.get(stored.doc_id, []))
        answers = _mapping(content.get("answers"))
        saved = content.get("saved") if edit is stored else member(edit.content, "saved")
        recorded_at = _text(_mapping(saved).get("at", ""))
        form, version = _text(content.get("form", "")), _text(content.get("form_version", ""))
        published = await self._library.get(form, version)
        values = list(asked_values(published.schema.fields, answers)) if published else []
        history = known.histories.get(stored.doc_id)
        branches = 1 if history is None else sum(each.is_leaf and not each.deleted for each in history)
        flags = place_flags(values, centre, self._limits)
        flags |= _file_flags(content, named_files(values), known.held)
        if published:
            flags |= constraint_flags(published, answers, stored.received_at) | calculation_flags(values)
        # What was entered at a desk has no device's time.
        if saved is not None and is_clock_suspect(recorded_at, edit.received_at, self._limits):
            flags.add("clock_suspect")
        if stored.doc_id in known.asked:
            flags.add("conflict")
        title = _text(
            _mapping(answers.get("meta")).get("instanceName") or (published.schema.title if published else form)
        )
        by_name = known.people.get(edit.person or "", "")
        decided_by_name = None if decision is None else known.people.get(decision.person or "", "")
        project, unit = Scope.of(stored.database)
        return {
            "database": stored.database,
            "id": stored.doc_id,
            "rev": stored.rev,
            "project": project,
            "unit": unit,
            "form": form,
            "form_version": version,
            "title": title,
            "state": stands.state,
            "is_corrected": stands.is_corrected,
            "is_deleted": stored.deleted,
            "is_erased": (json.loads(stored.content) if stored.deleted else content).get("erased") is True,
            "published_rev": stands.published,
            "by_person": edit.person,
            "by_name": by_name,
            "decided_by_name": decided_by_name,
            "recorded_at": recorded_at,
            "received_at": stored.received_at,
            "flags": sorted(flags),
            "urgency": len(flags),
            "branches": branches,
            "folded": fold("\n".join([title, by_name, decided_by_name or ""])),
        }

    async def _centre(self, database: str) -> Point | None:
        unit = (await self._areas.atlas()).units.get(Scope.of(database).unit)
        if unit is None or not unit.longitude or not unit.latitude:
            return None
        return Point(float(unit.longitude), float(unit.latitude))


async def _nothing(_connection: AsyncConnection) -> None:
    """Have no effect."""


def _due(database: str, changes: Sequence[Change]) -> _DueRecords:
    new = brought(database, changes)
    leaves = {change.doc_id: len(change.leaves) for change in changes if is_record(change.doc_id)}
    return _DueRecords(tuple({**leaves, **dict.fromkeys(each["record"] for each in new)}), leaves, new)


async def _asked(connection: AsyncConnection, database: str, ids: Collection[str]) -> dict[str, set[str]]:
    """Return the records of which a question is open, each with the revisions that it is about."""
    here = (open_questions.c.database == database) & is_one_of(connection, open_questions.c.record, ids)
    found: dict[str, set[str]] = {}
    for row in await connection.execute(select(open_questions.c.record, open_questions.c.candidates).where(here)):
        found.setdefault(row.record, set()).update(row.candidates)
    return found


def _people(whose: Iterable[_Whose]) -> set[str]:
    revisions = (each for one in whose for each in (one.edit, one.decision))
    return {each.person for each in revisions if each is not None and each.person}


def _last_said(stored: StoredRevision, histories: Mapping[str, list[StoredRevision]]) -> dict[str, Any]:
    """Return the content of a record; of a deleted one what its nearest ancestor said, to tell what was deleted."""
    if not stored.deleted:
        return _mapping(json.loads(stored.content))
    by_rev = {each.rev: each for each in histories.get(stored.doc_id, [])}
    at: StoredRevision | None = stored
    while at is not None and at.deleted:
        at = by_rev.get(at.parent or "")
    return _mapping(json.loads((at or stored).content))


def _named_contents(content: Mapping[str, Any]) -> set[str]:
    """Return the hashes of a record's files."""
    return {_text(_mapping(file).get("sha256", "")) for file in _mapping(content.get("media")).values()} - {""}


def _others(stored: StoredRevision, history: Sequence[StoredRevision], asked: Collection[str]) -> list[set[str]]:
    """Return the hashes of the files of each live leaf and each side of what is asked: who decides sees them all.

    Those of the winner are left out, unless it is deleted: what it says has been read.
    """
    sides = (each for each in history if (each.is_leaf and not each.deleted) or each.rev in asked)
    others = (each for each in sides if each.rev != stored.rev or stored.deleted)
    return [_named_contents({"media": member(each.content, "media")}) for each in others]


def _file_flags(content: Mapping[str, Any], names: set[str], held: Mapping[str, bool]) -> set[str]:
    """Return the flags about files: those that the answers name, and those that were to come."""
    wanted = _named_contents(content)
    is_missing = wanted - held.keys() or names - _mapping(content.get("media")).keys()
    is_broken = not all(held.get(each, True) for each in wanted)
    return ({"missing_media"} if is_missing else set()) | ({"unreadable_media"} if is_broken else set())


def _text(value: object) -> str:
    """Return a value as a table can hold it: a person may have let in anything, and PostgreSQL keeps no NUL."""
    return str(value).replace("\0", "\ufffd")


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
