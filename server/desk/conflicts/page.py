"""The page of one conflict: everything that a person needs to decide about a record, in the words of its form."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.areas.areas import Areas
from server.areas.atlas import Atlas
from server.auth.authorise import allowed
from server.auth.names import names_of
from server.auth.principal import Principal
from server.auth.tables import enrolments
from server.desk.conflicts import queue
from server.desk.conflicts.choices import ANSWERS
from server.desk.conflicts.labels import Spot
from server.desk.conflicts.page_schemas import (
    AskedShown,
    CandidateValue,
    ChoiceLabel,
    ConflictPage,
    DecisionLine,
    Elsewhere,
    MediaFile,
    MergedField,
    OpenQuestion,
    Proposal,
    ReplyShown,
    WaitingFor,
)
from server.desk.conflicts.place_comparison import compare_places, more_accurate
from server.desk.conflicts.presence import claims_on
from server.desk.conflicts.queue_schemas import Claim, PersonName
from server.desk.conflicts.record_case import Case, open_case
from server.desk.conflicts.revision_history import Content, decisions_of, differing, history_of, row_of, shown, spotted
from server.desk.conflicts.ways_to_decide import MOVED, cause_of, outcome_at, paths_of, ways
from server.desk.relocation.relocation_log import Move, moves_of, with_moves
from server.errors import Problem
from server.forms.library import FormLibrary
from server.journal.journal import Journal
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.read_model.record_tables import questions, records
from sync.contract.scope import Scope
from sync.merging.field_schema import ABSENT, place_of
from sync.merging.merge import FieldOutcome, WaitingMerge

#: Choices of a list that a page carries; a longer one is searched in the form.
MOST_CHOICES = 500


@dataclass(frozen=True, slots=True)
class PageContext:
    """A record's rows beside the journal: its open questions, questions to workers, names and claims."""

    rows: Mapping[str, RowMapping]
    asked: Sequence[RowMapping]
    elsewhere: Sequence[RowMapping]
    moves: Sequence[Move]
    published_rev: str | None
    names: Mapping[str, str]
    devices: Mapping[str, str]
    claims: list[Claim]


