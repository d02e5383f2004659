"""Deciding: what a manager chose becomes a revision of the record, written with its trace in the audit, or not at all.

A decision is a child of what stands and says in `decided` which fields it settles. It is written only while the leaves
that it was made on still stand; where somebody was faster and touched the same fields, the person is told and nothing
is overwritten. Branches that nobody has closed yet are closed in the same transaction, exactly as the follower would,
so that a decision always knows all that it decides about. A decision taken back stays in the history, named by
`undoes`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.auth.audit import note
from server.auth.names import names_of
from server.auth.principal import Principal
from server.desk.conflicts.changes_since_page import content_seen, edited_in_form, moved_since
from server.desk.conflicts.choices import ANSWERS, Chosen, chosen_of, with_answers, with_chosen
from server.desk.conflicts.labels import pointer_of, spot_of
from server.desk.conflicts.page import Pages
from server.desk.conflicts.page_schemas import Choice, NewDecision, Undo
from server.desk.conflicts.record_case import Case, extended
from server.desk.conflicts.revision_history import decisions_of, history_of
from server.errors import Problem
from server.forms.answers.record_answers import check
from server.ingest.desk_writes import write_at_desk
from server.journal.journal import Journal
from server.journal.model import NewRevision, Origin, Outcome
from server.journal.store.engine_revisions import as_new
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.json_reader import aside_where_long
from server.read_model.record_tables import questions
from sync.contract.reasons import STORED
from sync.merging.field_diff import of_record
from sync.merging.field_schema import Path
from sync.merging.merge import Closing, Document, WaitingMerge, close, combine, counting_leaves, taken_back
from sync.revisions.canonical import Json
from sync.revisions.revision_id import RevisionId

#: How often a decision is made anew because other fields of the record moved while it was written.
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Prepared:
    """A decision ready to be written, on the case that it was made on; `broken` are constraints that would break."""

    case: Case
    closing: Closing | None
    decision: NewRevision
    decided: tuple[Path, ...]
    broken: tuple[Path, ...] = ()
    content: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Closed:
    """A document with its branches closed: what does that, the document with it, and the leaf that it comes down to."""

    closing: Closing | None
    document: Document
    parent: RevisionId


class Moved(Exception):
    """Somebody wrote to the record between reading and writing: to be read again."""


class DecisionRefused(Exception):
    """The journal did not take a decision."""


class Decisions:
    """Writes a data manager's decisions."""

    def __init__(self, storage: Storage, journal: Journal, pages: Pages, clock: Clock) -> None:
        """Keep the parts."""
        self._storage = storage
        self._journal = journal
        self._pages = pages
        self._clock = clock

    async def decide(self, principal: Principal, database: str, record: str, new: NewDecision) -> Prepared:
        """Write a decision, or with `dry_run` only make it; raise what stands against it."""
        for _ in range(ATTEMPTS):
            case = await self._pages.case(database, record)
            prepared = await self.prepared(principal, case, new)
            if new.dry_run:
                return prepared
            try:
                await self._write(principal, prepared, "conflict.decided", saw=new.rev)
            except Moved:
                continue
            return prepared
        raise Problem("conflict_moved", rev=case.winner.rev, changed=[], by_names=[])

    async def prepared(self, principal: Principal, case: Case, new: NewDecision) -> Prepared:
        """Return a decision on a case; raise what stands against it, `conflict_moved` where others were quicker."""
        seen = (new.rev, *new.leaves)
        await self.refuse_moved(principal, case, seen, {each.path for each in new.choices})
        if new.answers is not None:
            await self._refuse_overtaken(principal, case, seen, new.answers)
        replies = await self._replies(case.database, case.record, new.choices)
        return await aside_where_long(case.whole.size, partial(prepared_decision, case, new, replies))

    async def undo(self, principal: Principal, database: str, record: str, undo: Undo) -> Prepared:
        """Take a decision back; raise `not_found`, `undo_too_late` or `conflict_moved`."""
        for _ in range(ATTEMPTS):
            case = await self._pages.case(database, record)
            prepare = partial(prepared_undo, case, [undo.decision], undo.comment)
            prepared = await aside_where_long(case.whole.size, prepare)
            await self.refuse_moved(principal, case, (undo.rev, *undo.leaves), set(prepared.decided))
            try:
                await self._write(principal, prepared, "conflict.undone", saw=undo.rev, undoes=undo.decision)
            except Moved:
                continue
            return prepared
        raise Problem("conflict_moved", rev=case.winner.rev, changed=[], by_names=[])

    async def write_unmoved_within(
        self,
        connection: AsyncConnection,
        principal: Principal,
        prepared: Sequence[Prepared],
        act: str,
        **details: object,
    ) -> list[Prepared]:
        """Write decisions about records of one database in the caller's transaction.

        Return those whose record had not moved. Raise DecisionRefused; the caller's transaction must be undone then.
        """
        database = prepared[0].case.database
        leaves = {each.case.record: each.case.leaves for each in prepared}
        standing = await self._journal.standing_within(connection, database, leaves)
        ready = [each for each in prepared if each.case.record in standing]
        await self.write_within(connection, principal, ready, act, **details)
        return ready

    async def _write(self, principal: Principal, prepared: Prepared, act: str, **details: object) -> None:
        async with self._storage.write() as connection:
            written = await self.write_unmoved_within(connection, principal, [prepared], act, **details)
        # After the commit, which whoever was quicker may share: read before it, the record would be as it was.
        if not written:
            raise Moved

    async def write_within(
        self, connection: AsyncConnection, principal: Principal, ready: Sequence[Prepared], act: str, **details: object
    ) -> None:
        """Write decisions about records of one database, in a transaction in which their leaves were seen to stand."""
        if not ready:
            return
        database = ready[0].case.database
        closings = [each.closing for each in ready if each.closing is not None]
        by_machine = [as_new(one) for each in closings for one in each.revisions]
        if by_machine:
            _must_be_stored(await self._journal.write_within(connection, database, by_machine, Origin()))
        decisions = [each.decision for each in ready]
        _must_be_stored(await write_at_desk(connection, self._journal, database, decisions, principal))
        for each in ready:
            subject, rev = f"{database}/{each.case.record}"[:200], each.decision.rev
            what = {**details, "rev": rev, "paths": list(each.decided), "is_deletion": each.decision.deleted}
            await note(connection, self._clock, principal.person, act, subject, **what)

    async def _replies(self, database: str, record: str, choices: Sequence[Choice]) -> dict[str, Mapping[str, Json]]:
        wanted = {each.reply: each.path for each in choices if each.reply is not None}
        if not wanted:
            return {}
        here = (questions.c.database == database) & (questions.c.record == record)
        async with self._storage.read() as connection:
            rows = (await connection.execute(select(questions).where(here))).all()
        paths = {row.id: row.content.get("path") for row in rows if row.type == "question"}
        # A reply is about the field that its question asked about, and is taken for no other.
        return {
            row.id: row.content
            for row in rows
            if row.type == "reply" and row.id in wanted and paths.get(row.content.get("question")) == wanted[row.id]
        }

    async def refuse_moved(
        self, principal: Principal, case: Case, seen: Sequence[RevisionId], paths: Collection[Path]
    ) -> None:
        """Raise `conflict_moved` when somebody has touched one of the fields since the person looked."""
        moved, people = await aside_where_long(case.whole.size, partial(moved_since, case, seen, paths))
        if moved:
            raise await self.moved(principal, case, moved, {case.whole.revisions[rev].person for rev in people})

    async def _refuse_overtaken(
        self, principal: Principal, case: Case, seen: Sequence[RevisionId], answers: Mapping[str, Json]
    ) -> None:
        """Raise `conflict_moved` when somebody has touched what a form changed, or its version stands no longer."""
        before = await aside_where_long(case.whole.size, partial(content_seen, case, seen))
        if before is None or before.get("form_version") != case.content.get("form_version"):
            _, by = await aside_where_long(case.whole.size, partial(moved_since, case, seen, {ANSWERS}))
            people = {case.whole.revisions[rev].person for rev in by}
            raise await self.moved(principal, case, {ANSWERS}, people)
        await self.refuse_moved(principal, case, seen, edited_in_form(case, before, answers))

    async def moved(
        self, principal: Principal, case: Case, changed: Collection[Path], people: Collection[str | None]
    ) -> Problem:
        """Return `conflict_moved` with the fresh page, and the names of those who were quicker."""
        page = await self._pages.of(principal, case)
        async with self._storage.read() as connection:
            names = await names_of(connection, {each for each in people if each})
        return Problem(
            "conflict_moved",
            rev=case.winner.rev,
            changed=sorted(changed),
            by_names=sorted(names.values()),
            page=page.model_dump(mode="json"),
        )


