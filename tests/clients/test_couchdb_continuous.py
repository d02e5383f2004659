"""A CouchDB that replicates continuously, both ways, goes on where it was after the server was away."""

import asyncio

import httpx
import pytest

from tests.bench.arrangement import ADMINISTRATOR
from tests.builders import PASSWORD
from tests.clients.couchdb_replicator import Replicator
from tests.clients.province import Province
from tests.clients.replica import until

pytestmark = pytest.mark.slow


async def test_continuous_replications_both_ways_go_on_after_a_restart_and_carry_nothing_twice(shaky: Province) -> None:
    auth = (ADMINISTRATOR, PASSWORD)
    async with httpx.AsyncClient(base_url=f"{shaky.server.url}/db", auth=auth, timeout=30) as client:
        for name in ("here", "there"):
            assert (await client.put(f"/{name}")).status_code == 201
        ways = [
            Replicator(shaky.server.url, "/db/here", "/db/there", "there", auth),
            Replicator(shaky.server.url, "/db/there", "/db/here", "back", auth),
        ]

        async def is_same(ids: list[str]) -> bool:
            found = [(await client.get(f"/{name}/_changes?style=all_docs")).json()["results"] for name in seen]
            rows = [{row["id"]: row["changes"] for row in each} for each in found]
            return rows[0] == rows[1] and sorted(rows[0]) == ids

        seen = ("here", "there")
        async with ways[0].running(), ways[1].running():
            assert (await client.put("/here/a", json={"n": "1"})).status_code == 201
            assert (await client.put("/there/b", json={"n": "1"})).status_code == 201
            await until(lambda: is_same(["a", "b"]), "both are at both")
            await asyncio.to_thread(shaky.server.kill)
            await asyncio.to_thread(shaky.server.start)
            assert (await client.put("/there/c", json={"n": "1"})).status_code == 201
            edited = (await client.get("/here/b")).json()
            assert (await client.put("/here/b", json={**edited, "n": "2"})).status_code == 201
            await until(lambda: is_same(["a", "b", "c"]), "what was written after the restart is at both")
        assert (await client.get("/there/b")).json()["n"] == "2"
    for way in ways:
        assert way.begun >= 2
        assert way.errors == []
    # Each revision went over once.
    assert sorted(ways[0].written) == ["a", "b"]
    assert sorted(ways[1].written) == ["b", "c"]
