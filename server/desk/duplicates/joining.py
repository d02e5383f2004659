"""Joining two records of one household, and parting them: what is written, field by field.

The one that stays takes fields from the other as a decision about them; the other says `same_as` which it is, and at
which revision that one stood then. Both stay in the journal with all that they ever said, and what is still edited on
the one that went lands on the one that stays (`server.projections.aliases`). Parting takes all of this back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from server.desk.conflicts.record_case import Case, extended
from server.journal.model import NewRevision
from sync.merging.field_diff import flatten, of_record, patch, value_at
from sync.merging.field_schema import ABSENT, Path, Value, place_of
from sync.merging.merge import WaitingMerge, combine
from sync.revisions.canonical import Json

ANSWERS = "/answers/"
SAME_AS = "same_as"
#: In the word: the decision about what was taken; absent where nothing was.
TOOK = "took"


@dataclass(frozen=True, slots=True)
class PairComparison:
    """Two records side by side, in the words of the form version in which the one that stays stands.

    `names` are what files of the other are called when they come over: two phones may name two photos alike.
    """

    stays: Case
    goes: Case
    content: Mapping[str, Json]
    names: Mapping[str, str]

    def mine(self, path: Path) -> Value:
        """Return what the record that stays says in a field."""
        return self.stays.value(path)

    def theirs(self, path: Path) -> Value:
        """Return what the other says there, as it would stand when it came over."""
        return _renamed(self.said(path), self.names)

    def said(self, path: Path) -> Value:
        """Return what the other says in a field, in the words of the form version of the one that stays."""
        return value_at(self.content, path, self.stays.shape, self.stays.rows)


def beside(stays: Case, goes: Case) -> PairComparison | None:
    """Return both records side by side; None where one waits, or there is no way between their form versions."""
    if isinstance(stays.combined, WaitingMerge) or isinstance(goes.combined, WaitingMerge):
        return None
    form, version = _version(stays.content)
    other_form, other_version = _version(goes.content)
    content = goes.content
    if other_form != form:
        return None
    if other_version != version:
        answers = goes.content.get("answers")
        lifted = stays.forms.lift(form, answers if isinstance(answers, dict) else {}, other_version, version)
        if lifted is None:
            return None
        content = {**goes.content, "answers": lifted}
    media = _mapping(stays.content.get("media"))
    files = _mapping(goes.content.get("media"))
    names = {name: name if media.get(name, file) == file else _other_name(name, file) for name, file in files.items()}
    return PairComparison(stays, goes, content, names)


def fields_of(both: PairComparison) -> list[Path]:
    """Return the questions that either record answers, in the form's order: of several choices the list, of rows each.

    Rows count as a whole: two people who recorded one plot gave it two identities.
    """
    shape, published = both.stays.shape, both.stays.published
    asked = {f"/answers{field.path}": field for field in published.schema.walk()} if published else {}
    order = {path: number for number, path in enumerate(asked)}
    found: dict[Path, int] = {}
    for content in (both.stays.content, both.content):
        for path in flatten(content, shape):
            place = place_of(path, shape)
            question = path.rpartition("/")[0] if place.role == "row" else place.question
            field = asked.get(question)
            if not path.startswith(ANSWERS) or place.rows or field is None or place.role in {"group", "order"}:
                continue
            if field.kind == "repeat" or (field.is_asked and not field.is_calculated and field.type != "note"):
                found[path if place.role == "row" else question] = order[question]
    return sorted(found, key=lambda path: (found[path], path))


def is_worth_taking(stays: Value, goes: Value) -> bool:
    """Whether the record that goes says something where the one that stays says nothing."""
    return stays in (ABSENT, None, []) and goes not in (ABSENT, None, [])


def joined(both: PairComparison, take: Iterable[Path], comment: str) -> list[NewRevision]:
    """Return what makes two records one: the decision about what was taken, if it changes anything, and the word."""
    stays, goes = both.stays, both.goes
    taken = {path: value for path in take if (value := both.theirs(path)) != both.mine(path)}
    written: list[NewRevision] = []
    same_as: dict[str, Json] = {"record": stays.record, "rev": stays.winner.rev}
    if taken:
        mentioned = set(_texts(list(taken.values())))
        brought = {both.names[name]: file for name, file in _mapping(goes.content.get("media")).items()}
        content = patch(stays.content, taken, stays.shape)
        content["media"] = {
            **_mapping(stays.content.get("media")),
            **{name: file for name, file in brought.items() if name in mentioned},
        }
        decided: list[Json] = [*sorted(taken)]
        decision = {**of_record(content), "decided": decided, **_because(comment)}
        written.append(NewRevision.following(stays.record, decision, stays.winner.rev))
        # Parting takes this back, and no decision that somebody had made before.
        same_as |= {"rev": written[0].rev, TOOK: written[0].rev}
    word = {**of_record(goes.content), SAME_AS: same_as, **_because(comment)}
    return [*written, NewRevision.following(goes.record, word, goes.winner.rev)]


def parted(goes: Case, stays: Case, comment: str) -> list[NewRevision]:
    """Return what makes one record two again: the word taken back, and all that came over with it."""
    alone = {**of_record(goes.content), **_because(comment)}
    del alone[SAME_AS]
    written = [NewRevision.following(goes.record, alone, goes.winner.rev)]
    came_over = [*_decision_of(goes, stays), *forwarded_from(goes.record, stays)]
    if came_over and not stays.winner.deleted:
        undoes: list[Json] = [*sorted(came_over)]
        said = {"undoes": undoes, **_because(comment)}
        # What the others say without it: asked of the engine with the undo in its place.
        provisional = NewRevision.following(stays.record, {**of_record(stays.content), **said}, stays.winner.rev)
        without = combine(extended(stays.document, [provisional]), stays.forms)
        content = stays.content if isinstance(without, WaitingMerge) else without.content
        written.append(NewRevision.following(stays.record, {**of_record(content), **said}, stays.winner.rev))
    return written


def forwarded_from(record: str, stays: Case) -> list[str]:
    """Return the revisions of the record that stays which carry later edits of the one that went."""
    found = []
    for rev, revision in stays.document.revisions.items():
        named = revision.content.get("forwarded")
        if isinstance(named, list) and named[:1] == [record] and stays.says(rev, "forwarded"):
            found.append(rev)
    return found


def _decision_of(goes: Case, stays: Case) -> list[str]:
    word = goes.content.get(SAME_AS)
    rev = word.get(TOOK) if isinstance(word, dict) else None
    known = stays.document.revisions.get(rev) if isinstance(rev, str) else None
    return [known.rev] if known is not None and stays.says(known.rev, "decided") else []


def _because(comment: str) -> dict[str, Json]:
    return {"comment": comment} if comment else {}


def _version(content: Mapping[str, Json]) -> tuple[str, str]:
    return str(content.get("form", "")), str(content.get("form_version", ""))


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _other_name(name: str, file: Json) -> str:
    """Return a name for a file where another one has its own already."""
    path = PurePosixPath(name)
    return f"{path.stem}-{str(_mapping(file).get('sha256', ''))[:8]}{path.suffix}"


def _renamed(value: Value, names: Mapping[str, str]) -> Value:
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, list):
        return [_kept(_renamed(each, names)) for each in value]
    if isinstance(value, dict):
        return {name: _kept(_renamed(each, names)) for name, each in value.items()}
    return value


def _kept(value: Value) -> Json:
    return None if value is ABSENT else value


def _texts(value: Sequence[Value]) -> Iterable[str]:
    for each in value:
        if isinstance(each, str):
            yield each
        elif isinstance(each, list):
            yield from _texts(each)
        elif isinstance(each, dict):
            yield from _texts(list(each.values()))
