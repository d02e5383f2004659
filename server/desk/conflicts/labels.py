"""Labels of the places in a record, in the words of its form: for people who never saw a path.

A path is a JSON Pointer from the document's root in which a row of a repeat stands by its `_rid`, and a choice of
several by its code: `/answers/plots/<rid>/crop`, `/answers/crops/maize`, `/media/<name>`; `""` is the whole record.
A path that the form does not know keeps its own words.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from server.forms.library import PublishedForm
from server.forms.schema import Field
from sync.revisions.json_pointer import escape, pointer_to, tokens_of

#: What stands in a pattern for any row: how places of one kind are told apart from places in one row.
ANY_ROW = "*"


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a record: its question, the groups around it, and in which rows (repeat's path, `_rid`) it lies.

    `choice` is the code where the path names one choice of several; `is_row` where it names the presence of a row.
    """

    path: str
    pattern: str
    field: Field | None = None
    parents: tuple[Field, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    choice: str | None = None
    is_row: bool = False

    @property
    def labels(self) -> dict[str, str]:
        """Return the question's label by language; of one choice of several, the choice's behind it."""
        labels = dict(self.field.labels or {}) if self.field else {}
        if self.choice is None or self.field is None:
            return labels
        languages = labels or dict.fromkeys(("",), self.field.name)
        return {
            code: f"{label}: {self.field.choice_label(self.choice, code)}" if label else self.choice
            for code, label in languages.items()
        }

    @property
    def parent_labels(self) -> list[dict[str, str]]:
        """Return the labels of the groups and repeats around the question, outermost first, those that have one."""
        return [dict(each.labels) for each in self.parents if each.labels]


def spot_of(published: PublishedForm | None, path: str) -> Spot:
    """Return what stands at `path` of a record of this form version; None is a form that nobody knows here."""
    tokens = tokens_of(path)
    if published is None or not tokens or tokens[0] != "answers":
        return Spot(path, path)
    fields: Mapping[str, Field] = {each.name: each for each in published.schema.fields}
    at: Field | None = None
    parents: list[Field] = []
    rows: list[tuple[str, str]] = []
    pattern = ["", "answers"]
    choice: str | None = None
    is_row = False
    rest = iter(tokens[1:])
    for token in rest:
        found = fields.get(token)
        if found is None:
            # The choice of a question; anything deeper is not the form's.
            if at is not None and at.type == "select_multiple" and choice is None:
                choice = token
                pattern.append(escape(token))
                continue
            return Spot(path, path, None, tuple(parents))
        parents += [at] if at is not None else []
        at, is_row, fields = found, False, {each.name: each for each in found.children}
        pattern.append(escape(token))
        if found.kind == "repeat":
            row = next(rest, None)
            if row is not None:
                rows.append((found.path, row))
                pattern.append(ANY_ROW)
                is_row = True
    return Spot(path, "/".join(pattern), at, tuple(parents), tuple(rows), choice, is_row)


class Alike:
    """Knows places again that are alike but for the rows that they lie in: a queue has thousands of few kinds."""

    def __init__(self, published: PublishedForm | None) -> None:
        """Know none yet."""
        self._published = published
        self._known: dict[tuple[int, str], list[tuple[list[str], Spot]]] = {}

    def spot(self, path: str) -> Spot:
        """Return what stands at `path`, or at another path with the same pattern."""
        steps = path.split("/")
        known = self._known.setdefault((len(steps), steps[2] if len(steps) > 2 else ""), [])
        for pattern, spot in known:
            if all(one in (ANY_ROW, other) for one, other in zip(pattern, steps, strict=True)):
                return spot
        found = spot_of(self._published, path)
        # What has no rows in it is like nothing but itself, and a form that nobody knows has thousands of those.
        if found.rows:
            known.append((found.pattern.split("/"), found))
        return found


def pointer_of(answers: object, path: str) -> str:
    """Return a pointer by positions as one that names rows by their `_rid`, where they have one."""
    tokens: list[str] = []
    at = answers
    for token in tokens_of(path):
        if isinstance(at, list):
            at = at[int(token)] if token.isdigit() and int(token) < len(at) else None
            row_id = at.get("_rid") if isinstance(at, dict) else None
            tokens.append(row_id if isinstance(row_id, str) and row_id else token)
        else:
            at = at.get(token) if isinstance(at, dict) else None
            tokens.append(token)
    return pointer_to(tokens)


def row_title(spot: Spot, answers: object, of: Mapping[str, Field]) -> str | None:
    """Return what a person calls the row that a place lies in: its first answers; None where it is not there."""
    said: list[str] = []
    at: object = answers
    walked = ""
    for repeat, row_id in spot.rows:
        for token in tokens_of(repeat.removeprefix(walked)):
            at = at.get(token) if isinstance(at, dict) else None
        walked = repeat
        rows = at if isinstance(at, list) else []
        position, row = next(
            (
                (number, each)
                for number, each in enumerate(rows, 1)
                if isinstance(each, dict) and each.get("_rid") == row_id
            ),
            (0, None),
        )
        repeat_field = of.get(repeat)
        if row is None:
            return None
        words = list(_words(row, repeat_field)) if repeat_field is not None else []
        said.append(" · ".join(words[:2]) or f"#{position}")
        at = row
    return " › ".join(said) if said else None


def _words(row: Mapping[str, object], repeat: Field) -> Iterator[str]:
    for field in repeat.children:
        value = row.get(field.name)
        if field.kind == "leaf" and field.is_asked and not field.is_sensitive and isinstance(value, str) and value:
            yield field.choice_label(value, "vi")
