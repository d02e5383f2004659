"""The one way into the journal: read what stands, decide, write, all in the caller's transaction.

The database's head is locked first, so a batch sees everything that was written before it and nobody numbers changes
beside it. A batch costs the same few statements however many revisions it has.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from sqlalchemy import Row, RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.model import NewRevision, Outcome, Receipt, UnknownDatabase
from server.journal.rejudging import Waiting, read_bodies, waiting_of
from server.journal.store import authors
from server.journal.store.batch import Batch
from server.journal.store.branches import contents
from server.journal.store.document_in_batch import DocumentBefore
from server.journal.store.rows import BatchRows, FeedEnd, HeadRow, RevisionRow
from server.journal.store.statements import Statements
from server.platform.db.execute_each import Step, execute_several
from server.platform.turns import in_turns
from sync.revisions.admission import MAX_LEAVES, REJUDGED, DocumentState, is_machine_merge, resolved_among
from sync.revisions.graph import Graph
from sync.revisions.revision_id import RevisionId, merged_of


async def lock(connection: AsyncConnection, sql: Statements, database: str) -> FeedEnd:
    """Return where the feed ends; the database is this transaction's from here on. Raise UnknownDatabase."""
    row = (await connection.execute(sql.locked_head, {"database": database})).mappings().one_or_none()
    if row is None:
        raise UnknownDatabase(database)
    return head_of(row)


async def begin(
    connection: AsyncConnection, sql: Statements, head: FeedEnd, revisions: Sequence[NewRevision], by: Receipt
) -> Batch:
    """Return a batch at the locked `head`, over what stands of the documents that these revisions are of."""
    by_document: dict[str, list[NewRevision]] = {}
    for revision in revisions:
        by_document.setdefault(revision.doc_id, []).append(revision)
    return Batch(head, await _before(connection, sql, head, by_document), by)


async def take_all(
    connection: AsyncConnection, sql: Statements, batch: Batch, revisions: Iterable[NewRevision]
) -> list[Outcome]:
    """Return what becomes of each revision, in order, once those have come in that waited only for one of them."""
    outcomes = [batch.take(revision) async for revision in in_turns(revisions)]
    let_in = await release(connection, sql, batch)
    if not let_in:
        return outcomes
    return [
        replace(one, outcome="stored", reason=None)
        if one.reason in REJUDGED and (one.doc_id, one.rev) in let_in
        else one
        for one in outcomes
    ]


async def release(connection: AsyncConnection, sql: Statements, batch: Batch) -> set[tuple[str, RevisionId]]:
    """Let in what waited only for revisions that are here by now; return (document, revision) of it."""
    unclear = batch.unclear()
    if unclear:
        batch.clarify(await _with_merged(connection, sql, batch.database, unclear))
    some = batch.candidates()
    if not some:
        return set()
    await read_bodies(connection, sql, batch.database, some)
    lines = await contents(connection, sql, batch.database, batch.lines_of(some))
    return await batch.release(some, lines)


async def finish(connection: AsyncConnection, sql: Statements, rows: BatchRows) -> None:
    """Write what the batch has decided; nothing at all when it was all known."""
    if rows.named:
        await connection.execute(sql.name_revision, rows.named)
    steps: list[Step] = []
    if rows.revisions:
        steps += [(sql.put_revisions, _to_driver(rows.revisions, sql)), (sql.put_bodies, rows.bodies)]
    if rows.edges or rows.quarantine or rows.released or rows.reasons:
        # Before the edges: one may belong to a revision that came in this very batch.
        await execute_several(connection, steps)
        steps = []
    if rows.edges:
        await connection.execute(sql.fill_edge, rows.edges)
    if rows.quarantine:
        await connection.execute(sql.put_quarantine, rows.quarantine)
    if rows.released:
        await connection.execute(sql.release, rows.released)
    if rows.reasons:
        await connection.execute(sql.name_reason, rows.reasons)
    if rows.entries:
        head = HeadRow(*(getattr(rows.head, name) for name in HeadRow._fields))
        steps += [(sql.put_entries, rows.entries), (sql.put_documents, rows.documents), (sql.move_head, [head])]
    await execute_several(connection, steps)
    # A seal may have come before these were let in, or since what seals say was read.
    by_peers = [(row.doc_id, row.rev) for row in rows.revisions if (row.person or "").startswith(authors.PEER_PREFIX)]
    if by_peers:
        await authors.settle(connection, sql, rows.head.name, by_peers)


