"""Feeds that are open while their database goes, comes back under the same name, or is shut to who reads it."""

import asyncio
import json

import pytest

from server.auth import people
from server.gateway.couchdb import live_feed
from tests.builders import Client, grant
from tests.conftest import StandingClock
from tests.server.couchdb_door import Door, a_database, at_scope, feed
from tests.waiting import within

pytestmark = pytest.mark.by_turns

LIVE = ("longpoll", "continuous", "eventsource")


async def rest_of(pieces: "asyncio.Queue[bytes]") -> bytes:
    """Return what still comes of a feed that ends."""
    said = b""
    while piece := await within(5, pieces.get()):
        said += piece
    return said


async def anew(door: Door, clock: StandingClock) -> None:
    """Delete the door's database and make another one under its name."""
    assert (await door.ask("DELETE")).status_code == 200
    clock.move(seconds=1)
    assert (await door.ask("PUT")).status_code == 201


@pytest.mark.parametrize("kind", LIVE)
@pytest.mark.parametrize("is_made_anew", [False, True])
async def test_a_feed_ends_with_its_database(
    client: Client, clock: StandingClock, kind: str, is_made_anew: bool
) -> None:
    door = await a_database(client)
    for name in "abc":
        await door.put(name, n="1")
    last = (await door.get("/_changes"))["last_seq"]
    async with feed(door, feed=kind, since=last, heartbeat="100000") as pieces:
        if kind == "longpoll":
            await within(5, pieces.get())
        with pytest.raises(TimeoutError):
            await within(0.05, pieces.get())
        if is_made_anew:
            await anew(door, clock)
        else:
            assert (await door.ask("DELETE")).status_code == 200
        said = await rest_of(pieces)
    if kind == "longpoll":
        assert json.loads(b'{"results":[' + said) == {"results": [], "last_seq": last, "pending": 0}
    elif kind == "continuous":
        assert json.loads(said) == {"last_seq": last, "pending": 0}


async def test_who_followed_a_database_reads_one_made_anew_from_the_beginning(
    client: Client, clock: StandingClock
) -> None:
    door = await a_database(client)
    for name in "abc":
        await door.put(name, n="1")
    before = await door.get()
    async with feed(door, feed="continuous", since="0", heartbeat="100000") as pieces:
        await within(5, pieces.get())
        await anew(door, clock)
        # As many as before, so that the sequences alone would be the same.
        for name in "abcd":
            await door.put(name, n="1")
        said = await rest_of(pieces)
    last = json.loads(said.splitlines()[-1])["last_seq"]
    assert [row["id"] for row in (await door.get("/_changes", since=last))["results"]] == list("abcd")
    assert (await door.get())["instance_start_time"] != before["instance_start_time"]


async def test_a_feed_wakes_when_the_new_database_comes_to_the_old_sequence(
    client: Client, clock: StandingClock
) -> None:
    door = await a_database(client)
    await door.put("a", n="1")
    await anew(door, clock)
    async with feed(door, feed="continuous", since="now", heartbeat="100000") as pieces:
        with pytest.raises(TimeoutError):
            await within(0.05, pieces.get())
        await door.put("b", n="1")
        assert json.loads(await within(5, pieces.get()))["id"] == "b"


@pytest.mark.parametrize("kind", LIVE)
async def test_a_feed_that_only_beats_ends_when_the_rights_do(
    client: Client, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(live_feed, "LOOK_S", 0.3)
    door = await at_scope(client, "hoa", grant("field_worker"))
    async with feed(door, feed=kind, since="now", heartbeat="100") as pieces:
        while await within(5, pieces.get()) != b"\n":
            pass
        async with client.app.state.storage.write() as connection:
            found = await people.find_by_username(connection, "hoa")
            assert found is not None
            await people.set_grants(connection, found[0].id, ())
        # Nobody writes anything: the beats alone would go on for ever.
        async with asyncio.timeout(5):
            await rest_of(pieces)
