"""Worlds whose servers replicate by the product's own Push and Pull, over lines on which any request may fail."""

import pytest

from tests.simulation.seeds import FEW_OF_PEERS, PEERS, base, of_peers, shares
from tests.simulation.test_seeds import run

#: What the first of them must have met, or they were not worth running.
MUST_HAPPEN = (
    "line: answer broken off",
    "line: answer lost",
    "line: answer shortened",
    "line: delayed",
    "line: doubled",
    "line: refused",
    "line: silence",
    "line: too much",
    "peer: garbage",
    "peer: half",
    "peer: slow",
    "peer: unreachable",
    "server killed in replication",
    "restored",
    "accepted",
    "merged",
)


@pytest.mark.slow
async def test_a_few_worlds_of_peers_hold_and_meet_every_fault_of_a_line() -> None:
    seen = await run(FEW_OF_PEERS)
    assert not [what for what in MUST_HAPPEN if not seen[what]]


@pytest.mark.slow
@pytest.mark.parametrize(("start", "end"), shares(PEERS))
async def test_the_worlds_of_peers_of_the_day_hold(start: int, end: int) -> None:
    await run(of_peers(base() + number) for number in range(start, end))
