"""From the feed to the pairs of records that may be of one household: a question for a person, never an answer.

Only forms that mark by which particulars a household is known again (`bind::identifies`) take part, and only records
of one form in one database are compared. A record that says it is another one's (`same_as`) leaves the comparison, and
its pair stands as *same* for as long as it says so. What a person said of a pair (*different*, *unsure*) stays, however
often the pair is computed.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.areas.areas import Areas
from server.forms.library import FormLibrary
from server.forms.schema import FormSchema
from server.journal.followers.follower import Effects
from server.journal.model import Change
from server.platform.db.engine import Storage
from server.platform.db.upsert import put
from server.read_model.household_tables import household_keys, households, likenesses
from sync.matching.duplicates import (
    Identifier,
    Likeness,
    Particulars,
    compare,
    keys,
    likely,
    particulars,
    probes,
    survivor_of,
)

NAME = "households"
#: SQLite takes some thirty thousand values in a statement; a page of the feed asks for far fewer.
ASKED = 5000

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _PageFindings:
    """Read from the winners of a page: particulars by record, and declared aliases."""

    changed: frozenset[str]
    forms: Mapping[str, str]
    told: Mapping[str, Particulars]
    aliases: Mapping[str, str]


class HouseholdsProjection:
    """Computes `households` and `likenesses`; a `Projection` of the follower."""

    name = NAME
    after: tuple[str, ...] = ()
    writes_back: tuple[str, ...] = ()

    def __init__(self, storage: Storage, library: FormLibrary, areas: Areas, *, threshold: float) -> None:
        """Read nothing yet; pairs whose likeness reaches `threshold` are worth a person's look."""
        self._storage = storage
        self._library = library
        self._areas = areas
        self._threshold = threshold

    async def effects(self, database: str, changes: Sequence[Change]) -> Effects:
        """Return what the changes of one database make of its households."""
        if not (await self._areas.atlas()).has_scope(database):
            return _nothing
        said = await self._said(changes)
        if not said.changed:
            return _nothing
        async with self._storage.read() as connection:
            known = await _filed(connection, database, said)
        found = self._pairs(said, known)

        async def apply(connection: AsyncConnection) -> None:
            await _file(connection, database, said)
            await _settle(connection, database, said, found)

        return apply

    async def _said(self, changes: Sequence[Change]) -> _PageFindings:
        changed: list[str] = []
        forms: dict[str, str] = {}
        told: dict[str, Particulars] = {}
        aliases: dict[str, str] = {}
        for change in changes:
            if ":" in change.doc_id or change.doc_id.startswith("_"):
                continue
            if change.deleted:
                # A tombstone doesn't say which form it was of.
                changed.append(change.doc_id)
                continue
            content = json.loads(change.content or b"{}")
            published = await self._library.get(str(content.get("form", "")), str(content.get("form_version", "")))
            if published is None or not published.schema.identifying:
                continue
            changed.append(change.doc_id)
            forms[change.doc_id] = published.form
            if survivor := survivor_of(content):
                aliases[change.doc_id] = survivor
            elif found := particulars(change.doc_id, published.form, _told(published.schema, content.get("answers"))):
                told[change.doc_id] = found
        return _PageFindings(frozenset(changed), forms, told, aliases)

    def _pairs(self, said: _PageFindings, known: Mapping[str, Particulars]) -> dict[Pair, Likeness]:
        found = {(one.id, other.id): likeness for one, other, likeness in likely(said.told.values(), self._threshold)}
        filed: dict[tuple[str, str], list[Particulars]] = {}
        for each in known.values():
            for key in keys(each):
                filed.setdefault((each.area, key), []).append(each)
        for one in said.told.values():
            met = {other.id: other for key in probes(one) for other in filed.get((one.area, key), ())}
            for other in met.values():
                likeness = compare(one, other)
                if likeness.score >= self._threshold:
                    found[_pair(one.id, other.id)] = likeness
        return found


