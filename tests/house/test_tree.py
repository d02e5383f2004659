"""The tree is what the README says it is, and holds nothing that ties it to one machine."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NPM_LOCKS = ("pwa/package-lock.json", "tests/clients/package-lock.json")
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-build.txt")


def tracked_files() -> list[str]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    return [name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def modules_imported_by(source: str) -> set[str]:
    found: set[str] = set()
    for statement in ast.walk(ast.parse(source)):
        if isinstance(statement, ast.Import):
            found |= {name.name.split(".")[0] for name in statement.names}
        elif isinstance(statement, ast.ImportFrom) and statement.module:
            found.add(statement.module.split(".")[0])
    return found


def test_the_engine_imports_only_itself_and_the_standard_library() -> None:
    allowed = set(sys.stdlib_module_names) | {"sync"}
    strangers = {
        (path.name, name)
        for path in (ROOT / "sync").rglob("*.py")
        for name in modules_imported_by(path.read_text("utf-8")) - allowed
    }
    assert not strangers


def test_the_engine_has_no_clock_no_chance_and_no_files() -> None:
    forbidden = {
        "asyncio",
        "datetime",
        "io",
        "os",
        "pathlib",
        "random",
        "secrets",
        "socket",
        "tempfile",
        "time",
        "uuid",
    }
    found = {
        (path.name, name)
        for path in (ROOT / "sync").rglob("*.py")
        for name in modules_imported_by(path.read_text("utf-8")) & forbidden
    }
    assert not found


def test_python_locks_pin_every_package_by_hash_and_name_no_address() -> None:
    for lock in LOCKS:
        text = (ROOT / lock).read_text("utf-8")
        requirements = re.split(r"\n(?=\S)", text)
        pinned = [part for part in requirements if re.match(r"[a-z0-9]", part, re.IGNORECASE)]
        assert pinned, lock
        unpinned = [part.split("\n")[0] for part in pinned if "==" not in part or "--hash=sha256:" not in part]
        assert not unpinned, f"{lock}: {unpinned}"
        assert "://" not in text, lock
        assert not re.search(r"^--", text, re.MULTILINE), f"{lock} holds an option"


@pytest.mark.parametrize("path", NPM_LOCKS)
def test_an_npm_lock_pins_every_package_by_hash_and_names_no_address(path: str) -> None:
    lock = json.loads((ROOT / path).read_text("utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name and not entry.get("link")}
    assert packages
    assert not [name for name, entry in packages.items() if "resolved" in entry]
    # A package bundled inside another one is covered by that one's hash.
    assert not [name for name, entry in packages.items() if "integrity" not in entry and not entry.get("inBundle")]


def test_no_second_kind_of_lock_file_stands_beside_these() -> None:
    foreign = {"uv.lock", "poetry.lock", "Pipfile.lock", "pdm.lock", "yarn.lock", "pnpm-lock.yaml"}
    assert not [name for name in tracked_files() if Path(name).name in foreign]


def test_everything_declared_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = {
        "requirements.txt": project["project"]["dependencies"],
        "requirements-dev.txt": project["project"]["optional-dependencies"]["dev"],
        "requirements-build.txt": project["dependency-groups"]["build"],
    }
    for lock, requirements in wanted.items():
        text = (ROOT / lock).read_text("utf-8").lower()
        names = {re.split(r"[\[<>=!~ ]", requirement)[0].lower() for requirement in requirements}
        assert not [name for name in names if not re.search(rf"^{re.escape(name)}==", text, re.MULTILINE)], lock


def test_no_file_that_is_written_by_a_build_or_a_run_is_tracked() -> None:
    made = ("pwa/dist/", "pwa/node_modules/", "tests/clients/node_modules/", ".venv/", "var/", "tests/e2e/screenshots/")
    assert not [name for name in tracked_files() if name.startswith(made) or name == ".env"]


def test_code_files_stay_short_enough_to_be_one_idea() -> None:
    long = {
        name: lines
        for name in tracked_files()
        if name.endswith((".py", ".ts", ".vue"))
        and not name.startswith("server/platform/db/migrations/versions/")
        # Made from the server's schemas.
        and name != "pwa/src/api/schema.d.ts"
        if (lines := len((ROOT / name).read_text("utf-8").splitlines())) > 400
    }
    assert not long
