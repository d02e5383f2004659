"""Names in the code: one thing has one, and two things never share one."""

import ast
import functools
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for root in ("server", "sync") for path in (ROOT / root).rglob("*.py"))

#: They sound well and name nothing that a reader would look for.
VAGUE = {
    "among",
    "bell",
    "bring",
    "bringer",
    "bringing",
    "brought",
    "doors",
    "hop",
    "misc",
    "helpers",
    "several",
    "utils",
    "whole",
}


@functools.cache
def classes_of(path: Path) -> list[tuple[str, int]]:
    """Return each class of a module and its line."""
    found = (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ClassDef))
    return [(node.name, node.lineno) for node in found]


def test_modules_and_classes_are_called_what_a_reader_looks_for() -> None:
    found = []
    for path in SOURCES:
        for name in [path.stem, *(name for name, _ in classes_of(path))]:
            words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+", name)}
            if words & VAGUE:
                found.append(f"{path.relative_to(ROOT)}: {name}")
    assert found == []


def test_no_two_classes_have_one_name() -> None:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in SOURCES:
        for name, line in classes_of(path):
            found[name].append(f"{path.relative_to(ROOT)}:{line}")
    assert found
    assert {name: places for name, places in found.items() if len(places) > 1} == {}