def _to_driver(rows: Sequence[RevisionRow], sql: Statements) -> list[tuple[object, ...]]:
    # A batch has one moment; only an acceptance brings others.
    moments = {moment: sql.moment(moment) for moment in {row.received_at for row in rows}}
    return [(*row[:-1], moments[row.received_at]) for row in rows]


def head_of(row: RowMapping) -> FeedEnd:
    """Return the head that a row of `databases` holds."""
    names = ("name", "seq", "chain", "digest", "documents", "deleted", "takes_anything")
    return FeedEnd(*(row[name] for name in names))


async def _before(
    connection: AsyncConnection, sql: Statements, head: FeedEnd, batch: Mapping[str, Sequence[NewRevision]]
) -> dict[str, DocumentBefore]:
    database = head.name
    # What cannot be an id is refused one by one; asked for, it would fail the batch (PostgreSQL takes no NUL).
    values = {"database": database, "ids": sql.ids(batch.keys())}
    rows = (await connection.execute(sql.documents_of, values)).all()
    beside: dict[str, list[Row[*tuple[Any, ...]]]] = {}
    for quarantined in () if head.takes_anything else await connection.execute(sql.beside_of, values):
        beside.setdefault(quarantined.doc_id, []).append(quarantined)
    rejudged = await _rejudged(connection, sql, database, beside)
    graphs: dict[str, DocumentState] = {}
    for row in rows:
        is_line = " " not in row.leaves and row.doc_id not in rejudged
        # Where anything is taken, no member makes a merge.
        has_merges = not head.takes_anything and any(each.offer.may_be_by_machine for each in batch[row.doc_id])
        if is_line and not has_merges and _continues_leaf(row.winner, batch[row.doc_id]):
            graphs[row.doc_id] = DocumentState(Graph({row.winner: None}, {row.winner: row.deleted}))
    unread = [row.doc_id for row in rows if row.doc_id not in graphs]
    clear: frozenset[str] = frozenset()
    if unread:
        graphs |= await _graphs(connection, sql, database, unread)
        unclear = [
            doc_id
            for doc_id in unread
            if not head.takes_anything
            and (_may_be_too_many(graphs[doc_id], batch[doc_id]) or _hangs_on_merges(graphs[doc_id], batch[doc_id]))
        ]
        if unclear:
            graphs |= await _with_merged(connection, sql, database, {doc_id: graphs[doc_id] for doc_id in unclear})
            clear = frozenset(unclear)
    before = {
        row.doc_id: DocumentBefore(graphs[row.doc_id], row.winner, row.deleted, is_clear=row.doc_id in clear)
        for row in rows
    }
    for doc_id, quarantined_ones in beside.items():
        of = before.get(doc_id, DocumentBefore(DocumentState()))
        state = _with_quarantined(of.state, quarantined_ones)
        before[doc_id] = replace(of, state=state, rejudged=rejudged.get(doc_id, ()))
    return before


async def _rejudged(
    connection: AsyncConnection, sql: Statements, database: str, beside: Mapping[str, Sequence[Row[*tuple[Any, ...]]]]
) -> dict[str, list[Waiting]]:
    waiting = [doc_id for doc_id, rows in beside.items() if any(_is_rejudged(row) for row in rows)]
    found: dict[str, list[Waiting]] = {}
    if waiting:
        values = {"database": database, "ids": sql.ids(waiting)}
        for row in (await connection.execute(sql.rejudged_of, values)).mappings():
            found.setdefault(row["doc_id"], []).append(waiting_of(row))
    return found


def _is_rejudged(row: Row[*tuple[Any, ...]]) -> bool:
    return not row.is_settled and row.reason in REJUDGED


