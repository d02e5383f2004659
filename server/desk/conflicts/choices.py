"""From what a person chose to what a record says then: the fields that change, and those that count as decided.

Pure: a case and choices in, values out. A choice that the case does not offer raises `unknown_choice`; nothing is
guessed. What stands may be confirmed only where there is a question: elsewhere it would decide what nobody asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from server.desk.conflicts.labels import spot_of
from server.desk.conflicts.page_schemas import Choice
from server.desk.conflicts.record_case import Case
from server.desk.conflicts.ways_to_decide import outcome_at
from server.errors import Problem
from sync.merging.field_diff import changes, patch, value_at
from sync.merging.field_schema import ABSENT, Path, Value, place_of
from sync.revisions.canonical import Json
from sync.revisions.json_pointer import escape

ANSWERS = "/answers"


@dataclass(slots=True)
class Chosen:
    """The result of choices: values by path, the paths that are decided, and whether the record is to be deleted.

    `version` is the form version of answers that are taken whole because no way leads to the other's.
    """

    values: dict[Path, Value] = field(default_factory=dict)
    decided: set[Path] = field(default_factory=set)
    is_deletion: bool = False
    version: str | None = None


def chosen_of(case: Case, choices: Sequence[Choice], replies: Mapping[str, Mapping[str, Json]]) -> Chosen:
    """Return what the choices come to; `replies` are contents by id. Raise `unknown_choice`."""
    chosen = Chosen()
    for choice in choices:
        if choice.path in chosen.decided:
            raise Problem("unknown_choice", path=choice.path)
        chosen.decided.add(choice.path)
        if not choice.path:
            _choose_for_record(case, choice, chosen)
        elif choice.candidate is not None:
            _take_candidate(case, choice.path, choice.candidate, chosen)
        elif choice.reply is not None:
            chosen.values[choice.path] = _replied(case, choice.path, replies.get(choice.reply))
        elif choice.remove:
            _must_be_place(case, choice.path, ("atom", "choices", "choice", "row"))
            chosen.values[choice.path] = ABSENT
        elif choice.confirm:
            _must_be_asked(case, choice.path)
        elif choice.keep:
            chosen.values[choice.path] = _kept(case, choice.path)
        elif "value" in choice.model_fields_set:
            _must_be_place(case, choice.path, ("atom", "choices"))
            chosen.values[choice.path] = cast(Json, choice.value)
        else:
            raise Problem("unknown_choice", path=choice.path)
    return chosen


def with_chosen(case: Case, content: Mapping[str, Json], chosen: Chosen) -> dict[str, Json]:
    """Return a content of the record with what was chosen."""
    values = {path: value for path, value in chosen.values.items() if path != ANSWERS}
    content = dict(content)
    if ANSWERS in chosen.values:
        content["answers"] = cast(Json, chosen.values[ANSWERS])
        content["form_version"] = chosen.version or content["form_version"]
    return patch(content, {**_cleared(case, content, values), **values}, case.shape)


def _cleared(case: Case, content: Mapping[str, Json], values: Mapping[Path, Value]) -> dict[Path, Value]:
    """Return the choices that go when a question of several is left blank: they are fields of their own."""
    cleared: dict[Path, Value] = {}
    for path, value in values.items():
        if place_of(path, case.shape).role == "choices" and (value is None or value is ABSENT):
            chosen = value_at(content, path, case.shape)
            codes = chosen if isinstance(chosen, list) else []
            cleared |= {f"{path}/{escape(code)}": ABSENT for code in codes if isinstance(code, str)}
    return cleared


def with_answers(case: Case, seen: Mapping[str, Json], answers: Mapping[str, Json], chosen: Chosen) -> dict[str, Json]:
    """Return the content with what was chosen, and with what a form changed in it; that is decided as well.

    `seen` is the record as it stood where the form was opened. What others have said since stands: a form gives back
    all answers, also those that nobody looked at.
    """
    opened = with_chosen(case, seen, chosen)
    edited = changes(opened, {**opened, "answers": cast(Json, dict(answers))}, case.shape)
    content = with_chosen(case, case.content, chosen)
    for path in edited:
        place = place_of(path, case.shape)
        # Of a question of several choices the question is decided, and what forms compute nobody decides.
        if not place.shape.is_calculated and place.role != "group":
            chosen.decided.add(place.question)
    return patch(content, edited, case.shape)


def _choose_for_record(case: Case, choice: Choice, chosen: Chosen) -> None:
    _must_be_asked(case, "")
    if choice.candidate is not None:
        if choice.candidate not in case.open[""]:
            raise Problem("unknown_choice", path="")
        chosen.is_deletion = case.document.revisions[choice.candidate].deleted
    elif choice.delete:
        chosen.is_deletion = True
    elif not (choice.keep or choice.confirm):
        raise Problem("unknown_choice", path="")


def _take_candidate(case: Case, path: Path, rev: str, chosen: Chosen) -> None:
    outcome = outcome_at(case, path)
    found = next((each for each in outcome.candidates if each.rev == rev), None) if outcome else None
    if found is None or path not in case.open:
        raise Problem("unknown_choice", path=path)
    if path == ANSWERS:
        # Answers that no way leads from are taken in the words of their own version.
        content = case.document.revisions[rev].content
        chosen.values[path] = content.get("answers", {})
        chosen.version = str(content.get("form_version", ""))
    else:
        chosen.values[path] = found.value


def _replied(case: Case, path: Path, reply: Mapping[str, Json] | None) -> Value:
    if reply is None or "value" not in reply:
        raise Problem("unknown_choice", path=path)
    _must_be_place(case, path, ("atom", "choices"))
    return reply["value"]


def _kept(case: Case, path: Path) -> Value:
    row = case.row_kept(path) if path in case.open else ABSENT
    if row is ABSENT:
        raise Problem("unknown_choice", path=path)
    return row


def _must_be_place(case: Case, path: Path, roles: Sequence[str]) -> None:
    place = place_of(path, case.shape)
    spot = spot_of(case.published, place.question)
    # Files are named by answers and come from phones: nobody types one, but it can be left out.
    is_known = spot.field is not None or (path.startswith("/media/") and "row" in roles)
    if place.role not in roles or place.shape.is_calculated or not is_known or path.endswith("/_rid"):
        raise Problem("unknown_choice", path=path)


def _must_be_asked(case: Case, path: Path) -> None:
    if path not in case.open:
        raise Problem("unknown_choice", path=path)
