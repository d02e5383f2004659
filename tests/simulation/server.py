"""A server of the world: the journal and the sync door as they are in production, over a disk that can fail.

Only sign-in is simplified: a token names its enrolment instead of being signed, since who made it is not in question
here. People, grants, enrolments and seals are real.
"""

import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

from sqlalchemy import update

from server.areas.areas import Areas
from server.areas.grants import Grant
from server.auth import enrolments, people
from server.auth.enrolments import Enrolment
from server.auth.jwk import PublicJwk
from server.auth.principal import Principal
from server.auth.refresh import SignIn
from server.auth.sessions import Sessions
from server.auth.tokens import IssuedTokens
from server.backup.coverage import NUMBERS, SAVES, NamedFiles
from server.errors import Problem
from server.forms.answers.engine_forms import MergingForms
from server.forms.library import FormLibrary
from server.gateway.sync.exchange import ExchangeParts, exchange
from server.gateway.sync.read_request import read_request
from server.gateway.sync.tables import backups, sync_numbers
from server.journal.followers.follower import Follower
from server.journal.journal import Journal
from server.maintenance.lost_media import LostMedia, StoredMedia, contents_after, state_of
from server.media.files import MediaFiles
from server.peers.connections import ReplicationParts
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.ids import uuid7
from server.platform.inflate import read_body
from server.projections.branches import BranchesProjection
from tests.simulation.disk import Disk, Killed
from tests.simulation.peer_parts import App, door, peer_parts
from tests.simulation.province import NEXT_VERSION, SCOPES

TOKEN_LIFETIME = timedelta(hours=12)


class OpenSessions(Sessions):
    """Sessions with tokens `<person> <enrolment> <expiry> <server>`: good there, while person and device are."""

    def __init__(self, storage: Storage, clock: Clock, server: str) -> None:
        """Use no keys."""
        self._storage = storage
        self._server = server
        self._clock = clock

    async def principal(self, token: str) -> Principal:
        """Return who the token names; raises `not_signed_in` once it has run out."""
        sign_in, expires_at = self._read(token)
        if self._clock() >= expires_at:
            raise Problem("not_signed_in", reason="expired")
        return await self._principal(sign_in)

    async def accept_expired(self, access_token: str, refresh_token: str) -> tuple[Principal, IssuedTokens]:
        """Return who the token named, and new tokens."""
        sign_in, _ = self._read(access_token)
        return await self._principal(sign_in), self.tokens(sign_in)

    async def refresh(self, token: str) -> IssuedTokens:
        """Return new tokens for a refresh token of this server."""
        _, device, server = token.split(" ")
        async with self._storage.read() as connection:
            found = await enrolments.find(connection, device)
        if found is None or server != self._server.replace(" ", "-"):
            raise Problem("not_signed_in", reason="another server's")
        sign_in = SignIn(found.person, device, "family")
        await self._principal(sign_in)
        return self.tokens(sign_in)

    async def _principal(self, sign_in: SignIn) -> Principal:
        # Nothing is kept of these sign-ins, so they don't end before their person or device does.
        async with self._storage.read() as connection:
            found = await people.principal(connection, sign_in.person, sign_in.enrolment)
        if found is None:
            raise Problem("not_signed_in", reason="ended")
        return found

    def tokens(self, sign_in: SignIn) -> IssuedTokens:
        """Return tokens for a sign-in of this moment."""
        expires_at = (self._clock() + TOKEN_LIFETIME).astimezone(UTC)
        here = self._server.replace(" ", "-")
        token = f"{sign_in.person} {sign_in.enrolment} {expires_at.isoformat()} {here}"
        return IssuedTokens(token, int(TOKEN_LIFETIME.total_seconds()), f"refresh {sign_in.enrolment} {here}")

    def _read(self, token: str) -> tuple[SignIn, datetime]:
        person, enrolment, expires_at, server = token.split(" ")
        if server != self._server.replace(" ", "-"):
            raise Problem("not_signed_in", reason="another server's")
        return SignIn(person, enrolment, "family"), datetime.fromisoformat(expires_at)


@dataclass(slots=True)
class Backup:
    """A server's file at one moment, and what it had promised by then."""

    image: bytes
    promised: set[tuple[str, str, str]]
    made_at: datetime
    files: dict[str, bytes]
    #: The number of each enrolment up to which it has everything.
    covered: dict[str, int]


