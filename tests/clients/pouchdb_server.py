"""pouchdb-server as it comes from npm, in memory: a second opinion on what a CouchDB-like server answers."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.clients.replica import HERE, INSTALLED
from tests.e2e.live_server import free_port

START_TIMEOUT_S = 30


@contextlib.contextmanager
def pouchdb_server() -> Iterator[str]:
    """Run one for the block and give its address; everybody is its administrator."""
    assert INSTALLED.exists(), "pouchdb-server is not installed: make tests/clients/node_modules/.installed"
    node = shutil.which("node")
    assert node is not None, "there is no node on the path"
    port = free_port()
    program = HERE / "node_modules/pouchdb-server/bin/pouchdb-server"
    # It leaves config.json and log.txt in the folder where it stands.
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "output").open("wb") as output:
        process = subprocess.Popen(
            [node, str(program), "--in-memory", "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder,
            # Some of its promises fail unheard while all is well, which ends newer Nodes.
            env={**os.environ, "NODE_OPTIONS": "--unhandled-rejections=warn"},
            stdout=output,
            stderr=output,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, process, Path(folder) / "output")
            yield url
        finally:
            process.kill()
            process.wait()


def _wait(url: str, process: "subprocess.Popen[bytes]", output: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        assert process.poll() is None, output.read_text("utf-8")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url, timeout=2).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"pouchdb-server was not ready in {START_TIMEOUT_S} s:\n{output.read_text('utf-8')}")
