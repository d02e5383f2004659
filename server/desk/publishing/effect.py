"""What a candidate would do to the records of its form: each is lifted to it, and nothing is written.

Records stay of the version that they were made with, and are lifted where edits of several versions meet, where
somebody edits them on, and in tables of all. So a record changes (a question has another name or kind), sets answers
aside (their question is gone: they stay with the record, and no screen asks them), or waits: the new version cannot
hold an answer, and a person has to bring the two together once somebody edits both.
"""

import asyncio
import json
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from sqlalchemy import and_, func, or_, select

from server.auth.enrolments import count_phones
from server.forms.answers.lifting import VersionPath
from server.forms.answers.record_answers import EXTRA
from server.forms.contents import fetch
from server.forms.library import FormLibrary
from server.forms.schema import FormSchema
from server.forms.versions.candidates import FormCandidate
from server.journal.journal import Journal
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.read_model.record_tables import records

#: Records that are read and lifted at once.
BATCH: Final = 500
#: Then it answers with what it has seen: nobody waits longer for a question.
BUDGET_S: Final = 5.0
#: What is on a phone that was not heard from for so long is anybody's guess.
SILENT: Final = timedelta(days=7)

Outcome = Literal["same", "changes", "sets_aside", "waits"]


@dataclass(frozen=True, slots=True)
class FormEffect:
    """On how many phones the form is recorded, and what becomes of the records; `looked_at` of all `records`.

    No phone tells of its drafts: they may wait on any, and longest on the `silent` ones.
    """

    phones: int
    silent: int
    records: int
    looked_at: int
    outcomes: Mapping[Outcome, int]


async def effect_of(
    storage: Storage,
    journal: Journal,
    library: FormLibrary,
    candidate: FormCandidate,
    clock: Clock,
    *,
    budget_s: float = BUDGET_S,
) -> FormEffect:
    """Return what publishing `candidate` would do, from the records as they are now; reads, and writes nothing."""
    is_of_form = and_(records.c.form == candidate.form, ~records.c.is_deleted, ~records.c.is_erased)
    async with storage.read() as connection:
        phones = await count_phones(connection, candidate.project)
        silent = await count_phones(connection, candidate.project, silent_since=clock() - SILENT)
        every = (await connection.execute(select(func.count()).select_from(records).where(is_of_form))).scalar_one()
    if every == 0:
        return FormEffect(phones, silent, 0, 0, {})
    ways = _Ways(library, candidate, await _schema(storage, candidate))
    found: Counter[Outcome] = Counter()
    until = time.monotonic() + budget_s
    after = ("", "")
    while time.monotonic() < until:
        database, record = after
        is_later = or_(records.c.database > database, and_(records.c.database == database, records.c.id > record))
        page = (
            select(records.c.database, records.c.id, records.c.form_version)
            .where(is_of_form, is_later)
            .order_by(records.c.database, records.c.id)
            .limit(BATCH)
        )
        async with storage.read() as connection:
            rows = (await connection.execute(page)).all()
        if not rows:
            break
        after = (rows[-1].database, rows[-1].id)
        await ways.prepare({row.form_version for row in rows})
        found += await asyncio.to_thread(ways.outcomes, await _contents(journal, rows))
    return FormEffect(phones, silent, every, found.total(), found)


class _Ways:
    """The ways from the published versions to a candidate, made once each."""

    def __init__(self, library: FormLibrary, candidate: FormCandidate, schema: FormSchema) -> None:
        self._library = library
        self._form = candidate.form
        self._schema = schema
        self._known: dict[str, VersionPath | None] = {}

    async def prepare(self, versions: Collection[str]) -> None:
        """Read what is missing of these versions, and of those that were published after them."""
        if self._known.keys() >= set(versions):
            return
        order = await self._library.versions(self._form)
        for version in set(versions) - self._known.keys():
            since = order[order.index(version) :] if version in order else ()
            published = [await self._library.get(self._form, each) for each in since]
            schemas = [one.schema for one in published if one is not None]
            self._known[version] = VersionPath([*schemas, self._schema]) if schemas else None

    def outcomes(self, contents: Sequence[bytes]) -> Counter[Outcome]:
        """Count what becomes of these records; takes too long for the event loop."""
        return Counter(self._outcome(json.loads(content)) for content in contents)

    def _outcome(self, content: Mapping[str, Any]) -> Outcome:
        way = self._known.get(str(content.get("form_version")))
        answers = content.get("answers")
        lifted = way.lift(answers) if way is not None and isinstance(answers, dict) else None
        if lifted is None:
            return "waits"
        if lifted == answers:
            return "same"
        return "sets_aside" if _aside(lifted) > _aside(answers) else "changes"


def _aside(value: Any, is_aside: bool = False) -> int:
    """Return how many answers stand under `$extra`, at any depth; blank ones are no answers."""
    if isinstance(value, dict):
        return sum(_aside(each, is_aside or name == EXTRA) for name, each in value.items())
    if isinstance(value, list):
        return sum(_aside(each, is_aside) for each in value)
    return int(is_aside and value not in (None, ""))


async def _schema(storage: Storage, candidate: FormCandidate) -> FormSchema:
    content = await fetch(storage, candidate.xform)
    if content is None:
        raise LookupError(f"the content {candidate.xform} of a candidate is not here")
    return await asyncio.to_thread(FormSchema.parse, content.body)


async def _contents(journal: Journal, rows: Sequence[Any]) -> list[bytes]:
    by_database: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        by_database[row.database].append(row.id)
    found: list[bytes] = []
    for database, ids in by_database.items():
        found += [stored.content for stored in (await journal.documents(database, ids)).values()]
    return found
