"""Two records that may be of one household, side by side, and what a data manager makes of them.

A verdict names the revisions that were looked at, so that nothing which came meanwhile is overwritten. *Same* is
written into both records; *different* and *unsure* are kept beside the pair.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import RowMapping, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.areas.areas import Areas
from server.areas.atlas import Atlas
from server.auth.audit import note
from server.auth.authorise import allowed
from server.auth.names import names_of
from server.auth.principal import Principal
from server.desk.conflicts.page import choices_of, document, media_of, unit_name
from server.desk.conflicts.page_schemas import MediaFile
from server.desk.conflicts.record_case import Case, cases_of
from server.desk.conflicts.revision_history import row_of, shown, spotted
from server.desk.duplicates import queue
from server.desk.duplicates.joining import PairComparison, beside, fields_of, is_worth_taking, joined, parted
from server.desk.duplicates.schemas import (
    NewVerdict,
    Pair,
    PairField,
    PairPage,
    PairRecord,
    ParticularAgreement,
    Parting,
)
from server.errors import Problem
from server.forms.library import FormLibrary
from server.ingest.desk_writes import write_at_desk
from server.journal.journal import Journal
from server.journal.model import NewRevision
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.read_model.household_tables import likenesses
from sync.contract.reasons import STORED
from sync.contract.scope import Scope
from sync.matching.duplicates import survivor_of
from sync.merging.field_schema import ABSENT

Both = tuple[Case, Case]


@dataclass(frozen=True, slots=True)
class PairKey:
    """Names a pair; which of the two comes first doesn't matter."""

    database: str
    one: str
    other: str


@dataclass(frozen=True, slots=True)
class _Seen:
    """A pair as it was read: its row, and both records."""

    row: RowMapping
    both: Both


@dataclass(frozen=True, slots=True)
class _PairDecision:
    """A verdict on a pair and its reason; `act` is its name in the audit, `taken` are the fields that came over."""

    act: str
    verdict: str
    comment: str
    survivor: str | None = None
    taken: Sequence[str] = ()


