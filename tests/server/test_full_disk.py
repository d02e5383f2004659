"""The server's disk is full: a clear problem, nothing acknowledged, nothing lost, and work goes on when there is room.

The disk is a real one where a small file system can be mounted (as root); elsewhere the process's limit on file sizes
stands for it, which the kernel reports on the same way.
"""

import contextlib
import os
import resource
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from server.app import create_app
from server.media.files import MediaFiles
from server.platform.db.engine import Storage
from server.platform.db.migrate import migrate
from server.settings import Settings
from tests.builders import Client, problem, running
from tests.conftest import StandingClock
from tests.server.sync_door import DATABASE, Picture, a_phone, answer_of, exchange, outcomes, save, with_form
from tests.server.test_media_door import RECORD, announce, photo, send

DISK_BYTES = 6_000_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """Give a file system of 6 MB, or None where none can be mounted."""
    point = tmp_path / "disk"
    point.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(point)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        yield None
        return
    yield point
    subprocess.run(["umount", "-l", str(point)], check=True)


@pytest.fixture
async def crowded(
    small_disk: Path | None, tmp_path: Path, settings: Settings, clock: StandingClock
) -> AsyncIterator[Client]:
    """Give a server whose database and media lie on the small disk."""
    home = small_disk or tmp_path
    storage = Storage(f"sqlite:///{home / 'nuong.sqlite'}")
    await migrate(storage)
    app = create_app(settings.model_copy(update={"media_dir": home / "media"}), storage, clock)
    async with running(app), Client(app) as opened:
        yield opened
    await storage.close()


@contextlib.contextmanager
def full(disk: Path | None, database: Path) -> Iterator[None]:
    """Leave no room while the block runs."""
    if disk is not None:
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        try:
            yield
        finally:
            filler.unlink()
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(file.stat().st_size for file in database.parent.glob(database.name + "*"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def no_room(small_disk: Path | None, tmp_path: Path) -> Callable[[], contextlib.AbstractContextManager[None]]:
    """Return what fills the disk for the length of a block."""
    home = small_disk or tmp_path
    return lambda: full(small_disk, home / "nuong.sqlite")


async def test_a_full_disk_acknowledges_nothing_and_loses_nothing(
    crowded: Client, no_room: Callable[[], contextlib.AbstractContextManager[None]], small_disk: Path | None
) -> None:
    await with_form(crowded)
    phone = await a_phone(crowded)
    await exchange(phone)
    save(phone)
    first = phone.request()
    assert outcomes(answer_of(await phone.post(first)))[0][1] == "stored"
    for number in range(400):
        save(phone, village=f"Bản {number} " + "x" * 2000)
    envelope = phone.request()
    before = await crowded.app.state["journal"].state(DATABASE)
    with no_room():
        # SQLite tells a full disk from other failures, and takes a limit on file sizes for one of the others.
        problem(await phone.post(envelope), *((507, "disk_full") if small_disk else (500, "internal")))
        assert await crowded.app.state["journal"].state(DATABASE) == before
    answer = await exchange(phone)
    assert {ack.outcome for ack in answer.acks} == {"stored", "duplicate"}
    assert (len(phone.documents[DATABASE]), phone.outgoing) == (401, [])
    assert phone.documents[DATABASE].digest == (await crowded.app.state["journal"].state(DATABASE)).digest


async def test_a_photo_that_did_not_fit_goes_on_when_there_is_room(
    crowded: Client, no_room: Callable[[], contextlib.AbstractContextManager[None]], small_disk: Path | None
) -> None:
    phone = await a_phone(crowded)
    item = Picture(photo() + os.urandom(900_000)).of(RECORD)
    if small_disk is None:
        item = Picture(photo() + os.urandom(9_000_000)).of(RECORD)
    await announce(phone, item)
    await send(phone, item, 0, item.content[:100_000])
    with no_room():
        problem(await send(phone, item, 100_000, item.content[100_000:]), 507, "disk_full")
    standing = await crowded.head(f"/api/media/{item.sha256}", headers=phone.tus())
    assert int(standing.headers["Upload-Offset"]) >= 100_000
    await phone.upload(item)
    shown = await crowded.get(f"/api/media/{item.sha256}", headers=phone.tus())
    assert shown.content == item.content


async def test_a_reserve_is_kept_before_the_disk_is_full(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    phone = await a_phone(client)
    monkeypatch.setattr(MediaFiles, "free_bytes", lambda files: 0)
    problem(await announce(phone, Picture(photo()).of(RECORD)), 507, "disk_full")