class Pages:
    """Makes pages of conflicts for the people who may see them."""

    def __init__(self, storage: Storage, journal: Journal, library: FormLibrary, areas: Areas, clock: Clock) -> None:
        """Read nothing yet."""
        self._storage = storage
        self._journal = journal
        self._library = library
        self._areas = areas
        self._clock = clock

    async def case(self, database: str, record: str) -> Case:
        """Return a record's case; raise `not_found`."""
        case = await self.find(database, record)
        if case is None:
            raise Problem("not_found")
        return case

    async def find(self, database: str, record: str) -> Case | None:
        """Return a record's case; None where there is no such record, or it was erased."""
        return await open_case(self._journal, self._library, database, record)

    async def page(self, principal: Principal, database: str, record: str) -> ConflictPage:
        """Return the page of a record; raise `not_found`."""
        return await self.of(principal, await self.case(database, record))

    async def of(self, principal: Principal, case: Case) -> ConflictPage:
        """Return the page of a case."""
        atlas = await self._areas.atlas()
        async with self._storage.read() as connection:
            known = await self._known(connection, principal, case)
        twins = await self._twins(known)
        visible = [(row, twin) for row, twin in twins if _may_see(principal, row)]
        published = case.published
        project, unit = Scope.of(case.database)
        # In threads: many branches of many rows take long to compare, and phones wait at the door meanwhile.
        history = await asyncio.to_thread(history_of, case, known.names, known.devices)
        may_decide = allowed(principal, "decide_conflicts", case.database)
        decided = await asyncio.to_thread(decisions_of, case, history, may_decide=may_decide)
        if known.moves:
            decided = await self._with_moves(principal, atlas, case, known.moves, decided)
        paths = paths_of(case, known.rows, is_moved=bool(twins))
        questions, merged, elsewhere = await asyncio.to_thread(
            lambda: (
                [self._question(case, path, known, is_moved=bool(twins), may_move=bool(visible)) for path in paths],
                [_merged(case, path, outcome, known) for path, outcome in _brought_together(case)],
                [_elsewhere(principal, atlas, case, row, twin) for row, twin in visible],
            )
        )
        return ConflictPage(
            database=case.database,
            record=case.record,
            rev=case.winner.rev,
            leaves=list(case.counting),
            form=_text(case.content.get("form")),
            form_version=_text(case.content.get("form_version")),
            form_title=dict(published.titles) if published else {},
            title=_title(case),
            project=project,
            unit=unit,
            unit_name=unit_name(atlas, unit),
            languages=[each.code for each in published.schema.languages] if published else [],
            waiting=WaitingFor(reason=case.combined.reason, names=list(case.combined.names))
            if isinstance(case.combined, WaitingMerge)
            else None,
            may_decide=may_decide,
            doc=document(case),
            questions=questions,
            merged=merged,
            history=history,
            decisions=decided,
            claims=known.claims,
            elsewhere=elsewhere,
            media=media_of(case),
        )

    async def _known(self, connection: AsyncConnection, principal: Principal, case: Case) -> PageContext:
        here, record = case.database, case.record
        rows = {row["path"]: row for row in await queue.questions_of(connection, here, record)}
        asked = (
            (
                await connection.execute(
                    select(questions)
                    .where(questions.c.database == here, questions.c.record == record)
                    .order_by(questions.c.id)
                )
            )
            .mappings()
            .all()
        )
        standing = (await connection.execute(select(records).where(records.c.id == record))).mappings().all()
        held = (await claims_on(connection, {(here, record)}, self._clock())).get((here, record), [])
        people = {each.person for each in case.whole.revisions.values() if each.person}
        people |= {row["person"] for row in asked if row["person"]} | {person for person, _ in held}
        people |= {each for row in asked for each in _ids(row["content"].get("to"))}
        keys = {each.enrolment for each in case.whole.revisions.values() if each.enrolment}
        labels = select(enrolments.c.id, enrolments.c.label).where(enrolments.c.id.in_(sorted(keys)))
        names = await names_of(connection, people)
        return PageContext(
            rows=rows,
            asked=asked,
            # Whether it lives there the journal tells, which is ahead of these rows.
            elsewhere=[row for row in standing if row["database"] != here],
            moves=[each for each in await moves_of(connection, record) if each.concerns(here)],
            published_rev=next((row["published_rev"] for row in standing if row["database"] == here), None),
            names=names,
            devices={row.id: row.label for row in await connection.execute(labels)},
            claims=[
                Claim(person=each, name=names.get(each, ""), until=until, is_me=each == principal.person)
                for each, until in held
            ],
        )

    def _question(self, case: Case, path: str, known: PageContext, *, is_moved: bool, may_move: bool) -> OpenQuestion:
        spot = spotted(case, path)
        cause = cause_of(case, path, known.rows, is_moved=is_moved)
        revs = [case.winner.rev] if cause == MOVED else _candidate_revs(case, path, known.rows)
        base = case.base(path, revs)
        # What is chosen between as a whole is told apart by what each side changed in it.
        before = case.known_to_all(revs) if path == ANSWERS or cause == "row" else None
        candidates = [_candidate(case, path, rev, known, before) for rev in revs]
        sides = [(each.rev, each.value.value) for each in candidates]
        kind = spot.field.type if spot.field and spot.choice is None and not spot.is_row else ""
        drawing = compare_places(kind, [*([(None, base)] if base is not ABSENT else []), *sides])
        best = more_accurate(sides) if kind == "geopoint" else None
        chosen = next((each for each in candidates if each.rev == best), None)
        kept = case.row_kept(path) if cause == "row" else ABSENT
        return OpenQuestion(
            path=path,
            kind=cause,
            label=spot.labels,
            row=row_of(case, spot, *(each.rev for each in candidates)),
            parents=spot.parent_labels,
            type="repeat" if spot.is_row else spot.field.type if spot.field else "",
            choices=choices_of(spot),
            list_file=spot.field.list_file if spot.field else None,
            base=shown(base),
            candidates=candidates,
            proposal=Proposal(rev=chosen.rev, value=chosen.value, why="more_accurate")
            if chosen is not None
            else Proposal(rev=candidates[0].rev if candidates else None, value=shown(case.value(path)), why="stands"),
            geometry=drawing,
            broken=case.message(path) if cause == "constraint" else {},
            asked=[_asked(row, known) for row in known.asked if row["type"] == "question" and _is_about(row, path)],
            kept=None if kept is ABSENT else shown(kept),
            may=ways(case, path, cause, may_move=may_move, may_keep=kept is not ABSENT),
        )

    async def _with_moves(
        self, principal: Principal, atlas: Atlas, case: Case, moves: Sequence[Move], decided: list[DecisionLine]
    ) -> list[DecisionLine]:
        """Return the decisions with those about the record's place."""
        around = sorted({name for move in moves for name in move.written})
        found = {name: await self.find(name, case.record) for name in around}
        cases = {name: each for name, each in found.items() if each is not None}
        lines = with_moves(principal, case.database, moves, cases, decided, called=partial(unit_name, atlas))
        async with self._storage.read() as connection:
            names = await names_of(connection, {each.by_person or "" for each in lines})
        return [each.model_copy(update={"by_name": names.get(each.by_person or "", each.by_name)}) for each in lines]

    async def _twins(self, known: PageContext) -> list[tuple[RowMapping, Case]]:
        """Return the same record where it lives in other databases, as the journal has it now."""
        found = []
        for row in known.elsewhere:
            case = await self.find(row["database"], row["id"])
            if case is not None and not case.winner.deleted:
                found.append((row, case))
        return found


