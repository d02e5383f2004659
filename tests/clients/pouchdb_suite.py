"""PouchDB's own integration tests against a server of ours: `make pouchdb-suite SUITE=<a checkout of PouchDB>`.

The suite is no part of any package, so it is kept outside of this tree: a checkout of PouchDB at 9.0.0 in which
`npm install` and `npm run build-modules` have run. Its tests for databases over HTTP run here, each in a database that
an administrator makes. Those that need functions of design documents fail, since none is run here.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from tests.bench.arrangement import ADMINISTRATOR
from tests.builders import PASSWORD
from tests.clients.province import arrange

RUNNER = "bin/test-node.sh"
TESTS_TIMEOUT_S = 3600


def run(suite: Path, grep: str) -> int:
    """Run the tests whose names match `grep`, and return how they ended; what they print is theirs."""
    if not (suite / RUNNER).is_file():
        print(f"{suite} is no checkout of PouchDB: {RUNNER} is not there.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder, contextlib.contextmanager(arrange)(Path(folder), 1) as province:
        scheme, _, host = province.server.url.partition("://")
        told = {
            "CLIENT": "node",
            "TYPE": "integration",
            "ADAPTERS": "http",
            # Its name for a server that answers as the newest CouchDB does.
            "SERVER": "couchdb-master",
            "COUCH_HOST": f"{scheme}://{ADMINISTRATOR}:{quote(PASSWORD, safe='')}@{host}/db",
            "BAIL": "0",
            "GREP": grep,
        }
        return subprocess.run(
            ["bash", RUNNER], cwd=suite, env={**os.environ, **told}, timeout=TESTS_TIMEOUT_S, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]).resolve(), sys.argv[2] if len(sys.argv) > 2 else ""))
