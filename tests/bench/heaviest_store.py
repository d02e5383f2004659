"""What the heaviest requests meet: thousands of records, long ones, torn ones, and a database without forms."""

import copy
import itertools
from dataclasses import dataclass, replace
from typing import Any

from server.app import create_app
from server.areas.areas import Areas
from server.areas.grants import Grant
from server.background import followers_of
from server.forms.library import FormLibrary
from server.journal.journal import Journal
from server.journal.model import NewRevision, Origin
from server.platform.canonical_json import canonical
from server.platform.clock import system_clock
from server.platform.db.engine import Storage
from server.platform.db.upsert import put
from server.platform.ids import uuid7
from server.read_model.household_tables import likenesses
from server.settings import Settings
from sync.contract.roles import Role
from sync.revisions.revision_id import revision_id
from tests.bench import record_set
from tests.bench.arrangement import Bench
from tests.builders import PASSWORD, PROVINCE, Client, add_person, grant, running

RECORDS, CONFLICTS, LONG_ROWS, BRANCHES, TORN_ROWS, PLAIN_DOCUMENTS = 4_000, 1_000, 1_500, 20, 300, 4_000
BATCH = 500
#: The question that all conflicts are about.
ASKED = "/answers/land/area_m2"
PLAIN = "notes"
DESK, ADMINISTRATOR, HUB = "manager", "everything", "hub"


@dataclass(frozen=True, slots=True)
class Arranged:
    """What is there: a scope with ids of its plain records, of two long ones that form a pair, and of a torn one."""

    database: str
    records: list[str]
    long: tuple[str, str]
    torn: str
    plain: list[str]
    set: list[dict[str, Any]]


async def arrange(started: Bench) -> Arranged:
    """Fill the store of a server that stands still."""
    settings = Settings(
        database_url=started.server.database_url,
        media_dir=started.server.folder / "media",
        secret_file=started.server.folder / "secret",
    )
    storage = Storage(settings.database_url)
    app = create_app(settings, storage)
    async with running(app), Client(app) as client:
        roles: tuple[Role, ...] = ("data_manager", "supervisor")
        await add_person(client, DESK, *(grant(role, unit=PROVINCE) for role in roles))
        await add_person(client, ADMINISTRATOR, Grant("administrator", "*", PROVINCE))
        await add_person(client, HUB, grant("peer", unit=PROVINCE))
        made = await client.put(f"/db/{PLAIN}", auth=(ADMINISTRATOR, PASSWORD))
        assert made.status_code == 201, made.text
    # Nobody else's followers work meanwhile.
    journal, library = Journal(storage, system_clock), FormLibrary(storage)
    found = await _filled(journal, started.database())
    notes = [_note(f"note{number:05}") for number in range(PLAIN_DOCUMENTS)]
    await _written(journal, PLAIN, notes)
    areas = Areas(storage, journal, system_clock)
    await followers_of(settings, storage, journal, clock=system_clock, library=library, areas=areas).once()
    one, other = sorted(found.long)
    pair = {"database": found.database, "one": one, "other": other, "form": record_set.FORM, "score": 9.0}
    async with storage.write() as connection:
        await put(connection, likenesses, [{**pair, "agreements": [], "verdict": "open"}])
    await storage.close()
    return replace(found, plain=[each.doc_id for each in notes])


async def _filled(journal: Journal, database: str) -> Arranged:
    records = record_set.load()
    set_ = itertools.cycle(records)
    plain = [_following(uuid7(system_clock), next(set_)) for _ in range(RECORDS)]
    asked = [one for _ in range(CONFLICTS) for one in _disagreeing(next(set_))]
    long = [_following(uuid7(system_clock), _with_rows(next(set_), LONG_ROWS)) for _ in range(2)]
    torn = _torn(_with_rows(next(set_), TORN_ROWS))
    approvals = [_approved(each) for each in plain]
    await _written(journal, database, [*plain, *asked, *long, *torn])
    await _written(journal, database, approvals, "khang")
    ids = [each.doc_id for each in plain]
    return Arranged(database, ids, (long[0].doc_id, long[1].doc_id), torn[0].doc_id, [], records)


async def _written(journal: Journal, database: str, revisions: list[NewRevision], by: str = "lo") -> None:
    for start in range(0, len(revisions), BATCH):
        batch = revisions[start : start + BATCH]
        outcomes = await journal.write(database, batch, Origin(by))
        assert {each.outcome for each in outcomes} == {"stored"}


def _following(
    doc_id: str, record: dict[str, Any], parent: str | None = None, number: int = 1, **answers: Any
) -> NewRevision:
    content: dict[str, Any] = {
        "type": "record",
        "form": record_set.FORM,
        "form_version": record_set.VERSION,
        "answers": {**record["answers"], **answers},
        "media": {},
        "saved": {"by": "bench", "number": str(number), "at": record["at"]},
    }
    return NewRevision.following(doc_id, content, parent)


def _disagreeing(record: dict[str, Any]) -> list[NewRevision]:
    """Return a record that two people gave two areas."""
    doc_id, land = uuid7(system_clock), record["answers"]["land"]
    first = _following(doc_id, record)
    sides = [
        _following(doc_id, record, first.rev, number, land={**land, "area_m2": area})
        for number, area in ((2, "2500"), (3, "3100"))
    ]
    return [first, *sides]


def _torn(record: dict[str, Any]) -> list[NewRevision]:
    """Return a record of many rows, each of which as many people changed as a record may have branches."""
    doc_id = uuid7(system_clock)
    first = _following(doc_id, record)
    found = [first]
    for branch in range(BRANCHES):
        rows = copy.deepcopy(record["answers"]["visit"])
        for row in rows:
            row["heads"] = str(branch + 1)
        found.append(_following(doc_id, record, first.rev, branch + 2, visit=rows))
    return found


def _with_rows(record: dict[str, Any], count: int) -> dict[str, Any]:
    rows = [{"row_species": "pig", "heads": "3", "_rid": uuid7(system_clock)} for _ in range(count)]
    return {**record, "answers": {**record["answers"], "visit": rows}}


def _approved(record: NewRevision) -> NewRevision:
    content: dict[str, Any] = {
        "type": "review",
        "record": record.doc_id,
        "rev": record.rev,
        "decision": "approved",
        "comment": "",
        "comments": {},
        "by": "khang",
        "by_name": "Khang Thị Mai",
        "at": system_clock().isoformat(),
        "follows": [],
    }
    return NewRevision.following(f"review:{record.doc_id}:{uuid7(system_clock)}", content, None)


def _note(doc_id: str) -> NewRevision:
    content = canonical({"text": "x" * 600, "tags": ["a", "b"]})
    return NewRevision(doc_id, revision_id(doc_id, deleted=False, parent=None, content=content), (), False, content)
