"""`nuong` commands in processes of their own, forked from one that has imported everything: importing takes seconds."""

import multiprocessing
import os
import sys
from dataclasses import dataclass
from pathlib import Path

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["server.cli"])


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it wrote; `code` is None where it was still running and was killed."""

    code: int | None
    written: str


def run_command(words: list[str], environment: dict[str, str], typed: str, folder: Path, limit_s: float) -> Ended:
    """Run `nuong WORDS` for `limit_s` at most; `folder` keeps its input and output."""
    given, written = folder / "given", folder / "written"
    given.write_text(typed, "utf-8")
    process = _processes.Process(target=_work, args=(words, environment, given, written))
    process.start()
    process.join(limit_s)
    code = process.exitcode
    process.kill()
    process.join()
    return Ended(code, written.read_text("utf-8"))


def _work(words: list[str], environment: dict[str, str], given: Path, written: Path) -> None:
    # Here alone: whoever asks for commands need not know the server's code.
    from server.cli import main

    os.environ.clear()
    os.environ.update(environment)
    with given.open("r", encoding="utf-8") as input_, written.open("w", encoding="utf-8") as output:
        sys.stdin, sys.stdout, sys.stderr = input_, output, output
        sys.argv = ["nuong", *words]
        main()