class PairDesk:
    """A data manager's desk of duplicates: shows pairs and writes verdicts."""

    def __init__(self, storage: Storage, journal: Journal, library: FormLibrary, areas: Areas, clock: Clock) -> None:
        """Read nothing yet."""
        self._storage = storage
        self._journal = journal
        self._library = library
        self._areas = areas
        self._clock = clock

    async def page(self, principal: Principal, key: PairKey) -> PairPage:
        """Return a pair with both records field by field; raise `not_found`."""
        return await self._page(principal, await self._pair(key))

    async def decide(self, principal: Principal, key: PairKey, new: NewVerdict) -> PairPage:
        """Do what somebody makes of a pair; return it as it stands then.

        Raise `record_moved_on` where a record has changed since it was looked at, `pair_said` where somebody has said
        what the pair is, `pair_joined` where one of them is the same as another already, `pair_apart` where their form
        versions have no way between, `unknown_choice` where something is taken that no question of theirs asks.
        """
        seen = await self._pair(key)
        _require_seen(seen.both, new.revs)
        said = _PairDecision(f"pair.{new.verdict}", new.verdict, new.comment.strip())
        if new.verdict == "same":
            said = replace(said, survivor=new.survivor, taken=sorted(new.take))
        if any(survivor_of(each.content) is not None for each in seen.both):
            raise Problem("pair_joined")
        if seen.row["at"] != new.saw:
            raise Problem("pair_said")
        made = await asyncio.to_thread(_joining, seen.both, new) if new.verdict == "same" else []
        await self._write(principal, seen, made, said)
        return await self.page(principal, key)

    async def part(self, principal: Principal, key: PairKey, new: Parting) -> PairPage:
        """Let a record that was joined to the other stand for itself again; raise `pair_not_joined`."""
        seen = await self._pair(key)
        _require_seen(seen.both, new.revs)
        _require_closed(seen.both)
        one, other = seen.both
        said = _PairDecision("pair.parted", "open", new.comment.strip())
        if survivor_of(one.content) == other.record:
            made = await asyncio.to_thread(parted, one, other, said.comment)
        elif survivor_of(other.content) == one.record:
            made = await asyncio.to_thread(parted, other, one, said.comment)
        else:
            raise Problem("pair_not_joined")
        await self._write(principal, seen, made, said)
        return await self.page(principal, key)

    async def _pair(self, key: PairKey) -> _Seen:
        async with self._storage.read() as connection:
            row = await queue.pair(connection, key.database, key.one, key.other)
        if row is None:
            raise Problem("not_found")
        cases = await cases_of(self._journal, self._library, key.database, [row["one"], row["other"]])
        if len(cases) < 2:
            raise Problem("not_found")
        return _Seen(row, (cases[row["one"]], cases[row["other"]]))

    async def _write(
        self, principal: Principal, seen: _Seen, revisions: Sequence[NewRevision], said: _PairDecision
    ) -> None:
        """Write into both records and beside the pair in one transaction, if both still stand as they were read."""
        database = seen.row["database"]
        async with self._storage.write() as connection:
            leaves = {each.record: each.leaves for each in seen.both}
            if len(await self._journal.standing_within(connection, database, leaves)) < len(leaves):
                raise Problem("record_moved_on")
            if revisions:
                written = await write_at_desk(connection, self._journal, database, revisions, principal)
                if not {one.outcome for one in written} <= STORED:
                    raise RuntimeError(f"a verdict was held back: {written}")
            await self._say(connection, principal, seen.row, said)
            await self._note(connection, principal, seen, revisions, said)

    async def _say(
        self, connection: AsyncConnection, principal: Principal, row: RowMapping, said: _PairDecision
    ) -> None:
        here = (likenesses.c.database == row["database"]) & (likenesses.c.one == row["one"])
        # That two are the same stands in the records, where the follower reads it; until then the queue knows it too.
        values: dict[str, object] = {"verdict": said.verdict, "survivor": said.survivor, "comment": said.comment}
        values |= {"by_person": principal.person, "at": self._clock()}
        # What nobody has said anything about has no time; what somebody has said has one of its own.
        at = likenesses.c.at
        stands = here & (likenesses.c.other == row["other"]) & (at.is_(None) if row["at"] is None else at == row["at"])
        if (await connection.execute(update(likenesses).where(stands).values(**values))).rowcount == 0:
            raise Problem("pair_said")

    async def _note(
        self,
        connection: AsyncConnection,
        principal: Principal,
        seen: _Seen,
        revisions: Sequence[NewRevision],
        said: _PairDecision,
    ) -> None:
        row = seen.row
        what: dict[str, object] = {"other": row["other"], "score": row["score"]}
        what["saw"] = {each.record: each.winner.rev for each in seen.both}
        if revisions:
            what["revs"] = [{"record": each.doc_id, "rev": each.rev} for each in revisions]
        if said.survivor is not None:
            what |= {"survivor": said.survivor, "taken": list(said.taken)}
        subject = f"{row['database']}/{row['one']}"[:200]
        await note(connection, self._clock, principal.person, said.act, subject, **what)

    async def _page(self, principal: Principal, seen: _Seen) -> PairPage:
        row, both = seen.row, seen.both
        atlas = await self._areas.atlas()
        async with self._storage.read() as connection:
            found = await queue.records_of(connection, [row])
            names = await names_of(connection, [row["by_person"]] if row["by_person"] else [])
        published = both[0].published
        line = pair_line(row, found, names, atlas, dict(published.titles) if published else {})
        joined_to = next((survivor for each in both if (survivor := survivor_of(each.content))), None)
        suggested = joined_to if joined_to in {row["one"], row["other"]} else _suggested(line)
        stands, fields, docs, media = await asyncio.to_thread(_compared, both, suggested)
        told = {
            **line.model_dump(),
            # The follower may not have come to it yet.
            "verdict": "same" if joined_to == suggested else line.verdict,
            "survivor": joined_to,
            "agreements": [_told(each, both) for each in line.agreements],
        }
        return PairPage(
            **told,
            may_decide=allowed(principal, "decide_conflicts", row["database"]),
            suggested=suggested,
            can_join=stands,
            fields=fields,
            docs=docs,
            media=media,
        )


