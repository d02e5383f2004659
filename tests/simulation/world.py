"""The world of one seed: who is in it, and what happens to them, one event after the other.

Everything random comes from one generator, so a seed is a story that repeats itself word for word. After every event
the disks and phones that it touched are checked; at the end `settling` brings the world to rest and checks it whole.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from server.revisions.model import NotWaiting, Origin
from sync.canonical import canonical
from tests.simulation import checks
from tests.simulation.checks import Heard, Made
from tests.simulation.disk import Killed
from tests.simulation.events import EVENTS, LINKS, NEVER_ACCEPTED, SERVERS, LinkBroken, short
from tests.simulation.network import Network
from tests.simulation.phone import NetworkFailed, Phone, Refused
from tests.simulation.province import BASE_RECORDS, BEGINNING, FORM, SCOPES, VERSION
from tests.simulation.replica import Replica
from tests.simulation.replication import ReplicaSide, ServerSide, Side, replicate
from tests.simulation.server import Server
from tests.simulation.store import PhoneCrashed


@dataclass(slots=True)
class World:
    """One seed's world."""

    seed: int
    servers: dict[str, Server]
    replica: Replica
    random: Random
    trace: list[str] = field(default_factory=list)
    phones: list[Phone] = field(default_factory=list)
    #: Every revision that anybody honestly made, by database, document and id.
    made: dict[checks.Key, Made] = field(default_factory=dict)
    highest: dict[tuple[str, str], int] = field(default_factory=dict)
    network: Network = field(init=False)
    now: datetime = BEGINNING
    #: How often each kind of thing has happened, to see that a run was worth its time.
    seen: Counter[str] = field(default_factory=Counter)
    #: Which epoch of a server a phone last met.
    met: dict[tuple[str, str], int] = field(default_factory=dict)
    _clean: dict[str, tuple[int, int]] = field(default_factory=dict)
    _heard_at: dict[int, dict[str, Heard]] = field(default_factory=dict)
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

    async def live(self, events: int) -> None:
        """Let that many things happen."""
        for _ in range(events):
            self.now += timedelta(seconds=self.random.choice((1, 30, 600, 7200, 50000)))
            event = self.random.choices(list(EVENTS), list(EVENTS.values()))[0]
            self.seen[event] += 1
            await getattr(self, "_" + event.replace(" ", "_"))()
            for one in self.servers.values():
                if one.disk.is_dead:
                    self.log(f"{one.name} starts again")
                    await one.restart()
            self.check()

    def check(self) -> None:
        """Check every disk that has changed, and every phone against the servers that it knows."""
        for one in self.servers.values():
            # What changed on the disk, or was promised beyond it.
            version = (one.reader.execute("PRAGMA data_version").fetchone()[0], len(one.promised))
            if self._clean.get(one.name) != version:
                checks.check_disk(one, self.made)
                checks.check_promises(one, self.made)
                checks.check_winners(one, self.highest)
                self._clean[one.name] = version
            for phone in self.phones:
                if self.met.get((phone.name, one.name)) == one.epoch:
                    checks.check_phone(phone, one)

    # What people do.

    async def _save(self) -> None:
        phone = self.random.choice(self.phones)
        database = self._scope_of(phone)
        doc_id = self.random.choice(BASE_RECORDS) if self.random.random() < 0.85 else self._new_record(phone)
        if (database, doc_id) not in phone.rows.drafts:
            phone.open_draft(database, doc_id)
        if self.random.random() < 0.15:
            self.log(f"{phone.name} opens {database} {doc_id} and leaves it open")
            return
        self.save(phone, database, doc_id)

    def save(self, phone: Phone, database: str, doc_id: str) -> None:
        """Finish a draft with one or two answers changed, or delete the record."""
        base = phone.rows.drafts[database, doc_id]
        content: dict[str, Any] = {"type": "record", "form": FORM[database.partition("-")[0]], "form_version": VERSION}
        before = json.loads(base[1]) if base else {}
        answers = dict(before.get("answers", {"crop": "ngô", "area": "1.0", "note": None}))
        for name in self.random.sample(("crop", "area", "note"), self.random.randint(1, 2)):
            answers[name] = self.random.choice(("lúa", "sắn", "0.8", "1.2", "2.5", None))
        deleted = base is not None and self.random.random() < 0.08
        if self.random.random() < 0.03:
            content["form_version"] = "unpublished"
        content = {"type": "record"} if deleted else {**content, "answers": answers, "media": {}}
        own = phone.finish_draft(database, doc_id, content, deleted=deleted)
        self.note(database, doc_id, own.rev, Made(own.parent, own.deleted, own.content))
        verb = "deletes" if deleted else "saves"
        self.log(
            f"{phone.name} {verb} {database} {doc_id} as {short(own.rev)} after {short(own.parent)}, as {own.number}"
        )

    async def _discard(self) -> None:
        phone = self.random.choice(self.phones)
        open_ones = [own for own in phone.rows.revisions.values() if not own.frozen]
        if open_ones:
            own = self.random.choice(sorted(open_ones, key=lambda one: one.number))
            phone.discard(own)
            self.log(f"{phone.name} takes number {own.number} back")

    async def _visit(self) -> None:
        phone = self.random.choice(self.phones)
        await self.visit(phone, self._server(phone))

    async def visit(self, phone: Phone, to: Server) -> None:
        """Let a phone exchange with a server as far as the network and its own life let it."""
        self.log(f"{phone.name} visits {to.name}")
        if self.network.is_faulty and self.random.random() < 0.12:
            phone.store.crash_in = self.random.randrange(6)
        try:
            state = phone.rows.servers.get(to.name)
            if state is None or state.token is None:
                await self._sign_in(phone, to)
            own = set(phone.rows.revisions)
            await phone.exchange(to.name, self.network.send)
            if lost := own - set(phone.rows.revisions):
                raise checks.Broken("I2", f"{phone.name} dropped {sorted(lost)} of its own")
            self.met[phone.name, to.name] = to.epoch
        except (NetworkFailed, Refused) as error:
            self.log(f"  {phone.name} gives up: {error}")
            if isinstance(error, Refused):
                self.seen[f"refused: {error.code}"] += 1
        except PhoneCrashed:
            self.log(f"  {phone.name} crashes")
            self.seen["phone crashed"] += 1
            self._pull_battery(phone)
        phone.store.crash_in = None

    async def _sign_in(self, phone: Phone, to: Server) -> None:
        if to.disk.is_dead:
            raise NetworkFailed("the server is down")
        try:
            tokens, highest = await to.sign_in(phone.person, phone.jwk)
        except Killed:
            raise NetworkFailed("the server died") from None
        phone.signed_in(to.name, tokens.access_token, tokens.refresh_token, tokens.expires_in, highest)

    async def _crowd(self) -> None:
        """Several phones at the same server at the same time, and perhaps someone takes a grant away meanwhile."""
        to = self.servers[self.random.choice(SERVERS)]
        few = self.random.sample(self.phones, min(len(self.phones), self.random.randint(2, 4)))
        self.log(f"{', '.join(phone.name for phone in few)} visit {to.name} at once")
        to.disk.is_shared = True
        work = [self.visit(phone, to) for phone in few]
        if self.random.random() < 0.3:
            work.append(self._change_grants(to, self.random.choice(few).person))
        for outcome in await asyncio.gather(*work, return_exceptions=True):
            if isinstance(outcome, BaseException) and not isinstance(outcome, Killed):
                raise outcome
        to.disk.is_shared = False

    async def _grants_change(self) -> None:
        await self._change_grants(self.servers["province"], self.random.choice(self.phones).person)
        if self.random.random() < 0.6:
            await self.spread_people()

    async def _change_grants(self, at: Server, who: str) -> None:
        scopes = self._some_scopes()
        self.log(f"{at.name}: {who} may now work in {', '.join(scopes) or 'nothing'}")
        await at.set_scopes(who, scopes)

    async def spread_people(self) -> None:
        """Let the other servers pull people and grants from the province."""
        self.log("people and grants reach every server")
        for who in sorted({phone.person for phone in self.phones}):
            scopes = self.servers["province"].scopes_of(who)
            for name in SERVERS[1:]:
                if self.servers[name].scopes_of(who) != scopes:
                    await self.servers[name].set_scopes(who, scopes)

    async def _manager(self) -> None:
        await self.accept(self.servers[self.random.choice(SERVERS)])

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

    # What goes wrong.

    async def _late(self) -> None:
        if self.network.late:
            self.log("a delayed request arrives")
            await self.network.arrive_late()

    async def _evict(self) -> None:
        place = self.random.randrange(len(self.phones))
        old = self.phones[place]
        self.phones[place] = self.new_phone(old.person, f"{old.name}'")
        self.log(f"the browser of {old.name} drops its store; {self.phones[place].name} enrols anew")

    async def _lose_a_row(self) -> None:
        phone = self.random.choice(self.phones)
        unsent = [own for own in phone.rows.revisions.values() if not own.receipts and not own.frozen]
        if unsent:
            own = self.random.choice(sorted(unsent, key=lambda one: one.number))
            with phone.store.transaction() as rows:
                del rows.revisions[own.rev]
            self.log(f"the store of {phone.name} loses number {own.number}")
            self.seen["row lost"] += 1

    async def _battery(self) -> None:
        phone = self.random.choice(self.phones)
        self.log(f"the battery of {phone.name} is pulled")
        self._pull_battery(phone)

    def _pull_battery(self, phone: Phone) -> None:
        if phone.is_relaxed:
            lost = phone.store.roll_back(self.random.randint(0, 4))
            self.log(f"  {phone.name} loses its last {lost} transactions")
            self.seen["rolled back"] += lost > 0
            # It does not know any more what it has sent.
            self.network.forget(phone.enrolment)

    async def _restart(self) -> None:
        one = self.servers[self.random.choice(SERVERS)]
        self.log(f"{one.name} is restarted")
        await one.restart()

    async def _back_up(self) -> None:
        one = self.servers[self.random.choice(SERVERS)]
        self.log(f"{one.name} is backed up")
        await one.back_up()
        copy = {
            name: Heard(set(heard.numbers), set(heard.holding)) for name, heard in self.network.heard[one.name].items()
        }
        self._heard_at[id(one.backups[-1])] = copy

    async def _restore(self) -> None:
        able = [one for one in self.servers.values() if one.backups]
        if able:
            one = self.random.choice(able)
            backup = self.random.choice(one.backups)
            self.log(f"{one.name} is restored from a backup of {len(backup.promised)} acknowledged revisions")
            await one.restore(backup, self.random)
            heard = self.network.heard[one.name]
            heard.clear()
            for name, old in self._heard_at[id(backup)].items():
                heard[name] = Heard(set(old.numbers), set(old.holding))
            self._clean.pop(one.name)
            self.seen["restored"] += 1

    async def _rogue(self) -> None:
        from tests.simulation.rogue import attack

        await attack(self)

    # Replication.

    async def _replica_edits(self) -> None:
        database, doc_id = self.random.choice(SCOPES), self.random.choice(BASE_RECORDS)
        said = {"type": "record", "said": f"{self.random.randrange(5)}"}
        made = self.replica.edit(database, doc_id, canonical(said), deleted=self.random.random() < 0.1)
        if made is not None:
            self.note(database, doc_id, made.rev, Made(made.ancestors[0], made.deleted, made.content))
            self.log(f"{self.replica.name} edits {database} {doc_id} to {short(made.rev)}")

    async def _replicate(self) -> None:
        pairs = [*LINKS, *((b, a) for a, b in LINKS), ("province", self.replica.name), (self.replica.name, "province")]
        source, target = self.random.choice(pairs)
        await self.replicate(source, target, self.random.sample(SCOPES, self.random.randint(1, len(SCOPES))))

    async def replicate(self, source: str, target: str, databases: Sequence[str]) -> None:
        """Replicate some databases one way, as far as it gets."""
        ends = (self._end(source, target), self._end(target, source))
        self.log(f"{source} replicates to {target}: {', '.join(databases)}")
        if self.network.is_faulty and self.random.random() < 0.25:
            victim = self.servers[self.random.choice([name for name in (source, target) if name in self.servers])]
            victim.disk.schedule_death(self.random.randint(1, 60), after=self.random.random() < 0.5)
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

    def _end(self, name: str, other: str) -> Side:
        if name not in self.servers:
            return ReplicaSide(self.replica)
        return ServerSide(self.servers[name], is_whole=other in self.servers)

    def _lose(self) -> None:
        if self.network.is_faulty and self.random.random() < 0.03:
            raise LinkBroken

    # Who and where.

    def new_phone(self, of: str, name: str) -> Phone:
        """Return a phone fresh from its box; clocks are often wrong, sometimes by years."""
        error = timedelta(days=self.random.choice((0, 0, 0, -1, 400, -3650, 9000)))
        self._secrets += 1
        return Phone(name, of, self.seed * 100_003 + self._secrets, self.clock, self.random.random() < 0.3, error)

    def _server(self, phone: Phone) -> Server:
        # Most people meet one server nearly always.
        usual = SERVERS[sum(map(ord, phone.person)) % len(SERVERS)]
        return self.servers[usual if self.random.random() < 0.6 else self.random.choice(SERVERS)]

    def _scope_of(self, phone: Phone) -> str:
        carried = sorted({name for state in phone.rows.servers.values() for name in state.carry} & set(SCOPES))
        return self.random.choice(carried) if carried and self.random.random() < 0.9 else SCOPES[0]

    def _new_record(self, phone: Phone) -> str:
        own = sorted({own.doc_id for own in phone.rows.revisions.values()} - set(BASE_RECORDS))
        if own and self.random.random() < 0.6:
            return self.random.choice(own)
        self._secrets += 1
        return f"record-{self._secrets}"

    def _some_scopes(self) -> list[str]:
        few = self.random.choice((0, 1, 1, 2, 4))
        return sorted({SCOPES[0]} | set(self.random.sample(SCOPES, few))) if few else []
