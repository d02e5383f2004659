"""Worlds whose servers replicate by the product's own Push and Pull, over lines on which any request may fail."""

import pytest

from tests.simulation.making import PEERS_FROM
from tests.simulation.test_seeds import run

FEW, MANY, A_SHARE = 20, 60, 20
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
    seen = await run(PEERS_FROM, FEW)
    assert not [what for what in MUST_HAPPEN if not seen[what]]


@pytest.mark.slow
@pytest.mark.parametrize("first", range(PEERS_FROM + FEW, PEERS_FROM + MANY, A_SHARE))
async def test_more_worlds_of_peers_hold(first: int) -> None:
    await run(first, A_SHARE)
