"""What a peer answers is believed only as far as it can be checked."""

from collections.abc import Callable

import httpx
import pytest

from server.peers.failures import PeerFailed
from server.peers.remote import Remote
from server.peers.remote_database import RemoteDatabase
from sync.canonical import Json

FIRST, SECOND = "1-" + "a" * 32, "1-" + "b" * 32
DOCUMENTS: list[dict[str, Json]] = [{"_id": "x", "_rev": FIRST}, {"_id": "y", "_rev": SECOND}]


async def nobody() -> dict[str, str]:
    return {}


def a_peer(answer: Callable[[httpx.Request], httpx.Response]) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://couchdb/")


async def put(rows: list[object]) -> dict[tuple[str, str], str]:
    async with a_peer(lambda _: httpx.Response(201, json=rows)) as client:
        return await RemoteDatabase(Remote(client, nobody), "agri").put(DOCUMENTS)


@pytest.mark.parametrize("of", [{}, {"id": "z"}, {"id": "x", "rev": SECOND}])
async def test_a_refusal_of_something_that_was_not_sent_lets_nothing_count_as_taken(of: dict[str, str]) -> None:
    with pytest.raises(PeerFailed) as failed:
        await put([{"error": "forbidden", "reason": "no", **of}])
    assert failed.value.trouble.code == "garbage"


async def test_a_refusal_of_what_was_sent_is_of_that_alone() -> None:
    refused = await put([{"id": "y", "rev": SECOND, "error": "forbidden", "reason": "no"}])
    assert refused == {("y", SECOND): "forbidden: no"}
