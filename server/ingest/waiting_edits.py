"""Edits that earlier releases quarantined because their parent waited: judged again by what they say themselves.

Such an edit is judged alone now, whatever its parent waits for. Those that an upgrade finds would otherwise wait until
somebody writes their document again.
"""

import json
from dataclasses import replace

from server.forms.library import FormLibrary
from server.ingest.policy import Coming, door_of_server, entitled, judged_again
from server.journal import awaited
from server.journal.journal import Journal
from server.journal.model import QuarantinedRevision
from server.journal.quarantine import as_it_came
from server.platform.db.engine import Storage
from sync.contract.documents import RECORD, type_of
from sync.contract.members import restricted


async def judge_edits_of_waiting_parents(storage: Storage, journal: Journal, library: FormLibrary) -> int:
    """Let in what waited for its parent alone, or name what else is the matter with it; return how many there were."""
    count = 0
    before: list[QuarantinedRevision] = []
    while True:
        async with storage.read() as connection:
            held = await awaited.behind_waiting_parents(connection)
        # Whatever was judged waits for this no more.
        if not held or held == before:
            return count
        coming = [await _coming(library, one) for one in held]
        await journal.judge_again(held, await entitled(journal, held[0].database, coming))
        count, before = count + len(held), held


async def _coming(library: FormLibrary, one: QuarantinedRevision) -> Coming:
    content = json.loads(one.content)
    is_record = type_of(one.doc_id, content, deleted=one.deleted) == RECORD
    reason = await judged_again(library, one.database, content) if is_record and not one.deleted else None
    revision = replace(as_it_came(one), quarantine=reason)
    # Which door it came by was not noted. Phones, replicas and other servers may say the same.
    return Coming(revision, restricted(content), door_of_server(revision, content, "peer"))
