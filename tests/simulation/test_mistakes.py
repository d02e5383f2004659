"""Each known mistake, put back, breaks a world soon: the simulation sees what it claims to see."""

import pytest

from tests.simulation.checks import Broken
from tests.simulation.making import PEERS_FROM
from tests.simulation.mistakes import MISTAKES, Mistake, wrong_merges_stay
from tests.simulation.peer_mistakes import PEER_MISTAKES
from tests.simulation.run import simulator

#: So many worlds at most until a mistake has shown itself.
MOST_SEEDS = 60
#: Where to begin with those that the first worlds don't happen to meet.
LATER = {"unknown_checkpoint_means_now": 633, "winner_stands": 130}
#: The first world that does not come to rest unless a merge made without a body is made again.
WRONG_MERGE = 221


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one.__name__)
async def test_a_known_mistake_is_caught(mistake: Mistake) -> None:
    async with simulator() as machines:
        with mistake():
            first = LATER.get(mistake.__name__, 0)
            for seed in range(first, first + MOST_SEEDS):
                if (await machines.run(seed)).broken is not None:
                    return
    pytest.fail(f"{mistake.__name__} went unseen in {MOST_SEEDS} worlds")


@pytest.mark.slow
@pytest.mark.parametrize("mistake", PEER_MISTAKES, ids=lambda one: one.__name__)
async def test_a_known_mistake_of_peers_is_caught(mistake: Mistake) -> None:
    async with simulator() as machines:
        with mistake():
            first = PEERS_FROM + LATER.get(mistake.__name__, 0)
            for seed in range(first, first + MOST_SEEDS):
                if isinstance((await machines.run(seed)).broken, Broken):
                    return
    pytest.fail(f"{mistake.__name__} went unseen in {MOST_SEEDS} worlds")


@pytest.mark.slow
async def test_merges_that_are_not_made_again_are_caught() -> None:
    """Rare enough that a few dozen worlds need not meet it."""
    async with simulator() as machines:
        assert (await machines.run(WRONG_MERGE)).broken is None
        with wrong_merges_stay():
            broken = (await machines.run(WRONG_MERGE)).broken
    assert isinstance(broken, Broken)
