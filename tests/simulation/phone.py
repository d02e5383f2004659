"""A phone: what the app does on a device, in Python and over a network that can fail.

`exchange` is the twin of `pwa/src/replication` (request, exchange, apply), `edit` of `pwa/src/storage/records.ts`: a
save collapses into the last one until a request carries it; what a request carried is frozen and repeated byte for
byte; an answer is taken in one transaction. Every public step may die at any of its transactions and be called again.
"""

import base64
import gzip
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any, ClassVar

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from server.auth.jwk import PublicJwk, jwk_of, thumbprint
from server.gateway.sync.schemas import ANSWER
from server.platform.clock import Clock
from sync.contract.reasons import STORED
from sync.contract.seal import said_digest, sealed_payload
from sync.contract.wire import PROTOCOL
from sync.revisions.canonical import Json, canonical
from sync.revisions.revision_id import revision_id
from tests.simulation import receiving
from tests.simulation.store import Own, Rows, Store

#: More rounds than any of these phones needs; the app's own bound is 400.
MOST_ROUNDS = 60
BYTES_A_RECORD = 500
LEAST_BYTES, MOST_BYTES = 1_000, 250_000

#: Sends a gzipped body with a token to a server; returns its answer, or raises NetworkFailed or Refused.
Send = Callable[[str, bytes, str | None], Awaitable[bytes]]


class NetworkFailed(Exception):
    """No answer came."""


class Refused(Exception):
    """The server answered with a problem; `code` says which."""

    def __init__(self, code: str) -> None:
        """Keep the code."""
        self.code = code
        super().__init__(code)


class NeverDone(AssertionError):
    """An exchange went on for more rounds than any honest one."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request and how many own revisions wait for another."""

    request: dict[str, Any]
    left: int