async def _nothing(_connection: AsyncConnection) -> None:
    """Have no effect."""


def _told(schema: FormSchema, answers: object) -> dict[Identifier, str]:
    told: dict[Identifier, str] = {}
    for field in schema.identifying:
        at = answers
        for name in field.path.split("/")[1:]:
            at = at.get(name) if isinstance(at, dict) else None
        if isinstance(at, str):
            told[cast(Identifier, field.identifies)] = at
    return told


async def _filed(connection: AsyncConnection, database: str, said: _PageFindings) -> dict[str, Particulars]:
    """Return the households that are filed where a likeness of one of these would be, but for these themselves."""
    asked = sorted({f"{each.area} {key}" for each in said.told.values() for key in probes(each)})
    found: dict[str, Particulars] = {}
    for start in range(0, len(asked), ASKED):
        query = (
            select(households.c.particulars)
            .join(
                household_keys,
                (household_keys.c.database == households.c.database) & (household_keys.c.record == households.c.record),
            )
            .where(household_keys.c.database == database, household_keys.c.key.in_(asked[start : start + ASKED]))
            .distinct()
        )
        for (row,) in await connection.execute(query):
            each = _particulars(row)
            if each.id not in said.changed:
                found[each.id] = each
    return found


async def _file(connection: AsyncConnection, database: str, said: _PageFindings) -> None:
    for table in (household_keys, households):
        await connection.execute(delete(table).where(table.c.database == database, table.c.record.in_(said.changed)))
    told = said.told.values()
    await put(
        connection,
        households,
        [{"database": database, "record": each.id, "form": each.area, "particulars": asdict(each)} for each in told],
    )
    await put(
        connection,
        household_keys,
        [{"database": database, "key": f"{each.area} {key}", "record": each.id} for each in told for key in keys(each)],
    )


async def _settle(
    connection: AsyncConnection, database: str, said: _PageFindings, found: Mapping[Pair, Likeness]
) -> None:
    """Write the pairs that these records are in, keeping what people said of them."""
    touching = or_(likenesses.c.one.in_(said.changed), likenesses.c.other.in_(said.changed))
    here = likenesses.c.database == database
    standing = {(row.one, row.other): row for row in await connection.execute(select(likenesses).where(here, touching))}
    same = {_pair(alias, survivor): survivor for alias, survivor in said.aliases.items()}
    for pair, row in standing.items():
        alias = pair[0] if row.survivor == pair[1] else pair[1]
        # Of a pair that is the same only the alias can say otherwise.
        if row.verdict == "same" and alias not in said.changed:
            same[pair] = row.survivor
    rows: list[dict[str, Any]] = []
    for pair in {**standing, **found, **same}:
        before, told = standing.get(pair), found.get(pair)
        verdict = "same" if pair in same else "open" if before is None or before.verdict == "same" else before.verdict
        if verdict == "open" and told is None:
            alone = (likenesses.c.one == pair[0]) & (likenesses.c.other == pair[1])
            await connection.execute(delete(likenesses).where(here, alone))
            continue
        agreements = told.agreements if told else before.agreements if before else ()
        rows.append(
            {
                "database": database,
                "one": pair[0],
                "other": pair[1],
                "form": before.form if before else said.forms.get(pair[0]) or said.forms[pair[1]],
                "score": told.score if told else before.score if before else 0.0,
                "agreements": [list(each) for each in agreements],
                "verdict": verdict,
                "survivor": same.get(pair),
                "by_person": None,
                "at": None,
                "comment": None,
            }
        )
    await put(connection, likenesses, rows, keep=["by_person", "at", "comment"])


def _pair(one: str, other: str) -> Pair:
    return (one, other) if one < other else (other, one)


def _particulars(row: Mapping[str, Any]) -> Particulars:
    place: Iterable[float] | None = row["place"]
    words: Collection[str] = row["words"]
    return Particulars(**{**row, "words": tuple(words), "place": None if place is None else cast(Any, tuple(place))})
