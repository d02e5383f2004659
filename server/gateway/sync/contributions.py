"""Others' changes to a record since the phone's person last changed it: told beside the record, which can't say it.

A machine merge names nobody, since it is the same on every server; an edit names an enrolment, which a phone cannot
read. A person who recorded something is told who carried it on, and what a manager decided about it and why. Only
people who have changed the record themselves are told, and only of what is new to their phone: a phone that starts
from nothing has nothing to compare with.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from server.auth.names import names_of
from server.gateway.sync.pull import ChangesPage
from server.journal.authorship import RecordAuthorship
from server.journal.journal import Journal
from server.journal.model import StoredRevision
from server.journal.store.document_histories import DocumentHistory
from server.platform.db.engine import Storage
from sync.revisions.canonical import Json, member

#: Of one page; beyond this the records come without.
MOST_RECORDS = 100

Contribution = dict[str, Any]


async def contributions(
    storage: Storage, journal: Journal, page: ChangesPage, person: str
) -> dict[str, list[Contribution]]:
    """Return by record what others have done since `person`'s last edit, the oldest first."""
    if page.start == 0:
        return {}
    edited = [doc_id for doc_id, rev in page.named if ":" not in doc_id and not rev.startswith("1-")]
    if not edited:
        return {}
    wholes = await journal.whole(page.database, edited[:MOST_RECORDS])
    since = {doc_id: found for doc_id, whole in wholes.items() if (found := _since(whole, person))}
    async with storage.read() as connection:
        names = await names_of(connection, {one.person or "" for found in since.values() for one in found})
    told = {doc_id: _told(wholes[doc_id], found, names) for doc_id, found in since.items()}
    return {doc_id: lines for doc_id, lines in told.items() if lines}


def _since(whole: DocumentHistory, person: str) -> list[StoredRevision]:
    """Return others' revisions in what stands which none of the person's own knew; none where they have no own."""
    mine = [rev for rev, one in whole.revisions.items() if one.person == person]
    winner = whole.graph.winner()
    if not mine or winner is None:
        return []
    new = whole.graph.reached([winner]) - whole.graph.reached(mine)
    found = [whole.revisions[rev] for rev in new if rev in whole.revisions]
    return sorted((one for one in found if one.person), key=lambda one: (one.received_at, one.generation, one.rev))


def _told(whole: DocumentHistory, found: Sequence[StoredRevision], names: Mapping[str, str]) -> list[Contribution]:
    history = RecordAuthorship([*whole.revisions.values()])
    lines: list[Contribution] = []
    for one in found:
        name = names.get(one.person or "")
        line: Contribution = {"name": name}
        if decided := _decided(whole, one, history):
            line["decided"] = decided
            if isinstance(comment := json.loads(one.content).get("comment"), str) and comment:
                line["comment"] = comment
        if name and line not in lines:
            lines.append(line)
    return lines


def _decided(whole: DocumentHistory, one: StoredRevision, history: RecordAuthorship) -> list[str]:
    """Return the fields that a desk's act is about, the whole record among them as ""; none of an edit."""
    match history.act(one.rev):
        case "decision":
            return _texts(member(one.content, "decided"))
        case "undo":
            named = (whole.revisions.get(each) for each in _texts(member(one.content, "undoes")))
            back = {path for each in named if each is not None for path in _texts(member(each.content, "decided"))}
            return sorted(back) or [""]
        case "joined" | "parted":
            return [""]
        case _:
            return []


def _texts(value: Json) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
