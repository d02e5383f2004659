"""What every test can ask for: a clock that stands until it is moved, and a migrated storage of each kind."""

import asyncio
import gc
import itertools
import os
import shutil
import signal
import zlib
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import structlog
from hypothesis import settings

from server.platform.db.engine import Storage
from server.platform.db.migrate import migrate
from tests.command_process import prepare_forks
from tests.databases import Databases, databases_of
from tests.engines import compile_once
from tests.memory import memory
from tests.postgresql import Cluster, NoPostgresql, cluster

CHOICES = {"sqlite": ["sqlite"], "postgresql": ["postgresql"], "both": ["sqlite", "postgresql"]}
STORES = CHOICES[os.environ.get("NUONG_TEST_STORES", "both")]
#: How many tests of each file are run, 0 for all of them.
FEW = int(os.environ.get("NUONG_TEST_FEW", "0"))
#: What takes turns between the stores changes them each day; every process of a run goes by the first one's day.
TURN = int(os.environ.setdefault("NUONG_TEST_TURN", str(datetime.now(UTC).toordinal())))
#: Where a test's clock stands at first.
START = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
TESTS = Path(__file__).parent
#: How long a test of these folders may take, in seconds; elsewhere it is `timeout` of pyproject.toml.
LIMITS_S = {"clients": 600, "e2e": 900, "faults": 900, "simulation": 900}
#: How long after its limit a test that still goes on is stopped again.
AGAIN_S = 60.0
#: So many more containers start a search for garbage, as in a server.
GARBAGE_AFTER = 20_000
# How long one example takes says more of the machine than of the code.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
# `make test-fast` asks for it; `make test` tries most properties four times as often.
settings.register_profile("fast", max_examples=25)
compile_once()
prepare_forks()
# pytest's own name for where the folders of tests are: each commit of SQLite waits for the disk that it is on.
if (_folder := memory()) is not None:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_folder))
# Where `rich` is installed, structlog would draw an exception with all that its frames hold: seconds for each of them.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give tests of browsers, processes and worlds the time that their folder takes; leave out what is too much."""
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder in LIMITS_S and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(LIMITS_S[folder]))
    chosen = {item for item in items if not runs_elsewhere(item)}
    if FEW:
        chosen = few_of_each_file([item for item in items if item in chosen])
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = [item for item in items if item in chosen]


def pytest_collection_finish() -> None:
    """Let modules and tests stay as they are until the end, and not look through them for garbage over and over."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)


def runs_elsewhere(item: pytest.Item) -> bool:
    """Return whether a test runs on one store, for good or today, and not on this one."""
    store = (
        item.callspec.params.get("storage") if isinstance(item, pytest.Function) and hasattr(item, "callspec") else None
    )
    if store is None:
        return False
    if item.get_closest_marker("one_store") is not None:
        return bool(store != STORES[0])
    if item.get_closest_marker("by_turns") is not None:
        # The same number for a test on either store, another one for the next of its parameters.
        number = zlib.crc32(item.nodeid.replace(str(store), "", 1).encode())
        return bool(store != STORES[(number + TURN) % len(STORES)])
    return False


def few_of_each_file(items: list[pytest.Item]) -> set[pytest.Item]:
    """Return at most `FEW` tests of each file, spread over it: the same ones every time."""
    chosen: set[pytest.Item] = set()
    for _file, group in itertools.groupby(items, lambda item: item.path):
        tests = list(group)
        few = min(FEW, len(tests))
        chosen |= {tests[len(tests) * number // few] for number in range(few)}
    return chosen


@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> Generator[None, bool, bool]:
    """Say it again and again: what swallows the first signal, or hangs while it is cleaned up, must end too."""
    done = yield
    if settings.method == "signal":
        signal.setitimer(signal.ITIMER_REAL, settings.timeout, AGAIN_S)
    return done


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
    return StandingClock(START)


@pytest.fixture(params=STORES)
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Storage]:
    """Give a storage as the templates of these tests are: a file of SQLite, then a database of PostgreSQL."""
    if request.param == "sqlite":
        opened = Storage(sqlite_copy(request.getfixturevalue("sqlite_template"), tmp_path / "nuong.sqlite"))
        yield opened
        await opened.close()
        return
    running: Cluster = request.getfixturevalue("postgresql_cluster")
    databases: Databases = request.getfixturevalue("postgresql_databases")
    name = await databases.take(request.getfixturevalue("postgresql_template"))
    opened = Storage(running.url(name), pool_size=5)
    yield opened
    await opened.close()
    databases.give_back(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file that tests copy: migrated and empty, where a folder's own tests say nothing else."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite"
    arrange(f"sqlite:///{path}", migrate)
    return path


def sqlite_copy(template: Path, path: Path) -> str:
    """Copy a template to `path`; return its URL. Migrating takes a hundred times as long."""
    shutil.copy(template, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def postgresql_cluster() -> Iterator[Cluster]:
    """Give a cluster with a migrated, empty `template_nuong`; without PostgreSQL its tests are skipped, and say why."""
    with ExitStack() as stack:
        try:
            running = stack.enter_context(cluster())
        except NoPostgresql as reason:
            pytest.skip(str(reason))
        run(administer(running, "CREATE DATABASE template_nuong"))
        arrange(running.url("template_nuong"), migrate)
        yield running


@pytest.fixture(scope="session")
def postgresql_databases(postgresql_cluster: Cluster) -> Iterator[Databases]:
    """Give what copies templates for tests."""
    with databases_of(postgresql_cluster) as databases:
        yield databases


@pytest.fixture(scope="session")
def postgresql_template(postgresql_cluster: Cluster) -> str:
    """Return the name of the database that tests copy: migrated and empty, where nothing else is said."""
    return "template_nuong"


def arrange(url: str, *steps: Callable[[Storage], Coroutine[object, object, None]]) -> None:
    """Do what makes a template of the database at `url`; nobody is connected to it afterwards."""

    async def work() -> None:
        storage = Storage(url)
        for step in steps:
            await step(storage)
        await storage.close()

    run(work())


async def administer(running: Cluster, statement: str) -> None:
    """Run a statement in the cluster's own database."""
    connection = await asyncpg.connect(host=str(running.directory), user="nuong", database="postgres")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def run(work: Coroutine[object, object, None]) -> None:
    """Do something of a fixture that lives as long as the run."""
    # In a thread of its own: the test runner has its own event loop in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()
