"""The journal that contracts are about."""

import pytest

from server.journal.journal import Journal
from server.platform.db.engine import Storage
from tests.conftest import StandingClock
from tests.contracts.building import AREA, OTHER_AREA


@pytest.fixture
async def journal(storage: Storage, clock: StandingClock) -> Journal:
    """Give a journal with two empty databases."""
    made = Journal(storage, clock)
    await made.ensure([AREA, OTHER_AREA])
    return made
