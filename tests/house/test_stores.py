"""A test runs on both databases, unless nothing of it can depend on which one it is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
#: What stands here is about databases.
ABOUT_STORES = {"contracts", "faults", "house"}
#: Who writes these has SQL of their own.
SQL = {"execute", "scalar", "scalars", "select"}


def marked() -> Iterator[tuple[str, ast.AST, ast.expr]]:
    """Give where `one_store` stands, what it speaks of (a test, or the whole module), and the mark."""
    for path in sorted(each for each in TESTS.rglob("*.py") if "node_modules" not in each.parts):
        source = path.read_text("utf-8")
        if path == Path(__file__) or "mark.one_store" not in source:
            continue
        tree = ast.parse(source)
        marks: list[tuple[ast.AST, ast.expr]] = []
        for node in tree.body:
            if isinstance(node, ast.Assign):
                marks.append((tree, node.value))
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                marks += [(node, mark) for mark in node.decorator_list]
        for about, mark in marks:
            if "one_store" in ast.dump(mark):
                yield str(path.relative_to(TESTS)), about, mark


def test_what_runs_on_one_store_says_why_and_has_no_sql_of_its_own() -> None:
    found = list(marked())
    assert found
    for path, about, mark in found:
        assert path.split("/")[0] not in ABOUT_STORES, f"{path} is about stores: it runs on both"
        assert isinstance(mark, ast.Call), f"{path}: one_store says why"
        assert [why for why in mark.args if isinstance(why, ast.Constant) and why.value], f"{path}: one_store says why"
        names = {node.id if isinstance(node, ast.Name) else getattr(node, "attr", "") for node in ast.walk(about)}
        assert not names & SQL, f"{path} has SQL of its own: it runs on both stores"


def test_what_is_about_stores_takes_no_turns() -> None:
    files = (path for path in TESTS.rglob("test_*.py") if path != Path(__file__))
    turned = {path.relative_to(TESTS).parts[0] for path in files if "mark.by_turns" in path.read_text("utf-8")}
    assert "server" in turned
    assert not turned & ABOUT_STORES


def test_no_folder_takes_the_fixtures_of_another() -> None:
    """An imported fixture is a second one: where both run in one process, each makes the same database."""
    taken = re.compile(r"^from tests\.\w[\w.]*\.conftest import", re.MULTILINE)
    conftests = (path for path in TESTS.rglob("conftest.py") if "node_modules" not in path.parts)
    assert not [path for path in conftests if taken.search(path.read_text("utf-8"))]
