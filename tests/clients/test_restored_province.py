"""A province whose database is replaced by an earlier copy while its hub runs: two real servers, nothing is lost."""

import contextlib
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.bench.arrangement import Bench, bench
from tests.builders import PASSWORD
from tests.clients.province import record
from tests.e2e.live_server import LiveServer

PATIENCE_S = 90.0

pytestmark = pytest.mark.slow


@pytest.fixture
def province(tmp_path: Path) -> Iterator[Bench]:
    (tmp_path / "province").mkdir()
    with bench(tmp_path / "province", {"hoa": [0]}) as running:
        yield running


@pytest.fixture
def hub(province: Bench, tmp_path: Path) -> Iterator[LiveServer]:
    account = ("person", "add", "hub", "--name", "Hub", "--role", "peer", "--project", "*")
    province.server.run(*account, "--unit", province.communes[0], typed=f"{PASSWORD}\n")
    (tmp_path / "hub").mkdir()
    hub = LiveServer(tmp_path / "hub")
    hub.run("migrate")
    hub.run("peer", "hub", "--of", province.server.url, "--username", "hub", typed=f"{PASSWORD}\n")
    hub.start()
    yield hub
    hub.stop()


def test_a_hub_brings_a_restored_province_what_it_has_lost(province: Bench, hub: LiveServer) -> None:
    database = province.database()
    with httpx.Client(base_url=f"{hub.url}/db", auth=("hoa", PASSWORD), timeout=30) as door:

        def save(*numbers: int, **changed: str) -> None:
            for number in numbers:
                document = record(number, **changed)
                stands = door.get(f"/{database}/{document['_id']}")
                if stands.status_code == 200:
                    document["_rev"] = stands.json()["_rev"]
                assert door.put(f"/{database}/{document['_id']}", json=document).status_code == 201

        save(*range(10))
        _agree(province.server, hub, database)
        backup = province.server.folder / "backup.db"
        source, target = sqlite3.connect(province.server.database), sqlite3.connect(backup)
        with contextlib.closing(source), contextlib.closing(target):
            source.backup(target)
        save(*range(10, 20))
        save(*range(3), notes="later")
        _agree(province.server, hub, database)

        province.server.stop()
        for left in province.server.folder.glob("nuong.db*"):
            left.unlink()
        shutil.copy(backup, province.server.database)
        province.server.start()
        # Nobody saves anything at the hub: it finds out by itself, and says that it is well only then.
        _agree(province.server, hub, database)
        save(*range(20, 22))
        _agree(province.server, hub, database)
    assert "0 changes behind" in hub.run("peer", "status")


def _agree(province: LiveServer, hub: LiveServer, database: str) -> None:
    """Return once both have the same leaves of the same documents."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        here, there = (_leaves(each, database) for each in (hub, province))
        if here and here == there:
            return
        time.sleep(0.2)
    raise AssertionError(f"they do not agree: {len(here.keys() ^ there.keys())} documents stand on one side only")


def _leaves(server: LiveServer, database: str) -> dict[object, object]:
    rows = server.query(f"SELECT doc_id, leaves FROM documents WHERE database = '{database}'")
    return {doc_id: leaves for doc_id, leaves in rows if not str(doc_id).startswith(("seal:", "open:"))}
