"""Several processes at one port: their rates are one, one that dies is begun anew, and all end together."""

import os
import re
import signal
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from server.auth.rate_limit import RateLimiter
from server.auth.shared_buckets import GROUPS, WAYS, SharedBuckets
from tests.builders import PASSWORD
from tests.command_process import run_command
from tests.conftest import StandingClock
from tests.e2e.live_server import LiveServer
from tests.postgresql import Cluster
from tests.server.test_beside_a_running_server import database

BURST = 6


def workers_of(server: LiveServer) -> set[int]:
    """Return the processes that the server has forked."""
    assert server._process is not None
    pid = server._process.pid
    return {int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()}


def statuses(server: LiveServer, tries: int) -> Counter[int]:
    """Return the answers to sign-ins by names that nobody has, each on a connection of its own."""
    bodies = ({"username": f"nobody{number}", "password": PASSWORD} for number in range(tries))
    return Counter(httpx.post(f"{server.url}/api/auth/login", json=each, timeout=30).status_code for each in bodies)


def counted(server: LiveServer, wanted: dict[int, float]) -> dict[int, float]:
    """Return how many sign-ins were counted by status, once that is what is wanted: an answer is counted after it."""
    deadline = time.monotonic() + 10
    found: dict[int, float] = {}
    while found != wanted and time.monotonic() < deadline:
        text = httpx.get(f"{server.url}/metrics", timeout=30).text
        told = re.findall(r'nuong_requests_total\{method="POST",route="/api/auth/login",status="(\d+)"\} (\S+)', text)
        found = {int(status): float(count) for status, count in told}
    return found


@pytest.mark.slow
def test_rates_hold_over_all_workers_and_one_that_dies_is_begun_anew(
    postgresql_cluster: Cluster, tmp_path: Path
) -> None:
    with database(postgresql_cluster, "workers") as url:
        server = LiveServer(
            tmp_path, url, workers="2", disk_reserve_bytes="1", login_burst=str(BURST), login_per_minute="0.01"
        )
        server.start()
        try:
            before = workers_of(server)
            assert len(before) == 2
            assert statuses(server, 2 * BURST) == {401: BURST, 429: BURST}
            counts = {401: float(BURST), 429: float(BURST)}
            assert counted(server, counts) == counts
            text = httpx.get(f"{server.url}/metrics", timeout=30).text
            assert {int(each) for each in re.findall(r'process_resident_memory_bytes\{worker="(\d+)"', text)} == before
            killed = min(before)
            os.kill(killed, signal.SIGKILL)
            deadline = time.monotonic() + 30
            while len(workers_of(server) - {killed}) < 2 and time.monotonic() < deadline:
                time.sleep(0.1)
            after = workers_of(server)
            assert len(after) == 2
            assert killed not in after
            server.wait_until_ready()
            assert statuses(server, 2) == {429: 2}
            # What one that died has counted stays counted.
            counts[429] += 2
            assert counted(server, counts) == counts
            server.stop()
            assert not any(Path(f"/proc/{each}").exists() for each in after)
        finally:
            server.kill()


@pytest.mark.one_store("no server begins")
def test_several_workers_on_sqlite_are_refused_with_a_sentence(tmp_path: Path) -> None:
    server = LiveServer(tmp_path)
    ended = run_command(["serve", "--workers", "2"], server.environment, "", tmp_path, 60)
    assert ended.code == 1
    assert ended.written.startswith("nuong: 2 workers need PostgreSQL: SQLite is written by one process.")
    assert not server.database.exists()


@pytest.mark.one_store("only memory")
def test_shared_buckets_are_each_addresss_own_and_the_quietest_of_a_full_group_goes(clock: StandingClock) -> None:
    buckets = SharedBuckets()
    one, other = (RateLimiter(clock, burst=2, per_minute=60, buckets=buckets) for _ in range(2))
    assert [one.wait_s("a"), other.wait_s("a"), one.wait_s("a"), other.wait_s("b")] == [0, 0, 1, 0]
    clock.move(seconds=1)
    assert [other.wait_s("a"), one.wait_s("a")] == [0, 1]
    clock.move(seconds=1)
    for number in range(2 * GROUPS * WAYS // 100):
        assert one.wait_s(f"address {number}") == 0
    # It is full again by now, remembered or not.
    clock.move(seconds=10)
    assert [other.wait_s("a"), one.wait_s("a"), one.wait_s("a")] == [0, 0, 1]
