"""The follower that closes branches: what several people did to one record without knowing becomes one record again.

For each document with more than one leaf the merge engine says what closes its branches. The merge, the ends of the
other branches, the questions that stay open, where fields come from, and the follower's checkpoint are one transaction:
after a crash all of it is there or none. Computing twice gives the same revisions under the same ids, so that a page
that is taken again changes nothing, and servers that merge alone agree.

Branches whose form version is not here stay open, and are taken again when it comes. A document that moved between
reading and writing is left alone: it stands later in the feed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.areas.areas import Areas
from server.auth.names import names_of
from server.forms.library import FormLibrary
from server.journal.followers.follower import Effects
from server.journal.journal import Journal
from server.journal.model import Change, NewRevision, Origin
from server.journal.store.document_histories import DocumentHistory
from server.journal.store.engine_revisions import as_new
from server.journal.store.feed_positions import places_within
from server.platform.db.engine import Storage
from server.platform.db.upsert import put
from server.platform.db.value_lists import is_one_of
from server.platform.json_reader import aside_where_long
from server.projections.open_questions import (
    MOVED,
    QuestionContext,
    Row,
    authors_of,
    content_of,
    provenance_rows,
    question_rows,
    text,
    title_of,
    waiting_row,
)
from server.projections.review_documents import brought, credible, decisions_of, is_record
from server.read_model.record_tables import awaited_forms, open_questions, provenance
from sync.contract.reasons import STORED
from sync.merging.merge import Document, Forms, Reconciled, WaitingMerge, combine, reconcile
from sync.review import approved_revisions
from sync.revisions.revision_id import RevisionId

NAME = "branches"
#: Merging is arithmetic; after so many documents the doors get their turn, during a long one it is in a thread.
BREATH = 5
REMEMBERED = 20_000

Leaves = tuple[RevisionId, ...]
#: Reads what the forms of these documents say, so that merging need not wait for anything.
FormsOf = Callable[[Sequence[Document]], Awaitable[Forms]]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Work:
    """The work for one document: revisions to write over these leaves, and the rows that then stand."""

    doc_id: str
    before: Leaves
    revisions: Sequence[NewRevision] = ()
    questions: Sequence[Row] = ()
    provenance: Sequence[Row] = ()
    awaited: Sequence[Row] = ()


class BranchesProjection:
    """Closes branches and keeps the rows of what stays open; a `Projection` of the follower."""

    name = NAME
    after: tuple[str, ...] = ()
    writes_back: tuple[str, ...] = ("record",)

    def __init__(
        self, storage: Storage, journal: Journal, library: FormLibrary, areas: Areas, *, forms_of: FormsOf
    ) -> None:
        """Read nothing yet."""
        self._storage = storage
        self._journal = journal
        self._library = library
        self._areas = areas
        self._forms_of = forms_of
        #: Where this process's own writing stands in the feed, which shows it again. Leaves would not tell: the body of
        #: an inner revision may come later and changes none of them, but what the document says.
        self._left: dict[tuple[str, str], int] = {}

    async def effects(self, database: str, changes: Sequence[Change]) -> Effects:
        """Return what closes the branches of the changed documents, and the rows of what is open in them."""
        if not (await self._areas.atlas()).has_scope(database):
            return _nothing
        new = await credible(self._journal, database, brought(database, changes))
        leaves = {change.doc_id: change.leaves for change in changes if is_record(change.doc_id)}
        known = {change.doc_id for change in changes if self._left.get((database, change.doc_id)) == change.seq}
        # Once: a feed that is read anew has all of it computed anew.
        for doc_id in known:
            del self._left[database, doc_id]
        # One leaf is a line of edits, each of which knew all before it.
        settled = [doc_id for doc_id, of in leaves.items() if len(of) == 1]
        unclear = [doc_id for doc_id, of in leaves.items() if len(of) > 1 and doc_id not in known]
        about = {each["record"] for each in new} - {*settled, *unclear}
        async with self._storage.read() as connection:
            # A decision closes no branch; it may change why something is asked.
            unclear += await _asked_about(connection, database, about)
        wholes = await self._journal.whole(database, unclear) if unclear else {}
        works = await self._works(database, [*wholes.values()], new)
        return partial(self._apply, database=database, settled=settled, works=works)

    async def arrived(self) -> dict[str, list[str]]:
        """Return the records, by database, that waited for form versions which have come."""
        async with self._storage.read() as connection:
            awaited = (await connection.execute(select(awaited_forms))).all()
        here = {
            (form, version)
            for form, version in {(row.form, row.version) for row in awaited}
            if await self._library.get(form, version) is not None
        }
        found: dict[str, list[str]] = {}
        for row in awaited:
            if (row.form, row.version) in here and row.record not in found.setdefault(row.database, []):
                found[row.database].append(row.record)
        return found

    async def _works(
        self, database: str, wholes: Sequence[DocumentHistory], new: Sequence[Mapping[str, object]]
    ) -> list[_Work]:
        if not wholes:
            return []
        ids = [whole.doc_id for whole in wholes]
        async with self._storage.read() as connection:
            names = await names_of(connection, authors_of(wholes))
            decisions = await decisions_of(connection, database, ids, new)
        read = [await aside_where_long(whole.size, whole.as_document) for whole in wholes]
        forms = await self._forms_of(read)
        works = []
        for number, (whole, document) in enumerate(zip(wholes, read, strict=True)):
            approved = approved_revisions(decisions.get(whole.doc_id, []))
            works.append(await self._work(database, whole, document, forms=forms, names=names, approved=approved))
            if number % BREATH == BREATH - 1:
                await asyncio.sleep(0)
        return works

    async def _work(
        self,
        database: str,
        whole: DocumentHistory,
        document: Document,
        *,
        forms: Forms,
        names: Mapping[str, str],
        approved: Collection[RevisionId],
    ) -> _Work:
        leaves = whole.graph.leaves()
        result = await aside_where_long(whole.size, partial(_merged, document, forms))
        content = content_of(whole, leaves[0]) if isinstance(result, WaitingMerge) else result.combined.content
        context = QuestionContext(
            text(content.get("form", "")), await title_of(content, self._library), names, approved
        )
        if isinstance(result, WaitingMerge):
            if result.reason == "inputs":
                log.warning("merge_lacks_revisions", database=database, document=whole.doc_id, revisions=result.names)
                return _Work(whole.doc_id, leaves)
            awaited = [_awaited(database, whole.doc_id, name) for name in result.names]
            return _Work(whole.doc_id, leaves, (), [waiting_row(database, whole, context)], (), awaited)
        return await aside_where_long(whole.size, partial(_done, database, whole, result, context))

    async def _apply(
        self, connection: AsyncConnection, *, database: str, settled: Sequence[str], works: Sequence[_Work]
    ) -> None:
        writing = {work.doc_id: work.before for work in works if work.revisions}
        if writing:
            standing = await self._journal.standing_within(connection, database, writing)
            works = [work for work in works if not work.revisions or work.doc_id in standing]
            revisions = [one for work in works for one in work.revisions]
            for outcome in await self._journal.write_within(connection, database, revisions, Origin()):
                if outcome.outcome not in STORED:
                    log.warning("merge_quarantined", database=database, document=outcome.doc_id, reason=outcome.reason)
        ids = [*settled, *(work.doc_id for work in works)]
        if not ids:
            return
        for table in (open_questions, provenance, awaited_forms):
            here = (table.c.database == database) & is_one_of(connection, table.c.record, ids)
            if table is open_questions:
                here &= table.c.cause != MOVED
            await connection.execute(delete(table).where(here))
        await put(connection, open_questions, [row for work in works for row in work.questions])
        await put(connection, provenance, [row for work in works for row in work.provenance])
        await put(connection, awaited_forms, [row for work in works for row in work.awaited])
        if written := [work.doc_id for work in works if work.revisions]:
            places = await places_within(connection, database, written)
            self._storage.after_commit(connection, partial(self._remember, database, places))

    def _remember(self, database: str, places: Mapping[str, int]) -> None:
        if len(self._left) > REMEMBERED:
            self._left.clear()
        self._left.update({(database, doc_id): seq for doc_id, seq in places.items()})


def _merged(document: Document, forms: Forms) -> Reconciled | WaitingMerge:
    """Return what closes a document's branches, and what stands then."""
    result = reconcile(document, forms)
    if isinstance(result, WaitingMerge) or result.closing is None or result.closing.merge is not None:
        return result
    # The leaf that stays may be of another form or version than those that end: what is asked is asked of it.
    left = document
    for end in result.closing.tombstones:
        left = left.following(end.parent, end.content, deleted=True).document
    then = combine(left, forms)
    return result if isinstance(then, WaitingMerge) else Reconciled(then, result.closing)


def _done(database: str, whole: DocumentHistory, result: Reconciled, context: QuestionContext) -> _Work:
    together = result.combined
    revisions = [] if result.closing is None else [as_new(one) for one in result.closing.revisions]
    return _Work(
        whole.doc_id,
        whole.graph.leaves(),
        revisions,
        question_rows(database, whole, together, context),
        provenance_rows(database, whole, together),
    )


async def _asked_about(connection: AsyncConnection, database: str, ids: Collection[str]) -> list[str]:
    if not ids:
        return []
    here = (open_questions.c.database == database) & is_one_of(connection, open_questions.c.record, ids)
    return [*(await connection.execute(select(open_questions.c.record).where(here).distinct())).scalars()]


def _awaited(database: str, record: str, name: str) -> Row:
    form, _, version = name.rpartition("/")
    return {"database": database, "record": record, "form": text(form), "version": text(version)}


async def _nothing(_connection: AsyncConnection) -> None:
    """Have no effect."""
