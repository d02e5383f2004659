"""Each known mistake, put back, breaks a world soon: the simulation sees what it claims to see."""

import pytest

from tests.simulation.mistakes import MISTAKES, Mistake
from tests.simulation.run import simulator

#: So many worlds at most until a mistake has shown itself.
MOST_SEEDS = 60


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one.__name__)
async def test_a_known_mistake_is_caught(mistake: Mistake) -> None:
    async with simulator() as machines:
        with mistake():
            for seed in range(MOST_SEEDS):
                if (await machines.run(seed)).broken is not None:
                    return
    pytest.fail(f"{mistake.__name__} went unseen in {MOST_SEEDS} worlds")
