"""The journal's write: the same on SQLite and PostgreSQL."""

from server.db.engine import Storage
from server.revisions.journal import Journal
from server.revisions.model import NewRevision, Origin
from tests.conftest import StandingClock

AREA = "agri-03226-2025"
SOMEBODY = Origin("person-1", "enrolment-1")


async def test_the_same_batch_twice_burns_no_sequence(storage: Storage, clock: StandingClock) -> None:
    journal = Journal(storage, clock)
    await journal.ensure([AREA])
    batch = [NewRevision.following(f"doc-{n}", {"type": "record", "n": str(n)}, None) for n in range(5)]
    first = await journal.write(AREA, batch, SOMEBODY)
    state = await journal.state(AREA)
    second = await journal.write(AREA, batch, SOMEBODY)
    assert [one.outcome for one in first] == ["stored"] * 5
    assert [one.outcome for one in second] == ["duplicate"] * 5
    assert await journal.state(AREA) == state
    assert state.seq == 5
