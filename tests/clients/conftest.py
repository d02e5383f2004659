"""What every test here starts from: a real server process with people in its communes, and a PouchDB beside it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.clients.province import COMMUNES, Province, arrange
from tests.clients.replica import Replica, replica


@pytest.fixture(scope="session")
def province(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    """Give the province that all tests share which let its server live."""
    yield from arrange(tmp_path_factory.mktemp("province"), COMMUNES)


@pytest.fixture
def shaky(tmp_path: Path) -> Iterator[Province]:
    """Give a province of the test's own, whose server it may kill."""
    yield from arrange(tmp_path, 4)


@pytest.fixture
async def pouch() -> AsyncIterator[Replica]:
    """Give a Node process with PouchDB."""
    async with replica() as started:
        yield started
