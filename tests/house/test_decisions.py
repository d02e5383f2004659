"""A decision record says its number, and whether it still holds."""

import re
from pathlib import Path

import pytest

DECISIONS = Path(__file__).parents[2] / "docs" / "decisions"
RECORDS = sorted(DECISIONS.glob("*.md"))
#: Superseded records stay, and lead to what holds instead.
STATUS = re.compile(r"Status: (?:accepted|superseded by \[[0-9]{4}\]\(([0-9]{4}-[a-z0-9-]+\.md)\))")


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_a_decision_begins_with_its_number_its_title_and_its_status(record: Path) -> None:
    title, _, status, *_ = record.read_text("utf-8").split("\n")
    assert re.fullmatch(rf"# {record.name[:4]} · \S.*", title), title
    found = STATUS.fullmatch(status)
    assert found, f'the third line reads "Status: accepted", or "Status: superseded by [NNNN](…)": {status!r}'
    assert found[1] is None or (DECISIONS / found[1]).exists()


def test_no_two_decisions_have_one_number() -> None:
    numbers = [record.name[:4] for record in RECORDS]
    assert len(set(numbers)) == len(numbers)
    assert numbers
