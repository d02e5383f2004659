"""The pull of an exchange: the winners that changed since its checkpoints, within its byte budget.

Catalog first, then one page of each database in turn. The budget counts bytes as they will be on the wire, so the
documents are run through the answer's own compressor while they are chosen; what is still too long once the answer
is put together is cut from the end (`cut`). At least one document always goes, whatever the budget.

Guarantees: a page's end never passes a document that was not sent, unless the phone itself pushed that very revision
in this request or documents of its kind never go to phones. A digest is given only when the page reaches exactly the
sequence that the digest was taken at.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.areas.grants import CATALOG
from server.gateway.compression import Meter
from server.journal.journal import Journal
from server.journal.model import Change, DatabaseState
from server.platform.canonical_json import canonical

PAGE_ROWS = 500
#: A document costs some sixty bytes at the very least, so a page need not hold more than the budget could take.
LEAST_DOCUMENT_BYTES = 60


@dataclass(slots=True)
class ChangesPage:
    """One database's part of the answer; `rows` are (sequence, document as JSON)."""

    database: str
    start: int
    position: int
    rows: list[tuple[int, bytes]] = field(default_factory=list)
    #: The id and revision of each of `rows`.
    named: list[tuple[str, str]] = field(default_factory=list)
    #: Who has changed which of them, by id.
    by: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    #: Where the feed stood when the page reached its end; None while more is to come.
    end: DatabaseState | None = None

    @property
    def more(self) -> bool:
        """Tell whether another round would bring more."""
        return self.end is None


@dataclass(slots=True)
class OwnPushes:
    """The revisions that a request has stored in one database, as (id, revision), and their sequences."""

    revisions: set[tuple[str, str]] = field(default_factory=set)
    sequences: int = 0


def cut(pages: Sequence[ChangesPage], share: float) -> bool:
    """Take the last documents off the answer, at least one and about `share` of all; False when only one is left."""
    total = sum(len(page.rows) for page in pages)
    if total <= 1:
        return False
    surplus = min(total - 1, max(1, round(total * share)))
    for page in reversed(pages):
        while surplus and page.rows:
            page.rows.pop()
            page.named.pop()
            page.position = page.rows[-1][0] if page.rows else page.start
            page.end = None
            surplus -= 1
    return True


async def pull(
    journal: Journal,
    carried: Sequence[str],
    since: Mapping[str, str],
    pushed: Mapping[str, OwnPushes],
    meter: Meter,
) -> list[ChangesPage]:
    """Return a page for each database that has something to say; `pushed` is what this request brought into each."""
    names = (CATALOG, *(name for name in carried if name != CATALOG))
    states = {state.name: state for state in await journal.databases(names)}
    pages = []
    for name in names:
        text, state = since.get(name, ""), states.get(name)
        # An empty database has nothing to say, except to a phone with another server's checkpoint or one from before
        # a restore: it must not keep that.
        if state is None or state.since == text or (state.seq == 0 and not text):
            continue
        start = await journal.position(name, text) if text else 0
        page = ChangesPage(name, start, start)
        if name in pushed and start + pushed[name].sequences == state.seq:
            # Nobody else wrote here meanwhile, so there is nothing to read.
            page.position, page.end = state.seq, state
        pages.append(page)
    turns = deque(page for page in pages if page.more)
    while turns:
        page = turns.popleft()
        if not await _next_rows(journal, page, pushed.get(page.database, OwnPushes()), meter):
            break
        if page.more:
            turns.append(page)
    told = [page for page in pages if not page.more or page.position > page.start]
    # Pages that got no turn say nothing, but a phone that sees `more` nowhere would stop asking.
    unfinished = [page for page in pages if page.more]
    return told if not unfinished or any(page.more for page in told) else [*told, unfinished[0]]


async def _next_rows(journal: Journal, page: ChangesPage, pushed: OwnPushes, meter: Meter) -> bool:
    """Add the next rows of the feed to `page`; False once the budget is used up."""
    limit = max(1, min(PAGE_ROWS, meter.left_bytes // LEAST_DOCUMENT_BYTES))
    changes = await journal.changes(
        page.database, page.position, limit=limit, include_docs=True, for_phones=True, counts_pending=False
    )
    own = {doc_id for doc_id, _ in pushed.revisions}
    for row in changes.rows:
        # A phone that holds nothing needs no tombstones, but for what it pushed itself and would go on showing; the
        # digest counts only what lives.
        is_needless = row.deleted and page.start == 0 and row.doc_id not in own
        if (row.doc_id, row.rev) not in pushed.revisions and not is_needless:
            document = document_bytes(row)
            if not meter.admit(document):
                return False
            page.rows.append((row.seq, document))
            page.named.append((row.doc_id, row.rev))
        page.position = row.seq
    page.position = changes.last_seq
    if changes.pending == 0 and changes.last_seq == changes.state.seq:
        page.end = changes.state
    return True


def document_bytes(row: Change) -> bytes:
    """Return the winner as the document that travels: its canonical content with id and revision put in front."""
    fields: dict[str, str | bool] = {"_id": row.doc_id, "_rev": row.rev}
    if row.deleted:
        fields["_deleted"] = True
    head = canonical(fields)
    content = row.content or b"{}"
    return head if content == b"{}" else head[:-1] + b"," + content[1:]
