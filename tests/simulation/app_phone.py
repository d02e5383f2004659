"""A phone that runs the app's own TypeScript, with what the world needs of it in the words of a Python phone."""

import base64
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from server.errors import KINDS
from sync.revisions.canonical import Json
from tests.simulation.app_process import AppBroken, AppProcess, encoded
from tests.simulation.app_rows import Tables, rows_of
from tests.simulation.phone import NetworkFailed, Phone, Refused, Send
from tests.simulation.store import MOST_LOST, Own, PhoneCrashed, Rows

#: Codes of a run that says nothing about its server: nothing came, or no answer of ours.
_NO_ANSWER = {"offline", "timeout", "answer_broken", "not_our_server"}
#: An exchange takes from twenty to some hundred steps of storage; most deaths fall among them.
_MOST_STEPS = 120
_MOST_COMMITS = 12
#: What may happen to a phone while it exchanges, and how often beside each other.
_TROUBLES = {
    "dies": 40,
    "storage fails": 20,
    "meets a portal": 10,
    "is slow": 10,
    "saves meanwhile": 10,
    "signs out meanwhile": 8,
    "has two tabs": 12,
}
#: How long an answer takes over a slow link; some of these the app does not wait for.
_SLOW_MS = (2_000, 15_000, 30_000, 70_000, 400_000)
#: What stands between the phone and its server: a portal's page, and what looks like an answer of ours and is none.
_PORTALS = (
    (200, b"<!doctype html><title>Wi-Fi</title>"),
    (200, b"{}"),
    (200, b'{"protocol":2,"epoch":"portal","acks":[],"changes":{},"carry":[],"server":"portal"}'),
    (401, b'{"code":"not_signed_in"}'),
    (403, b'{"code":"enrolment_revoked"}'),
    (413, b"<html>too large</html>"),
    (511, b"<html>sign in to the network</html>"),
)