async def _graphs(
    connection: AsyncConnection, sql: Statements, database: str, doc_ids: list[str]
) -> dict[str, DocumentState]:
    parents: dict[str, dict[RevisionId, RevisionId | None]] = {doc_id: {} for doc_id in doc_ids}
    held: dict[str, dict[RevisionId, bool]] = {doc_id: {} for doc_id in doc_ids}
    prints: dict[str, dict[RevisionId, bytes]] = {doc_id: {} for doc_id in doc_ids}
    values = {"database": database, "ids": sql.ids(doc_ids)}
    for doc_id, rev, parent, deleted, print_ in (await connection.execute(sql.revisions_of, values)).all():
        parents[doc_id][rev] = parent
        if print_ is not None:
            held[doc_id][rev] = deleted
            prints[doc_id][rev] = print_
    return {doc_id: DocumentState(Graph(parents[doc_id], held[doc_id]), prints[doc_id]) for doc_id in doc_ids}


def _may_be_too_many(here: DocumentState, coming: Sequence[NewRevision]) -> bool:
    room = MAX_LEAVES - len(coming)
    return len(here.graph.held) > room and len(here.graph.counting_leaves(resolved_among(here.fingerprints))) > room


def _hangs_on_merges(here: DocumentState, coming: Sequence[NewRevision]) -> bool:
    machines = [revision.offer for revision in coming if revision.offer.may_be_by_machine]
    # The usual case is the follower's: one merge of what is here, and the ends of the branches that it names.
    held = here.graph.held.keys() | {revision.rev for revision in coming}
    closed = {each.parent for each in machines if not each.merged}
    new = (each.merged for each in machines if each.rev not in here.graph.held)
    return not closed <= {*chain.from_iterable(new)} or any(
        not held >= {*each.ancestors[:1], *each.merged} for each in machines
    )


async def _with_merged(
    connection: AsyncConnection, sql: Statements, database: str, states: Mapping[str, DocumentState]
) -> dict[str, DocumentState]:
    # What revisions bring together decides only which tombstones count and what may come in: no body is read where
    # there are few leaves and nobody but people writes.
    bodies: dict[str, dict[RevisionId, bytes]] = {doc_id: {} for doc_id in states}
    values = {"database": database, "ids": sql.ids(states)}
    for doc_id, rev, content in await connection.execute(sql.merging_of, values):
        bodies[doc_id][rev] = content
    return {doc_id: _merging(doc_id, of, bodies[doc_id]) for doc_id, of in states.items()}


def _merging(doc_id: str, of: DocumentState, merging: Mapping[RevisionId, bytes]) -> DocumentState:
    merged = {rev: named for rev, content in merging.items() if (named := merged_of(content))}
    # What came in this very batch is not among the stored bodies yet.
    graph = Graph(of.graph.parents, of.graph.held, {**merged, **of.graph.merged})
    merges = {*of.merges}
    for rev in merged:
        content, parent = merging[rev], graph.parents[rev]
        stored = NewRevision(doc_id, rev, () if parent is None else (parent,), graph.held[rev], content)
        if is_machine_merge(stored.offer, graph):
            merges.add(rev)
    return replace(of, graph=graph, merges=merges)


def _with_quarantined(state: DocumentState, rows: Sequence[Row[*tuple[Any, ...]]]) -> DocumentState:
    return replace(
        state,
        waiting={(row.rev, row.fingerprint): row.reason for row in rows if not row.is_settled},
        settled=frozenset((row.rev, row.fingerprint) for row in rows if row.is_settled),
    )


def _continues_leaf(leaf: RevisionId, batch: Iterable[NewRevision]) -> bool:
    """Whether a document's revisions in a batch form one line from its only leaf: then its graph need not be read."""
    line = [leaf]
    for revision in batch:
        named = revision.ancestors
        if not named or len(named) > len(line) or named != tuple(line[: -len(named) - 1 : -1]):
            return False
        line.append(revision.rev)
    return len(set(line)) == len(line)
