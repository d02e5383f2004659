"""A server process whose disk fills up under its phones: what it can't keep it does not acknowledge, and reads go on.

The disk is a small file system of its own, which root may mount; there is no other way to fill one beneath SQLite, its
log and its locks together. tests/server/test_full_disk.py has what a single request meets, there also without root.
"""

import asyncio
import contextlib
import os
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from server.demo.phone import Phone
from tests.builders import PASSWORD
from tests.e2e.live_server import LiveServer
from tests.faults.arrangement import PHONES, arrange, server_in
from tests.faults.fieldwork import Fieldwork
from tests.faults.inspection import inspect

SEED = 507
DISK_MB, BALLAST_MB, ROOMY_MB = 24, 6, 200
PADDING = "nương " * 3000
FULL = "disk_full"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    point = tmp_path / "disk"
    point.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount the small file system that this test fills")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(point)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield point
    subprocess.run(["umount", "-l", str(point)], check=True)


@pytest.fixture
def server(disk: Path) -> Iterator[LiveServer]:
    # To renew a sign-in is to write: only who holds a token that is still good reads from a full server.
    made = server_in(disk / "server", access_token_s="900")
    yield made
    made.kill()


def test_a_server_whose_disk_is_full_loses_nothing_and_goes_on_when_there_is_room(
    server: LiveServer, disk: Path, record_property: Callable[[str, object], None]
) -> None:
    record_property("told", asyncio.run(_fill(server, disk)))


async def _fill(server: LiveServer, disk: Path) -> str:
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(BALLAST_MB * 1_000_000))
    work = await arrange(server, SEED)
    work.padding = PADDING
    await asyncio.to_thread(server.start)
    await work.open(PHONES)
    reader = await Phone(work.phones[0].client).sign_in(PHONES[0], PASSWORD)
    await reader.sync(max_bytes=100_000)

    async with _working(work):
        await _until_full(work)
    _every_save_is_somewhere(work)
    await _reads_go_on(reader)

    ballast.unlink()
    await work.finish()
    troubles = len(work.troubles)
    assert all(not phone.outgoing for phone in work.phones)

    async with _working(work):
        await _until_full(work)
    # Dead and started again without a byte to spare: SQLite recovers its log, and whoever asks is answered.
    await asyncio.to_thread(server.kill)
    server.launch()
    # Not `/readyz`: that tells whoever sends requests here that the disk is full, and is right.
    await asyncio.to_thread(server.wait_until_ready, "/healthz")
    await _reads_go_on(reader)
    _every_save_is_somewhere(work)

    await asyncio.to_thread(subprocess.run, ["mount", "-o", f"remount,size={ROOMY_MB}m", str(disk)], check=True)
    await work.finish()
    documents = len({save.doc_id for save in work.acknowledged})
    await asyncio.to_thread(server.follow_until, "SELECT count(*) FROM records", documents, 60)
    await asyncio.to_thread(server.stop)
    found = await inspect(server.database_url, work)
    await work.close()
    with contextlib.closing(sqlite3.connect(server.database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert set(work.troubles) == {FULL}
    return (
        f"disk filled twice: {found.saves} acknowledged saves checked among {found.revisions} revisions, "
        f"{troubles} and {len(work.troubles) - troubles} exchanges refused with 507"
    )


@contextlib.asynccontextmanager
async def _working(work: Fieldwork) -> AsyncIterator[None]:
    work.is_over = False
    async with asyncio.TaskGroup() as group:
        for phone in work.phones:
            group.create_task(work.work(phone))
        yield
        work.is_over = True


async def _until_full(work: Fieldwork) -> None:
    """Return when every phone has been told several times that there is no room, and nothing is taken in between."""
    before = len(work.troubles)
    await work.until(lambda: len(work.troubles) >= before + 5 * len(work.phones), timeout_s=90)


def _every_save_is_somewhere(work: Fieldwork) -> None:
    for phone in work.phones:
        waiting = [int(item.number) for item in phone.outgoing]
        taken = {int(save.number) for save in work.acknowledged if save.enrolment == phone.enrolment}
        assert waiting, "the disk was full for everyone, and yet a phone got rid of everything"
        assert taken.isdisjoint(waiting)
        assert taken.union(waiting) == set(range(1, phone.highest + 1))


async def _reads_go_on(reader: Phone) -> None:
    """A phone with nothing to send is told what others brought; pages are served."""
    before = dict(reader.since)
    await reader.exchange(max_bytes=100_000)
    assert reader.since != before
    for path in ("/healthz", "/api/me", "/api/forms"):
        answer = await reader.client.get(path, headers={"Authorization": f"Bearer {reader.access_token}"})
        assert answer.status_code == 200, (path, answer.text)
