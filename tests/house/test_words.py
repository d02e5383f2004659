"""The app's words are there in both languages, also those whose keys are put together when they are shown.

Keys that stand whole in the code are looked for by the linter (`no-missing-keys`); what it can't see is a key in one
language alone, and what a code of the server is called.
"""

import functools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from server.errors import KINDS
from server.forms.answers.record_answers import LEAVES
from server.forms.conversion.findings import SENTENCES
from sync.contract.reasons import REASONS
from sync.contract.roles import ROLES
from tests.house.api_types import openapi
from tests.house.test_projections import PROJECTIONS

APP = Path(__file__).parents[2] / "pwa" / "src"
WORDS = APP / "locales"
LANGUAGES = ("vi", "en")
FILES = sorted({path.name for language in LANGUAGES for path in (WORDS / language).glob("*.json")})

#: Keys that the app puts together from what the server answers: `*` stands for each value of that member.
FROM_ANSWERS = {
    "conflicts.alike.skipped.*": "BatchSkipped",
    "conflicts.alike.take.*": "Rule.take",
    "conflicts.kind.*.name": "OpenQuestion.kind",
    "conflicts.waiting.*": "WaitingFor.reason",
    "desk.decide.meanwhile.*": "ReviewEntry.decision",
    "desk.decided.*.title": "ReviewEntry.decision",
    "desk.difference.*.name": "QuestionDifferenceAnswer.kind",
    "desk.flag.*.hint": "RecordLine.flags",
    "desk.flag.*.name": "RecordLine.flags",
    "desk.forms.*.name": "FormAnswer.status",
    "desk.history.*.message": "ReviewEntry.decision",
    "desk.peers.auth.*": "NewPeerBody.auth",
    "desk.peers.direction.*": "NewPeerBody.direction",
    "desk.peers.files.reason.*": "FileLeftAnswer.reason",
    "desk.peers.kind.*": "PeerAnswer.kind",
    "desk.peers.mode.*": "NewPeerBody.mode",
    "desk.peers.trouble.*.advice": "StatusAnswer.trouble",
    "desk.peers.trouble.*.sentence": "StatusAnswer.trouble",
    "desk.quarantine.why_not.*.message": "QuarantineEntry.why_not",
    "desk.state.*.name": "RecordLine.state",
    "desk.why_not.*.message": "RecordPage.why_not",
}
#: And from what is no member of an answer, but a text of the server's.
FROM_TABLES: dict[str, list[str]] = {
    "desk.following.part.*": [projection.name for projection in PROJECTIONS],
    "desk.quarantine.misfit.*.message": sorted({reason for _, reason in LEAVES.values()}),
    # The converter's own words are passed on as they are.
    "finding.*.sentence": sorted(SENTENCES.keys() - {"converter"}),
    "problem.*.sentence": [*KINDS, *(reason for reason, kind in REASONS.items() if kind.is_refusal)],
    "role.*.name": [*ROLES],
}


def keys(words: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for name, value in words.items():
        if isinstance(value, dict):
            yield from keys(value, f"{before}{name}.")
        else:
            yield f"{before}{name}"


@functools.cache
def words_of(language: str, file: str) -> frozenset[str]:
    return frozenset(keys(json.loads((WORDS / language / file).read_text("utf-8"))))


def values_of(member: str) -> list[str]:
    """Return what a member of an answer may be; of a schema alone, the names of its members."""
    name, _, part = member.partition(".")
    properties: dict[str, Any] = openapi()["components"]["schemas"][name]["properties"]
    return [*choices(properties[part])] if part else [*properties]


def choices(schema: Mapping[str, Any]) -> Iterator[str]:
    yield from schema.get("enum", ())
    for part in (*schema.get("anyOf", ()), *filter(None, [schema.get("items")])):
        yield from choices(part)


@pytest.mark.parametrize("file", FILES)
def test_both_languages_have_the_same_words(file: str) -> None:
    vietnamese, english = (words_of(language, file) for language in LANGUAGES)
    assert vietnamese
    assert vietnamese ^ english == set()


@pytest.mark.parametrize("key", [*FROM_ANSWERS, *FROM_TABLES])
def test_whatever_the_server_may_say_has_words(key: str) -> None:
    values = FROM_TABLES.get(key) or values_of(FROM_ANSWERS[key])
    assert values
    told = {word for file in FILES for word in words_of("vi", file)}
    assert not {key.replace("*", value) for value in values} - told


def test_no_problem_has_words_that_nothing_raises() -> None:
    told = {word for file in FILES for word in words_of("vi", file)}
    explained = {word.split(".")[1] for word in told if re.fullmatch(r"problem\.\w+\.sentence", word)}
    own = explained - {*FROM_TABLES["problem.*.sentence"]}
    code = "".join(path.read_text("utf-8") for path in APP.rglob("*") if path.suffix in (".ts", ".vue"))
    assert not {problem for problem in own if f"'{problem}'" not in code}
