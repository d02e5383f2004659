"""Worlds hold what must always hold, whatever fails in them; each failing seed tells its story."""

from collections import Counter
from collections.abc import Iterable

import pytest

from tests.simulation.making import PEERS_FROM, are_peers
from tests.simulation.run import simulator
from tests.simulation.seeds import FEW, WORLDS, base, of_peers, plain, shares

#: What a few dozen worlds must have met, or they were not worth running.
MUST_HAPPEN = (
    "answer cut",
    "answer lost",
    "cut",
    "delayed",
    "doubled",
    "dropped",
    "server killed",
    "phone crashed",
    "rolled back",
    "restored",
    "evict",
    "row lost",
    "gaps reported",
    "link broken",
    "accepted",
    "merged",
    "closed",
    "decided",
    "undone",
    "follower killed",
    "asked at rest",
    "weighed",
    "quarantined: rights_lost",
    "refused: not_allowed",
    "rogue: forged generation",
    "rogue: other content under a known id",
    "rogue: an id that is no digest",
    "rogue: a foreign scope",
)


async def run(seeds: Iterable[int]) -> Counter[str]:
    seen: Counter[str] = Counter()
    async with simulator() as machines:
        for seed in seeds:
            story = await machines.run(seed)
            if story.broken is not None:
                pytest.fail(story.told(), pytrace=False)
            seen += story.seen
    return seen


@pytest.mark.slow
async def test_a_few_worlds_hold_and_meet_every_fault() -> None:
    seen = await run(FEW)
    assert not [what for what in MUST_HAPPEN if not seen[what]]


@pytest.mark.parametrize("seed", [7, pytest.param(PEERS_FROM + 2, marks=pytest.mark.slow)])
async def test_a_seed_tells_the_same_story_again(seed: int) -> None:
    async with simulator() as machines:
        one, other = await machines.run(seed), await machines.run(seed)
    async with simulator() as others:
        third = await others.run(seed)
    assert one.trace == other.trace == third.trace
    assert (one.seen, one.rounds) == (other.seen, other.rounds) == (third.seen, third.rounds)


@pytest.mark.slow
@pytest.mark.parametrize(("start", "end"), shares(WORLDS))
async def test_the_worlds_of_the_day_hold(start: int, end: int) -> None:
    await run(plain(base() + number) for number in range(start, end))


def test_each_number_of_a_world_is_a_seed_of_its_kind_and_no_others() -> None:
    numbers = range(2500)
    assert len({*map(plain, numbers), *map(of_peers, numbers)}) == 2 * len(numbers)
    assert not any(are_peers(plain(number)) for number in numbers)
    assert all(are_peers(of_peers(number)) for number in numbers)
