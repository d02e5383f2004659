"""The app over each kind of storage, as a client meets it; storages are `started` ones."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from litestar import Litestar

from server.platform.db.engine import Storage
from server.settings import Settings
from tests.builders import Client, an_app, running
from tests.conftest import StandingClock, administer, arrange, run
from tests.postgresql import Cluster
from tests.server.started import SECRET, start, started_sqlite


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "started.sqlite"
    path.write_bytes(started_sqlite())
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgresql_cluster: Cluster) -> str:
    run(administer(postgresql_cluster, "CREATE DATABASE template_started TEMPLATE template_nuong"))
    arrange(postgresql_cluster.url("template_started"), start)
    return "template_started"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        secret=SECRET,
        media_dir=tmp_path / "media",
        pwa_dir=tmp_path / "dist",
        disk_reserve_bytes=1,
        # Tests say when the followers look.
        follow=False,
    )


@pytest.fixture
def app(storage: Storage, settings: Settings, clock: StandingClock) -> Iterator[Litestar]:
    with an_app(settings, storage, clock) as furnished:
        yield furnished


@pytest.fixture
async def client(app: Litestar) -> AsyncIterator[Client]:
    async with running(app), Client(app) as opened:
        yield opened
