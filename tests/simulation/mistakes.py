"""Known mistakes of replication, each put back at a seam while a block runs, to see that the simulation catches it.

They are those that `sync/README.md` argues against. None of them can be switched on in the product: each replaces a
function from outside.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import pairwise
from typing import Any
from unittest.mock import patch

from sqlalchemy.ext.asyncio import AsyncConnection

from server.areas.atlas import Atlas
from server.gateway.sync import exchange, pull
from server.gateway.sync.numbers import Numbers
from server.ingest.phone_checks import Admission
from server.ingest.policy import Right
from server.journal.feed import changes
from server.journal.journal import Journal
from server.journal.model import Changes, Outcome
from server.journal.store.batch import Batch
from server.journal.store.rows import BatchRows
from sync.contract.scope import Scope
from sync.merging import document as merge_document
from sync.merging import merge
from sync.merging.causal_history import CausalHistory
from sync.merging.field_diff import patch as patch_fields
from sync.merging.field_diff import value_at
from sync.merging.resolution import combined
from sync.revisions.canonical import canonical
from sync.revisions.growing_graph import GrowingGraph, PathNews
from sync.revisions.revision_id import RevisionId
from tests.simulation import receiving
from tests.simulation.replication import Side
from tests.simulation.store import Own

Mistake = Callable[[], AbstractContextManager[Any]]


def checkpoint_before_data() -> AbstractContextManager[Any]:
    """A replication notes how far it has come before the target has the batch."""

    async def hasty(source: Side, target: Side, database: str, limit: int, lose: Callable[[], None]) -> int:
        of = f"{source.name} {target.name} {database}"
        since = await target.checkpoint(of)
        batch = await source.batch(database, since, limit)
        await target.note_checkpoint(of, batch.since)
        await source.note_checkpoint(of, batch.since)
        lose()
        found = await source.read(database, await target.missing(database, batch.rows))
        lose()
        await target.write(database, found)
        return len(found)

    return patch("tests.simulation.world.replicate", hasty)


class _NotCommitted(Exception):
    """Undoes a transaction whose outcomes have left already."""


def acknowledged_before_commit() -> AbstractContextManager[Any]:
    """The outcomes of a batch leave although its transaction comes to nothing."""
    proper = Journal.write_within

    async def hasty(
        self: Journal, connection: AsyncConnection, *arguments: Any, seal: bytes | None = None, **options: Any
    ) -> list[Outcome]:
        outcomes: list[Outcome] = []
        try:
            async with connection.begin_nested():
                outcomes = await proper(self, connection, *arguments, seal=seal, **options)
                # Only what phones push is sealed.
                if seal is not None:
                    raise _NotCommitted
        except _NotCommitted:
            pass
        return outcomes

    return patch.object(Journal, "write_within", hasty)


def digest_forgotten_on_delete() -> AbstractContextManager[Any]:
    """A deletion leaves the digest as it was."""
    proper = Batch.rows

    def forgetful(self: Batch) -> BatchRows:
        rows = proper(self)
        is_deletion = any(document.deleted for document in rows.documents)
        return replace(rows, head=replace(rows.head, digest=self._head.digest)) if is_deletion else rows

    return patch.object(Batch, "rows", forgetful)


def other_content_is_a_duplicate() -> AbstractContextManager[Any]:
    """A known id is success, whatever it says."""
    return patch("sync.revisions.admission._says_the_same", lambda *_: True)


def forged_generation_accepted() -> AbstractContextManager[Any]:
    """Any generation may come in."""
    return patch("sync.revisions.admission.is_forged", lambda *_: False)


def known_revision_moves_the_feed() -> AbstractContextManager[Any]:
    """A repeat burns a sequence."""

    def enter(self: Batch, revision: Any, document: Any) -> None:
        self._enter(revision, document, None, None)

    return patch.object(Batch, "_name", enter)


def refused_is_dropped() -> AbstractContextManager[Any]:
    """The phone throws away what a server refuses."""
    proper = receiving._Application._take_acknowledgements

    def careless(self: receiving._Application) -> None:
        proper(self)
        for own in list(self.rows.revisions.values()):
            receipt = own.receipt(self.server)
            if receipt is not None and receipt.outcome == "refused":
                del self.rows.revisions[own.rev]

    return patch.object(receiving._Application, "_take_acknowledgements", careless)


def sent_is_not_frozen() -> AbstractContextManager[Any]:
    """A save collapses into a revision that a request has carried."""

    def unchanged(own: Own) -> Own:
        return own

    return patch("tests.simulation.phone.freeze", unchanged)


def echo_hides_the_winner() -> AbstractContextManager[Any]:
    """What a request pushed hides the whole document from its answer, not only that revision."""

    class Documents(set[tuple[str, str]]):
        def __contains__(self, key: object) -> bool:
            return isinstance(key, tuple) and any(doc_id == key[0] for doc_id, _ in self)

    proper = exchange._came_in

    def broad(*arguments: Any) -> pull.OwnPushes:
        return pull.OwnPushes(Documents(proper(*arguments).revisions), 0)

    return patch("server.gateway.sync.exchange._came_in", broad)


def page_skips_a_row() -> AbstractContextManager[Any]:
    """A page that ends at its limit leaves out the last row that it claims to have told."""
    proper = changes.changes

    async def short(*arguments: Any, **options: Any) -> Changes:
        page = await proper(*arguments, **options)
        return replace(page, rows=page.rows[:-1]) if page.pending else page

    return patch("server.journal.feed.changes.changes", short)


def paths_in_order_of_arrival() -> AbstractContextManager[Any]:
    """Who came first has said all about an ancestor: what a later path adds about a known one is not listened to."""

    def name(self: GrowingGraph, revision: RevisionId, ancestors: Sequence[RevisionId]) -> PathNews:
        named: list[RevisionId] = []
        leaves = self.leaf_count
        line: list[RevisionId | None] = [revision, *ancestors, None]
        for child, parent in pairwise(line):
            if child is not None and child not in self.parents:
                if child != revision:
                    named.append(child)
                self._follow(child, parent)
        return PathNews(named, (), ends_leaf=self.leaf_count < leaves)

    return patch.object(GrowingGraph, "name", name)


def unknown_checkpoint_means_now() -> AbstractContextManager[Any]:
    """Who comes with a checkpoint of another history is told that there is nothing new."""
    proper = Journal.position

    async def now(self: Journal, database: str, since_text: str) -> int:
        known = await proper(self, database, since_text)
        return known or (await self.state(database)).seq

    return patch.object(Journal, "position", now)


def later_sequence_visible_first() -> AbstractContextManager[Any]:
    """Who reads while a change is being committed sees those after it, and never comes back for it."""
    proper = changes.changes
    committed: set[tuple[str, int, str]] = set()

    async def early(connection: AsyncConnection, sql: Any, database: str, *rest: Any, **options: Any) -> Changes:
        page = await proper(connection, sql, database, *rest, **options)
        marks = {row: (database, row.seq, row.rev) for row in page.rows}
        rows = tuple(row for row in page.rows if row is page.rows[-1] or marks[row] in committed)
        committed.update(marks.values())
        return replace(page, rows=rows)

    return patch("server.journal.feed.changes.changes", early)


def gaps_not_reported() -> AbstractContextManager[Any]:
    """A number that nobody has is nobody's business."""
    return patch.object(Numbers, "missing", lambda _: Numbers())


