"""A server that is told to stop is gone within five seconds, whatever is open, and feeds end with their checkpoint."""

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.builders import PASSWORD
from tests.conftest import STORES
from tests.e2e.live_server import LiveServer
from tests.postgresql import Cluster
from tests.server.test_beside_a_running_server import database

STOP_S = 5.0
ADMINISTRATOR = ("lan", PASSWORD)

pytestmark = pytest.mark.slow


@pytest.fixture(params=STORES)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LiveServer]:
    with ExitStack() as stack:
        url = None
        if request.param == "postgresql":
            running: Cluster = request.getfixturevalue("postgresql_cluster")
            url = stack.enter_context(database(running, "stopping"))
        live = LiveServer(tmp_path, url, disk_reserve_bytes="1")
        live.run("migrate")
        live.run("person", "add", "lan", "--name", "Lò Thị Lan", "--role", "administrator", typed=PASSWORD)
        live.start()
        stack.callback(live.kill)
        yield live


def rest_of(feed: httpx.Response) -> str:
    return b"".join(feed.iter_raw()).decode()


def test_open_feeds_and_half_sent_requests_hold_no_stop_up(server: LiveServer) -> None:
    feeds = ("feed=continuous&heartbeat=60000", "feed=longpoll&timeout=60000", "feed=eventsource&heartbeat=60000")
    with ExitStack() as stack:
        client = stack.enter_context(httpx.Client(base_url=server.url, auth=ADMINISTRATOR, timeout=30))
        assert client.put("/db/notes").status_code == 201
        since = (
            client.put("/db/notes/a", json={"x": "1"}).status_code == 201
            and client.get("/db/notes").json()["update_seq"]
        )
        opened = [
            stack.enter_context(client.stream("GET", f"/db/notes/_changes?{feed}&since={since}")) for feed in feeds
        ]
        # A phone whose link broke in the middle of its body, one that never said anything, and a body without end.
        for sent in (b"POST /api/sync HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{", b"", b"GET /hea"):
            held = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))
            held.sendall(sent)
        readers = stack.enter_context(ThreadPoolExecutor(len(opened)))
        rests: list[Future[str]] = [readers.submit(rest_of, feed) for feed in opened]
        began = time.monotonic()
        server.stop()
        took_s = time.monotonic() - began
        continuous, longpoll, _ = (rest.result(30) for rest in rests)
    assert took_s < STOP_S, f"it took {took_s:.1f} s"
    # Ended and not cut off: each tells where the client goes on.
    assert json.loads(continuous.strip().splitlines()[-1])["last_seq"] == since
    assert json.loads("{" + longpoll.partition("{")[2])["last_seq"] == since
    server.start()
    goes_on = httpx.get(f"{server.url}/db/notes/_changes?since={since}", auth=ADMINISTRATOR, timeout=30)
    assert goes_on.json()["results"] == []