def prepared_decision(case: Case, new: NewDecision, replies: Mapping[str, Mapping[str, Json]]) -> Prepared:
    """Return the decision that choices make on a case; raise what stands against it."""
    if isinstance(case.combined, WaitingMerge):
        raise _not_here(case)
    chosen = chosen_of(case, new.choices, replies)
    content = with_chosen(case, case.content, chosen)
    if new.answers is not None:
        if new.form_version not in {None, content.get("form_version")}:
            raise Problem("invalid_request", parameter="form_version")
        seen = content_seen(case, (new.rev, *new.leaves))
        content = with_answers(case, case.content if seen is None else seen, new.answers, chosen)
    if not chosen.decided:
        raise Problem("nothing_to_decide")
    said: dict[str, Json] = {"decided": sorted(chosen.decided), **because(new.comment)}
    return _prepared(case, closed_of(case), content, chosen, said)


def prepared_undo(case: Case, decisions: Sequence[RevisionId], comment: str) -> Prepared:
    """Return what takes decisions back; raise `not_found` or `undo_too_late`."""
    lines = {each.rev: each for each in decisions_of(case, history_of(case, {}, {}), may_decide=True)}
    chosen = Chosen()
    for decision in decisions:
        if decision not in lines:
            raise Problem("not_found")
        if not lines[decision].may_undo:
            raise Problem("undo_too_late", decision=decision)
        chosen.decided.update(lines[decision].paths)
    closed = closed_of(case)
    without = taken_back(closed.document, decisions, case.forms)
    content = case.content if isinstance(without, WaitingMerge) or without.is_deleted else without.content
    return _prepared(case, closed, content, chosen, {"undoes": [*decisions], **because(comment)})


