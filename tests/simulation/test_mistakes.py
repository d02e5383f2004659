"""Each known mistake, put back, breaks a world soon: the simulation sees what it claims to see."""

from collections.abc import Callable

import pytest

from tests.simulation.checks import Broken
from tests.simulation.making import PEERS_FROM
from tests.simulation.mistakes import MISTAKES, Mistake, wrong_merges_stay
from tests.simulation.peer_mistakes import PEER_MISTAKES
from tests.simulation.run import simulator
from tests.simulation.seeds import FEW, FEW_OF_PEERS

#: So many worlds at most until a mistake has shown itself.
MOST_SEEDS = 60
#: The seed that catches each. Where changed code has moved that world on, the next ones are tried, and the run says so.
CAUGHT_BY = {
    "checkpoint_before_data": 9,
    "acknowledged_before_commit": 0,
    "digest_forgotten_on_delete": 7,
    "other_content_is_a_duplicate": 8,
    "forged_generation_accepted": 8,
    "known_revision_moves_the_feed": 14,
    "refused_is_dropped": 2,
    "sent_is_not_frozen": 5,
    "echo_hides_the_winner": 1,
    "page_skips_a_row": 0,
    "paths_in_order_of_arrival": 24,
    "unknown_checkpoint_means_now": 633,
    "later_sequence_visible_first": 3,
    "gaps_not_reported": 6,
    "rights_only_of_now": 2,
    "everything_is_carried": 0,
    "winner_stands": 133,
    "always_merges": 10,
    "merges_forgotten": 0,
    "checkpoint_before_documents": 1002,
    "pulled_checkpoint_before_documents": 1002,
    "too_much_stays_too_much": 1002,
    "sent_without_lines": 1001,
    "only_leaves_go_over": 1000,
    "what_waits_has_no_line": 1008,
}
#: Worlds that other tests run without a mistake each time, and that hold.
ALWAYS_RUN = frozenset({*FEW, *FEW_OF_PEERS})
#: The first world that does not come to rest unless a merge made without a body is made again.
WRONG_MERGE = 221


@pytest.mark.slow
@pytest.mark.parametrize("mistake", [*MISTAKES, *PEER_MISTAKES], ids=lambda one: one.__name__)
async def test_a_known_mistake_is_caught(mistake: Mistake, record_property: Callable[[str, object], None]) -> None:
    name = mistake.__name__
    first = CAUGHT_BY.get(name, PEERS_FROM if mistake in PEER_MISTAKES else 0)
    async with simulator() as machines:
        for seed in range(first, first + MOST_SEEDS):
            with mistake():
                broken = (await machines.run(seed)).broken
            # What breaks a world of peers otherwise is an error of the mistake's own.
            if broken is not None and (mistake in MISTAKES or isinstance(broken, Broken)):
                if seed not in ALWAYS_RUN:
                    assert (await machines.run(seed)).broken is None, f"seed {seed} breaks without the mistake too"
                if seed != CAUGHT_BY.get(name):
                    record_property("told", f"{name} is caught by seed {seed} now: CAUGHT_BY should say so")
                return
    pytest.fail(f"{name} went unseen in {MOST_SEEDS} worlds")


@pytest.mark.slow
async def test_merges_that_are_not_made_again_are_caught() -> None:
    """Rare enough that a few dozen worlds need not meet it."""
    async with simulator() as machines:
        assert (await machines.run(WRONG_MERGE)).broken is None
        with wrong_merges_stay():
            broken = (await machines.run(WRONG_MERGE)).broken
    assert isinstance(broken, Broken)
