"""What every row starts from: a real server process over a folder of its own, with people, a form and phones."""

import asyncio
import contextlib
import os
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from server.app import create_app
from server.areas.grants import Grant
from server.demo.phone import Phone
from server.platform.db.engine import Storage
from server.platform.db.migrate import migrate
from server.settings import Settings
from tests.bench import record_set
from tests.builders import PASSWORD, Client, add_person, grant, running
from tests.e2e.live_server import LiveServer
from tests.server.published_forms import publish

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
#: Administers everything.
ADMINISTRATOR = "dung"
#: How many ways of followers through databases are not at their end.
_BEHIND = """
    SELECT count(*)
    FROM databases
    CROSS JOIN (SELECT DISTINCT follower FROM follower_checkpoints) AS every
    LEFT JOIN follower_checkpoints AS reached ON reached.follower = every.follower AND reached.database = databases.name
    WHERE databases.seq > coalesce(reached.seq, 0) AND databases.name <> '{besides}'
"""


@dataclass(frozen=True, slots=True)
class Bench:
    """A running server and the people on it."""

    server: LiveServer
    communes: tuple[str, ...]

    def database(self, commune: int = 0) -> str:
        """Return a commune's database."""
        return f"agri-{self.communes[commune]}"

    @contextlib.asynccontextmanager
    async def phone(
        self, username: str, url: str | None = None, tls: ssl.SSLContext | None = None
    ) -> AsyncIterator[Phone]:
        """Sign somebody in on a new phone; `url` is another way to the server."""
        async with self.client(self.server.url) as direct:
            phone = await Phone(direct).sign_in(username, PASSWORD)
            async with self.client(url or self.server.url, tls) as phone.client:
                yield phone

    def client(self, url: str, tls: ssl.SSLContext | None = None) -> httpx.AsyncClient:
        """Return a client that keeps one connection open, as a phone's browser does."""
        limits = httpx.Limits(max_connections=1, keepalive_expiry=600)
        headers = {"Accept-Encoding": "br"}
        return httpx.AsyncClient(base_url=url, timeout=120, headers=headers, limits=limits, verify=tls or True)

    async def followed(self, *, besides: str = "") -> None:
        """Return once the followers have taken everything: what they make of it is not the next row's cost.

        `besides` names a database that they need not have.
        """
        await asyncio.to_thread(self.server.follow_until, _BEHIND.format(besides=besides), 0, timeout_s=120)

    def memory_mib(self) -> float:
        """Return the server's resident size now (VmRSS)."""
        return self._status("VmRSS") / 1024

    def peak_memory_mib(self) -> float:
        """Return the server's greatest resident size so far (VmHWM)."""
        return self._status("VmHWM") / 1024

    def cpu_s(self) -> float:
        """Return the CPU time that the server has taken so far, in steps of a clock tick."""
        fields = (self._proc / "stat").read_text("utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def _status(self, name: str) -> int:
        lines = (self._proc / "status").read_text("utf-8").splitlines()
        return int(next(line for line in lines if line.startswith(name)).split()[1])

    @property
    def _proc(self) -> Path:
        process = self.server._process
        assert process is not None
        return Path(f"/proc/{process.pid}")


@contextlib.contextmanager
def bench(folder: Path, people: dict[str, list[int]]) -> Iterator[Bench]:
    """Start a server where each of `people` works in the communes with these positions."""
    server = LiveServer(folder, is_installed=True)
    communes = asyncio.run(_arrange(server, people))
    server.start()
    try:
        yield Bench(server, communes)
    finally:
        server.stop()


async def _arrange(server: LiveServer, people: dict[str, list[int]]) -> tuple[str, ...]:
    settings = Settings(
        database_url=f"sqlite:///{server.database}",
        media_dir=server.folder / "media",
        secret_file=server.folder / "secret",
    )
    storage = Storage(settings.database_url)
    await migrate(storage)
    app = create_app(settings, storage)
    async with running(app), Client(app) as client:
        atlas = await app.state["areas"].atlas()
        units = tuple(unit.id for unit in atlas.units.values() if unit.has_scopes)
        communes = units[: max(position for positions in people.values() for position in positions) + 1]
        await add_person(client, ADMINISTRATOR, Grant("administrator", "*", "11"))
        for username, positions in people.items():
            grants: list[Grant] = [grant("field_worker", unit=communes[position]) for position in positions]
            await add_person(client, username, *grants)
        await publish(client, record_set.FORM, record_set.VERSION, "agri", record_set.XFORM)
    await storage.close()
    return communes


def save(phone: Phone, database: str, record: dict[str, Any]) -> None:
    """Save a record of the set on a phone."""
    phone.save(
        database,
        record_set.FORM,
        record_set.VERSION,
        record["answers"],
        media=record["media"],
        at=record["at"],
    )
