"""A database as a server leaves it that was started once and followed: the places are in, and nothing else.

Only the server's own id and keys are not there yet, which no two servers share. Bringing the places in takes longer
than most tests do.
"""

import tempfile
from functools import cache
from pathlib import Path

from server.areas.areas import Areas
from server.background import followers_of
from server.forms.library import FormLibrary
from server.journal.journal import Journal
from server.platform.db.engine import Storage
from server.platform.db.migrate import migrate
from server.settings import Settings
from tests.conftest import START, StandingClock, arrange

#: Signs what every server of these tests gives out.
SECRET = "a secret that only the tests know, 40 characters"


async def start(storage: Storage) -> None:
    """Bring a migrated, empty database there."""
    clock = StandingClock(START)
    journal = Journal(storage, clock)
    areas = Areas(storage, journal, clock)
    await areas.prepare()
    library = FormLibrary(storage)
    await followers_of(Settings(secret=SECRET), storage, journal, clock=clock, library=library, areas=areas).once()


@cache
def started_sqlite() -> bytes:
    """Return such a database as the content of SQLite's file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "started.sqlite"
        arrange(f"sqlite:///{path}", migrate, start)
        return path.read_bytes()
