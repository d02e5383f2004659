"""No test hangs for ever, and one that would is named."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HANGING = """
import asyncio

async def test_that_waits_for_nothing():
    await asyncio.Event().wait()

async def test_that_does_not_let_itself_be_stopped():
    async def stubborn():
        for _ in range(2):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                pass
    asyncio.create_task(stubborn())
    await asyncio.sleep(0)

def test_that_comes_after_them():
    pass
"""
CONFTEST = """
import tests.conftest
from tests.conftest import pytest_timeout_set_timer

tests.conftest.AGAIN_S = 1.0
"""


#: Long enough for what pytest does of its own before a test on a busy machine.
LIMIT_S = 3


@pytest.mark.slow
def test_a_test_that_hangs_is_ended_and_named_and_the_others_run(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST, "utf-8")
    (tmp_path / "test_hanging.py").write_text(HANGING, "utf-8")
    command = [
        "-m",
        "pytest",
        "-c",
        ROOT / "pyproject.toml",
        "--rootdir",
        tmp_path,
        "-o",
        f"timeout={LIMIT_S}",
        tmp_path,
    ]
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert re.search(r"FAILED .*test_that_waits_for_nothing", done.stdout), done.stdout
    assert re.search(r"ERROR .*test_that_does_not_let_itself_be_stopped", done.stdout), done.stdout
    assert "1 failed, 2 passed, 1 error" in done.stdout


def test_every_test_of_the_app_has_a_limit() -> None:
    config = (ROOT / "pwa/vite.config.ts").read_text("utf-8")
    assert re.search(r"\btestTimeout: [\d_]+", config)
    assert re.search(r"\bhookTimeout: [\d_]+", config)
