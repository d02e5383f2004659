"""What finding duplicates costs over a hundred thousand households of one area, and how well it finds them."""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from server.journal.model import Change
from server.platform.clock import system_clock
from server.platform.db.engine import Storage
from server.platform.db.migrate import migrate
from server.projections.households import HouseholdsProjection
from server.settings import Settings
from sync.matching.duplicates import likely, particulars
from tests.bench.households import LabelledSet, Told, labelled_set
from tests.surveys import SCOPE, Province, survey

HOUSEHOLDS = 100_000
PAGE = 200
ARRIVALS = 300
FIELDS = "<name/><birth_year/><phone/><dwelling/><place/>"
BINDS = {
    "name": 'string" identifies="name',
    "birth_year": 'int" identifies="birth_year',
    "phone": 'string" identifies="phone',
    "dwelling": 'string" identifies="dwelling',
    "place": 'geopoint" identifies="place',
}


@dataclass(frozen=True, slots=True)
class Found:
    """Seconds for all at once in memory, for all through the follower into SQLite, and for one that arrives after them.

    `precision` is how many of the pairs found are of one household, `recall` how many of those that are were found.
    """

    records: int
    pairs: int
    precision: float
    recall: float
    all_s: float
    followed_s: float
    arriving_s: float


def found() -> Found:
    """Measure at the score at which a person is asked."""
    labelled = labelled_set(HOUSEHOLDS)
    threshold = Settings(secret="no request is signed here, 40 characters!").duplicate_score
    begun = time.perf_counter()
    read = [each for record, told in labelled.records if (each := particulars(record, "area", told))]
    pairs = {(one.id, other.id) for one, other, _ in likely(read, threshold)}
    all_s = time.perf_counter() - begun
    right = len(pairs & labelled.truth)
    followed_s, arriving_s = asyncio.run(_followed(labelled, threshold))
    return Found(
        records=len(labelled.records),
        pairs=len(pairs),
        precision=right / len(pairs),
        recall=right / len(labelled.truth),
        all_s=all_s,
        followed_s=followed_s,
        arriving_s=arriving_s,
    )


async def _followed(labelled: LabelledSet, threshold: float) -> tuple[float, float]:
    changes = [_change(number, *each) for number, each in enumerate(labelled.records, 1)]
    filed, arriving = changes[:-ARRIVALS], changes[-ARRIVALS:]
    with tempfile.TemporaryDirectory() as folder:
        storage = Storage(f"sqlite:///{Path(folder) / 'nuong.db'}")
        await migrate(storage)
        province = await Province(storage, system_clock).open()
        await province.publish("family", "1", survey("family", "1", FIELDS, BINDS))
        projection = HouseholdsProjection(storage, province.library, province.areas, threshold=threshold)
        begun = time.perf_counter()
        for start in range(0, len(filed), PAGE):
            await _take(storage, projection, filed[start : start + PAGE])
        followed_s = time.perf_counter() - begun
        taken = [await _take(storage, projection, [each]) for each in arriving]
        await storage.close()
    return followed_s, statistics.median(taken)


async def _take(storage: Storage, projection: HouseholdsProjection, changes: Sequence[Change]) -> float:
    before = time.perf_counter()
    effects = await projection.effects(SCOPE, changes)
    async with storage.write() as connection:
        await effects(connection)
    return time.perf_counter() - before


def _change(seq: int, record: str, told: Told) -> Change:
    content = {"type": "record", "form": "family", "form_version": "1", "answers": told}
    rev = f"1-{seq:032x}"
    return Change(seq, record, rev, False, (rev,), json.dumps(content).encode())