@dataclass(slots=True)
class Phone:
    """One person on one device; the key is made from `secret`, so that a seed makes the same one again."""

    name: str
    person: str
    secret: int
    clock: Clock
    is_relaxed: bool = False
    clock_error: timedelta = timedelta()
    store: Store = field(default_factory=Store)
    #: Broken digests that a pull from the beginning did not mend.
    broken: list[str] = field(default_factory=list)
    #: Whether its person can delete a record.
    can_delete: ClassVar[bool] = True
    #: In how many of its exchanges something goes wrong on the phone itself.
    trouble_rate: ClassVar[float] = 0.12
    key: ec.EllipticCurvePrivateKey = field(init=False)
    enrolment: str = field(init=False)

    def __post_init__(self) -> None:
        """Make the key."""
        self.key = ec.derive_private_key(self.secret, ec.SECP256R1())
        self.enrolment = thumbprint(self.jwk)

    @property
    def jwk(self) -> PublicJwk:
        """Return the public key."""
        return jwk_of(self.key.public_key())

    @property
    def sharing(self) -> tuple["Phone", ...]:
        """Return whoever has this device, this person among them."""
        return (self,)

    @property
    def place(self) -> str:
        """Return which device it is."""
        return self.name

    @property
    def rows(self) -> Rows:
        """Return what the device holds."""
        return self.store.rows

    def view(self, database: str, doc_id: str) -> tuple[str, bytes] | None:
        """Return the revision and content that the screen shows: the own one where it is ahead, else a server's."""
        own = self._latest_own(database, doc_id)
        copies = [state.documents.get((database, doc_id)) for _, state in sorted(self.rows.servers.items())]
        held = max(
            (copy for copy in copies if copy), key=lambda copy: receiving.order(copy.rev, copy.deleted), default=None
        )
        if own is not None and (held is None or own.rev != held.rev):
            is_taken = any(receipt.outcome in STORED for _, receipt in own.receipts)
            if (
                held is None
                or not is_taken
                or receiving.order(own.rev, own.deleted) > receiving.order(held.rev, held.deleted)
            ):
                return None if own.deleted else (own.rev, own.content)
        return None if held is None or held.deleted else (held.rev, held.content)

    @property
    def can_save(self) -> bool:
        """Whether anybody may write on it yet."""
        return True

    def open_draft(self, database: str, doc_id: str) -> str:
        """Begin to edit a record as the screen shows it now; return its id."""
        with self.store.transaction() as rows:
            rows.drafts[database, doc_id] = self.view(database, doc_id)
        return doc_id

    def finish_draft(self, database: str, doc_id: str, content: dict[str, Json], *, deleted: bool = False) -> Own:
        """Make a draft the person's revision, in the transaction that takes its number and removes the draft."""
        with self.store.transaction() as rows:
            base = rows.drafts.pop((database, doc_id))
            open_one = self._latest_own(database, doc_id)
            if open_one is not None and not open_one.frozen:
                parent, number = open_one.parent, open_one.number
                del rows.revisions[open_one.rev]
            else:
                parent = base[0] if base is not None else open_one.rev if open_one is not None else None
                number = rows.highest + 1
                rows.highest = number
            saved: dict[str, Json] = {"by": self.enrolment, "number": str(number), "at": self.moment()}
            body = canonical({**content, "saved": saved})
            rev = revision_id(doc_id, deleted=deleted, parent=parent, content=body)
            own = Own(rev, database, doc_id, parent, deleted, body, number)
            rows.revisions[rev] = own
        return own

    def discard(self, own: Own) -> None:
        """Take back a save that no request has carried."""
        with self.store.transaction() as rows:
            if not rows.revisions[own.rev].frozen:
                del rows.revisions[own.rev]
                rows.discarded |= {own.number}

    def waiting_for(self, server: str) -> object:
        """Return what else of the phone decides what it would say to a server: nothing, of a Python phone."""
        return None

    def lose(self, own: Own) -> None:
        """Let its store lose a save."""
        with self.store.transaction() as rows:
            del rows.revisions[own.rev]

    def fail_soon(self, random: Random) -> str:
        """Let it die in one of the next things that it does; return what goes wrong."""
        self.store.crash_in = random.randrange(6)
        return "dies"

    def calm(self) -> None:
        """Let it fail no more."""
        self.store.crash_in = None

    def restart(self, lost: int) -> int:
        """Begin again from what is durable, some transactions ago; return how many were lost."""
        return self.store.roll_back(lost)

    def signed_in(self, server: str, token: str, refresh: str, expires_in_s: int, highest: int) -> None:
        """Keep what a sign-in brought."""
        with self.store.transaction() as rows:
            state = rows.server(server)
            state.token, state.refresh = token, refresh
            state.token_expires_at = self._now() + expires_in_s
            rows.highest = max(rows.highest, highest)

    async def exchange(self, server: str, send: Send) -> None:
        """Exchange with a server until neither side has more; raises NetworkFailed, Refused or PhoneCrashed."""
        for _ in range(MOST_ROUNDS):
            if not await self._round(server, send):
                return
        raise NeverDone(f"{self.name} is never done with {server}")

    async def _round(self, server: str, send: Send) -> bool:
        state = self.rows.servers.get(server)
        if state is None or state.token is None:
            return await self._ask(server, send, pull=False, with_refresh=False)
        is_stale = state.token_expires_at <= self._now() + 30
        try:
            return await self._ask(server, send, pull=True, with_refresh=is_stale)
        except Refused as refusal:
            if refusal.code != "not_signed_in":
                raise
        if not is_stale:
            # This clock may be wrong: a token that seemed good goes again with the refresh token beside it.
            try:
                return await self._ask(server, send, pull=True, with_refresh=True)
            except Refused as refusal:
                if refusal.code != "not_signed_in":
                    raise
        with self.store.transaction() as rows:
            rows.server(server).token = None
        return await self._ask(server, send, pull=False, with_refresh=False)

    async def _ask(self, server: str, send: Send, *, pull: bool, with_refresh: bool) -> bool:
        sent = self.prepare(server, pull=pull)
        request = sent.request
        if not pull and not request["push"]:
            raise Refused("not_signed_in")
        state = self.rows.servers[server]
        if with_refresh:
            request["refresh"] = state.refresh
        try:
            answer = await send(server, self.pack(request), state.token if pull else None)
        except NetworkFailed:
            self._adapt(server, is_quick=False)
            raise
        try:
            read = ANSWER.validate_json(answer)
        except ValueError:
            self._adapt(server, is_quick=False)
            raise NetworkFailed("the answer broke off") from None
        with self.store.transaction() as rows:
            taken = receiving.take(rows, server, read, request, self._now(), pull=pull and read.carry is not None)
        self._adapt(server, is_quick=True)
        self.broken += taken.broken
        return taken.again or sent.left > 0

    def prepare(self, server: str, *, pull: bool) -> Prepared:
        """Choose what goes into the next request, and freeze it in the same transaction."""
        with self.store.transaction() as rows:
            state = rows.server(server)
            own = sorted(rows.revisions.values(), key=lambda one: one.number)
            waiting = [one for one in own if one.receipt(server) is None]
            chosen = waiting[: max(1, state.max_bytes // BYTES_A_RECORD)]
            for one in chosen:
                rows.revisions[one.rev] = freeze(one)
            pushed = {one.rev for one in chosen}
            held = [one for one in own if one.rev not in pushed and self._stays(one, server)]
            rows.exchange += 1
            request = {
                "protocol": PROTOCOL,
                "enrolment": self.enrolment,
                "exchange": str(rows.exchange),
                "since": dict(state.since) if pull else {},
                "push": [_push(one, rows, server) for one in chosen],
                "holding": {
                    "unsent": [str(one.number) for one in held],
                    "discarded": [str(number) for number in sorted(rows.discarded - state.discarded)],
                    "drafts": len(rows.drafts),
                    "media": 0,
                },
                # Without a token another server than this one may answer, and must not take these for its own.
                "verdicts": [str(number) for number in sorted(state.verdicts)] if pull else [],
                "device": {"app": "simulated", "free_bytes": None, "persistent": not self.is_relaxed},
                "max_bytes": state.max_bytes,
            }
        return Prepared(request, len(waiting) - len(chosen))

    def pack(self, request: dict[str, Any]) -> bytes:
        """Return a request as it travels: sealed and gzipped."""
        named = [(item["db"], item["doc"]["_id"], item["doc"]["_rev"]) for item in request["push"]]
        said = said_digest(request["holding"], request["verdicts"])
        request["seal"] = self.seal(sealed_payload(self.enrolment, request["exchange"], named, said))
        body = json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode()
        return gzip.compress(body, 1, mtime=0)

    def seal(self, payload: bytes) -> str:
        """Return the detached JWS of a payload; its signature has no chance in it (RFC 6979)."""
        head = _base64url(b'{"alg":"ES256","b64":false,"crit":["b64"]}')
        signing = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        r, s = decode_dss_signature(self.key.sign(head + b"." + payload, signing))
        return (head + b".." + _base64url(r.to_bytes(32) + s.to_bytes(32))).decode()

    @staticmethod
    def _stays(own: Own, server: str) -> bool:
        receipt = own.receipt(server)
        return receipt is None or receipt.outcome == "refused"

    def _adapt(self, server: str, *, is_quick: bool) -> None:
        with self.store.transaction() as rows:
            state = rows.server(server)
            wanted = state.max_bytes * 2 if is_quick else state.max_bytes // 2
            state.max_bytes = min(MOST_BYTES, max(LEAST_BYTES, wanted))

    def _latest_own(self, database: str, doc_id: str) -> Own | None:
        own = [one for one in self.rows.revisions.values() if (one.database, one.doc_id) == (database, doc_id)]
        return max(own, key=lambda one: one.number, default=None)

    def moment(self) -> str:
        """Return the time of this phone's clock, as a save says it."""
        return (self.clock() + self.clock_error).isoformat()

    def _now(self) -> float:
        return (self.clock() + self.clock_error).timestamp()


def freeze(own: Own) -> Own:
    """Return an own revision that no save may change any more."""
    return own if own.frozen else replace(own, frozen=True)


def _push(own: Own, rows: Rows, server: str) -> dict[str, Any]:
    """Return a revision with its ancestors, back to the last that the server acknowledged or gave us."""
    ancestors: list[str] = []
    rev = own.parent
    while rev is not None:
        ancestors.append(rev)
        parent = rows.revisions.get(rev)
        receipt = parent.receipt(server) if parent else None
        if parent is None or (receipt is not None and receipt.outcome in STORED):
            break
        rev = parent.parent
    deleted = {"_deleted": True} if own.deleted else {}
    doc = {"_id": own.doc_id, "_rev": own.rev, **deleted, **json.loads(own.content)}
    return {"db": own.database, "doc": doc, "ancestors": ancestors}


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
