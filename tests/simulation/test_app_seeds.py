"""Worlds whose phones run the app's own TypeScript hold what must hold, whatever fails in them."""

from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from tests.simulation.making import APP_FROM
from tests.simulation.run import simulator
from tests.simulation.seeds import APPS, base, shares

#: The worlds that every run takes.
FEW = 4
#: What the phones of a few dozen worlds must have met.
MUST_HAPPEN = ("answer cut", "answer lost", "dropped", "doubled", "phone crashed", "rolled back", "restored", "evict")


async def run(seeds: Iterable[int]) -> Counter[str]:
    seen: Counter[str] = Counter()
    async with simulator() as machines:
        for seed in seeds:
            story = await machines.run(seed)
            if story.broken is not None:
                pytest.fail(story.told(), pytrace=False)
            seen += story.seen
            seen["worlds"] += 1
    return seen


@pytest.mark.slow
async def test_a_few_worlds_of_the_apps_phones_hold(record_property: Callable[[str, object], None]) -> None:
    seen = await run(range(APP_FROM, APP_FROM + FEW))
    record_property("told", f"{seen['worlds']} worlds of the app's phones; exchanges: {seen['stored']} saves stored")


async def test_a_world_of_the_apps_phones_tells_the_same_story_again() -> None:
    async with simulator() as machines:
        one = await machines.run(APP_FROM)
    async with simulator() as others:
        other = await others.run(APP_FROM)
    assert one.trace == other.trace
    assert (one.seen, one.rounds) == (other.seen, other.rounds)


@pytest.mark.slow
@pytest.mark.parametrize(("start", "end"), shares(APPS))
async def test_the_worlds_of_the_day_hold_with_the_apps_phones(start: int, end: int) -> None:
    await run(APP_FROM + FEW + base() + number for number in range(start, end))
