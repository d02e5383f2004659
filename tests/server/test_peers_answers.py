"""What a peer answers is believed only as far as it can be checked."""

import gzip
import tracemalloc
import zlib

import brotli
import httpx
import pytest

from server.peers.failures import PeerFailed
from server.peers.remote_database import RemoteDatabase
from sync.revisions.canonical import Json
from tests.server.peers_world import a_peer, said

MEGABYTES = 100
FIRST, SECOND = "1-" + "a" * 32, "1-" + "b" * 32
DOCUMENTS: list[dict[str, Json]] = [{"_id": "x", "_rev": FIRST}, {"_id": "y", "_rev": SECOND}]


async def put(rows: list[Json]) -> dict[tuple[str, str], str]:
    async with a_peer(lambda _: said(rows, status=201)) as remote:
        return await RemoteDatabase(remote, "agri").put(DOCUMENTS)


@pytest.mark.parametrize("of", [{}, {"id": "z"}, {"id": "x", "rev": SECOND}])
async def test_a_refusal_of_something_that_was_not_sent_lets_nothing_count_as_taken(of: dict[str, str]) -> None:
    with pytest.raises(PeerFailed) as failed:
        await put([{"error": "forbidden", "reason": "no", **of}])
    assert failed.value.trouble.code == "garbage"


async def test_a_refusal_of_what_was_sent_is_of_that_alone() -> None:
    refused = await put([{"id": "y", "rev": SECOND, "error": "forbidden", "reason": "no"}])
    assert refused == {("y", SECOND): "forbidden: no"}


def bomb() -> bytes:
    """Return a gzip of so many megabytes, made without holding them."""
    packing = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    pieces = [packing.compress(bytes(1_000_000)) for _ in range(MEGABYTES)]
    return b"".join([*pieces, packing.flush()])


async def test_what_a_peer_packs_is_unpacked_no_further_than_an_answer_may_be_long() -> None:
    packed = bomb()
    async with a_peer(lambda _: said(packed, packed="gzip")) as remote:
        tracemalloc.start()
        with pytest.raises(PeerFailed) as failed:
            await remote.ask("GET", "")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert failed.value.trouble.code == "garbage"
    assert peak < 100_000_000


async def test_only_packing_that_can_be_unpacked_by_the_piece_is_asked_for_and_taken() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["accept-encoding"])
        return said(brotli.compress(b"{}"), packed="br")

    async with a_peer(answer) as remote:
        with pytest.raises(PeerFailed) as failed:
            await remote.ask("GET", "")
    assert asked == ["gzip"]
    assert failed.value.trouble.code == "garbage"


# No moment in what is packed: its bytes name the tests, which every process must call alike.
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (gzip.compress(b'{"a":1}' * 99, mtime=0)[:-9], "half"),
        (gzip.compress(b"{}", mtime=0)[:-1] + b"x", "half"),
        (gzip.compress(b"{}", mtime=0) + b"more", "garbage"),
        (b"{}", "half"),
    ],
)
async def test_a_packed_answer_that_breaks_off_or_is_none_counts_as_no_answer(body: bytes, code: str) -> None:
    async with a_peer(lambda _: said(body, packed="gzip")) as remote:
        with pytest.raises(PeerFailed) as failed:
            await remote.ask("GET", "")
    assert failed.value.trouble.code == code


@pytest.mark.parametrize(("body", "packed"), [(b'{"a":1}', None), (gzip.compress(b'{"a":1}', mtime=0), "gzip")])
async def test_a_packed_answer_says_what_it_would_unpacked(body: bytes, packed: str | None) -> None:
    async with a_peer(lambda _: said(body, packed=packed)) as remote:
        assert (await remote.ask("GET", "")).object() == {"a": 1}
