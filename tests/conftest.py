"""What every test can ask for: a clock that stands until it is moved, and a migrated storage of each kind."""

import asyncio
import itertools
import os
import shutil
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from hypothesis import settings

from server.db.engine import Storage
from server.db.migrate import migrate
from tests.postgresql import Cluster, NoPostgresql, cluster

CHOICES = {"sqlite": ["sqlite"], "postgresql": ["postgresql"], "both": ["sqlite", "postgresql"]}
STORES = CHOICES[os.environ.get("NUONG_TEST_STORES", "both")]
# How long one example takes says more of the machine than of the code.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
# `make test-fast` asks for it; `make test` tries most properties four times as often.
settings.register_profile("fast", max_examples=25)
_numbers = itertools.count(1)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests had to tell of their run (`record_property("told", …)`), whichever process ran them."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, told in getattr(report, "user_properties", ()):
                if name == "told" and report.when == "call":
                    terminalreporter.write_line(told)


@dataclass(slots=True)
class StandingClock:
    """A clock that tells the same moment until it is moved on."""

    now: datetime

    def __call__(self) -> datetime:
        """Return the moment at which it stands."""
        return self.now

    def move(self, **by: float) -> None:
        """Move on by what `timedelta` takes."""
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock(datetime(2026, 11, 21, 8, 0, tzinfo=UTC))


@pytest.fixture(params=STORES)
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Storage]:
    """Give an empty, migrated storage: a file of SQLite, then a database of PostgreSQL."""
    if request.param == "sqlite":
        opened = Storage(empty_sqlite(request.getfixturevalue("sqlite_template"), tmp_path / "nuong.sqlite"))
        yield opened
        await opened.close()
        return
    running: Cluster = request.getfixturevalue("postgresql_cluster")
    name = f"test_{next(_numbers)}"
    await administer(running, f"CREATE DATABASE {name} TEMPLATE template_nuong")
    opened = Storage(running.url(name), pool_size=5)
    yield opened
    await opened.close()
    await administer(running, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty, migrated file that tests copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite"
    _run(_migrated(f"sqlite:///{path}"))
    return path


def empty_sqlite(template: Path, path: Path) -> str:
    """Copy the empty, migrated file to `path`; return its URL. Migrating takes a hundred times as long."""
    shutil.copy(template, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def postgresql_cluster() -> Iterator[Cluster]:
    """Give a cluster with a migrated `template_nuong`; without PostgreSQL its tests are skipped, and say why."""
    with ExitStack() as stack:
        try:
            running = stack.enter_context(cluster())
        except NoPostgresql as reason:
            pytest.skip(str(reason))
        _run(administer(running, "CREATE DATABASE template_nuong"))
        _run(_migrated(running.url("template_nuong")))
        yield running


async def _migrated(url: str) -> None:
    storage = Storage(url)
    await migrate(storage)
    await storage.close()


async def administer(running: Cluster, statement: str) -> None:
    """Run a statement in the cluster's own database."""
    connection = await asyncpg.connect(host=str(running.directory), user="nuong", database="postgres")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _run(work: Coroutine[object, object, None]) -> None:
    # In a thread of its own: the test runner has its own event loop in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()
