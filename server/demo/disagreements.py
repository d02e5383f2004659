"""Two people who share a commune change the same records, each without having seen the other's work.

Each way of disagreeing that a data manager meets is there: the same answer, different answers, a deletion beside an
edit, an outline that both drew anew; and a record that the server keeps aside for a person, since its form version was
never published.
"""

import copy
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from server.demo import names
from server.demo.phone import Document, Phone
from server.forms.schema import FormSchema

#: Degrees by which an outline is drawn anew: some thirty metres.
SHIFT = 0.0003
#: A version that no form of the demo has.
NEVER_PUBLISHED = "2001010101"
#: What everything that is made up ends with.
MARK = " (demo)"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: a phone, and the schemas of the forms that it carries, by name."""

    phone: Phone
    schemas: Mapping[str, FormSchema]


def disagree(one: Side, two: Side, database: str, chance: random.Random) -> int:
    """Let both edit records of `database` that both hold; return about how many a person will be asked."""
    held = one.phone.documents[database].keys() & two.phone.documents[database].keys()
    here = one.phone.documents[database]
    records = [name for name in sorted(held) if here[name]["type"] == "record"]
    chance.shuffle(records)
    drawn = next((name for name in records if _paths(one, here[name], "geoshape")), None)
    asked = 0
    if drawn is not None:
        records.remove(drawn)
        document = here[drawn]
        [path, *_] = _paths(one, document, "geoshape")
        for side, shift in ((one, SHIFT), (two, -2 * SHIFT)):
            _save(side, database, document, _with(document, path, _moved(_at(document, path), shift)))
        asked += 1
    for way, record in zip((_same, _same, _different, _deleted), records, strict=False):
        asked += way(one, two, database, here[record], chance)
    return asked


def keep_aside(side: Side, database: str) -> None:
    """Save a record in a form version that was never published: the server keeps it for a person to look at."""
    documents = side.phone.documents[database]
    like = next((documents[name] for name in sorted(documents) if documents[name].get("form") in side.schemas), None)
    if like is not None:
        side.phone.save(database, like["form"], NEVER_PUBLISHED, like["answers"])


def _same(one: Side, two: Side, database: str, document: Document, chance: random.Random) -> int:
    """Both correct the village, and each says another one."""
    for side, village in zip((one, two), _other_villages(document, chance), strict=True):
        _save(side, database, document, {**document["answers"], "village": village})
    return 1


def _different(one: Side, two: Side, database: str, document: Document, chance: random.Random) -> int:
    """One corrects the village, the other a name: nobody is asked, and both corrections stand."""
    _save(one, database, document, {**document["answers"], "village": _other_villages(document, chance)[0]})
    named = [
        path for path in _paths(two, document, "text") if _is_made_up(_at(document, path)) and path[-1] != "village"
    ]
    if named:
        said = str(_at(document, named[0])).replace(MARK, f" B{MARK}")
        _save(two, database, document, _with(document, named[0], said))
    return 0


def _deleted(one: Side, two: Side, database: str, document: Document, chance: random.Random) -> int:
    """One deletes what the other corrects."""
    one.phone.delete(database, document["_id"])
    _save(two, database, document, {**document["answers"], "village": _other_villages(document, chance)[0]})
    return 1


def _other_villages(document: Document, chance: random.Random) -> list[str]:
    others = {f"{village}{MARK}" for village in names.VILLAGES} - {document["answers"].get("village")}
    return chance.sample(sorted(others), 2)


def _is_made_up(value: object) -> bool:
    return isinstance(value, str) and value.endswith(MARK)


def _save(side: Side, database: str, document: Document, answers: Mapping[str, Any]) -> None:
    side.phone.save(
        database,
        document["form"],
        document["form_version"],
        answers,
        media=document["media"],
        record=document["_id"],
    )


def _paths(side: Side, document: Document, kind: str) -> list[tuple[str, ...]]:
    """Return where the record answers questions of a type, rows of repeats left out."""
    schema = side.schemas.get(document["form"])
    if schema is None:
        return []
    paths = [tuple(leaf.path.split("/")[1:]) for leaf in schema.leaves() if leaf.type == kind]
    return [path for path in paths if isinstance(_at(document, path), str)]


def _at(document: Document, path: tuple[str, ...]) -> Any:
    value: Any = document["answers"]
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _with(document: Document, path: tuple[str, ...], value: str) -> dict[str, Any]:
    answers: dict[str, Any] = copy.deepcopy(document["answers"])
    inner = answers
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return answers


def _moved(outline: str, degrees: float) -> str:
    """Return an outline drawn a little further north; its corners stay as exact as they were."""
    corners = []
    for corner in outline.split(";"):
        latitude, *rest = corner.split()
        corners.append(" ".join([f"{float(latitude) + degrees:.7f}", *rest]))
    return "; ".join(corners)