@dataclass(slots=True)
class AppPhone(Phone):
    """One person on one device that runs the app. What its store holds is read again after each thing that it did."""

    app: AppProcess = field(kw_only=True)
    #: Lets its person save something while it exchanges.
    meanwhile: Callable[["AppPhone"], None] = field(kw_only=True)
    #: What happens to it in the exchange that is under way, one of `_TROUBLES`.
    trouble: str = ""
    random: Random = field(init=False)
    _late_ms: int = 0
    _asked: list[dict[str, Any]] = field(default_factory=list)
    _ended: dict[int, dict[str, Any]] = field(default_factory=dict)
    #: What fails in the next thing that it does, as `pwa/tests/simulated/disk.ts` takes it.
    faults: dict[str, Any] = field(default_factory=dict)
    _tables: Tables | None = None
    _read: Rows | None = None
    _count: int = 0

    can_delete = False
    trouble_rate = 0.35

    def __post_init__(self) -> None:
        """Switch it on."""
        # A dataclass with slots is another class than the one that `super()` would look for.
        Phone.__post_init__(self)
        self.random = Random(f"browser {self.secret}")
        has_locks = self.random.random() < 0.6
        self.app.say(do="new", phone=self.name, seed=str(self.secret), username=self.person, hasLocks=has_locks)

    @property
    def tables(self) -> Tables:
        """Return all tables of the app's store."""
        if self._tables is None:
            self._tables = defaultdict(list, self.app.say(do="rows", phone=self.name))
        return self._tables

    @property
    def rows(self) -> Rows:
        """Return what the device holds, as a Python phone would."""
        if self._read is None:
            self._read = rows_of(self.tables, self.enrolment, self.person)
        return self._read

    def answer(self, question: dict[str, Any]) -> Any:
        """Answer what the app asks of its key store."""
        if question["ask"] == "key":
            return self.jwk
        signing = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        r, s = decode_dss_signature(self.key.sign(base64.b64decode(question["data"]), signing))
        return encoded(r.to_bytes(32) + s.to_bytes(32))

    @property
    def can_save(self) -> bool:
        """Whether somebody has signed in: the app shows nothing before."""
        return bool(self.tables["session"])

    def open_draft(self, database: str, doc_id: str) -> str:
        """Begin to edit a record as the screen shows it now; a new one has the id that the app makes for it."""
        known = any(row["id"] == doc_id and row["database"] == database for row in self.tables["documents"])
        known = known or any(own.doc_id == doc_id for own in self.rows.revisions.values())
        form = {"agri": "plot", "tourism": "sight"}[database.partition("-")[0]]
        draft = self._do("open", name=database, id=doc_id if known else None, form=form, version="1")
        return str(draft["record"])

    def finish_draft(self, database: str, doc_id: str, content: dict[str, Json], *, deleted: bool = False) -> Own:
        """Make a draft the person's revision."""
        draft = next(
            row["id"]
            for row in self.tables["drafts"]
            if (row["database"], row["record"], row["person"]) == (database, doc_id, self.person)
        )
        filled = {"form": content["form"], "version": content["form_version"], "answers": content["answers"]}
        rev = self._do("finish", draft=draft, **filled)
        return self.rows.revisions[rev]

    def discard(self, own: Own) -> None:
        """Take back a save that no request has carried."""
        self._do("discard", rev=own.rev)

    def signed_in(self, server: str, token: str, refresh: str, expires_in_s: int, highest: int) -> None:
        """Keep what a sign-in brought."""
        person = {"id": self.person, "username": self.person, "name": self.person, "locale": "vi", "grants": []}
        let_in = {"access": token, "refresh": refresh, "expiresIn": expires_in_s, "highest": highest}
        self._do("signedIn", person=person, server=server, **let_in)

    async def exchange(self, server: str, send: Send) -> None:
        """Let the app send; raises NetworkFailed, Refused or PhoneCrashed as it says that it went."""
        tabs = (0, 1) if self.trouble == "has two tabs" else (0,)
        works = [self._command("exchange", {"reason": "online"}, tab) for tab in tabs]
        while any(work not in self._ended for work in works):
            if not self._asked:
                raise AppBroken(f"{self.name} waits for nothing")
            request = self._asked.pop(0)
            told = await self._carried(request, server, send)
            took_ms = self._meanwhile()
            self._say(do="answer", tab=request["tab"], request=request["id"], told=told, tookMs=took_ms)
            self._late_ms += took_ms
        status, *_ = [self._result(work) for work in works]
        self._heard(status)

    async def _carried(self, request: dict[str, Any], server: str, send: Send) -> dict[str, Any] | None:
        if self.trouble == "meets a portal" and self.random.random() < 0.7:
            status, body = self.random.choice(_PORTALS)
            return {"status": status, "headers": {}, "body": encoded(body), "isBroken": False}
        return await _carried(request, server, send)

    def _meanwhile(self) -> int:
        """Let happen what happens before an answer is heard; return how many milliseconds it took to come."""
        if self.trouble == "saves meanwhile":
            self.meanwhile(self)
        if self.trouble == "signs out meanwhile" and self.random.random() < 0.5:
            self._do("signOut")
        return self.random.choice(_SLOW_MS) if self.trouble == "is slow" else 0

    def _heard(self, status: dict[str, Any]) -> None:
        broken = [f"{row['id']} {name}" for row in self.tables["servers"] for name in _failed(row)]
        self.broken += [one for one in broken if one not in self.broken]
        if status["phase"] != "failed":
            return
        if status["code"] in _NO_ANSWER:
            raise NetworkFailed(status["code"])
        raise Refused(status["code"])

    def waiting_for(self, server: str) -> object:
        """Return what the server was not sent, and where it might be sent instead."""
        unsent = sorted(own.rev for own in self.rows.revisions.values() if own.receipt(server) is None)
        return unsent and (unsent, sorted((name, state.carry) for name, state in self.rows.servers.items()))

    def lose(self, own: Own) -> None:
        """Let its store lose a save."""
        self._say(do="lose", rev=own.rev)

    def fail_soon(self, random: Random) -> str:
        """Let something go wrong in its next exchange; return what."""
        self.trouble = random.choices(list(_TROUBLES), list(_TROUBLES.values()))[0]
        if self.trouble == "dies":
            self.faults = {"diesIn": random.randint(1, _MOST_STEPS)}
        if self.trouble == "storage fails":
            failure = random.choice(("QuotaExceededError", "UnknownError"))
            often = random.choice((1, 1, 2, 50))
            self.faults = {"failsIn": random.randrange(_MOST_COMMITS), "failures": often, "failsAs": failure}
        return self.trouble

    def calm(self) -> None:
        """Let it fail no more."""
        self.faults, self.trouble = {}, ""
        self._say(do="calm")

    def restart(self, lost: int) -> int:
        """Begin again from what is durable, some commits ago; return how many were lost."""
        self.faults, self.trouble = {}, ""
        self._asked.clear()
        self._ended.clear()
        return int(self._say(do="reborn", lost=min(lost, MOST_LOST))["lost"])

    def _do(self, command: str, /, **what: Any) -> Any:
        """Return what a command that needs no network says."""
        return self._result(self._command(command, what))

    def _command(self, name: str, what: dict[str, Any], tab: int = 0) -> int:
        """Begin something in a tab; return its number."""
        self._count += 1
        line = {"id": self._count, "name": name, "what": json.dumps(what), "faults": self.faults}
        self.faults = {}
        self._say(do="command", tab=tab, **line)
        return self._count

    def _result(self, number: int) -> Any:
        ended = self._ended.pop(number)
        if "error" in ended and self.trouble == "storage fails":
            # A person is told so, and tries again another day.
            raise NetworkFailed("the storage fails")
        if "error" in ended:
            raise AppBroken(ended["error"])
        return json.loads(ended["answer"])

    def _say(self, **line: Any) -> dict[str, Any]:
        self._tables = self._read = None
        self.app.questions = self.answer
        turn = self.app.say(phone=self.name, now=round(self._now() * 1000) + self._late_ms, **line)
        if turn.get("isDead"):
            raise PhoneCrashed
        self._asked += turn.get("asked", ())
        self._ended.update((ended["id"], ended) for ended in turn.get("ended", ()))
        return turn


def _failed(server: dict[str, Any]) -> list[str]:
    return [name for name, state in server["afresh"].items() if state == "failed"]


async def _carried(request: dict[str, Any], server: str, send: Send) -> dict[str, Any] | None:
    """Return what the network brings back for a request; None for nothing."""
    if request["path"] != "/api/sync":
        raise AppBroken(f"no world answers {request['method']} {request['path']}")
    scheme, _, token = request["headers"].get("Authorization", "").partition(" ")
    try:
        answer = await send(server, base64.b64decode(request["body"]), token if scheme == "Bearer" else None)
    except NetworkFailed:
        return None
    except Refused as refusal:
        problem = json.dumps({"code": refusal.code, "params": {}}).encode()
        return _told(KINDS[refusal.code].status, server, problem, is_broken=False)
    return _told(200, server, answer, is_broken=not _is_whole(answer))


def _told(status: int, server: str, body: bytes, *, is_broken: bool) -> dict[str, Any]:
    headers = {"nuong-server": server, "content-type": "application/json"}
    return {"status": status, "headers": headers, "body": encoded(body), "isBroken": is_broken}


def _is_whole(answer: bytes) -> bool:
    try:
        json.loads(answer)
    except ValueError:
        return False
    return True
