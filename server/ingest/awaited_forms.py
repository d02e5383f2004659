"""Records that came before their form's version: judged again when that is published here.

A hub may hear of a record before it hears of its form, and a phone may be quicker than whoever publishes. What was
quarantined for its form alone comes in by itself then, or waits for what is the matter with its answers.
"""

import json
from dataclasses import replace

from server.forms.library import FormLibrary
from server.ingest.policy import awaited_name, judged_again
from server.journal import awaited
from server.journal.journal import Journal
from server.journal.model import NewRevision, QuarantinedRevision
from server.journal.quarantine import as_it_came
from server.platform.db.engine import Storage

#: Batches that one look takes; the next goes on, and followers have their turn in between.
MOST_BATCHES = 20


async def judge_what_awaited_forms(storage: Storage, journal: Journal, library: FormLibrary) -> int:
    """Judge again what waited for form versions that are here now; return how many records did, of this look."""
    count = 0
    names = [awaited_name(form, version) for form, version in await library.names()]
    for _ in range(MOST_BATCHES):
        async with storage.read() as connection:
            held = await awaited.awaiting(connection, names)
        if not held:
            break
        await journal.judge_again(held, [await _judged_again(library, one) for one in held])
        count += len(held)
    return count


async def _judged_again(library: FormLibrary, one: QuarantinedRevision) -> NewRevision:
    reason = await judged_again(library, one.database, json.loads(one.content))
    return replace(as_it_came(one), quarantine=reason)
