"""One person on a device that runs the app's own TypeScript, in the words of a Python phone."""

import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from server.errors import KINDS
from sync.revisions.canonical import Json
from tests.simulation.app_device import Device, Meanwhile
from tests.simulation.app_process import AppBroken, encoded
from tests.simulation.app_rows import Tables, rows_of
from tests.simulation.file_door import Asked
from tests.simulation.phone import NetworkFailed, Phone, Refused, Send
from tests.simulation.store import Own, Rows

#: Codes of a run that says nothing about its server: nothing came, or no answer of ours.
_NO_ANSWER = {"offline", "timeout", "answer_broken", "not_our_server", "session_changed"}
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

Told = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a phone needs of its world while it exchanges."""

    #: Lets its person save something.
    save: Meanwhile
    #: Lets somebody else who shares the phone sign in at a server.
    hand_over: Callable[[Phone, str], Awaitable[None]]
    #: Carries what is no exchange of records.
    ask: Callable[[str, Asked, int | None], Awaitable[tuple[int, dict[str, str], bytes]]]
    #: Another server to which the app's address may lead.
    elsewhere: Callable[[str], str]


@dataclass(slots=True)
class AppPhone(Phone):
    """One person on one device."""

    device: Device = field(kw_only=True)
    around: Surroundings = field(kw_only=True)
    #: Photos that the next save takes along.
    camera: list[bytes] = field(default_factory=list)
    #: What this person began to fill and has not finished.
    begun: set[tuple[str, str]] = field(default_factory=set)
    _read: tuple[int, Rows] | None = None

    can_delete = False
    trouble_rate = 0.35

    def __post_init__(self) -> None:
        """Make the key."""
        # A dataclass with slots is another class than the one that `super()` would look for.
        Phone.__post_init__(self)
        self.device.people[self.person] = self

    @property
    def sharing(self) -> tuple[Phone, ...]:
        """Return whoever has this device, this person among them."""
        return tuple(self.device.people.values())

    @property
    def place(self) -> str:
        """Return which device it is."""
        return self.device.name

    @property
    def has_link(self) -> bool:
        """Whether its visits end before all is said."""
        return self.device.link is not None

    @property
    def tables(self) -> Tables:
        """Return all tables of the app's store."""
        return self.device.tables

    @property
    def rows(self) -> Rows:
        """Return what the device holds for this person, as a Python phone would."""
        if self._read is None or self._read[0] != self.device.version:
            self._read = (self.device.version, rows_of(self.tables, self.enrolment, self.person))
        return self._read[1]

    @property
    def can_save(self) -> bool:
        """Whether this person has signed in: the app shows nothing before."""
        return any(row["enrolment"] == self.enrolment for row in self.tables["session"])

    def open_draft(self, database: str, doc_id: str) -> str:
        """Begin to edit a record as the screen shows it now; a new one has the id that the app makes for it."""
        known = any(row["id"] == doc_id and row["database"] == database for row in self.tables["documents"])
        known = known or any(own.doc_id == doc_id for own in self.rows.revisions.values())
        form = {"agri": "plot", "tourism": "sight"}[database.partition("-")[0]]
        draft = self._do("open", name=database, id=doc_id if known else None, form=form, version="1")
        self.begun.add((database, str(draft["record"])))
        return str(draft["record"])

    def finish_draft(self, database: str, doc_id: str, content: dict[str, Json], *, deleted: bool = False) -> Own:
        """Make a draft the person's revision."""
        draft = next(
            row["id"]
            for row in self.tables["drafts"]
            if (row["database"], row["record"], row["person"]) == (database, doc_id, self.person)
        )
        files = [self._photo(photo) for photo in self.camera]
        self.camera.clear()
        filled = {"form": content["form"], "version": content["form_version"], "answers": content["answers"]}
        rev = self._do("finish", draft=draft, files=files, **filled)
        self.begun.discard((database, doc_id))
        return self.rows.revisions[rev]

    def _photo(self, photo: bytes) -> dict[str, str]:
        name = f"photo-{self.device.random.getrandbits(32):08x}"
        return {"name": name, "type": "application/octet-stream", "data": encoded(photo)}

    def discard(self, own: Own) -> None:
        """Take back a save that no request has carried."""
        self._do("discard", rev=own.rev)

    def signed_in(self, server: str, token: str, refresh: str, expires_in_s: int, highest: int) -> None:
        """Keep what a sign-in brought; whoever was before signed out, or did not."""
        if not self.can_save and self.tables["session"] and self.device.random.random() < 0.5:
            self._do("signOut")
        person = {"id": self.person, "username": self.person, "name": self.person, "locale": "vi", "grants": []}
        let_in = {"access": token, "refresh": refresh, "expiresIn": expires_in_s, "highest": highest}
        self._do("signedIn", person=person, server=server, **let_in)

    async def exchange(self, server: str, send: Send) -> None:
        """Let the app send; raises NetworkFailed, Refused or PhoneCrashed as it says that it went."""
        device, trouble = self.device, self.device.trouble
        begun = {0: device.begin(self.person, "exchange", {"reason": "online"})}
        if trouble in ("has two tabs", "closes a tab"):
            # A person's wish waits for the tab that sends, where there are locks; anything else leaves it to that one.
            reason = "person" if trouble == "closes a tab" else "online"
            begun[1] = device.begin(self.person, "exchange", {"reason": reason}, 1)
        while any(number not in device.ended for number in begun.values()):
            if trouble == "closes a tab" and len(begun) > 1 and device.random.random() < 0.5:
                gone = device.random.choice((0, 0, 1))
                del begun[gone]
                device.close(gone)
                continue
            if not device.asked:
                raise AppBroken(f"{self.name} waits for nothing")
            request = device.asked.pop(0)
            if trouble == "is led elsewhere" and device.random.random() < 0.4:
                server = self.around.elsewhere(server)
            told, took_ms = await self._carried(request, server, send)
            took_ms += await self._meanwhile(server)
            device.say(do="answer", tab=request["tab"], request=request["id"], told=told, tookMs=took_ms)
        status, *_ = [device.result(number) for number in begun.values()]
        self._heard(status)

    async def _carried(self, request: dict[str, Any], server: str, send: Send) -> tuple[Told | None, int]:
        """Return what the network brings back for a request, None for nothing, and after how many milliseconds."""
        device = self.device
        if device.trouble == "meets a portal" and device.random.random() < 0.7:
            status, body = device.random.choice(_PORTALS)
            return {"status": status, "headers": {}, "body": encoded(body), "isBroken": False}, 0
        body = base64.b64decode(request["body"] or "")
        took_ms, carried = (0, len(body)) if device.link is None else device.link.sent(device.now_ms, len(body))
        asked = Asked(request["method"], request["path"], request["headers"], body)
        try:
            if carried < len(body):
                await self.around.ask(server, asked, carried)
                return None, took_ms
            told = await self._answered(asked, server, send)
        except NetworkFailed:
            return None, took_ms
        return told if device.link is None else _in_time(told, device.link.received, device.now_ms + took_ms), took_ms

    async def _answered(self, asked: Asked, server: str, send: Send) -> Told:
        if asked.path != "/api/sync":
            status, headers, body = await self.around.ask(server, asked, None)
            return _told(status, server, body, is_broken=False, **headers)
        try:
            answer = await send(server, asked.body, asked.token)
        except Refused as refusal:
            problem = json.dumps({"code": refusal.code, "params": {}}).encode()
            return _told(KINDS[refusal.code].status, server, problem, is_broken=False)
        return _told(200, server, answer, is_broken=not _is_whole(answer))

    async def _meanwhile(self, server: str) -> int:
        """Let happen what happens before an answer is heard; return how many milliseconds it took to come."""
        trouble, random = self.device.trouble, self.device.random
        if trouble == "saves meanwhile":
            self.around.save(self)
        if trouble == "signs out meanwhile" and random.random() < 0.5:
            self._do("signOut")
        if trouble == "changes hands" and random.random() < 0.5:
            await self.around.hand_over(random.choice([one for one in self.sharing if one is not self]), server)
        return random.choice(_SLOW_MS) if trouble == "is slow" else 0

    def _heard(self, status: dict[str, Any]) -> None:
        broken = [f"{row['id']} {name}" for row in self.tables["servers"] for name in _failed(row)]
        self.broken += [one for one in broken if one not in self.broken]
        if status["phase"] != "failed":
            return
        if status["code"] in _NO_ANSWER:
            raise NetworkFailed(status["code"])
        raise Refused(status["code"])

    def waiting_for(self, server: str) -> object:
        """Return what the server was not sent, photos too, and where it might be sent instead."""
        files = sorted(row["sha256"] for row in self.tables["uploads"] if not _is_there(row, server))
        unsent = sorted(own.rev for own in self.rows.revisions.values() if own.receipt(server) is None)
        places = sorted((name, state.carry) for name, state in self.rows.servers.items())
        return (unsent or files) and (unsent, files, places)

    def progress(self, server: str) -> object:
        """Return how far it has come with a server."""
        sites = [(row["sha256"], row["record"], row["sites"].get(server, {})) for row in self.tables["uploads"]]
        files = sorted((sha256, record, site.get("offset"), site.get("done")) for sha256, record, site in sites)
        sent = sorted(row["rev"] for row in self.tables["revisions"] if server in row["receipts"])
        state = self.rows.servers.get(server)
        return files, sent, state and (sorted(state.since.items()), len(state.documents))

    def lose(self, own: Own) -> None:
        """Let its store lose a save."""
        self.device.say(do="lose", rev=own.rev)

    def fail_soon(self, random: Random) -> str:
        """Let something go wrong in its next exchange; return what."""
        return self.device.fail_soon(random)

    def calm(self) -> None:
        """Let it fail no more."""
        self.device.calm()

    def restart(self, lost: int) -> int:
        """Begin again from what is durable, some commits ago; return how many were lost."""
        count = self.device.restart(lost)
        self._recall()
        return count

    def put_back(self) -> bool:
        """Begin again from the copy that was made of the store; return whether there is one."""
        is_there = self.device.put_back()
        self._recall()
        return is_there

    def _recall(self) -> None:
        for one in self.sharing:
            if isinstance(one, AppPhone):
                one.begun = set(one.rows.drafts)

    def _do(self, command: str, /, **what: Any) -> Any:
        return self.device.do(self.person, command, **what)


def _failed(server: dict[str, Any]) -> list[str]:
    return [name for name, state in server["afresh"].items() if state == "failed"]


def _is_there(upload: dict[str, Any], server: str) -> bool:
    return bool(upload["sites"].get(server, {}).get("done"))


def _told(status: int, server: str, body: bytes, *, is_broken: bool, **headers: str) -> Told:
    named = {"nuong-server": server, "content-type": "application/json", **headers}
    return {"status": status, "headers": named, "body": encoded(body), "isBroken": is_broken}


def _in_time(told: Told, received: Callable[[int, int], tuple[int, int]], now_ms: int) -> Told:
    """Return an answer as a link brings it: late, and perhaps not to its end."""
    body = base64.b64decode(told["body"])
    took_ms, carried = received(now_ms, len(body))
    is_broken = told["isBroken"] or carried < len(body)
    return {**told, "body": encoded(body[: max(0, carried)]), "isBroken": is_broken, "bodyMs": took_ms}


def _is_whole(answer: bytes) -> bool:
    try:
        json.loads(answer)
    except ValueError:
        return False
    return True
