"""Merges in the engine alone: a record of 40 answers and 3 repeats that two phones edited without knowing it.

Each document has its own values and closes as a follower would close it: edits found, fields settled, the merge and the
tombstone made with their ids. Time is the process's own; computing fields anew is the evaluator's, and not in it.
"""

import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sync.merging.document import Checked, Content, Document
from sync.merging.field_schema import FieldSchema, FieldShape, Path
from sync.merging.merge import Closing, close
from sync.revisions.graph import Graph

ANSWERS, REPEATS, ROWS = 40, 3, 3
DOCUMENTS, PIECE, ROUNDS = 500, 20, 20
#: What anybody may write: leaves that each add so many rows.
MANY_ROWS = ((2, 4000), (20, 500))


@dataclass(frozen=True, slots=True)
class Merges:
    """How fast, and how many of the merges asked a person something."""

    merges_per_s: float
    asked: int
    documents: int


class _Forms:
    """One form, without calculations."""

    def __init__(self) -> None:
        fields = {f"/question_{number:02}": FieldShape() for number in range(ANSWERS)}
        fields["/question_39"] = FieldShape("choices", "select_multiple", choices=tuple("abcdef"))
        for repeat in range(REPEATS):
            fields[f"/rows_{repeat}"] = FieldShape("repeat")
            fields |= {f"/rows_{repeat}/cell_{cell}": FieldShape() for cell in range(5)}
        self._shape = FieldSchema("bench", "1", fields)

    def shape(self, form: str, version: str) -> FieldSchema | None:
        return self._shape

    def newest(self, form: str, versions: Collection[str]) -> str:
        return max(versions)

    def lift(self, form: str, answers: Content, from_version: str, to_version: str) -> Content | None:
        return answers

    def lifted_path(self, form: str, path: Path, from_version: str, to_version: str) -> Path:
        return path

    def check(self, form: str, version: str, answers: Content) -> Checked:
        return Checked(answers)


def merges() -> Merges:
    """Measure the best of some rounds, piece by piece: what else runs on the machine is not what is asked."""
    forms = _Forms()
    seconds, asked = 0.0, 0
    for first in range(0, DOCUMENTS, PIECE):
        documents = [_document(number) for number in range(first, first + PIECE)]
        best = float("inf")
        for _ in range(ROUNDS):
            started = time.process_time()
            closings = [close(document, forms) for document in documents]
            best = min(best, time.process_time() - started)
        merges = [each.merge for each in closings if isinstance(each, Closing) and each.merge]
        assert len(merges) == PIECE
        asked += sum("open" in merge.content for merge in merges)
        seconds += best
    return Merges(DOCUMENTS / seconds, asked, DOCUMENTS)


def many_rows(leaves: int, rows: int) -> float:
    """Return the seconds that closing leaves takes which each added rows of their own; the best of some rounds."""
    start = {"_rid": "first", "cell_0": "1"}
    document, first = _saved(Document("rows", Graph(), {}), None, {"rows_0": [start]})
    for leaf in range(leaves):
        # Small rows: many of them in few bytes is what costs most.
        added = [start, *({"_rid": f"{leaf}-{row}", "cell_0": "1"} for row in range(rows))]
        document, _ = _saved(document, first, {"rows_0": added})
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        closing = close(document, _Forms())
        best = min(best, time.process_time() - started)
        assert isinstance(closing, Closing)
        assert closing.merge is not None
        assert len(closing.merge.content["answers"]["rows_0"]) == leaves * rows + 1  # type: ignore[call-overload,index,arg-type]
    return best


def _document(number: int) -> Document:
    """Return a record that one phone edited once and another one twice."""
    answers: dict[str, Any] = {f"question_{each:02}": f"answer {each} of {number}" for each in range(ANSWERS)}
    answers["question_39"] = ["a", "b"]
    for repeat in range(REPEATS):
        answers[f"rows_{repeat}"] = [_row(f"{number}-{repeat}-{row}") for row in range(ROWS)]
    document = Document(f"record-{number}", Graph(), {})
    document, first = _saved(document, None, answers)
    one = {**answers, "question_01": "corrected", "question_02": "1.2", "question_39": ["a", "b", "c"]}
    one["rows_0"] = [*answers["rows_0"], _row("new")]
    document, _ = _saved(document, first, one)
    other = {**answers, "question_03": None, "question_39": ["b"]}
    document, second = _saved(document, first, other)
    rows = [{**row, "cell_2": "counted again"} if place == 1 else row for place, row in enumerate(other["rows_1"])]
    # Every third pair also disagrees about one answer.
    disagreed = {"question_02": "0.8"} if number % 3 == 0 else {}
    document, _ = _saved(document, second, {**other, **disagreed, "rows_1": rows})
    return document


def _row(name: str) -> dict[str, Any]:
    return {"_rid": f"row-{name}", **{f"cell_{cell}": f"{name} {cell}" for cell in range(5)}}


def _saved(document: Document, parent: str | None, answers: Mapping[str, Any]) -> tuple[Document, str]:
    saved = {"by": "enrolment", "number": str(len(document.revisions)), "at": "2026-11-21T08:00:00+07:00"}
    content = {"type": "record", "form": "bench", "form_version": "1", "answers": answers, "media": {}, "saved": saved}
    # Read back, so that no two revisions share a value: comparing what is the same object costs nothing.
    written = document.following(parent, json.loads(json.dumps(content)))
    return written.document, written.revision.rev
