"""The link between phones and servers: it loses, doubles, delays and cuts what it carries, and servers die on it.

Everything that a server says is noted where it is said, whether or not it arrives: what it acknowledged it has
promised (I2), and what it sends must be covered by the grants of its person (I9).
"""

import gzip
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from random import Random
from typing import Any

from server.areas.grants import CATALOG
from server.errors import Problem
from sync.contract.reasons import STORED
from tests.simulation import file_door
from tests.simulation.checks import Broken, Heard
from tests.simulation.disk import Killed
from tests.simulation.file_door import Answer, Asked, LinkCut
from tests.simulation.phone import NetworkFailed, Refused
from tests.simulation.server import Server

#: What may go wrong with one request, and how often beside going well.
FAULTS = {
    "well": 60,
    "dropped": 6,
    "cut": 3,
    "doubled": 6,
    "delayed": 4,
    "answer lost": 7,
    "answer cut": 3,
    "server killed": 11,
}
#: An exchange takes some fifty operations of storage; most deaths fall among them.
MOST_OPERATIONS = 60
#: A request for a file takes a few.
MOST_FILE_OPERATIONS = 12


@dataclass(slots=True)
class Network:
    """All links of the world; `log` takes a sentence for the trace."""

    servers: dict[str, Server]
    random: Random
    log: Any
    is_faulty: bool = True
    #: Requests that the network still carries: they arrive some time later, once more.
    late: list[tuple[str, bytes | Asked, str | None]] = field(default_factory=list)
    heard: dict[str, dict[str, Heard]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Heard)))
    seen: Counter[str] = field(default_factory=Counter)
    #: The databases that a server has ever opened to an enrolment, by both.
    opened: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    #: Who made each revision, by its id.
    authors: dict[str, str] = field(default_factory=dict)
    #: What requests have carried, by enrolment and number: from then on it is frozen.
    _carried: dict[tuple[str, str], str] = field(default_factory=dict)

    async def send(self, to: str, body: bytes, token: str | None) -> bytes:
        """Carry one request to a server and its answer back, or fail."""
        server = self.servers[to]
        self._check_own(json.loads(gzip.decompress(body)), token)
        fault = self._fault()
        if fault != "well":
            self.log(f"  the request to {to}: {fault}")
            self.seen[fault] += 1
        if fault == "dropped":
            raise NetworkFailed(fault)
        if fault == "cut":
            await self._cut_request(server, body, token)
        if fault == "server killed":
            server.disk.schedule_death(self.random.randint(1, MOST_OPERATIONS), after=self.random.random() < 0.5)
        try:
            answer = await self._serve_or_refuse(server, body, token)
        finally:
            if fault == "server killed":
                server.disk.call_off_death()
        if fault == "doubled":
            answer = await self._again(server, body, token, answer)
        if fault == "delayed":
            self.late.append((to, body, token))
        if fault == "answer lost":
            raise NetworkFailed(fault)
        if fault == "answer cut":
            return answer[: self.random.randrange(len(answer))]
        return answer

    async def ask(self, to: str, asked: Asked, carried: int | None) -> Answer:
        """Carry a request for a photo or new tokens, or its first `carried` bytes, and its answer back, or fail."""
        server = self.servers[to]
        if carried is not None:
            await self._break_off(server, asked, carried)
        fault = self._fault()
        if fault != "well":
            self.log(f"  {asked.method} {asked.path[:20]} to {to}: {fault}")
            self.seen[f"file: {fault}"] += 1
        if fault == "dropped":
            raise NetworkFailed(fault)
        if fault == "cut":
            await self._break_off(server, asked, self.random.randrange(len(asked.body) + 1))
        if fault == "server killed":
            server.disk.schedule_death(self.random.randint(1, MOST_FILE_OPERATIONS), after=self.random.random() < 0.5)
        try:
            answer = await self._answer(server, asked)
        finally:
            if fault == "server killed":
                server.disk.call_off_death()
        if fault == "doubled":
            second = await self._answer(server, asked)
            answer = second if self.random.random() < 0.5 else answer
        if fault == "delayed":
            self.late.append((to, asked, None))
        if fault in ("answer lost", "answer cut"):
            raise NetworkFailed(fault)
        return answer

    async def _break_off(self, server: Server, asked: Asked, carried: int) -> None:
        if carried >= 0:
            await self._answer(server, asked, carried)
        raise NetworkFailed("cut")

    async def _answer(self, server: Server, asked: Asked, carried: int | None = None) -> Answer:
        if server.disk.is_dead:
            raise NetworkFailed("the server is down")
        try:
            with server.alive():
                status, headers, body = await file_door.answer(server, asked, carried)
        except Killed:
            raise NetworkFailed("the server died") from None
        except LinkCut:
            raise NetworkFailed("cut") from None
        self.seen[f"{asked.method} {status}"] += 1
        if "upload-offset" in headers and headers["upload-offset"] == headers["upload-length"]:
            # The address is the content's hash.
            server.promised_files.add(headers.get("location", asked.path).rpartition("/")[2])
        return status, headers, body

    async def arrive_late(self) -> None:
        """Let a delayed request arrive; nobody waits for its answer any more."""
        to, body, token = self.late.pop(self.random.randrange(len(self.late)))
        try:
            if isinstance(body, Asked):
                await self._answer(self.servers[to], body)
            else:
                await self._serve_or_refuse(self.servers[to], body, token)
        except (NetworkFailed, Refused) as error:
            self.log(f"  {to} does not take it: {error}")

    async def deliver_raw(self, server: Server, body: bytes) -> bytes:
        """Carry what a tampered device sends; it has promised and been told nothing that counts."""
        if server.disk.is_dead:
            raise NetworkFailed("the server is down")
        try:
            return await server.exchange(body, None)
        except Problem as problem:
            raise Refused(problem.code) from None

    def forget(self, enrolment: str) -> None:
        """Take into account that a device has lost its memory of what it sent."""
        self._carried = {key: rev for key, rev in self._carried.items() if key[0] != enrolment}

    def _check_own(self, request: dict[str, Any], token: str | None) -> None:
        enrolment = request["enrolment"]
        if token is not None and token.split(" ")[1] != enrolment:
            raise Broken("author", f"{enrolment[:6]} sends with the token of {token}")
        for item in request["push"]:
            rev, key = item["doc"]["_rev"], (enrolment, item["doc"]["saved"]["number"])
            if self.authors.get(rev, enrolment) != enrolment or item["doc"]["saved"]["by"] != enrolment:
                raise Broken("author", f"{enrolment[:6]} sends {rev} of {self.authors.get(rev, '')[:6]}")
            if self._carried.setdefault(key, rev) != rev:
                raise Broken("frozen", f"number {key[1]} was sent as {self._carried[key]} and is now {rev}")

    def _fault(self) -> str:
        if not self.is_faulty:
            return "well"
        return self.random.choices(list(FAULTS), list(FAULTS.values()))[0]

    async def _cut_request(self, server: Server, body: bytes, token: str | None) -> None:
        try:
            await server.exchange(body[: self.random.randrange(len(body))], token)
        except Problem:
            raise NetworkFailed("cut") from None
        raise Broken("I3", f"{server.name} took half a request")

    async def _again(self, server: Server, body: bytes, token: str | None, first: bytes) -> bytes:
        """Deliver the same request once more: it must change nothing and be acknowledged the same (I3)."""
        before = heads(server)
        second = await self._serve_or_refuse(server, body, token)
        if not server.disk.is_shared:
            if heads(server) != before:
                raise Broken("I3", f"{server.name} moved when the same request came again")
            outcomes = [{ack["rev"]: _success(ack) for ack in json.loads(one)["acks"]} for one in (first, second)]
            pushed = {item["doc"]["_rev"] for item in json.loads(gzip.decompress(body))["push"]}
            if any(outcomes[0][rev] != outcomes[1].get(rev) for rev in pushed):
                raise Broken("I3", f"{server.name} answered the same request in two ways")
        return second if self.random.random() < 0.5 else first

    async def _serve_or_refuse(self, server: Server, body: bytes, token: str | None) -> bytes:
        if server.disk.is_dead:
            raise NetworkFailed("the server is down")
        request = json.loads(gzip.decompress(body))
        person = token.split(" ")[0] if token else None
        then = exchanged_scopes(server, request["enrolment"])
        before = server.scopes_of(person) if person else frozenset[str]()
        try:
            answer = await server.exchange(body, token)
        except Killed:
            raise NetworkFailed("the server died") from None
        except Problem as problem:
            raise Refused(problem.code) from None
        told = json.loads(answer)
        self.opened[server.name, request["enrolment"]].update(told["carry"] or ())
        self._note(server, request, told)
        for item, ack in zip(request["push"], told["acks"], strict=False):
            if ack["reason"] == "not_allowed" and item["db"] in then and not server.disk.is_shared:
                raise Broken("rights", f"{server.name} refuses what was allowed at the last exchange")
        self._check_scopes(server, told, before | server.scopes_of(person) if person else before)
        return answer

    def _note(self, server: Server, request: dict[str, Any], told: dict[str, Any]) -> None:
        heard = self.heard[server.name][request["enrolment"]]
        acks = {ack["rev"]: ack for ack in told["acks"]}
        for item in request["push"]:
            ack = acks.get(item["doc"]["_rev"])
            if ack is None:
                raise Broken("I2", f"{server.name} says nothing about {item['doc']['_rev']}")
            self.seen[ack["outcome"] if ack["reason"] is None else f"{ack['outcome']}: {ack['reason']}"] += 1
            if ack["outcome"] != "refused":
                server.promised.add((item["db"], item["doc"]["_id"], item["doc"]["_rev"]))
            if ack["number"] is not None:
                heard.numbers.add(int(ack["number"]))
        if int(request["exchange"]) <= heard.exchange:
            return
        heard.exchange = int(request["exchange"])
        heard.numbers |= set(map(int, request["holding"]["discarded"]))
        heard.holding = set(map(int, request["holding"]["unsent"]))

    def _check_scopes(self, server: Server, told: dict[str, Any], scopes: frozenset[str]) -> None:
        strangers = sorted(set(told["changes"]) - scopes - {CATALOG})
        if strangers:
            raise Broken("I9", f"{server.name} sent {strangers} to somebody without a grant for it")
        for database, changes in told["changes"].items():
            for document in changes["docs"]:
                here = server.reader.execute(
                    "SELECT 1 FROM revisions WHERE database = ? AND doc_id = ? AND rev = ?",
                    (database, document["_id"], document["_rev"]),
                ).fetchone()
                if here is None:
                    raise Broken("I9", f"{server.name} sent {document['_id']} as one of {database}")


def exchanged_scopes(server: Server, enrolment: str) -> frozenset[str]:
    """Return where a device could work when it last exchanged with a server."""
    row = server.reader.execute("SELECT exchange_grants FROM enrolments WHERE id = ?", (enrolment,)).fetchone()
    grants = json.loads(row["exchange_grants"] or "null") if row is not None else None
    return frozenset(f"{project}-{unit}" for _, project, unit in grants or ())


def heads(server: Server) -> list[tuple[str, int]]:
    """Return how far every feed of a server is."""
    return [(row[0], row[1]) for row in server.reader.execute("SELECT name, seq FROM databases ORDER BY name")]


def _success(ack: dict[str, Any]) -> str:
    return "kept" if ack["outcome"] in STORED else f"{ack['outcome']} {ack['reason']}"
