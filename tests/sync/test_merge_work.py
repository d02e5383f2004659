"""What a merge costs: its work grows with rows, leaves and edits, never with a product of two of them.

Work is the lines of the engine that are run, not time, so that a busy machine judges as an idle one does. What C does
in one line is not counted: the benchmark of merges shows it.
"""

import sys
from types import FrameType
from typing import Any

import pytest

from sync.merging.merge import Closing, close, combine
from tests.sync.merge_world import Story

#: Four times as much may cost six times as much; the square of it would cost sixteen times.
TIMES, AT_MOST = 4, 6


def work(story: Story) -> int:
    """Return how many lines of the engine are run for closing a story's branches."""
    lines = 0

    def traced(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal lines
        if not frame.f_globals.get("__name__", "").startswith("sync."):
            return None
        lines += event == "line"
        return traced

    document = story.document()
    before = sys.gettrace()
    sys.settrace(traced)
    try:
        closing = close(document, story.forms)
    finally:
        sys.settrace(before)
    assert isinstance(closing, Closing)
    assert closing.merge is not None
    return lines


def added(leaves: int, rows: int) -> Story:
    """Return a story of people who each added rows of their own."""
    story = Story()
    first = story.first({"plots": [{"_rid": "first"}]})
    for leaf in range(leaves):
        story.edit(
            first, {"plots": [{"_rid": "first"}, *({"_rid": f"{leaf}-{row}", "area": "1"} for row in range(rows))]}
        )
    return story


def changed(rows: int) -> Story:
    """Return a story of two who changed a cell of every row, and one who turned the rows."""
    story = Story()
    given = [{"_rid": str(row), "area": "1", "crop": "ngô"} for row in range(rows)]
    first = story.first({"plots": given})
    story.edit(first, {"plots": [{**row, "area": "2"} for row in given]})
    story.edit(first, {"plots": [{**row, "crop": "lúa"} for row in given]})
    story.edit(first, {"plots": given[::-1]})
    return story


def removed(rows: int) -> Story:
    """Return a story of two who each removed half of the rows, beside one who worked in all of them."""
    story = Story()
    given = [{"_rid": str(row), "area": "1"} for row in range(rows)]
    first = story.first({"plots": given})
    story.edit(first, {"plots": given[: rows // 2]})
    story.edit(first, {"plots": given[rows // 2 :]})
    story.edit(first, {"plots": [{**row, "area": "2"} for row in given]})
    return story


def long(edits: int) -> Story:
    """Return a story of two long lines of edits."""
    story = Story()
    one = other = story.first({"area": "0"})
    for number in range(edits):
        one, other = story.edit(one, {"area": str(number)}), story.edit(other, {"crop": str(number)})
    return story


@pytest.mark.parametrize(
    ("made", "few"),
    [
        pytest.param(lambda rows: added(2, rows), 50, id="two who add rows"),
        pytest.param(lambda rows: added(20, rows), 10, id="twenty who add rows"),
        pytest.param(lambda leaves: added(leaves, 20), 5, id="leaves"),
        pytest.param(changed, 50, id="cells and orders"),
        pytest.param(removed, 50, id="removed rows"),
        pytest.param(long, 25, id="long lines"),
    ],
)
def test_four_times_as_much_costs_no_more_than_six_times_as_much(made: Any, few: int) -> None:
    assert work(made(few * TIMES)) <= AT_MOST * work(made(few))


def test_rows_that_many_added_are_all_there() -> None:
    story = added(20, 20)
    combined = combine(story.document(), story.forms)
    assert len(combined.content["answers"]["plots"]) == 401  # type: ignore[union-attr,index,arg-type,call-overload]
    assert combined.open == {}  # type: ignore[union-attr]