@dataclass(slots=True)
class Server:
    """One server. `promised` are the (database, id, revision) that it has acknowledged as kept."""

    name: str
    disk: Disk
    clock: Clock
    #: The scopes that are carried here.
    takes: frozenset[str] = frozenset(SCOPES)
    promised: set[tuple[str, str, str]] = field(default_factory=set)
    #: The contents that it has said are here.
    promised_files: set[str] = field(default_factory=set)
    #: What its disk has ever lost of those: phones hear of it at their next exchange.
    lost_files: set[str] = field(default_factory=set)
    #: Grows with every restore: what was promised before one may have to be brought again.
    epoch: int = 0
    #: What answers say of it: only a restore by the product's own command begins a new one.
    told_epoch: str = "0"
    backups: list[Backup] = field(default_factory=list)
    parts: ExchangeParts = field(init=False)
    peer_parts: ReplicationParts = field(init=False)
    #: What other servers come to, under `/db`.
    door: App = field(init=False)
    sessions: OpenSessions = field(init=False)
    closing: BranchesProjection = field(init=False)
    follower: Follower = field(init=False)
    library: FormLibrary = field(init=False)
    reader: sqlite3.Connection = field(init=False)

    @property
    def journal(self) -> Journal:
        """Return the journal of the process that runs now."""
        return self.parts.journal

    @property
    def files(self) -> MediaFiles:
        """Return its folder of photos."""
        return MediaFiles(self.disk.path.with_suffix(".media"))

    def start(self) -> None:
        """Run a new process over what the disk holds."""
        storage = self.disk.start()
        journal = Journal(storage, self.clock)
        self.sessions = OpenSessions(storage, self.clock, self.name)
        areas, library = Areas(storage, journal, self.clock), FormLibrary(storage)
        self.library = library
        self.parts = ExchangeParts(
            storage, journal, self.sessions, areas, library, self.clock, self.name, self.told_epoch
        )
        self.peer_parts = peer_parts(self.parts)
        self.door = door(self.parts)
        self.closing = BranchesProjection(
            storage, journal, library, areas, forms_of=partial(MergingForms.over, library)
        )
        self.follower = Follower(storage, journal, self.clock, self.closing)
        # A connection of the checks' own: it sees what is committed and nothing else.
        self.reader = sqlite3.connect(self.disk.path, isolation_level=None)
        self.reader.row_factory = sqlite3.Row

    async def restart(self) -> None:
        """End the process, if it has not died already, and start another."""
        await self.stop()
        self.start()

    async def stop(self) -> None:
        """End the process."""
        await self.disk.stop()
        self.reader.close()

    async def back_up(self) -> Backup:
        """Keep a copy of what is durable now."""
        files = {path.name: path.read_bytes() for path in self.files.root.glob("??/*")}
        named = NamedFiles()
        for row in self.reader.execute(SAVES):
            named.note(*row)
        covered = named.covered(self.reader.execute(NUMBERS), files.keys())
        backup = Backup(self.disk.image(), set(self.promised), self.clock(), files, covered)
        self.backups.append(backup)
        return backup

    async def cover(self, backup: Backup) -> None:
        """Note that a backup was verified: phones need not keep for long what is in it."""
        with self.alive():
            async with self.parts.storage.write() as connection:
                row = {"id": uuid7(self.clock), "made_at": backup.made_at, "verified_at": self.clock(), "place": "disk"}
                await connection.execute(backups.insert().values(**row))
                for enrolment, number in backup.covered.items():
                    here = (sync_numbers.c.enrolment == enrolment) & (sync_numbers.c.covered < number)
                    await connection.execute(update(sync_numbers).where(here).values(covered=number))

    async def restore(self, backup: Backup, random: Random) -> None:
        """Go back to a copy: everything since is forgotten here."""
        await self.stop()
        self.disk.install(backup.image, random)
        self.promised = set(backup.promised)
        self.epoch += 1
        # Of its photos phones hear no other way.
        if random.random() < 0.5 or backup.files or self.promised_files:
            self.told_epoch = str(self.epoch)
        self._put_files(backup.files)
        self.promised_files = {
            row[0] for row in sqlite3.connect(self.disk.path).execute("SELECT sha256 FROM media")
        } & backup.files.keys()
        self.start()

    def empty_files(self) -> None:
        """Begin with no photos."""
        shutil.rmtree(self.files.root, ignore_errors=True)
        self.promised_files.clear()

    def _put_files(self, files: Mapping[str, bytes]) -> None:
        for name, content in files.items():
            path = self.files.content_path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    async def lose_file(self, random: Random) -> str | None:
        """Let the disk lose a photo, or a part of it, and the watch find that out; return which, None where none is."""
        with self.alive():
            kept = await contents_after(self.parts.storage, "", 100)
            if not kept:
                return None
            lost: StoredMedia = random.choice(kept)
            path = self.files.content_path(lost.sha256)
            if random.random() < 0.5:
                path.unlink()
            else:
                path.write_bytes(path.read_bytes()[:-1] + b"?")
            self.promised_files.discard(lost.sha256)
            self.lost_files.add(lost.sha256)
            watch = LostMedia(self.parts.storage, self.journal, self.files, self.follower)
            await watch.take_mark(lost, "gone" if not path.exists() else state_of(self.files, lost, reads=True))
        return lost.sha256

    async def follow(self) -> int:
        """Let the follower that closes branches take what stands; return how many documents it looked at."""
        with self.alive():
            taken = 0
            for database, ids in (await self.closing.arrived()).items():
                await self.follower.take_again(database, ids)
                taken += len(ids)
            return taken + await self.follower.follow_once()

    @property
    def has_next_version(self) -> bool:
        """Whether the version of the forms that comes in the middle of a story is here."""
        rows = self.reader.execute("SELECT 1 FROM form_versions WHERE version = ?", (NEXT_VERSION,))
        return rows.fetchone() is not None

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Run a block of this process: whatever comes out of a dead one, an answer or an error, is its death."""
        try:
            yield
        except Exception:
            if self.disk.is_dead:
                raise Killed from None
            raise
        if self.disk.is_dead:
            raise Killed

    async def exchange(self, packed: bytes, token: str | None) -> bytes:
        """Return the sync door's answer to a gzipped body; raises Problem as the door does."""

        async def pieces() -> AsyncIterator[bytes]:
            yield packed

        with self.alive():
            request = read_request(await read_body(pieces(), "gzip"))
            return await exchange(self.parts, request, token, "identity")

    async def sign_in(self, person: str, jwk: PublicJwk) -> tuple[IssuedTokens, int]:
        """Return tokens and the highest number known of the device, which is registered if it is new."""
        with self.alive():
            device = await self._register(person, jwk)
        return self.sessions.tokens(SignIn(person, device.id, "family")), device.highest_number

    async def _register(self, person: str, jwk: PublicJwk) -> Enrolment:
        async with self.parts.storage.write() as connection:
            if await people.principal(connection, person, None) is None:
                raise Problem("account_closed")
            return await enrolments.register(connection, person, jwk, "simulated", self.clock())

    def scopes_of(self, person: str) -> frozenset[str]:
        """Return where a person may work here by what is committed now."""
        rows = self.reader.execute("SELECT project, unit FROM grants WHERE person = ?", (person,))
        return frozenset(f"{row['project']}-{row['unit']}" for row in rows)

    async def set_scopes(self, wanted: Mapping[str, Iterable[str]]) -> None:
        """Let each person work in these scopes and nowhere else from now on."""
        with self.alive():
            async with self.parts.storage.write() as connection:
                for person, scopes in wanted.items():
                    held = [Grant("field_worker", *scope.split("-", 1)) for scope in sorted(self.takes & set(scopes))]
                    await people.set_grants(connection, person, held)

    def checkpoint(self, name: str) -> str:
        """Return how far a replication with this server had come, '' at its beginning."""
        row = self.reader.execute("SELECT since FROM simulated_checkpoints WHERE name = ?", (name,)).fetchone()
        return str(row["since"]) if row else ""

    async def note_checkpoint(self, name: str, since: str) -> None:
        """Keep how far a replication has come."""
        await self.disk.put("INSERT OR REPLACE INTO simulated_checkpoints VALUES (?, ?)", (name, since))
