"""Writes the next migration from what the code's tables have and the migrations lack: `make migration NAME="…"`.

What it writes is a draft: read it, and add what data must move.
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

import server.app  # noqa: F401  (registers every stage's tables)
from server.platform.db.engine import Storage
from server.platform.db.migrate import MIGRATIONS, configuration, migrate


async def write(name: str) -> Path:
    """Return the file of the new migration, which follows the present head."""
    before = set(MIGRATIONS.glob("versions/*.py"))
    number = len(list(ScriptDirectory(str(MIGRATIONS)).walk_revisions())) + 1
    with tempfile.TemporaryDirectory() as folder:
        storage = Storage(f"sqlite:///{folder}/nuong.db")
        await migrate(storage)
        async with storage.write() as connection:
            await connection.run_sync(
                lambda sync: command.revision(configuration(sync), name, autogenerate=True, rev_id=f"{number:04}")
            )
        await storage.close()
    (path,) = set(MIGRATIONS.glob("versions/*.py")) - before
    return path


def tidy(path: Path) -> None:
    """Put the file into the shape of the rest of the code."""
    for step in (["check", "--fix-only", "--select", "I,F401"], ["format"]):
        subprocess.run([sys.executable, "-m", "ruff", *step, "--quiet", str(path)], check=True)


if __name__ == "__main__":
    written = asyncio.run(write(sys.argv[1]))
    tidy(written)
    print(written)
