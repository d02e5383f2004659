"""On PostgreSQL every command works beside a running server, and so does another server: nobody waits for a lock."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import httpx
import pytest
from sqlalchemy import text

from server.cli import nuong
from server.platform.db.advisory_locks import AdvisoryLock
from server.platform.db.engine import Storage
from server.platform.db.migrate import migrate
from tests.command_process import run_command
from tests.conftest import administer, run
from tests.e2e.live_server import ROOT, LiveServer
from tests.postgresql import Cluster

PASSWORD = "nương rẫy mùa lúa chín"
SECRET = "a secret that only the tests know, 40 characters"
#: Far more than any command takes on a busy machine.
COMMAND_S = 60
NOBODY_LISTENS = "http://127.0.0.1:1"
FORM = str(ROOT / "server/demo/forms/household_crop.xlsx")
#: These serve until they are told to stop. The first is the late second server below; the other has its own database.
SERVING = {"serve", "demo"}


@dataclass(frozen=True)
class Use:
    """One use of a command: what stands behind its name, what is typed, and the exit code that it ends with."""

    arguments: tuple[str, ...] = ()
    typed: str = ""
    code: int = 0


#: One use of every command, in an order in which each can work. Code 1 is mostly where nobody listens at the other end.
USES = {
    "migrate": Use(),
    "areas list": Use(),
    "areas resolve": Use(("03226", "--on", "2025-06-30")),
    "person add": Use(("lan", "--name", "Lò Thị Lan", "--role", "administrator"), PASSWORD),
    "person list": Use(),
    "person grant": Use(("lan", "supervisor", "agri")),
    "person password": Use(("lan",), PASSWORD),
    # The only administrator stays: the sentence says so.
    "person close": Use(("lan",), code=1),
    "keys rotate": Use(),
    "form publish": Use((FORM, "--project", "agri")),
    "form list": Use(),
    "media verify": Use(),
    "follow again": Use(("nobody",), code=1),
    "backup make": Use(("{folder}/backup",)),
    "backup verify": Use(("{folder}/backup",)),
    # This database is in use.
    "restore": Use(("{folder}/backup", "--yes"), code=1),
    "epoch begin": Use(),
    "peer add": Use(("department", NOBODY_LISTENS)),
    "peer list": Use(),
    "peer status": Use(),
    "peer sync": Use(("department",), code=1),
    "peer remove": Use(("department",)),
    "peer key": Use(),
    "peer hub": Use(("--of", NOBODY_LISTENS, "--username", "tram-sinchai"), PASSWORD),
    "simulate": Use(("--url", NOBODY_LISTENS), code=1),
}


def commands_of(group: click.Group, before: str = "") -> Iterator[str]:
    """Give the full name of every command below `group`."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands_of(command, f"{before}{name} ")
        else:
            yield f"{before}{name}"


@contextmanager
def database(cluster: Cluster, name: str) -> Iterator[str]:
    """Give the URL of an empty database."""
    run(administer(cluster, f"CREATE DATABASE {name}"))
    yield cluster.url(name)
    run(administer(cluster, f"DROP DATABASE {name} WITH (FORCE)"))


def test_every_command_is_tried_beside_a_running_server() -> None:
    assert set(commands_of(nuong)) == set(USES) | SERVING


@pytest.mark.slow
def test_every_command_and_a_late_second_server_work_beside_a_running_server(
    postgresql_cluster: Cluster, tmp_path: Path
) -> None:
    with database(postgresql_cluster, "beside") as url:
        folders = [tmp_path / "first", tmp_path / "second"]
        for folder in folders:
            folder.mkdir()
        # As they are installed: nearly all other tests fork their servers.
        first, second = (
            LiveServer(folder, url, is_installed=True, secret=SECRET, disk_reserve_bytes="1") for folder in folders
        )
        first.start()
        try:
            for name, use in USES.items():
                words = [*name.split(), *(word.format(folder=tmp_path) for word in use.arguments)]
                ended = run_command(words, first.environment, use.typed, tmp_path, COMMAND_S)
                assert ended.code == use.code, f"nuong {name} ended with {ended.code}: {ended.written}"
                assert "Traceback" not in ended.written
            second.start()
            assert httpx.get(f"{second.url}/readyz").json()["status"] == "ready"
            second.stop()
        finally:
            second.kill()
            first.stop()


async def test_where_the_schema_is_current_nobody_waits_for_a_migration(storage: Storage) -> None:
    if not storage.is_postgresql:
        # SQLite has no advisory locks.
        return
    async with storage.write() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": AdvisoryLock.MIGRATION})
        async with asyncio.timeout(30):
            await migrate(storage)


def test_every_lock_has_a_number_of_its_own_and_only_one_module_writes_numbers() -> None:
    assert len({int(lock) for lock in AdvisoryLock}) == len(AdvisoryLock.__members__)
    takers = set()
    for path in (ROOT / "server").rglob("*.py"):
        source = path.read_text("utf-8")
        name = str(path.relative_to(ROOT))
        if re.search(r"pg_\w*advisory_\w*lock", source):
            takers.add(name)
            assert "AdvisoryLock" in source, f"{name} takes a lock that has no name"
            assert not re.search(r"0x|advisory_\w*lock\w*\(\s*\d", source), f"{name} writes a lock's number"
    assert takers == {"server/platform/db/leader_lock.py", "server/platform/db/migrate.py"}
