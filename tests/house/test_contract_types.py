"""What the app knows of the contract is what the contract says, and it has words for each of its reasons."""

import json
from pathlib import Path

import pytest

from tests.house import api_types, contract_types

WORDS = Path(__file__).parents[2] / "pwa" / "src" / "locales"


def test_the_app_knows_the_contract_as_it_is() -> None:
    assert contract_types.PAGE.read_text("utf-8") == contract_types.text(), "the contract has changed: make api-types"


def test_one_place_of_the_app_knows_which_outcomes_mean_that_a_server_has_something() -> None:
    app = WORDS.parent
    made = {contract_types.PAGE, api_types.TYPES}
    asking = [path for path in app.rglob("*") if path.suffix in (".ts", ".vue") and path not in made]
    assert not [str(path) for path in asking if "'duplicate'" in path.read_text("utf-8")], "storage/outcomes.ts tells"


@pytest.mark.parametrize("language", ["vi", "en"])
def test_people_are_told_every_reason_in_their_language(language: str) -> None:
    told = json.loads((WORDS / language / "quarantine.json").read_text("utf-8"))["desk"]["quarantine"]["reason"]
    for reason in contract_types.SHOWN:
        assert told[reason].keys() == {"name", "sentence"}, reason
    # Nothing is explained that doesn't happen.
    assert told.keys() == {*contract_types.SHOWN, "label", "all", "other"}
    problems: dict[str, dict[str, str]] = {}
    for path in (WORDS / language).glob("*.json"):
        problems |= json.loads(path.read_text("utf-8")).get("problem", {})
    assert not [reason for reason in contract_types.REFUSED if "sentence" not in problems.get(reason, {})]
