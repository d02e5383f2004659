"""The app over each kind of storage, as a client meets it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from litestar import Litestar

from server.db.engine import Storage
from server.settings import Settings
from tests.builders import Client, an_app, running
from tests.conftest import StandingClock


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        secret="a secret that only the tests know, 40 characters",
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
