"""What stands in a field that several edits changed without knowing of each other, and whether a person is asked.

One value among the candidates stands. Several go to what the form says (`max`, `min`, `append`), to the nature of the
field (a choice set beside the same cleared is set, row orders that agree on the rows they share are one order), or to a
person; until one has decided, the greatest candidate by (is a decision, generation, hash) stands, wherever the winner's
line lies. Here candidates come greatest first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Literal, TypeAlias

from sync.revision import RevisionId
from sync.shape import ABSENT, Place, Value

How: TypeAlias = Literal["only", "alike", "policy", "stands", "recomputed"]
Cause: TypeAlias = Literal[
    "value", "delete", "row", "exclusive", "asked", "parent_unknown", "form_version", "constraint", "place"
]

NUMBERS = frozenset({"integer", "decimal"})
PLACES = frozenset({"geopoint", "geotrace", "geoshape"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """An edit of a field from which no later edit of it descends, and the value that it gave."""

    rev: RevisionId
    value: Value
    is_decision: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """What stands, from which edit (None where it was made of several), how it came, and why a person is asked."""

    value: Value
    source: RevisionId | None
    how: How
    cause: Cause | None = None


def settle(  # noqa: PLR0911 - a row of the table each
    place: Place, candidates: Sequence[Candidate], base: Callable[[], Value], *, is_parent_unknown: bool = False
) -> Settled:
    """Return what stands of candidates for a place; `base` gives what the field was before all of them."""
    greatest = candidates[0]
    if place.shape.is_calculated:
        return Settled(greatest.value, greatest.rev, "recomputed")
    if len(candidates) == 1:
        return Settled(greatest.value, greatest.rev, "only")
    if _are_alike(place, candidates):
        return Settled(greatest.value, greatest.rev, "alike")
    if place.role in {"choice", "group"}:
        # Where a person must be asked about choices, the whole question is.
        given = next(candidate for candidate in candidates if candidate.value is not ABSENT)
        return Settled(given.value, given.rev, "policy")
    if is_parent_unknown:
        return Settled(greatest.value, greatest.rev, "stands", "parent_unknown")
    if place.shape.merge == "ask":
        return Settled(greatest.value, greatest.rev, "stands", "asked")
    if place.role == "atom" and (merged := _merged(place, candidates, base)) is not None:
        return merged
    cause: Cause = "place" if place.shape.type in PLACES else "value"
    return Settled(greatest.value, greatest.rev, "stands", cause)


def choices_cause(
    place: Place, lists: Sequence[Value], result: Sequence[str], *, is_parent_unknown: bool
) -> Cause | None:
    """Return why a question of several choices goes to a person, whose candidates hold these lists; None if not."""
    first = _as_set(lists[0])
    if all(_as_set(each) == first for each in lists):
        return None
    if is_parent_unknown:
        return "parent_unknown"
    if place.shape.merge == "ask":
        return "asked"
    if any(each is ABSENT for each in lists):
        return "value"
    return "exclusive" if len(result) > 1 and not place.shape.exclusive.isdisjoint(result) else None


def _as_set(value: Value) -> object:
    return frozenset(map(str, value)) if isinstance(value, list) else value


def _are_alike(place: Place, candidates: Sequence[Candidate]) -> bool:
    first, *others = (candidate.value for candidate in candidates)
    if all(other == first for other in others):
        return True
    if place.role != "order":
        return False
    return all(_agree(one, other) for position, one in enumerate([first, *others]) for other in others[position:])


def _agree(one: Value, other: Value) -> bool:
    """Whether two orders place the rows that both name alike."""
    if not isinstance(one, list) or not isinstance(other, list):
        return False
    shared = set(map(str, one)) & set(map(str, other))
    return [row for row in one if str(row) in shared] == [row for row in other if str(row) in shared]


def _merged(place: Place, candidates: Sequence[Candidate], base: Callable[[], Value]) -> Settled | None:
    merge = place.shape.merge
    if merge == "append":
        text = _appended([candidate.value for candidate in reversed(_by_revision(candidates))], base())
        return None if text is None else Settled(text, None, "policy")
    if merge not in {"max", "min"}:
        return None
    keys = [_key(place.shape.type, candidate.value) for candidate in candidates]
    # A blank, or a time with a zone beside one without, is neither more nor less.
    if None in keys or len({_kind(key) for key in keys}) > 1:
        return None
    extreme = max if merge == "max" else min
    best = keys.index(extreme(keys))  # type: ignore[type-var]
    return Settled(candidates[best].value, candidates[best].rev, "policy")


def _key(type_: str, value: Value) -> Decimal | date | time | None:
    if not isinstance(value, str):
        return None
    try:
        if type_ in NUMBERS:
            number = Decimal(value)
            return number if number.is_finite() else None
        if type_ == "date":
            return date.fromisoformat(value)
        return time.fromisoformat(value) if type_ == "time" else datetime.fromisoformat(value)
    except (InvalidOperation, ValueError):
        return None


def _kind(key: object) -> object:
    return getattr(key, "tzinfo", None) is None


def _by_revision(candidates: Sequence[Candidate]) -> list[Candidate]:
    def rank(candidate: Candidate) -> tuple[int, str]:
        generation, _, digest = candidate.rev.partition("-")
        return int(generation), digest

    return sorted(candidates, key=rank, reverse=True)


def _appended(texts: Sequence[Value], base: Value) -> str | None:
    """Return `base` with what each text added to it; None where one did something else."""
    merged = before = base if isinstance(base, str) else ""
    pieces: list[str] = []
    for text in texts:
        if not isinstance(text, str) or not text.startswith(before):
            return None
        piece = text[len(before) :]
        if piece not in pieces:
            merged += piece if not pieces or piece[:1].isspace() else "\n" + piece
            pieces.append(piece)
    return merged
