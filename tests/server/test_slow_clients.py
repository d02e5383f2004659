"""A running server cuts connections that send nothing, and leaves slow ones that go on."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.live_server import LiveServer

pytestmark = pytest.mark.slow
HEAD_S, BODY_S = 2, 2
#: When a connection that should have been cut was not, it fails here.
LIMIT_S = 20
POST = b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder: Path = tmp_path_factory.mktemp("slow")
    live = LiveServer(folder, head_timeout_s=str(HEAD_S), body_timeout_s=str(BODY_S))
    live.start()
    yield live
    live.stop()


def connected(server: LiveServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT_S)


def cut_after_s(connection: socket.socket, piece: bytes = b"", every_s: float = 0.2) -> float:
    """Return after how many seconds the server cut a connection that is sent `piece` again and again."""
    began = time.monotonic()
    connection.settimeout(every_s)
    while (passed_s := time.monotonic() - began) < LIMIT_S:
        try:
            if piece:
                connection.sendall(piece)
            if connection.recv(1000) == b"":
                return passed_s
        except TimeoutError:
            continue
        except (ConnectionResetError, BrokenPipeError):
            return passed_s
    pytest.fail(f"still connected after {LIMIT_S} s")


def test_a_connection_that_says_nothing_is_cut(server: LiveServer) -> None:
    with connected(server) as connection:
        assert HEAD_S - 0.5 < cut_after_s(connection) < HEAD_S + 5


def test_a_head_that_comes_letter_by_letter_is_cut(server: LiveServer) -> None:
    with connected(server) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        assert HEAD_S - 0.5 < cut_after_s(connection, b"a") < HEAD_S + 5


def test_a_second_head_on_a_kept_connection_has_the_same_limit(server: LiveServer) -> None:
    with connected(server) as connection:
        assert alive(connection)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: ")
        assert cut_after_s(connection, b"a") < HEAD_S + 5


def test_a_kept_connection_that_sends_only_line_ends_is_cut(server: LiveServer) -> None:
    with connected(server) as connection:
        assert alive(connection)
        connection.sendall(b"\r\n")
        assert cut_after_s(connection) < HEAD_S + 5


def test_a_body_that_stops_or_drips_is_cut(server: LiveServer) -> None:
    for piece in (b"", b" "):
        with connected(server) as connection:
            connection.sendall(POST % 10_000 + b"{")
            assert BODY_S - 0.5 < cut_after_s(connection, piece) < 2 * BODY_S + 5


def test_a_body_at_64_kbit_a_second_takes_longer_than_the_limit_and_arrives(server: LiveServer) -> None:
    # 8,000 bytes a second for three limits on end, to a door that reads the body before it says what is wrong with it.
    size = 8_000 * 3 * BODY_S
    with connected(server) as connection:
        connection.sendall(POST.replace(b"/api/auth/login", b"/api/sync") % size)
        began = time.monotonic()
        for _ in range(size // 2_000):
            connection.sendall(b" " * 2_000)
            time.sleep(0.25)
        assert time.monotonic() - began > 2 * BODY_S
        assert connection.recv(1000).startswith(b"HTTP/1.1 4")


def test_a_kept_connection_may_rest_longer_than_a_head_may_take(server: LiveServer) -> None:
    with connected(server) as connection:
        assert alive(connection)
        time.sleep(HEAD_S + 1)
        assert alive(connection)


def alive(connection: socket.socket) -> bool:
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = b""
    while not answer.endswith(b"}"):
        piece = connection.recv(4000)
        assert piece, "the server has cut the connection"
        answer += piece
    return answer.startswith(b"HTTP/1.1 200")
