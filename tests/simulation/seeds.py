"""Which seeds a run takes: the same few always, and others every day, so that in time all kinds of worlds are met.

The base is the day's, unless `NUONG_TEST_WORLDS_FROM` says another one; how many worlds, `NUONG_TEST_WORLDS` (thousands
in `make torture`). A world that breaks names its seed, which tells the same story on any day.
"""

import os
from collections.abc import Collection
from datetime import UTC, datetime

from tests.simulation.making import PEERS_FROM

#: The first world in which a decision is taken back.
TAKEN_BACK = 60
#: The worlds that every run takes, without peers and with them.
FEW = (*range(24), TAKEN_BACK)
FEW_OF_PEERS = range(PEERS_FROM, PEERS_FROM + 10)
#: How many worlds without peers and with them a run adds to those that it always takes: with them about a hundred.
WORLDS = int(os.environ.get("NUONG_TEST_WORLDS", "45"))
PEERS = WORLDS // 5
#: And how many whose phones run the app itself: each takes as long as several others.
APPS = WORLDS // 10
#: Of known mistakes in the app, how many a run looks for: all where it takes thousands of worlds.
MISTAKES = 3 if WORLDS < 1000 else 1000
#: A test runs so many.
A_SHARE = 15


def base() -> int:
    """Return the number of the first world of this run."""
    return int(os.environ.get("NUONG_TEST_WORLDS_FROM", datetime.now(UTC).toordinal() % 10_000 * 100))


def shares(worlds: int) -> list[tuple[int, int]]:
    """Return from where and to where in this run's worlds each test goes."""
    return [(start, min(start + A_SHARE, worlds)) for start in range(0, worlds, A_SHARE)]


def of_the_day(names: Collection[str]) -> list[str]:
    """Return which of some known mistakes this run looks for: in some days each has its turn."""
    start = base() // 100 * MISTAKES
    return sorted({sorted(names)[number % len(names)] for number in range(start, start + min(MISTAKES, len(names)))})


def plain(number: int) -> int:
    """Return the seed of a world whose servers replicate by the simulation's own code."""
    return number // PEERS_FROM * 2 * PEERS_FROM + number % PEERS_FROM


def of_peers(number: int) -> int:
    """Return the seed of a world whose servers replicate by the product's."""
    return plain(number) + PEERS_FROM
