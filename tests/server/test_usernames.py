"""A username is compared and kept in one form, on the server and on phones."""

import json
from pathlib import Path

import pytest

from server.auth.people import folded

CASES = json.loads((Path(__file__).parents[1] / "vectors" / "usernames.json").read_text("utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_username_is_kept_as_phones_look_for_it(case: dict[str, str]) -> None:
    assert folded(case["typed"]) == case["folded"]
