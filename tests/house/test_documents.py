"""The pages for people say what the code does: commands, settings and the version are compared with their sources."""

import functools
import re
import tomllib
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from server.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])


@functools.cache
def tests_that_there_are() -> frozenset[str]:
    """Return every test's name; read once, for the folder of the clients holds thousands of others' files."""
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    return frozenset(re.findall(r"def (test_[a-z0-9_]+)\(", sources))


def version() -> str:
    found: str = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_command_on_a_page_exists_and_is_explained(page: Path) -> None:
    explained = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)(?=[`\s])", page.read_text("utf-8")))
    # In running text "make" is also a verb; a command stands in code.
    in_code = {name for name in named if re.search(rf"(`|^\s*)make {name}\b", page.read_text("utf-8"), re.MULTILINE)}
    assert in_code <= explained


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_it(page: Path) -> None:
    targets = re.findall(r"\]\((?!\w+:|#)([^)#]+)", page.read_text("utf-8"))
    assert not [target for target in targets if not (page.parent / target).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_folder_and_file_that_a_page_names_exists(page: Path) -> None:
    named = re.findall(r"`((?:server|sync|pwa|tests|docs|deploy)/[\w./-]*)`", page.read_text("utf-8"))
    # The built app stands where it is named only after the build.
    assert not [name for name in named if not (ROOT / name).exists() and not name.startswith("pwa/dist")]


@pytest.mark.parametrize("page", [*PAGES, ROOT / "sync" / "README.md"], ids=lambda page: str(page.relative_to(ROOT)))
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    named = set(re.findall(r"`(test_[a-z0-9_]+)`", page.read_text("utf-8")))
    assert not named - tests_that_there_are()


def test_readme_shows_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert "make demo" in text
    assert "make test" in text


def test_readmes_code_map_shows_every_folder_of_the_code() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    stages = [path for path in (ROOT / "server").iterdir() if (path / "__init__.py").exists()]
    assert not [path.name for path in stages if f"`server/{path.name}/`" not in text]
    assert not [name for name in ("sync", "pwa", "tests", "docs") if f"`{name}/`" not in text]


def test_changelog_tells_of_the_present_version_and_of_the_wire() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    section = re.search(rf"^## \[{re.escape(version())}\].*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, f"CHANGELOG.md has no section for {version()}"
    assert "protocol 1" in section[0]


def settings_table() -> dict[str, str]:
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    rows = re.findall(rf"^\| `({PREFIX}\w+)` \| (.*?) \|", text, re.MULTILINE)
    return {name: default.strip("`") for name, default in rows}


def written(value: object) -> str:
    """Return a default the way the table writes it."""
    assert value is not PydanticUndefined, "a setting without a default must say so in the table's words"
    if value is None:
        return "none"
    assert not isinstance(value, SecretStr), "a secret has a default"
    return str(value)


def test_operations_lists_every_setting_with_its_default() -> None:
    expected = {f"{PREFIX}{name.upper()}": written(field.default) for name, field in Settings.model_fields.items()}
    assert settings_table() == expected
