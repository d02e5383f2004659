"""The world of one seed: who is in it, what stands in it, and how its phones, servers and links meet.

Everything random comes from one generator, so a seed is a story that repeats itself word for word. `living` chooses
what happens; after every event the disks and phones that it touched are checked; at the end `settling` brings the world
to rest and checks it whole.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from server.journal.model import NotWaiting, Origin
from tests.simulation import checks, peering
from tests.simulation.app_checks import (
    check_authors,
    check_delivered,
    check_drafts,
    check_opened,
    check_promised_files,
)
from tests.simulation.app_device import Device
from tests.simulation.app_phone import AppPhone, Surroundings
from tests.simulation.app_process import AppProcess
from tests.simulation.checks import Broken, Heard, Made
from tests.simulation.disk import Killed
from tests.simulation.events import NEVER_ACCEPTED, Link, LinkBroken, short
from tests.simulation.kinds import BY_TURNS, SLOW
from tests.simulation.link import Link as Radio
from tests.simulation.network import Network
from tests.simulation.phone import NetworkFailed, Phone, Refused
from tests.simulation.province import BASE_RECORDS, BEGINNING, SCOPES
from tests.simulation.reader import Reader
from tests.simulation.replica import Replica
from tests.simulation.replication import ReplicaSide, ServerSide, Side, replicate
from tests.simulation.server import Server
from tests.simulation.store import PhoneCrashed
from tests.simulation.wire import Lines

#: A photo of so many bytes comes over a slow link in as many visits; each few bring it on.
MOST_VISITS = 60
PATIENCE = 4


@dataclass(slots=True)
class World:
    """One seed's world."""

    seed: int
    servers: dict[str, Server]
    links: tuple[Link, ...]
    replica: Replica
    random: Random
    #: Of each scope, the records that nearly every edit is about.
    records: Mapping[str, tuple[str, ...]]
    trace: list[str] = field(default_factory=list)
    phones: list[Phone] = field(default_factory=list)
    #: Every revision that anybody honestly made, by database, document and id.
    made: dict[checks.Key, Made] = field(default_factory=dict)
    highest: dict[tuple[str, str], int] = field(default_factory=dict)
    network: Network = field(init=False)
    #: Servers replicate by the product's own Push and Pull, over these lines.
    are_peers: bool = False
    lines: Lines = field(init=False)
    #: Where phones run that are the app's own; None in worlds of Python phones.
    app: AppProcess | None = None
    #: Lets the person of a phone save something.
    save_on: Callable[["World", Phone], None] = field(kw_only=True)
    now: datetime = BEGINNING
    #: How often each kind of thing has happened, to see that a run was worth its time.
    seen: Counter[str] = field(default_factory=Counter)
    #: Decisions of managers, in their order.
    decisions: list[checks.Key] = field(default_factory=list)
    reader: Reader = field(default_factory=Reader)
    #: What stands in it beside what is in every world; some photos that people take, in worlds with any.
    kinds: frozenset[str] = frozenset()
    album: list[bytes] = field(default_factory=list)
    #: What phones have dropped since a server has it for good.
    pruned: set[checks.Key] = field(default_factory=set)
    #: Whom each device met last.
    last: dict[str, str] = field(default_factory=dict)
    #: Which epoch of a server a phone last met.
    met: dict[tuple[str, str], int] = field(default_factory=dict)
    #: What servers had been told of numbers when a backup was made, by the backup's identity.
    heard_at: dict[int, dict[str, Heard]] = field(default_factory=dict)
    _clean: dict[str, tuple[int, int]] = field(default_factory=dict)
    _secrets: int = 1000

    def log(self, sentence: str) -> None:
        """Add a sentence to the story."""
        self.trace.append(f"{len(self.trace) + 1:4}  {sentence}")

    def clock(self) -> datetime:
        """Return the true time."""
        return self.now

    def note(self, database: str, doc_id: str, rev: str, one: Made) -> None:
        """Remember a revision that somebody made."""
        self.made[database, doc_id, rev] = one
        key = (database, doc_id)
        self.highest[key] = max(self.highest.get(key, 0), int(rev.split("-", maxsplit=1)[0]))

    def check(self) -> None:
        """Check every disk that has changed, and every phone against the servers that it knows."""
        # What changed on the disk, or was promised beyond it.
        versions = {
            one.name: (one.reader.execute("PRAGMA data_version").fetchone()[0], len(one.promised))
            for one in self.servers.values()
        }
        changed = [one for one in self.servers.values() if self._clean.get(one.name) != versions[one.name]]
        for one in changed:
            self._note_machines(one)
        for one in changed:
            checks.check_disk(one, self.made)
            checks.check_promises(one, self.made)
            checks.check_winners(one, self.highest)
            check_promised_files(one)
            if self.app is not None:
                check_authors(one, self.network.authors)
            self._clean[one.name] = versions[one.name]
        for one in self.servers.values():
            for phone in self.phones:
                if self.met.get((phone.name, one.name)) == one.epoch:
                    checks.check_phone(phone, one)
                    check_delivered(phone, one)
        for phone in self.phones:
            check_drafts(phone)
            check_opened(phone, self.network.opened)

    def _note_machines(self, server: Server) -> None:
        """Remember what the follower of a server has written; it is nobody's, and its ids are of what it says."""
        rows = server.reader.execute(
            "SELECT r.*, b.content FROM revisions r JOIN bodies b USING (database, doc_id, rev)"
            " WHERE r.person IS NULL AND r.enrolment IS NULL AND r.doc_id NOT LIKE '%:%'"
        )
        for row in rows:
            if (row["database"], row["doc_id"], row["rev"]) not in self.made:
                checks.check_id(server, row)
                made = Made(row["parent"], bool(row["deleted"]), row["content"], is_machine=True)
                self.note(row["database"], row["doc_id"], row["rev"], made)
                self.seen["closed" if row["deleted"] else "merged"] += 1

    def forget_checks(self, server: Server) -> None:
        """Check a server's disk anew: it is another one."""
        self._clean.pop(server.name, None)

    async def visit(self, phone: Phone, to: Server) -> bool:
        """Let a phone exchange with a server; return whether the network and its own life let it come to the end."""
        self.log(f"{phone.name} visits {to.name}")
        is_done = False
        self.last[phone.place] = to.name
        if isinstance(phone, AppPhone) and phone.device.link is not None:
            phone.device.link.arrive(phone.device.now_ms, self.random)
        if self.network.is_faulty and self.random.random() < phone.trouble_rate:
            self.seen[f"phone {phone.fail_soon(self.random)}"] += 1
        try:
            state = phone.rows.servers.get(to.name)
            if state is None or state.token is None:
                await self._sign_in(phone, to)
            own = {one.person: dict(one.rows.revisions) for one in phone.sharing}
            await phone.exchange(to.name, self.network.send)
            for one in phone.sharing:
                dropped = checks.check_kept(one, own[one.person])
                self.seen["pruned"] += len(dropped)
                self.pruned |= dropped
            self.met[phone.name, to.name] = to.epoch
            is_done = True
        except (NetworkFailed, Refused) as error:
            self.log(f"  {phone.name} gives up: {error}")
            if isinstance(error, Refused):
                self.seen[f"refused: {error.code}"] += 1
        except PhoneCrashed:
            self.log(f"  {phone.name} crashes")
            self.seen["phone crashed"] += 1
            self.pull_battery(phone)
        phone.calm()
        return is_done

    async def meet(self, phone: Phone, to: Server) -> bool:
        """Let a phone visit a server as often as its link makes necessary; a few visits in a row must bring it on."""
        if not isinstance(phone, AppPhone) or not phone.has_link:
            return await self.visit(phone, to)
        still, before = 0, phone.progress(to.name)
        for _ in range(MOST_VISITS):
            if await self.visit(phone, to):
                return True
            now = phone.progress(to.name)
            still, before = (still + 1 if now == before else 0), now
            if still == PATIENCE:
                raise Broken("starves", f"{phone.name} gets no further with {to.name} in {PATIENCE} visits")
        return False

    async def _sign_in(self, phone: Phone, to: Server) -> None:
        if to.disk.is_dead:
            raise NetworkFailed("the server is down")
        try:
            tokens, highest = await to.sign_in(phone.person, phone.jwk)
        except Killed:
            raise NetworkFailed("the server died") from None
        phone.signed_in(to.name, tokens.access_token, tokens.refresh_token, tokens.expires_in, highest)

    def pull_battery(self, phone: Phone) -> None:
        """Let a phone stop at once, and lose its last few transactions where its storage is relaxed."""
        lost = phone.restart(self.random.randint(0, 4) if phone.is_relaxed else 0)
        if phone.is_relaxed:
            self.log(f"  {phone.name} loses its last {lost} transactions")
            self.seen["rolled back"] += lost > 0
            # It does not know any more what it has sent.
            for one in phone.sharing:
                self.network.forget(one.enrolment)

    async def spread_people(self) -> None:
        """Let the other servers pull people and grants from the province."""
        self.log("people and grants reach every server")
        province, *others = self.servers.values()
        wanted = {who: province.scopes_of(who) for who in sorted({phone.person for phone in self.phones})}
        for one in others:
            changed = {who: scopes for who, scopes in wanted.items() if one.scopes_of(who) != scopes}
            if changed:
                await one.set_scopes(changed)

    async def accept(self, at: Server) -> int:
        """Let in what waits at a server, as far as anybody would; return how many revisions moved."""
        moved = 0
        for waiting in await at.journal.quarantined():
            # Nobody lets in what nobody they know has written.
            if waiting.reason in NEVER_ACCEPTED or (waiting.database, waiting.doc_id, waiting.rev) not in self.made:
                continue
            try:
                outcomes = await at.journal.accept(
                    waiting.database, waiting.doc_id, waiting.rev, Origin("manager"), fingerprint=waiting.fingerprint
                )
            except NotWaiting:
                continue
            moved += len(outcomes)
            self.log(f"{at.name}: a manager lets {waiting.doc_id} {short(waiting.rev)} in ({waiting.reason})")
        self.seen["accepted"] += moved
        return moved

    async def replicate(self, source: str, target: str, databases: Sequence[str]) -> None:
        """Replicate some databases one way, as far as it gets."""
        if self.are_peers and source in self.servers and target in self.servers:
            await peering.replicate(self.lines, self.servers[source], self.servers[target], databases)
            return
        ends = self.ends(source, target)
        self.log(f"{source} replicates to {target}: {', '.join(databases)}")
        if self.network.is_faulty and self.random.random() < 0.25:
            victim = self.servers[self.random.choice([name for name in (source, target) if name in self.servers])]
            victim.disk.schedule_death(self.random.randint(1, 60), after=self.random.random() < 0.5)
        # How much of a history the other department passes on is its administrators' to change.
        if self.network.is_faulty:
            self.replica.revs_limit = self.random.choice((1, 1, 20))
        limit = self.random.choice((1, 2, 5, 100)) if self.network.is_faulty else 100
        try:
            for database in databases:
                await replicate(*ends, database, limit, self._lose)
        except LinkBroken:
            self.log("  the link breaks")
            self.seen["link broken"] += 1
        except Killed:
            self.log("  a server dies")
            self.seen["server killed in replication"] += 1
        for name in (source, target):
            if name in self.servers:
                self.servers[name].disk.call_off_death()
        for database in databases:
            self._check_checkpoint(source, target, database)

    def _check_checkpoint(self, source: str, target: str, database: str) -> None:
        ends = [self.servers[name] for name in (source, target) if name in self.servers]
        if any(one.disk.is_dead for one in ends) or source not in self.servers:
            return
        if target in self.servers:
            if since := ends[1].checkpoint(f"{source} {target} {database}"):
                checks.check_server_checkpoint(ends[0], ends[1], database, since)
        else:
            checks.check_replica_checkpoint(ends[0], self.replica, database)

    def ends(self, source: str, target: str) -> tuple[Side, Side]:
        """Return the two ends of a replication."""
        return self._end(source, target), self._end(target, source)

    def _end(self, name: str, other: str) -> Side:
        if name not in self.servers:
            return ReplicaSide(self.replica)
        return ServerSide(self.servers[name], is_whole=other in self.servers)

    def _lose(self) -> None:
        if self.network.is_faulty and self.random.random() < 0.03:
            raise LinkBroken

    def new_phones(self, people: Sequence[str], name: str) -> list[Phone]:
        """Return a phone fresh from its box, for each of its people; clocks are often wrong, sometimes by years."""
        error = timedelta(days=self.random.choice((0, 0, 0, -1, 400, -3650, 9000)))
        self._secrets += 1
        secret, is_relaxed = self.seed * 100_003 + self._secrets, self.random.random() < 0.3
        if self.app is None:
            return [Phone(name, of, secret, self.clock, is_relaxed, error) for of in people]
        link = Radio(self.random.choice((50, 300, 1500))) if SLOW in self.kinds else None
        device = Device(name, secret, self.clock, error, self.app, link)
        around = Surroundings(
            save=lambda phone: self.save_on(self, phone),
            hand_over=self._hand_over,
            ask=self.network.ask,
            elsewhere=lambda server: self.random.choice([one for one in self.servers if one != server]),
        )
        # A key for each of them: no other world's, and no other person's.
        named = [(of, secret + number * 50_021) for number, of in enumerate(people)]
        names = [name] if len(people) == 1 else [f"{name} of {of}" for of in people]
        return [
            AppPhone(its_name, *one, self.clock, is_relaxed, error, device=device, around=around)
            for its_name, one in zip(names, named, strict=True)
        ]

    async def _hand_over(self, phone: Phone, server: str) -> None:
        """Let somebody sign in on the phone that they share, while it exchanges."""
        self.log(f"  {phone.name} takes it over at {server}")
        with suppress(NetworkFailed):
            await self._sign_in(phone, self.servers[server])

    def some_server(self) -> Server:
        """Return any server."""
        return self.random.choice(list(self.servers.values()))

    def usual_server(self, phone: Phone) -> Server:
        """Return whom a phone meets next: most people meet one server nearly always."""
        if BY_TURNS in self.kinds and self.random.random() < 0.8:
            return self.random.choice([one for one in self.servers.values() if one.name != self.last.get(phone.place)])
        usual = sum(map(ord, phone.person)) % len(self.servers)
        return list(self.servers.values())[usual] if self.random.random() < 0.6 else self.some_server()

    def scope_of(self, phone: Phone) -> str:
        """Return a scope that the phone works in."""
        carried = sorted({name for state in phone.rows.servers.values() for name in state.carry} & set(SCOPES))
        return self.random.choice(carried) if carried and self.random.random() < 0.9 else SCOPES[0]

    def new_record(self, phone: Phone, database: str) -> str:
        """Return a record that nobody else began: a new one, or the phone's own."""
        own = sorted(
            {
                own.doc_id
                for own in phone.rows.revisions.values()
                # Where ids may stand in two databases a phone goes on with one in either.
                if own.doc_id not in self.records[database]
                and (own.database == database or self.records is BASE_RECORDS)
            }
        )
        if own and self.random.random() < 0.6:
            return self.random.choice(own)
        self._secrets += 1
        return f"record-{self._secrets}"
