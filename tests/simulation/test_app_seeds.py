"""Worlds whose phones run the app's own TypeScript hold what must hold, whatever fails in them."""

from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from tests.simulation.kinds import APP_FROM
from tests.simulation.run import simulator
from tests.simulation.seeds import APPS, base, shares

#: The worlds that every run takes: each kind is among them.
ALWAYS = (1, 3, 5, 6, 7, 23)
#: What the phones of these must have met, or they were not worth running.
MUST_HAPPEN = (
    "phone changes hands",
    "phone closes a tab",
    "phone dies",
    "phone has two tabs",
    "phone is led elsewhere",
    "phone is slow",
    "phone meets a portal",
    "phone saves meanwhile",
    "phone signs out meanwhile",
    "phone storage fails",
    "photos at rest",
    "restored",
    "month",
)


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
    seen = await run(APP_FROM + number for number in ALWAYS)
    assert not [what for what in MUST_HAPPEN if not seen[what]]
    worlds, troubles = seen["worlds"] + APPS, {what: seen[what] for what in MUST_HAPPEN}
    record_property("told", f"{worlds} worlds whose phones run the app; in the first {len(ALWAYS)}: {troubles}")


@pytest.mark.slow
async def test_a_world_of_the_apps_phones_tells_the_same_story_again() -> None:
    async with simulator() as machines:
        one = await machines.run(APP_FROM + 3)
    async with simulator() as others:
        other = await others.run(APP_FROM + 3)
    assert one.trace == other.trace
    assert (one.seen, one.rounds) == (other.seen, other.rounds)


@pytest.mark.slow
@pytest.mark.parametrize(("start", "end"), shares(APPS))
async def test_the_worlds_of_the_day_hold_with_the_apps_phones(start: int, end: int) -> None:
    await run(APP_FROM + base() + number for number in range(start, end))
