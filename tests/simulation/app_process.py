"""The app's own replication and storage in a Node process, driven over lines of JSON (`pwa/tests/simulated`).

The process does nothing but answer: it reads a line, lets a phone work until it waits for what comes from outside, and
says what that is. So nothing of its own timing reaches a story. What is built of the app is kept beside `node_modules`,
under a name made from all that it was built from.
"""

import base64
import hashlib
import json
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

APP = Path(__file__).parents[2] / "pwa"
SCRIPT = APP / "scripts" / "simulated-phone.mjs"
_BUILT = APP / "node_modules" / ".cache" / "simulated-phone"
_BUILD_S = 120


class AppBroken(AssertionError):
    """The app, or the browser around it, did what it never should: an error that nobody handled."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A text of one file of the app (under `pwa/src`) and what stands in its place in a build."""

    file: str
    old: str
    new: str


def build(mistake: Mistake | None = None) -> Path:
    """Return the folder with the built app, built now if nothing of it is kept; raises AppBroken if it can't be."""
    told = [] if mistake is None else [json.dumps({"file": mistake.file, "from": mistake.old, "to": mistake.new})]
    folder = _BUILT / _digest(*told)
    if folder.is_dir():
        return folder
    _BUILT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_BUILT) as made:
        done = subprocess.run(
            ["node", SCRIPT, Path(made, "app"), *told], capture_output=True, text=True, timeout=_BUILD_S, check=False
        )
        if done.returncode != 0:
            raise AppBroken(f"the app cannot be built: {done.stdout}{done.stderr}")
        # Another worker may have been faster.
        if not folder.is_dir():
            Path(made, "app").rename(folder)
    return folder


def _digest(*more: str) -> str:
    files = [SCRIPT, APP / "package-lock.json"]
    for place in ("src/api", "src/domain", "src/replication", "src/storage", "tests/simulated"):
        files += sorted(APP.joinpath(place).rglob("*.ts"))
    digest = hashlib.sha256("\0".join(more).encode())
    for file in files:
        digest.update(f"\0{file.relative_to(APP)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:32]


@dataclass(slots=True)
class AppProcess:
    """A Node process in which a world's phones run; `questions` answer what a phone asks of the world."""

    process: subprocess.Popen[bytes]
    questions: Callable[[dict[str, Any]], Any]

    @classmethod
    def start(cls, mistake: Mistake | None = None) -> Self:
        """Start a process with the app, or with the app and a mistake in it."""
        command = ["node", str(build() / "main.mjs"), str(build(mistake) / "app.js")]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

        def nobody(question: dict[str, Any]) -> Any:
            raise AppBroken(f"nobody answers {question}")

        return cls(process, nobody)

    def stop(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)

    def say(self, **line: Any) -> dict[str, Any]:
        """Ask for one thing and return what came of it; raises AppBroken for an error of the app's surroundings."""
        self._write(line)
        while "ask" in (answer := self._read()):
            self._write(self.questions(answer))
        if "broken" in answer or answer.get("unhandled"):
            raise AppBroken(answer.get("broken") or "\n".join(answer["unhandled"]))
        return answer

    def _write(self, line: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AppBroken("the process of the app has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer


def encoded(data: bytes) -> str:
    """Return bytes as they stand in a line."""
    return base64.b64encode(data).decode()
