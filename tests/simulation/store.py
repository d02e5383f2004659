"""A phone's store: tables that change in whole transactions, as IndexedDB's do, and what a weak device does to them.

A strict transaction is there after a crash or it never was. A device with relaxed storage may lose the last few of them
when its battery is pulled, always from the end. `Rows` are the tables of `pwa/src/storage/database.ts` as far as
replication uses them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

#: How many transactions a pulled battery takes at most from relaxed storage.
MOST_LOST = 4


class PhoneCrashed(Exception):
    """The app died before its transaction was done."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a server answered about an own revision."""

    outcome: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Own:
    """One of the phone's own revisions; `content` is canonical JSON, frozen once a request has carried it."""

    rev: str
    database: str
    doc_id: str
    parent: str | None
    deleted: bool
    content: bytes
    number: int
    frozen: bool = False
    receipts: tuple[tuple[str, Receipt], ...] = ()

    def receipt(self, server: str) -> Receipt | None:
        """Return what `server` answered about it."""
        return dict(self.receipts).get(server)

    def with_receipt(self, server: str, receipt: Receipt | None) -> "Own":
        """Return it with another answer of `server`, or none."""
        others = tuple(item for item in self.receipts if item[0] != server)
        return replace(self, receipts=others if receipt is None else (*others, (server, receipt)))


@dataclass(frozen=True, slots=True)
class Held:
    """A server's winner as it was pulled; `pull` is the pull that brought it."""

    rev: str
    deleted: bool
    content: bytes
    pull: int


@dataclass(slots=True)
class ServerState:
    """What the phone knows of one server; `documents` is its copy of that server."""

    documents: dict[tuple[str, str], Held] = field(default_factory=dict)
    since: dict[str, str] = field(default_factory=dict)
    pulls: dict[str, int] = field(default_factory=dict)
    afresh: dict[str, str] = field(default_factory=dict)
    carry: tuple[str, ...] = ()
    verdicts: frozenset[int] = frozenset()
    #: Numbers taken back that the server has heard of.
    discarded: frozenset[int] = frozenset()
    safe: int = 0
    epoch: str = ""
    max_bytes: int = 250_000
    token: str | None = None
    refresh: str | None = None
    token_expires_at: float = 0.0

    def copy(self) -> "ServerState":
        """Return one whose tables can be changed without changing these."""
        return replace(
            self,
            documents=dict(self.documents),
            since=dict(self.since),
            pulls=dict(self.pulls),
            afresh=dict(self.afresh),
        )


@dataclass(slots=True)
class Rows:
    """All tables at one moment."""

    revisions: dict[str, Own] = field(default_factory=dict)
    servers: dict[str, ServerState] = field(default_factory=dict)
    #: Records being edited: the revision and answers that the screen was opened with.
    drafts: dict[tuple[str, str], tuple[str, bytes] | None] = field(default_factory=dict)
    highest: int = 0
    #: The number of the last request that was made.
    exchange: int = 0
    discarded: frozenset[int] = frozenset()

    def server(self, name: str) -> ServerState:
        """Return the row of a server, made if it is new."""
        return self.servers.setdefault(name, ServerState())

    def copy(self) -> "Rows":
        """Return tables that can be changed without changing these."""
        return Rows(
            dict(self.revisions),
            {name: state.copy() for name, state in self.servers.items()},
            dict(self.drafts),
            self.highest,
            self.exchange,
            self.discarded,
        )


@dataclass(slots=True)
class Store:
    """The tables as they are on the device. `crash_in` counts transactions until the app dies in one."""

    rows: Rows = field(default_factory=Rows)
    crash_in: int | None = None
    _before: list[Rows] = field(default_factory=list)

    @contextmanager
    def transaction(self) -> Iterator[Rows]:
        """Give tables to change; all of it is there when the block ends, or nothing."""
        changed = self.rows.copy()
        yield changed
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in < 0:
                self.crash_in = None
                raise PhoneCrashed
        self._before = [*self._before, self.rows][-MOST_LOST:]
        self.rows = changed

    def roll_back(self, transactions: int) -> int:
        """Lose the last few transactions, as relaxed storage does; return how many were lost."""
        lost = min(transactions, len(self._before))
        if lost:
            self.rows = self._before[-lost]
            self._before = self._before[:-lost]
        return lost