def prepared_removal(case: Case, comment: str, after: Prepared | None) -> Prepared:
    """Return what deletes a record, whatever its branches say; `after` is a decision to be written before it."""
    if isinstance(case.combined, WaitingMerge) and len(case.counting) > 1:
        raise _not_here(case)
    closed = closed_of(case)
    content: dict[str, Json] = {"type": "record", "decided": [""], **because(comment)}
    parent = closed.parent if after is None else after.decision.rev
    deletion = NewRevision.following(case.record, content, parent, deleted=True)
    return Prepared(case, closed.closing if after is None else None, deletion, ("",), (), case.content)


def closed_of(case: Case) -> Closed:
    """Return a case with its branches closed as the follower would: where a decision about it belongs."""
    closing = close(case.document, case.forms)
    if closing is None or isinstance(closing, WaitingMerge):
        return Closed(None, case.document, _left(case.document))
    document = extended(case.document, [as_new(one) for one in closing.revisions])
    return Closed(closing, document, _left(document))


def _left(document: Document) -> RevisionId:
    """Return the leaf that knows all others: the merge, or the one that gets no end put to it, winner or not."""
    leaves = counting_leaves(document) or document.graph.leaves()
    return leaves[0]


def _prepared(
    case: Case, closed: Closed, content: Mapping[str, Json], chosen: Chosen, said: Mapping[str, Json]
) -> Prepared:
    closing, parent = closed.closing, closed.parent
    decided = tuple(sorted(chosen.decided))
    if chosen.is_deletion:
        tombstone: dict[str, Json] = {"type": "record", **said}
        deleted = NewRevision.following(case.record, tombstone, parent, deleted=True)
        return Prepared(case, closing, deleted, decided, (), case.content)
    record = of_record(content)
    broken: tuple[Path, ...] = ()
    if "undoes" not in said:
        _refuse_misfits(case, record)
        form, version = str(record.get("form", "")), str(record.get("form_version", ""))
        answers = record.get("answers")
        if isinstance(answers, dict) and case.forms.shape(form, version) is not None:
            checked = case.forms.check(form, version, answers)
            record["answers"] = dict(checked.answers)
            broken = tuple(sorted(checked.broken))
    decision = NewRevision.following(case.record, {**record, **said}, parent)
    # What stays open is told with it, so that phones go on showing it; it is computed anew wherever it is read.
    after = combine(extended(closed.document, [decision]), case.forms)
    if (
        not isinstance(after, WaitingMerge)
        and after.open
        and not any(decision.rev in each for each in after.open.values())
    ):
        left: Json = {path: list(candidates) for path, candidates in after.open.items()}
        decision = NewRevision.following(case.record, {**record, **said, "open": left}, parent)
    return Prepared(case, closing, decision, decided, broken, record)


def because(comment: str) -> dict[str, Json]:
    """Return what a revision says of why it was made; nothing where nothing was said."""
    return {"comment": comment.strip()} if comment.strip() else {}


def _not_here(case: Case) -> Problem:
    return Problem("form_not_here", form=case.content.get("form"), version=case.content.get("form_version"))


def _refuse_misfits(case: Case, record: Mapping[str, Json]) -> None:
    """Raise `answer_misfit` for the first answer that does not type and did before, or was not there before."""
    if case.published is None or record.get("form_version") != case.published.version:
        return
    answers, before = record.get("answers"), case.content.get("answers")
    known = {(pointer_of(before, each.path), each.reason) for each in check(case.published.schema, before)}
    for misfit in check(case.published.schema, answers):
        path = pointer_of(answers, misfit.path)
        if (path, misfit.reason) not in known:
            labels = spot_of(case.published, f"/answers{path}").labels
            raise Problem("answer_misfit", path=f"/answers{path}", reason=misfit.reason, label=labels)


def _must_be_stored(outcomes: Sequence[Outcome]) -> None:
    for each in outcomes:
        if each.outcome not in STORED:
            raise DecisionRefused(f"a decision was {each.outcome}: {each.reason}")
