"""Followers let those go first who wait for an answer, and go on all the same."""

import asyncio

import pytest

from server.journal.followers.request_priority import OpenRequests
from tests.waiting import within

LONG_S = 60.0
#: Far less than that, and more than a busy machine needs.
SOON_S = 20.0


async def test_nothing_is_waited_for_when_nobody_is_at_the_doors() -> None:
    doors = OpenRequests()
    assert not doors.are_busy
    # One step, and it has ended.
    with pytest.raises(StopIteration):
        doors.give_way(LONG_S).send(None)


async def test_who_works_waits_until_the_last_one_has_gone() -> None:
    doors = OpenRequests()
    with doors.serving():
        resting = asyncio.create_task(doors.give_way(LONG_S))
        with doors.serving():
            await asyncio.sleep(0)
        assert doors.are_busy
        await asyncio.sleep(0)
        assert not resting.done()
    # The next request of a replica may be on its way.
    assert doors.are_busy
    await within(SOON_S, resting)
    assert not doors.are_busy


async def test_a_short_work_is_followed_by_a_short_rest_however_busy_the_doors_are() -> None:
    doors = OpenRequests()
    with doors.serving():
        await within(SOON_S, doors.give_way(0.001))
        assert doors.are_busy


async def test_a_request_that_fails_has_gone_as_well() -> None:
    doors = OpenRequests()
    try:
        with doors.serving():
            raise LookupError
    except LookupError:
        await within(SOON_S, doors.give_way(LONG_S))
    assert not doors.are_busy