def _compared(
    both: Both, suggested: str | None
) -> tuple[bool, list[PairField], dict[str, dict[str, Any]], dict[str, MediaFile]]:
    """Return whether the two can be joined, their fields, documents and files: thousands where they have long lists."""
    stands = beside(*_in_order(both, suggested))
    fields = [] if stands is None else [_field(path, stands) for path in fields_of(stands)]
    docs = {each.record: document(each) for each in both}
    return stands is not None, fields, docs, media_of(both[0]) | media_of(both[1])


def _joining(both: Both, new: NewVerdict) -> list[NewRevision]:
    if new.survivor not in {each.record for each in both}:
        raise Problem("invalid_request", parameter="survivor")
    if any(each.winner.deleted for each in both):
        # A deletion came meanwhile.
        raise Problem("record_moved_on")
    _require_closed(both)
    stands = beside(*_in_order(both, new.survivor))
    if stands is None:
        raise Problem("pair_apart")
    asked = {*fields_of(stands)}
    for path in new.take:
        if path not in asked:
            raise Problem("unknown_choice", path=path)
    return joined(stands, new.take, new.comment.strip())


def pair_line(
    row: RowMapping,
    found: Mapping[tuple[str, str], RowMapping],
    names: Mapping[str, str],
    atlas: Atlas,
    form_title: Mapping[str, str],
) -> Pair:
    """Return a pair as a list shows it."""
    project, unit = Scope.of(row["database"])
    about = [each for side in ("one", "other") if (each := found.get((row["database"], row[side])))]
    about.sort(key=lambda each: (each["received_at"], each["id"]))
    return Pair(
        database=row["database"],
        one=row["one"],
        other=row["other"],
        form=row["form"],
        form_title=dict(form_title),
        project=project,
        unit=unit,
        unit_name=unit_name(atlas, unit),
        score=row["score"],
        verdict=row["verdict"],
        survivor=row["survivor"],
        by_name=names.get(row["by_person"] or "", ""),
        at=row["at"],
        comment=row["comment"] or "",
        agreements=[
            ParticularAgreement(particular=particular, agreement=agreement, values={})
            for particular, agreement in row["agreements"]
        ],
        records=[
            PairRecord(
                record=each["id"],
                rev=each["rev"],
                title=each["title"],
                by_name=each["by_name"],
                received_at=each["received_at"],
                state=each["state"],
                is_published=each["published_rev"] is not None,
            )
            for each in about
        ],
    )


def _suggested(line: Pair) -> str:
    """Return the record that had better stay: the one that is published, else the older."""
    published = [each.record for each in line.records if each.is_published]
    return next(iter([*published, *(each.record for each in line.records), line.one]))


def _in_order(both: Both, survivor: str | None) -> Both:
    """Return the record that stays, and the one that goes."""
    return both if both[0].record == survivor else (both[1], both[0])


def _require_seen(both: Both, revs: Mapping[str, str]) -> None:
    if any(revs.get(each.record) != each.winner.rev for each in both):
        raise Problem("record_moved_on")


def _require_closed(both: Both) -> None:
    """Raise `record_moved_on` while there are branches: what is written now would not know what they say."""
    if any(len(each.counting) > 1 for each in both):
        raise Problem("record_moved_on")


def _told(told: ParticularAgreement, both: Both) -> ParticularAgreement:
    values: dict[str, str] = {}
    for case in both:
        schema = case.published.schema if case.published else None
        field = (
            next((each for each in schema.identifying if each.identifies == told.particular), None) if schema else None
        )
        value = case.value(f"/answers{field.path}") if field else ABSENT
        values[case.record] = value if isinstance(value, str) else ""
    return told.model_copy(update={"values": values})


def _field(path: str, both: PairComparison) -> PairField:
    stays, goes = both.stays, both.goes
    spot = spotted(stays, path)
    mine, theirs = both.mine(path), both.theirs(path)
    return PairField(
        path=path,
        label=spot.labels,
        row=row_of(stays if mine is not ABSENT else goes, spot),
        parents=spot.parent_labels,
        type="repeat" if spot.is_row else spot.field.type if spot.field else "",
        choices=choices_of(spot),
        values={stays.record: shown(mine), goes.record: shown(both.said(path))},
        is_same=mine == theirs,
        is_taken=is_worth_taking(mine, theirs),
    )
