"""An answer written into a phone's store: the twin of `pwa/src/replication/apply.ts`, in one transaction of the caller.

Pulled documents, checkpoints, acknowledgements and verdicts come together or not at all, so that a phone's checkpoint
is never ahead of what it stands for (I7).
"""

from dataclasses import dataclass, field
from typing import Any

from server.gateway.sync.numbers import Numbers
from sync.contract.reasons import STORED
from sync.contract.wire import DatabaseChanges, SyncAnswer
from sync.revisions.canonical import canonical
from sync.revisions.digest import digest_of
from sync.revisions.revision_id import generation_of, rank
from tests.simulation.store import Held, Own, Receipt, Rows, ServerState


@dataclass(slots=True)
class Taken:
    """What an answer meant: whether another round has something to do, and databases that stay different."""

    again: bool = False
    broken: list[str] = field(default_factory=list)


def order(rev: str, deleted: bool) -> tuple[bool, int, str]:
    """Return what the winner has the greatest of."""
    return rank(rev, deleted=deleted)


def take(rows: Rows, server: str, answer: SyncAnswer, request: dict[str, Any], now: float, *, pull: bool) -> Taken:
    """Write `answer` to `request` into the tables of a transaction."""
    return _Application(rows, server, answer, request, now, pull).run()


@dataclass(slots=True)
class _Application:
    rows: Rows
    server: str
    answer: SyncAnswer
    request: dict[str, Any]
    now: float
    pull: bool
    result: Taken = field(default_factory=Taken)

    @property
    def state(self) -> ServerState:
        return self.rows.server(self.server)

    def run(self) -> Taken:
        was_restored = self._begins_epoch() or (self.pull and self._looks_restored())
        if self.answer.tokens is not None and self.state.refresh == self.request.get("refresh"):
            tokens = self.answer.tokens
            self.state.token, self.state.refresh = tokens.access_token, tokens.refresh_token
            self.state.token_expires_at = self.now + tokens.expires_in
        self._take_acknowledgements()
        self._send_missing()
        if was_restored:
            self._start_again()
        elif self.pull:
            self._take_changes()
        self._place_own()
        self._take_carry()
        return self.result

    def _begins_epoch(self) -> bool:
        """Whether the server says that it was restored since this phone last heard of it."""
        before, self.state.epoch = self.state.epoch, self.answer.epoch
        return before not in ("", self.answer.epoch)

    def _looks_restored(self) -> bool:
        confirmed = [one.number for one in self.rows.revisions.values() if one.receipt(self.server) is not None]
        if int(self.answer.highest_number) < max(confirmed, default=0):
            return True
        return any(
            _sequence(changes.since) < _sequence(self.state.since.get(name, ""))
            for name, changes in self.answer.changes.items()
        )

    def _start_again(self) -> None:
        acknowledged = {ack.rev for ack in self.answer.acks}
        self._forget_receipts(lambda one: one.rev not in acknowledged)
        self.state.discarded = frozenset()
        for name in list(self.state.since):
            self._pull_afresh(name)
        self.result.again = True

    def _send_missing(self) -> None:
        """Send again what the server acknowledged and now says it lacks: feed and digest can look right without it."""
        acknowledged = {ack.rev for ack in self.answer.acks}
        missing = Numbers.parse(self.answer.missing)
        lost = {
            one.rev
            for one in self.rows.revisions.values()
            if one.receipt(self.server) is not None and one.rev not in acknowledged and one.number in missing
        }
        if lost:
            self._forget_receipts(lambda one: one.rev in lost)
            self.result.again = True

    def _forget_receipts(self, which: Any) -> None:
        for one in list(self.rows.revisions.values()):
            if which(one):
                self.rows.revisions[one.rev] = one.with_receipt(self.server, None)

    def _pull_afresh(self, name: str) -> None:
        self.state.since.pop(name, None)
        self.state.pulls[name] = self._pull_of(name) + 1
        self.state.afresh[name] = "running"

    def _pull_of(self, name: str) -> int:
        return self.state.pulls.get(name, 1)

    def _take_acknowledgements(self) -> None:
        pushed = {item["doc"]["_rev"] for item in self.request["push"]}
        verdicts = set(self.state.verdicts) - set(map(int, self.request["verdicts"]))
        for ack in self.answer.acks:
            if ack.number is not None and ack.rev not in pushed:
                verdicts.add(int(ack.number))
            own = self.rows.revisions.get(ack.rev)
            if own is not None:
                self.rows.revisions[ack.rev] = settled(own, self.server, Receipt(ack.outcome, ack.reason))
        self.state.verdicts = frozenset(verdicts)
        self.state.safe = int(self.answer.safe)
        self.rows.highest = max(self.rows.highest, int(self.answer.highest_number))
        self.state.discarded |= set(map(int, self.request["holding"]["discarded"]))

    def _take_changes(self) -> None:
        for name, changes in self.answer.changes.items():
            # Another answer was taken since this request was made: what it brought stands, this page comes again.
            if self.state.since.get(name) != self.request["since"].get(name):
                continue
            for document in changes.docs:
                self._take(name, document)
            self.state.since[name] = changes.since
            if changes.more:
                self.result.again = True
            else:
                self._close(name, changes)

    def _take(self, name: str, document: dict[str, Any]) -> None:
        content = canonical({key: value for key, value in document.items() if key not in ("_id", "_rev", "_deleted")})
        deleted = document.get("_deleted") is True
        self.state.documents[name, document["_id"]] = Held(document["_rev"], deleted, content, self._pull_of(name))

    def digest(self, name: str) -> str:
        """Return the digest of the copy of one database."""
        held = self.state.documents.items()
        return digest_of((doc_id, one.rev) for (database, doc_id), one in held if database == name and not one.deleted)

    def _close(self, name: str, changes: DatabaseChanges) -> None:
        if self.state.afresh.get(name) == "running":
            pull = self._pull_of(name)
            for key in [key for key, one in self.state.documents.items() if key[0] == name and one.pull < pull]:
                del self.state.documents[key]
        if changes.digest is None:
            if self.state.afresh.get(name) == "running":
                self.state.afresh[name] = "done"
            return
        # The page leaves out what this very request pushed; those are placed first.
        self._place_own(name)
        if self.digest(name) == changes.digest:
            self.state.afresh.pop(name, None)
        elif self.state.afresh.get(name) in (None, "done"):
            pushed = {item["doc"]["_rev"] for item in self.request["push"]}
            self._pull_afresh(name)
            self._forget_receipts(lambda one: one.database == name and one.rev not in pushed)
            self.result.again = True
        else:
            self.state.afresh[name] = "failed"
            self.result.broken.append(f"{self.server} {name}")

    def _place_own(self, only: str | None = None) -> None:
        carry = self.answer.carry
        if carry is None:
            return
        outcomes = {ack.rev: ack.outcome for ack in self.answer.acks}
        for item in self.request["push"]:
            name, document = item["db"], item["doc"]
            if (only is not None and name != only) or outcomes.get(document["_rev"]) not in STORED or name not in carry:
                continue
            told = self.answer.changes.get(name)
            if told is not None and any(one["_id"] == document["_id"] for one in told.docs):
                continue
            standing = self.state.documents.get((name, document["_id"]))
            deleted = document.get("_deleted") is True
            # A deletion wins over nothing that lives, but it does replace what it deletes. What it deletes may be
            # known to another server alone; but had it not become the winner, a page that goes to the end would say so.
            is_whole = told is not None and not told.more
            is_new = outcomes[document["_rev"]] == "stored" or self.request["since"].get(name) is None
            ends = deleted and is_whole and is_new
            if standing is None or standing.rev in item["ancestors"] or (ends and _is_later(document, standing)):
                self._take(name, document)
                continue
            is_swept = standing.rev == document["_rev"] and standing.pull < self._pull_of(name)
            if is_swept or order(document["_rev"], deleted) > order(standing.rev, standing.deleted):
                self._take(name, document)

    def _take_carry(self) -> None:
        carry = self.answer.carry
        if carry is None:
            return
        self.state.carry = tuple(carry)
        for name in sorted({*self.state.since, *(database for database, _ in self.state.documents)}):
            if name in carry or any(
                one.database == name and one.receipt(self.server) is None for one in self.rows.revisions.values()
            ):
                continue
            for key in [key for key in self.state.documents if key[0] == name]:
                del self.state.documents[key]
            self.state.since.pop(name, None)
            self.state.pulls.pop(name, None)
            self.state.afresh.pop(name, None)


def settled(own: Own, server: str, receipt: Receipt) -> Own:
    """Return an own revision with what a server said of it; whatever that was, the phone keeps the revision."""
    return own.with_receipt(server, receipt)


def _is_later(document: dict[str, Any], standing: Held) -> bool:
    return generation_of(document["_rev"]) > generation_of(standing.rev)


def _sequence(since: str) -> int:
    digits = since.partition("-")[0]
    return int(digits) if digits.isdigit() else 0
