"""The second half of the thousand worlds: a file of its own, so that another core runs it."""

import pytest

from tests.simulation.test_seeds import A_SHARE, HALF, run

MANY = 1000


@pytest.mark.slow
@pytest.mark.parametrize("first", range(HALF, MANY, A_SHARE))
async def test_further_worlds_hold(first: int) -> None:
    await run(first, A_SHARE)
