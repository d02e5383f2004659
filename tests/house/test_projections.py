"""What followers declare: their order, what they write back, and the drawing of both."""

import inspect
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from server.journal.followers.follower import Projection
from server.projections.aliases import AliasesProjection
from server.projections.branches import BranchesProjection
from server.projections.graph import in_order, mermaid
from server.projections.households import HouseholdsProjection
from server.projections.open_documents import OpenDocumentsProjection
from server.projections.records import RecordsProjection
from server.projections.worker_questions import WorkerQuestionsProjection
from server.publish.projection import PublishedProjection

ROOT = Path(__file__).parents[2]
PROJECTIONS = (
    BranchesProjection,
    RecordsProjection,
    WorkerQuestionsProjection,
    OpenDocumentsProjection,
    PublishedProjection,
    HouseholdsProjection,
    AliasesProjection,
)


@dataclass
class Declared:
    """A projection that only says what it is."""

    name: str
    after: tuple[str, ...] = ()
    writes_back: tuple[str, ...] = ()


def test_each_stands_after_those_that_it_reads_and_else_as_given() -> None:
    given = [Declared("c", ("b",)), Declared("a"), Declared("b", ("a",)), Declared("d")]
    assert [each.name for each in in_order(given)] == ["a", "b", "c", "d"]


@pytest.mark.parametrize("after", [("b",), ("nobody",)])
def test_a_circle_and_an_unknown_name_have_no_order(after: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="no order for a, b"):
        in_order([Declared("a", after), Declared("b", ("a",))])


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda each: each.name)
def test_only_who_declares_it_writes_back_into_the_journal(projection: type[Projection]) -> None:
    module = inspect.getsource(inspect.getmodule(projection) or projection)
    assert bool(re.search(r"journal\.write(_within)?\(", module)) == bool(projection.writes_back)


def test_the_architectures_drawing_is_what_projections_declare() -> None:
    declared = [Declared(each.name, each.after, each.writes_back) for each in PROJECTIONS]
    assert f"```mermaid\n{mermaid(in_order(declared))}\n```" in (ROOT / "docs/architecture.md").read_text("utf-8")
