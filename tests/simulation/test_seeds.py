"""Worlds hold what must always hold, whatever fails in them; each failing seed tells its story."""

from collections import Counter

import pytest

from tests.simulation.making import PEERS_FROM
from tests.simulation.run import simulator

FEW, HALF = 24, 500
#: The first world in which a decision is taken back.
TAKEN_BACK = 60
A_SHARE = 25
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


async def run(first: int, seeds: int) -> Counter[str]:
    seen: Counter[str] = Counter()
    async with simulator() as machines:
        for seed in range(first, first + seeds):
            story = await machines.run(seed)
            if story.broken is not None:
                pytest.fail(story.told(), pytrace=False)
            seen += story.seen
    return seen


@pytest.mark.slow
async def test_a_few_worlds_hold_and_meet_every_fault() -> None:
    seen = await run(0, FEW) + await run(TAKEN_BACK, 1)
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
@pytest.mark.parametrize("first", range(FEW, HALF, A_SHARE))
async def test_many_worlds_hold(first: int) -> None:
    await run(first, min(A_SHARE, HALF - first))
