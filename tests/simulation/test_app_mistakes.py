"""Each known mistake in the app's TypeScript breaks a world of its phones soon."""

from collections.abc import Callable

import pytest

from tests.simulation.app_mistakes import APP_MISTAKES
from tests.simulation.app_process import AppBroken, Mistake, build
from tests.simulation.making import APP_FROM
from tests.simulation.run import simulator

#: So many worlds at most until a mistake has shown itself.
MOST_SEEDS = 30
#: The seed that catches each, after `APP_FROM`. Where changed code has moved that world on, the next ones are tried.
CAUGHT_BY = {
    "what_is_no_longer_assigned_stays_on_the_phone": 3,
    "what_was_sent_is_not_frozen": 6,
    "a_page_leaves_out_its_first_document": 0,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", APP_MISTAKES)
async def test_a_known_mistake_in_the_app_is_caught(name: str, record_property: Callable[[str, object], None]) -> None:
    async with simulator(APP_MISTAKES[name]) as machines:
        for number in range(CAUGHT_BY[name], CAUGHT_BY[name] + MOST_SEEDS):
            if (await machines.run(APP_FROM + number)).broken is not None:
                break
        else:
            pytest.fail(f"{name} went unseen in {MOST_SEEDS} worlds")
    async with simulator() as proper:
        assert (await proper.run(APP_FROM + number)).broken is None, f"seed {number} breaks without the mistake too"
    if number != CAUGHT_BY[name]:
        record_property("told", f"{name} is caught by seed {number} now: CAUGHT_BY should say so")


@pytest.mark.slow
def test_a_mistake_in_a_text_that_the_app_has_not_ends_the_build() -> None:
    with pytest.raises(AppBroken, match="0 times"):
        build(Mistake("replication/apply.ts", "what stands nowhere", ""))
