"""Records that came before their form's version: judged again when that is published here.

A hub may hear of a record before it hears of its form, and a phone may be quicker than whoever publishes. What was
quarantined for its form alone comes in by itself then, or waits for what is the matter with its answers.
"""

import json

from server.forms.library import FormLibrary
from server.ingest.policy import judged_again
from server.journal import awaited
from server.journal.journal import Journal
from server.platform.db.engine import Storage


async def judge_what_awaited_forms(storage: Storage, journal: Journal, library: FormLibrary) -> int:
    """Judge again what waited for form versions that are here now; return how many records did."""
    count = 0
    async with storage.read() as connection:
        names = await awaited.awaited(connection)
    for name in names:
        form, version = json.loads(name)
        if await library.get(form, version) is None:
            continue
        while True:
            async with storage.read() as connection:
                held = await awaited.awaiting(connection, name)
            if not held:
                break
            reasons = [await judged_again(library, one.database, json.loads(one.content)) for one in held]
            await journal.judge_again(held, reasons)
            count += len(held)
    return count
