"""Asking the one who knows: a question about one field, as a document that goes to the phones of its area.

It carries what the people asked need to see offline: who said what, in which words the form asks. It blocks nothing:
the manager may decide before anybody has replied, and a reply that comes later still stands beside the field.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from server.auth import people
from server.auth.audit import note
from server.auth.authorise import allowed
from server.auth.names import names_of
from server.auth.principal import Principal
from server.desk.conflicts.page_schemas import NewQuestion
from server.desk.conflicts.record_case import Case
from server.desk.conflicts.revision_history import spotted
from server.desk.conflicts.ways_to_decide import outcome_at
from server.errors import Problem
from server.ingest.desk_writes import write_at_desk
from server.journal.journal import Journal
from server.journal.model import NewRevision
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.db.upsert import put
from server.platform.ids import uuid7
from server.read_model.record_tables import questions
from sync.merging.field_schema import ABSENT
from sync.revisions.canonical import Json


@dataclass(frozen=True, slots=True)
class Sent:
    """A question on its way: its id, and who is asked."""

    id: str
    to: tuple[str, ...]


async def ask(
    storage: Storage, journal: Journal, clock: Clock, *, principal: Principal, case: Case, new: NewQuestion
) -> Sent:
    """Write a question about an open field; raise `nothing_to_decide` or `nobody_to_ask`.

    Who may not record in the area is left out: no phone of theirs would show the question.
    """
    if new.path not in case.open:
        raise Problem("nothing_to_decide", path=new.path)
    authors = [case.whole.revisions[rev].person for rev in case.open[new.path]]
    wanted = new.to if new.to is not None else [person for person in authors if person]
    async with storage.read() as connection:
        names = await names_of(connection, [*wanted, *(person for person in authors if person)])
        others = [each for each in dict.fromkeys(wanted) if each != principal.person]
        to = await _able(connection, others, case.database)
    if not to:
        raise Problem("nobody_to_ask")
    name = f"question:{case.record}:{uuid7(clock)}"
    content = _content(principal, case, new, to, names, at=clock().isoformat())
    revision = NewRevision.following(name, content, None)

    async with storage.write() as connection:
        [outcome] = await write_at_desk(connection, journal, case.database, [revision], principal)
        if outcome.outcome != "stored":
            raise RuntimeError(f"a question was {outcome.outcome}: {outcome.reason}")
        # The follower writes the same row: this one lets the page show the question at once.
        row = {"database": case.database, "record": case.record, "id": name, "type": "question"}
        told = {"person": principal.person, "received_at": clock(), "content": content}
        await put(connection, questions, [{**row, **told}])
        subject = f"{case.database}/{case.record}"[:200]
        await note(connection, clock, principal.person, "conflict.asked", subject, document=name, path=new.path, to=to)
    return Sent(name, tuple(to))


def _content(
    principal: Principal, case: Case, new: NewQuestion, to: list[str], names: Mapping[str, str], *, at: str
) -> dict[str, Json]:
    outcome = outcome_at(case, new.path)
    said: list[Json] = []
    for each in outcome.candidates if outcome else ():
        person = case.whole.revisions[each.rev].person or ""
        line: dict[str, Json] = {"rev": each.rev, "by": person, "by_name": names.get(person, "")}
        # A candidate without a value says that the question doesn't apply, or that the row is not there.
        said.append(line if each.value is ABSENT else {**line, "value": each.value})
    label: dict[str, Json] = {**spotted(case, new.path).labels}
    recipients: list[Json] = [*to]
    return {
        "type": "question",
        "record": case.record,
        "path": new.path,
        "rev": case.winner.rev,
        "candidates": said,
        "label": label,
        "text": new.text.strip(),
        "to": recipients,
        "by": principal.person,
        "by_name": principal.name,
        "at": at,
    }


async def _able(connection: AsyncConnection, wanted: list[str], database: str) -> list[str]:
    """Return those whom a question reaches and whose reply is taken: who may record in the area now."""
    found = []
    for each in wanted:
        holder = await people.principal(connection, each, None)
        if holder is not None and allowed(holder, "capture", database):
            found.append(each)
    return found