def document(case: Case) -> dict[str, Any]:
    """Return what stands, whole, as phones get documents."""
    flag = {"_deleted": True} if case.winner.deleted else {}
    return {"_id": case.record, "_rev": case.winner.rev, **flag, **case.content}


def _may_see(principal: Principal, row: RowMapping) -> bool:
    # What lies in areas of others stays unseen.
    return allowed(principal, "read_conflicts", row["database"])


def _elsewhere(principal: Principal, atlas: Atlas, here: Case, row: RowMapping, case: Case) -> Elsewhere:
    return Elsewhere(
        database=row["database"],
        unit=row["unit"],
        unit_name=unit_name(atlas, row["unit"]),
        project=row["project"],
        rev=case.winner.rev,
        leaves=list(case.counting),
        title=row["title"],
        by_name=row["by_name"],
        received_at=case.winner.received_at,
        doc=document(case),
        changed=differing(here, here.content, case.content, here.winner.rev),
        may_decide=allowed(principal, "decide_conflicts", row["database"]),
    )


def _candidate_revs(case: Case, path: str, rows: Mapping[str, RowMapping]) -> list[str]:
    outcome = outcome_at(case, path)
    if outcome is not None and path in case.open:
        return [each.rev for each in outcome.candidates]
    named = rows[path]["candidates"] if path in rows else []
    return [each for each in named if each in case.whole.revisions]


def _candidate(case: Case, path: str, rev: str, known: PageContext, before: Content | None) -> CandidateValue:
    stored = case.whole.revisions[rev]
    outcome = outcome_at(case, path)
    said = next((each for each in outcome.candidates if each.rev == rev), None) if outcome else None
    saved = case.document.revisions[rev].content.get("saved")
    approved = known.published_rev
    value = said.value if said is not None else ABSENT if stored.deleted else case.value(path, rev)
    return CandidateValue(
        rev=rev,
        value=shown(value),
        is_decision=said is not None and said.is_decision,
        is_deleted=stored.deleted,
        is_after_approval=approved is not None and rev != approved and case.reaches(rev, approved),
        is_parent_unknown=stored.parent is not None and stored.parent not in case.whole.revisions,
        by_person=stored.person,
        by_name=known.names.get(stored.person or "", ""),
        device=known.devices.get(stored.enrolment or "", ""),
        recorded_at=_text(saved.get("at")) if isinstance(saved, dict) else "",
        received_at=stored.received_at,
        changed=[]
        if before is None or value is ABSENT
        else [each for each in differing(case, before, case.last_said(rev), rev) if each.path.startswith(f"{path}/")],
    )


