"""Writes of people at desks, through the ingest policy: a decision that they have no right to is written nowhere.

The desks' routes ask the same before they read anything. Here it is asked of the very revisions that are written.
"""

import json
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from server.auth.authorise import allowed
from server.auth.principal import Principal
from server.errors import Problem
from server.ingest.document import IncomingDocument
from server.ingest.policy import Arrival, Coming, oversteps_within, refusal
from server.journal.journal import Journal
from server.journal.model import NewRevision, Origin, Outcome
from sync.contract.documents import RIGHTS_AT_DESKS


async def write_at_desk(
    connection: AsyncConnection,
    journal: Journal,
    database: str,
    revisions: Sequence[NewRevision],
    principal: Principal,
) -> list[Outcome]:
    """Write what somebody decided, in a transaction that the caller has begun; raise `not_allowed`."""
    coming = [_coming(database, each, principal) for each in revisions]
    if any(await oversteps_within(connection, journal, database, coming)):
        raise Problem("not_allowed", action="decide_conflicts")
    origin = Origin(principal.person, principal.enrolment)
    return await journal.write_within(connection, database, revisions, origin)


def _coming(database: str, revision: NewRevision, principal: Principal) -> Coming:
    members = json.loads(revision.content)
    document = IncomingDocument(revision.doc_id, revision.rev, members, deleted=revision.deleted)
    right = RIGHTS_AT_DESKS.get(document.type or "")
    is_allowed = right is not None and allowed(principal, right, database)
    arrival = Arrival("desk", database, document, revision.ancestors, "now" if is_allowed else "never")
    if refusal(arrival) is not None:
        raise Problem("not_allowed", action=right or "decide_conflicts")
    return Coming.of(revision, document, "desk")