def rights_only_of_now() -> AbstractContextManager[Any]:
    """Work that was allowed when it was done is refused once the grant is gone."""
    proper = Admission._right_in

    def strict(self: Admission, database: str) -> Right:
        return "now" if proper(self, database) == "now" else "never"

    return patch.object(Admission, "_right_in", strict)


def everything_is_carried() -> AbstractContextManager[Any]:
    """A phone gets every scope, whatever its person's grants."""

    def every(self: Atlas, _: object) -> tuple[Scope, ...]:
        return self.scopes

    return patch.object(Atlas, "carried", every)


def winner_stands() -> AbstractContextManager[Any]:
    """While a field is asked about, what the revision says that happens to win stands, not the greatest candidate."""
    proper = combined

    def hasty(history: CausalHistory, forms: merge.Forms) -> merge.Combined:
        together = proper(history, forms)
        wins = history.content_of(together.winner) or {}
        kept = {path: value_at(wins, path, history.shape) for path in together.open if path.startswith("/answers/")}
        return replace(together, content=patch_fields(together.content, kept, history.shape))

    return patch("sync.merging.merge.combined", hasty)


def always_merges() -> AbstractContextManager[Any]:
    """Branches are merged even where one of them knows everything that the others say."""

    proper = merge._closing

    def eager(
        history: CausalHistory, forms: merge.Forms, together: Callable[[], merge.Combined]
    ) -> merge.Closing | None:
        closing, document = proper(history, forms, together), history.document
        others = [leaf for leaf in history.leaves[1:] if not document.graph.held[leaf]]
        if closing is None or closing.merge is not None or not others:
            return closing
        open_ = {path: list(candidates) for path, candidates in together().open.items()}
        content = {**together().content, "merged": sorted(others), **({"open": open_} if open_ else {})}
        return _closed(document, content, others)

    return patch("sync.merging.merge._closing", eager)


def wrong_merges_stay() -> AbstractContextManager[Any]:
    """What was merged while a body was missing is not merged again when it comes."""
    return patch("sync.merging.merge._made_again", lambda *_: [])


def merges_forgotten() -> AbstractContextManager[Any]:
    """Who merges reads what followed what, but not what earlier merges brought together."""
    return patch("server.journal.store.document_histories.merged_of", lambda _: ())


def _closed(document: merge.Document, content: merge_document.Content, others: Sequence[RevisionId]) -> merge.Closing:
    """Return what closes a document's branches with a merge that says this."""
    winner = document.graph.winner()
    assert winner is not None
    one = document.following(winner, content).revision
    ends = [document.following(other, merge_document.RESOLVED, deleted=True).revision for other in others]
    written = [
        merge.NewRev(document.doc_id, each.rev, each.parent or "", each.deleted, each.content, canonical(each.content))
        for each in (one, *ends)
    ]
    return merge.Closing(written[0], tuple(written[1:]))


MISTAKES: tuple[Mistake, ...] = (
    checkpoint_before_data,
    acknowledged_before_commit,
    digest_forgotten_on_delete,
    other_content_is_a_duplicate,
    forged_generation_accepted,
    known_revision_moves_the_feed,
    refused_is_dropped,
    sent_is_not_frozen,
    echo_hides_the_winner,
    page_skips_a_row,
    paths_in_order_of_arrival,
    unknown_checkpoint_means_now,
    later_sequence_visible_first,
    gaps_not_reported,
    rights_only_of_now,
    everything_is_carried,
    winner_stands,
    always_merges,
    merges_forgotten,
)
