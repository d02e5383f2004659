"""The records that every benchmark uses: 5,000 different ones in a committed file.

`python -m tests.bench.record_set` made it.

They are answers to `plot.xml`, as people would give them: names, points, dates, repeats, photos named and not sent. A
record on the wire (ids, counter, media and all) has 1.2 KB in the mean.
"""

import hashlib
import json
import lzma
import random
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from server.demo.filling import Filler, SurveySite
from server.forms.answers.record_answers import to_json
from server.forms.schema import FormSchema

HERE = Path(__file__).parent
RECORDS = HERE / "records.json.xz"
XFORM = (HERE / "plot.xml").read_bytes()
FORM, VERSION = "bench_plot", "2026112101"
COUNT = 5000
SEED = 20261121


def load() -> list[dict[str, Any]]:
    """Return the committed set: `answers` and `media` of each record."""
    records: list[dict[str, Any]] = json.loads(lzma.decompress(RECORDS.read_bytes()))
    return records


def generate() -> list[dict[str, Any]]:
    """Return the set anew; the same on every machine."""
    filler, schema = Filler(XFORM), FormSchema.parse(XFORM)
    records = []
    for number in range(COUNT):
        chance = random.Random(SEED + number)
        place = SurveySite("", 21.1 + chance.random() * 1.3, 102.3 + chance.random() * 1.3)
        at = datetime(2026, 11, 1, 8, tzinfo=timezone(timedelta(hours=7))) + timedelta(minutes=chance.randrange(28_800))
        filled = filler.fill(chance, place, at)
        answers = to_json(schema, filled.xml)
        for row in answers.get("visit", []):
            row["_rid"] = _uuid(chance)
        media = {}
        for name, _kind in filled.files:
            size = str(chance.randrange(60_000, 240_000))
            sha256 = hashlib.sha256(name.encode()).hexdigest()
            media[name] = {"sha256": sha256, "bytes": size, "type": "image/jpeg"}
        records.append({"answers": answers, "media": media, "at": at.astimezone(UTC).isoformat()})
    return records


def _uuid(chance: random.Random) -> str:
    digits = f"{chance.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def main() -> None:
    """Write the file."""
    packed = lzma.compress(json.dumps(generate(), ensure_ascii=False, separators=(",", ":")).encode(), preset=9)
    RECORDS.write_bytes(packed)
    sys.stdout.write(f"{RECORDS.name}: {COUNT} records, {len(packed)} bytes\n")


if __name__ == "__main__":
    main()
