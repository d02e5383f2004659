"""What must hold of a storage after any fault, read beside the server while it is dead or at rest."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import select

from server.gateway.sync.numbers import Numbers
from server.gateway.sync.progress import load_progress
from server.journal.followers.tables import checkpoints
from server.journal.journal import Journal
from server.platform.clock import system_clock
from server.platform.db.engine import Storage
from sync.revisions.canonical import canonical
from tests.faults.fieldwork import Acknowledged, Fieldwork

MEMBERS = ("_id", "_rev", "_deleted")


@dataclass(frozen=True, slots=True)
class Found:
    """How much was looked at."""

    saves: int
    revisions: int


async def inspect(url: str, work: Fieldwork) -> Found:
    """Check everything that was ever acknowledged against the storage; return how much that was."""
    storage = Storage(url, pool_size=2)
    try:
        return await _inspect(storage, work)
    finally:
        await storage.close()


async def _inspect(storage: Storage, work: Fieldwork) -> Found:
    journal = Journal(storage, system_clock)
    numbers: Counter[tuple[str, str]] = Counter()
    contents: dict[tuple[str, str, str], bytes] = {}
    for database in work.databases:
        assert await journal.faults(database) == []
        changes = await journal.changes(database)
        for doc_id, history in (await journal.histories(database, [row.doc_id for row in changes.rows])).items():
            for revision in history:
                contents[database, doc_id, revision.rev] = revision.content
                if revision.enrolment is not None and revision.number is not None:
                    numbers[revision.enrolment, revision.number] += 1
    lost = [save for save in work.acknowledged if not _is_here(save, contents)]
    assert not lost, f"{len(lost)} acknowledged saves are not here as they were, the first after fault {lost[0].fault}"
    assert [number for number, count in numbers.items() if count > 1] == [], "a save was stored twice"
    assert await journal.quarantined() == []
    await _numbers_are_those_of_revisions(storage, work, numbers)
    await _nobody_is_ahead(storage, journal, work)
    return Found(len(work.acknowledged), len(contents))


def _is_here(save: Acknowledged, contents: dict[tuple[str, str, str], bytes]) -> bool:
    body = {name: value for name, value in save.document.items() if name not in MEMBERS}
    return contents.get((save.database, save.doc_id, save.rev)) == canonical(body)


async def _numbers_are_those_of_revisions(storage: Storage, work: Fieldwork, numbers: Counter[tuple[str, str]]) -> None:
    """What an enrolment is said to have brought moves in the transaction that stores it, so never apart from it."""
    async with storage.read() as connection:
        for phone in work.phones:
            progress = await load_progress(connection, phone.enrolment)
            stored = Numbers.of(int(number) for enrolment, number in numbers if enrolment == phone.enrolment)
            assert (progress.received if progress else Numbers()) == stored


async def _nobody_is_ahead(storage: Storage, journal: Journal, work: Fieldwork) -> None:
    """A checkpoint, a follower's or a phone's, stands at a sequence that the feed really has."""
    ends = {state.name: state.seq for state in await journal.databases()}
    async with storage.read() as connection:
        followers = (await connection.execute(select(checkpoints))).all()
    assert [row for row in followers if row.seq > ends[row.database]] == []
    for phone in work.phones:
        for database, since in phone.since.items():
            seq = int(since.partition("-")[0])
            assert await journal.position(database, since) == seq, f"{since} is not in the chain of {database}"
