"""Each known mistake in the app's TypeScript breaks a world of its phones soon."""

from collections.abc import Callable

import pytest

from tests.simulation.app_mistakes import APP_MISTAKES
from tests.simulation.app_process import AppBroken, Mistake, build
from tests.simulation.kinds import APP_FROM
from tests.simulation.run import simulator
from tests.simulation.seeds import of_the_day

#: So many worlds at most until a mistake has shown itself.
MOST_SEEDS = 30
#: The seed that catches each, after `APP_FROM`. Where changed code has moved that world on, the next ones are tried.
CAUGHT_BY = {
    "what_is_no_longer_assigned_stays_on_the_phone": 3,
    "what_was_sent_is_not_frozen": 6,
    "a_page_leaves_out_its_first_document": 0,
    "what_one_server_has_no_other_is_sent": 0,
    "everybodys_saves_go_under_who_is_signed_in": 5,
    "an_answer_is_for_whoever_is_signed_in": 27,
    "a_photo_is_done_with_its_first_piece": 3,
    "a_photo_at_one_server_is_sent_to_no_other": 3,
    "photos_that_a_server_has_lost_are_not_sent_again": 23,
    "what_is_asked_of_a_poor_link_never_shrinks": 19,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", of_the_day(APP_MISTAKES))
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
