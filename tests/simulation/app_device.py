"""A device that runs the app: one browser and one store, for one person or for several who share it."""

import base64
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from random import Random
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from server.platform.clock import Clock
from tests.simulation.app_process import AppBroken, AppProcess, encoded
from tests.simulation.app_rows import Tables
from tests.simulation.link import Link
from tests.simulation.phone import NetworkFailed, Phone
from tests.simulation.store import MOST_LOST, PhoneCrashed

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
    "closes a tab": 12,
    "is led elsewhere": 10,
}
#: What else may happen where two people share it.
_SHARED = {"changes hands": 30}


@dataclass(slots=True)
class Device:
    """What all tabs of a device share. What its store holds is read again after each thing that it did."""

    name: str
    secret: int
    clock: Clock
    clock_error: timedelta
    app: AppProcess
    link: Link | None = None
    #: Whose it is, by the names under which they sign in.
    people: dict[str, Phone] = field(default_factory=dict)
    random: Random = field(init=False)
    #: What happens to it in the exchange that is under way, one of `_TROUBLES`.
    trouble: str = ""
    #: What fails in the next thing that it does, as `pwa/tests/simulated/disk.ts` takes it.
    faults: dict[str, Any] = field(default_factory=dict)
    #: What its tabs ask of the network, and what came of each thing that it was told to do.
    asked: list[dict[str, Any]] = field(default_factory=list)
    ended: dict[int, dict[str, Any]] = field(default_factory=dict)
    #: Grows with each thing that it did.
    version: int = 0
    _late_ms: int = 0
    _tables: Tables | None = None
    _count: int = 0

    def __post_init__(self) -> None:
        """Switch it on."""
        self.random = Random(f"browser {self.secret}")
        self.app.say(do="new", phone=self.name, seed=str(self.secret), hasLocks=self.random.random() < 0.6)

    @property
    def tables(self) -> Tables:
        """Return all tables of the app's store."""
        if self._tables is None:
            self._tables = defaultdict(list, self.app.say(do="rows", phone=self.name))
        return self._tables

    @property
    def now_ms(self) -> int:
        """Return the time of its clock, with what passed of it in this exchange."""
        at: datetime = self.clock() + self.clock_error
        return round(at.timestamp() * 1000) + self._late_ms

    def answer(self, question: dict[str, Any]) -> Any:
        """Answer what the app asks of its key store."""
        phone = self.people[question["username"]]
        if question["ask"] == "key":
            return phone.jwk
        signing = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        r, s = decode_dss_signature(phone.key.sign(base64.b64decode(question["data"]), signing))
        return encoded(r.to_bytes(32) + s.to_bytes(32))

    def do(self, who: str, command: str, /, **what: Any) -> Any:
        """Return what a command that needs no network says; `who` holds the phone."""
        return self.result(self.begin(who, command, what))

    def begin(self, who: str, name: str, what: dict[str, Any], tab: int = 0) -> int:
        """Begin something in a tab; return its number."""
        self._count += 1
        line = {"id": self._count, "name": name, "what": json.dumps(what), "faults": self.faults, "who": who}
        self.faults = {}
        self.say(do="command", tab=tab, **line)
        return self._count

    def result(self, number: int) -> Any:
        """Return what came of something that was begun."""
        ended = self.ended.pop(number)
        if "error" in ended and self.trouble == "storage fails":
            # A person is told so, and tries again another day.
            raise NetworkFailed("the storage fails")
        if "error" in ended:
            raise AppBroken(ended["error"])
        return json.loads(ended["answer"])

    def say(self, **line: Any) -> dict[str, Any]:
        """Let something happen to it; raises PhoneCrashed if it died of that."""
        self._tables = None
        self.version += 1
        self.app.questions = self.answer
        started_at = self.now_ms
        turn = self.app.say(phone=self.name, now=started_at, **line)
        if turn.get("isDead"):
            raise PhoneCrashed
        self._late_ms += max(0, ceil(turn.get("now", started_at)) - started_at)
        self.asked += turn.get("asked", ())
        self.ended.update((ended["id"], ended) for ended in turn.get("ended", ()))
        return turn

    def close(self, tab: int) -> None:
        """Let its person close a tab."""
        self.asked = [one for one in self.asked if one["tab"] != tab]
        self.say(do="close", tab=tab)

    def fail_soon(self, random: Random) -> str:
        """Let something go wrong in its next exchange; return what."""
        troubles = {**_TROUBLES, **(_SHARED if len(self.people) > 1 else {})}
        self.trouble = random.choices(list(troubles), list(troubles.values()))[0]
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
        self.say(do="calm")

    def restart(self, lost: int) -> int:
        """Begin again from what is durable, some commits ago; return how many were lost."""
        self._forget()
        return int(self.say(do="reborn", lost=min(lost, MOST_LOST))["lost"])

    def put_back(self) -> bool:
        """Begin again from the copy that was made of its store; return whether there is one."""
        self._forget()
        return bool(self.say(do="put back")["isThere"])

    def _forget(self) -> None:
        self.faults, self.trouble = {}, ""
        self.asked.clear()
        self.ended.clear()


#: Lets something happen on a phone, or to it, while it exchanges.
Meanwhile = Callable[[Phone], None]
