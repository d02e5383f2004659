"""The merge policy: the value of a field that concurrent edits changed, and whether a person is asked.

One value among the candidates stands. Several go to what the form says (`max`, `min`, `append`), to the nature of the
field (a choice set beside the same cleared is set, row orders that agree on the rows they share are one order), or to a
person; until one has decided, the greatest candidate by (is a decision, generation, hash) stands, wherever the winner's
line lies. Here candidates come greatest first.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal, NamedTuple, TypeAlias

from sync.merging.field_schema import ABSENT, FieldPlace, Value
from sync.merging.values import chosen, is_choices, is_object
from sync.revisions.canonical import same
from sync.revisions.revision_id import RevisionId, order_of

How: TypeAlias = Literal["only", "alike", "policy", "stands", "recomputed"]
Cause: TypeAlias = Literal[
    "value", "delete", "row", "exclusive", "asked", "parent_unknown", "form_version", "constraint", "place"
]

NUMBERS = frozenset({"integer", "decimal"})
PLACES = frozenset({"geopoint", "geotrace", "geoshape"})

_CLOCK = r"([0-9]{2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]+)?))?(Z|([+-])([0-9]{2}):?([0-9]{2}))?"
_MOMENT = re.compile(rf"(?:([0-9]{{4}})-([0-9]{{2}})-([0-9]{{2}}))?(?:(?:^|T){_CLOCK})?").fullmatch


# Made for every field of every merge; a frozen dataclass takes three times as long to make.
class Candidate(NamedTuple):
    """An edit of a field from which no later edit of it descends, and the value that it gave."""

    rev: RevisionId
    value: Value
    is_decision: bool


class Settled(NamedTuple):
    """The value, from which edit (None where it was made of several), how it came, and why a person is asked."""

    value: Value
    source: RevisionId | None
    how: How
    cause: Cause | None = None


def settle(  # noqa: PLR0911 - a row of the table each
    place: FieldPlace, candidates: Sequence[Candidate], base: Callable[[], Value], *, is_parent_unknown: bool = False
) -> Settled:
    """Return what stands of candidates for a place; `base` gives what the field was before all of them."""
    greatest = candidates[0]
    if place.shape.is_calculated:
        return Settled(greatest.value, greatest.rev, "recomputed")
    if len(candidates) == 1:
        return Settled(greatest.value, greatest.rev, "only")
    if (alike := _alike(place, candidates)) is not None:
        return Settled(alike.value, alike.rev, "alike")
    if place.role == "choice" or (place.role == "group" and all(is_object(each.value) for each in candidates)):
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
    place: FieldPlace, lists: Sequence[Value], result: Sequence[str], *, is_parent_unknown: bool
) -> Cause | None:
    """Return why a question of several choices goes to a person, whose candidates hold these lists; None if not.

    `result` is what their choices come to together. Also a single candidate can be asked about: somebody else's choice
    joins it where the decision that had ruled it out is taken back.
    """
    if are_same_choices(lists):
        if not is_choices(lists[0]) or set(chosen(lists[0])) == set(result):
            return None
    elif is_parent_unknown:
        return "parent_unknown"
    elif place.shape.merge == "ask":
        return "asked"
    elif any(each is ABSENT or not is_choices(each) for each in lists):
        return "value"
    return "exclusive" if len(result) > 1 and not place.shape.exclusive.isdisjoint(result) else None


def are_same_choices(lists: Sequence[Value]) -> bool:
    """Whether answers to a question of several choices chose the same."""
    first = _as_set(lists[0])
    return all(_as_set(each) == first for each in lists)


def _as_set(value: Value) -> object:
    return frozenset(map(str, value)) if isinstance(value, list) else value


def _alike(place: FieldPlace, candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the candidate that stands of those that say the same; None where they don't."""
    first, *others = (candidate.value for candidate in candidates)
    if all(same(first, other) for other in others):
        return candidates[0]
    if place.role != "order":
        return None
    # Rows that somebody found not relevant are a matter of the rows, not of their order.
    placing = [candidate for candidate in candidates if candidate.value is not ABSENT]
    orders = _shared([candidate.value for candidate in placing])
    is_one = all(_agree(one, other) for position, one in enumerate(orders) for other in orders[position:])
    return placing[0] if is_one else None


def _shared(orders: Sequence[Value]) -> list[Value]:
    """Return the orders without the rows that one of them alone names: linear where many added many."""
    named = Counter(str(row) for order in orders if isinstance(order, list) for row in order)
    return [[row for row in order if named[str(row)] > 1] if isinstance(order, list) else order for order in orders]


def _agree(one: Value, other: Value) -> bool:
    """Whether two orders place the rows that both name alike."""
    if not isinstance(one, list) or not isinstance(other, list):
        return False
    shared = set(map(str, one)) & set(map(str, other))
    return [row for row in one if str(row) in shared] == [row for row in other if str(row) in shared]


def _merged(place: FieldPlace, candidates: Sequence[Candidate], base: Callable[[], Value]) -> Settled | None:
    merge = place.shape.merge
    if merge == "append":
        text = _appended([candidate.value for candidate in reversed(_by_revision(candidates))], base())
        return None if text is None else Settled(text, None, "policy")
    if merge not in {"max", "min"}:
        return None
    amounts = [_amount(place.shape.type, candidate.value) for candidate in candidates]
    known = [amount for amount in amounts if amount is not None]
    # A blank, or a time with a zone beside one without, is neither more nor less.
    if len(known) < len(amounts) or len({amount.has_zone for amount in known}) > 1:
        return None
    numbers = [amount.number for amount in known]
    best = candidates[numbers.index(max(numbers) if merge == "max" else min(numbers))]
    return Settled(best.value, best.rev, "policy")


@dataclass(frozen=True, slots=True)
class _Amount:
    """The sort key of `max` and `min`: a number, for moments in seconds."""

    number: Decimal
    has_zone: bool = False


def _amount(type_: str, value: Value) -> _Amount | None:
    if not isinstance(value, str):
        return None
    if type_ in NUMBERS:
        try:
            number = Decimal(value)
        except InvalidOperation:
            return None
        return _Amount(number) if number.is_finite() else None
    return _moment(value)


def _moment(text: str) -> _Amount | None:
    """Return a date, a time or both in seconds, at Greenwich where a zone is named."""
    read = _MOMENT(text)
    if read is None or not text:
        return None
    year, month, day, hours, minutes, seconds = (Decimal(part or 0) for part in read.group(1, 2, 3, 4, 5, 6))
    sign, zone_hours, zone_minutes = read.group(8, 9, 10)
    # Counted from March, as the calendar of the Romans was, leap days come last (Howard Hinnant, days_from_civil).
    year, month = (year - 1, month + 9) if month <= 2 else (year, month - 3)
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 + day
    zone = Decimal(f"{sign}1") * (int(zone_hours) * 60 + int(zone_minutes)) if sign else Decimal()
    return _Amount(days * 86_400 + hours * 3600 + (minutes - zone) * 60 + seconds, read.group(7) is not None)


def _by_revision(candidates: Sequence[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda each: order_of(each.rev), reverse=True)


def _appended(texts: Sequence[Value], base: Value) -> str | None:
    """Return `base` with what each text added to it; None where one did something else."""
    merged = before = base if isinstance(base, str) else ""
    pieces: list[str] = []
    for text in texts:
        if not isinstance(text, str) or not text.startswith(before):
            return None
        piece = text[len(before) :]
        if piece and piece not in pieces:
            merged += piece if not pieces or piece[:1].isspace() else "\n" + piece
            pieces.append(piece)
    return merged
