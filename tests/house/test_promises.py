"""What pages name as `path::name` is there: tests that hold what is promised, and functions on the way of a record.

Also the other way round: a test that is named after an invariant stands on the invariants' page, in the field of the
matrix that says yes.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import server.app  # noqa: F401  (registers every stage's tables)
from server.platform.clock import system_clock
from server.platform.db.engine import Storage
from server.platform.db.metadata import metadata
from tests.surveys import Province

ROOT = Path(__file__).parents[2]
EXCHANGE = ROOT / "pwa" / "src" / "replication" / "table.ts"
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), ROOT / "sync" / "README.md", EXCHANGE])
NAMED = re.compile(r"`([\w./-]+\.(?:py|ts|vue))::([^`]+)`")
INVARIANTS = ROOT / "docs" / "invariants.md"
LAYERS = ("engine", "server", "phone", "simulation")
THREATS = ROOT / "docs" / "threat-model.md"


def is_there(path: str, name: str) -> bool:
    """Whether a file has this function, class or method, or in a test of the app a title with these words."""
    file = ROOT / path
    if not file.is_file():
        return False
    text = file.read_text("utf-8")
    if path.endswith(".test.ts"):
        return re.search(rf"\b(?:test|describe)\b[^\n]*(?:\([^\n]*)?['`][^\n]*{re.escape(name)}", text) is not None
    if path.endswith(".py"):
        *owner, last = name.split(".")
        owned = not owner or re.search(rf"^class {owner[0]}\b", text, re.MULTILINE)
        return bool(owned) and re.search(rf"^\s*(?:async )?(?:def|class) {last}\b", text, re.MULTILINE) is not None
    return re.search(rf"\b(?:function|const|class) {re.escape(name)}\b", text) is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_test_and_function_that_a_page_names_with_its_file_is_there(page: Path) -> None:
    named = NAMED.findall(page.read_text("utf-8"))
    assert not [f"{path}::{name}" for path, name in named if not is_there(path, name)]


def test_what_is_not_there_is_noticed() -> None:
    assert is_there("tests/house/test_promises.py", "is_there")
    assert not is_there("tests/house/test_promises.py", "is_not_there")
    assert not is_there("tests/house/test_nothing.py", "is_there")


def test_every_protection_of_the_threat_model_names_what_holds_it() -> None:
    rows = re.findall(r"^\| (?!protection |---)(.+) \| (.*) \|$", THREATS.read_text("utf-8"), re.MULTILINE)
    assert rows
    assert not [claim for claim, held in rows if not NAMED.search(held)]


def test_everything_that_must_hold_of_the_exchange_names_what_holds_it() -> None:
    rows = re.findall(r"^ \* \| (\w.+) \| (.*) \|$", EXCHANGE.read_text("utf-8"), re.MULTILINE)
    assert len(rows) > 10
    assert not [claim for claim, held in rows if not NAMED.search(held)]


def sections() -> Iterator[tuple[str, Mapping[str, list[str]]]]:
    """Give each invariant's section: what is named, by the layer in whose rows it stands."""
    for section in re.split(r"^## ", INVARIANTS.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        number, _, rest = section.partition("\n")
        found: dict[str, list[str]] = defaultdict(list)
        layer = ""
        for told, path, name in re.findall(r"^\| (\w*) ?\| `([^:`]+)::([^`]+)` \|$", rest, re.MULTILINE):
            layer = told or layer
            found[layer].append(f"{path}::{name}")
        yield number, found


def test_the_matrix_of_invariants_says_yes_where_something_holds_it() -> None:
    marks = " ".join(r"\| (\S+)" for _ in LAYERS)
    rows = re.findall(rf"^\| \*\*(I\d+)\*\* \|.*? {marks} \|$", INVARIANTS.read_text("utf-8"), re.MULTILINE)
    told = {number: {layer for layer, mark in zip(LAYERS, row, strict=True) if mark == "yes"} for number, *row in rows}
    assert told == {number: set(found) for number, found in sections()}
    assert list(told) == [f"I{number}" for number in range(1, 11)]


def test_every_test_that_is_named_after_an_invariant_stands_on_the_page() -> None:
    told = {(number.lower(), each) for number, found in sections() for named in found.values() for each in named}
    named_so = {
        (match[2] or match[3], f"{path.relative_to(ROOT)}::{match[1]}")
        for path in (ROOT / "tests").rglob("test_*.py")
        for match in re.finditer(r"def (test_(?:(i\d+)_\w+|\w+_(i\d+)))\(", path.read_text("utf-8"))
    }
    assert named_so
    assert not named_so - told


def test_the_drawn_data_model_shows_tables_and_columns_that_there_are() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    [drawn] = re.findall(r"^erDiagram\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    names = {name for pair in re.findall(r"^  (\w+) [|}][|o]--[|o][|{] (\w+) :", drawn, re.MULTILINE) for name in pair}
    assert names
    assert not names - set(metadata.tables)
    for table, columns in re.findall(r"(\w+) \{([^}]*)\}", drawn):
        shown = set(re.findall(r"^\s*\w+ (\w+)", columns, re.MULTILINE))
        assert not shown - set(metadata.tables[table].columns.keys()), table


async def test_the_followers_are_told_in_their_order_with_their_modules(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    told = re.findall(r"^\| \d+ \| `(\w+)`, `([\w/]+\.py)` \|", text, re.MULTILINE)
    storage = Storage(f"sqlite:///{tmp_path / 'nuong.db'}")
    runner = Province(storage, system_clock).runner
    await storage.close()
    assert [name for name, _ in told] == [follower.name for follower in runner.followers]
    for name, module in told:
        assert f'NAME = "{name}"' in (ROOT / "server" / module).read_text("utf-8"), module
