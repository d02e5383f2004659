"""Followers let those go first who wait for an answer, and go on all the same."""

import asyncio

from server.revisions.doors import Doors

LONG_S = 60.0
SOON_S = 0.8


async def test_nothing_is_waited_for_when_nobody_is_at_the_doors() -> None:
    doors = Doors()
    assert not doors.are_busy
    before = asyncio.get_running_loop().time()
    await doors.give_way(LONG_S)
    assert asyncio.get_running_loop().time() - before < 0.01


async def test_who_works_waits_until_the_last_one_has_gone() -> None:
    doors = Doors()
    with doors.serving():
        resting = asyncio.create_task(doors.give_way(LONG_S))
        with doors.serving():
            await asyncio.sleep(0)
        assert doors.are_busy
        await asyncio.sleep(0)
        assert not resting.done()
    # The next request of a replica may be on its way.
    assert doors.are_busy
    await asyncio.wait_for(resting, SOON_S)
    assert not doors.are_busy


async def test_a_short_work_is_followed_by_a_short_rest_however_busy_the_doors_are() -> None:
    doors = Doors()
    with doors.serving():
        await asyncio.wait_for(doors.give_way(0.001), SOON_S)
        assert doors.are_busy


async def test_a_request_that_fails_has_gone_as_well() -> None:
    doors = Doors()
    try:
        with doors.serving():
            raise LookupError
    except LookupError:
        await asyncio.wait_for(doors.give_way(LONG_S), SOON_S)
    assert not doors.are_busy
