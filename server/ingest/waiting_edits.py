"""Edits that earlier releases quarantined because their parent waited: judged again by what they say themselves.

Such an edit is judged alone now, whatever its parent waits for. Those that an upgrade finds would otherwise wait until
somebody writes their document again.
"""

import json
from dataclasses import replace

from server.forms.library import FormLibrary
from server.ingest.document import IncomingDocument
from server.ingest.policy import Coming, entitled, judged_again
from server.journal import awaited
from server.journal.journal import Journal
from server.journal.model import QuarantinedRevision
from server.journal.quarantine import as_it_came
from server.platform.db.engine import Storage
from sync.contract.documents import RECORD


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
    document = IncomingDocument(one.doc_id, one.rev, json.loads(one.content), one.deleted)
    is_living_record = document.type == RECORD and not document.deleted
    reason = await judged_again(library, one.database, document.members) if is_living_record else None
    # Which door it came by was not noted. Phones, replicas and other servers may say the same.
    return Coming.of(replace(as_it_came(one), quarantine=reason), document, "peer")