def choices_of(spot: Spot) -> list[ChoiceLabel]:
    """Return the answers that a question offers, in the form's words; none of a list that stands in a file."""
    offered = spot.field.choices[:MOST_CHOICES] if spot.field else ()
    return [ChoiceLabel(value=each.value, label=dict(each.labels)) for each in offered]


def _is_about(row: RowMapping, path: str) -> bool:
    return bool(row["content"].get("path") == path)


def _asked(row: RowMapping, known: PageContext) -> AskedShown:
    content = row["content"]
    to = _ids(content.get("to"))
    replies = [each for each in known.asked if each["type"] == "reply" and each["content"].get("question") == row["id"]]
    return AskedShown(
        id=row["id"],
        text=_text(content.get("text")),
        by_name=known.names.get(row["person"] or "", _text(content.get("by_name"))),
        at=row["received_at"],
        to=[PersonName(id=each, name=known.names.get(each, "")) for each in to],
        replies=[
            ReplyShown(
                id=each["id"],
                by_person=each["person"],
                by_name=known.names.get(each["person"] or "", ""),
                at=each["received_at"],
                has_value="value" in each["content"],
                value=shown(each["content"].get("value")),
                text=_text(each["content"].get("text")),
                was_asked=each["person"] in to,
            )
            for each in replies
        ],
    )


def _brought_together(case: Case) -> list[tuple[str, FieldOutcome]]:
    """Return the fields that came together without asking, and not along the winner's own line."""
    if isinstance(case.combined, WaitingMerge):
        return []
    line = {case.winner.rev, *case.document.graph.ancestors(case.winner.rev)}
    shown_roles = {"atom", "choices", "choice", "row"}
    return [
        (path, outcome)
        for path, outcome in sorted(case.combined.fields.items())
        if outcome.cause is None
        and outcome.how != "recomputed"
        and place_of(path, case.shape).role in shown_roles
        and (outcome.source not in line or len(outcome.candidates) > 1)
        and outcome.candidates
        and not (ANSWERS in case.open and path.startswith(ANSWERS))
    ]


def _merged(case: Case, path: str, outcome: FieldOutcome, known: PageContext) -> MergedField:
    spot = spotted(case, path)
    stored = case.whole.revisions.get(outcome.source or "")
    return MergedField(
        path=path,
        label=spot.labels,
        row=row_of(case, spot),
        value=shown(case.value(path)),
        how=outcome.how,
        rev=outcome.source,
        by_name=known.names.get(stored.person or "", "") if stored else "",
    )


def media_of(case: Case) -> dict[str, MediaFile]:
    """Return the files that any revision of the record names, by content."""
    files: dict[str, MediaFile] = {}
    for revision in case.document.revisions.values():
        media = revision.content.get("media")
        for name, file in media.items() if isinstance(media, dict) else ():
            sha256 = file.get("sha256") if isinstance(file, dict) else None
            if isinstance(sha256, str) and isinstance(file, dict):
                url = f"/api/media/{sha256}"
                files[sha256] = MediaFile(url=url, thumb=f"{url}?size=thumb", type=_text(file.get("type")), name=name)
    return files


def _title(case: Case) -> str:
    answers = case.content.get("answers")
    meta = answers.get("meta") if isinstance(answers, dict) else None
    title = _text(meta.get("instanceName")) if isinstance(meta, dict) else ""
    return title or (case.published.schema.title if case.published else _text(case.content.get("form")))


def unit_name(atlas: Atlas, unit: str) -> str:
    """Return what a unit is called; its id where nobody knows it."""
    known = atlas.units.get(unit)
    return known.name if known else unit


def _ids(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
