"""Revisions that wait beside a document and may come in now: rows are looked at first, few bodies are read.

Whoever may write can leave thousands of revisions beside a document, and each further write of it passes them all. So
parent, generation and reason say for which of them something has changed; only those are judged again.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.entitlement import IncomingRevision, judged
from server.journal.model import NewRevision, Origin, Overstep
from server.journal.store.branches import Key
from server.journal.store.statements import Statements
from sync.contract.members import Door, restricted
from sync.revisions.admission import CLAIMED, FORGED, RESOLVED, TOO_MANY_LEAVES, is_still_forged
from sync.revisions.graph import Graph
from sync.revisions.revision_id import RESOLVED_TOMBSTONE, RevisionId, generation_of

#: What tells apart the revisions beside a document's graph: id and fingerprint.
Print: TypeAlias = tuple[RevisionId, bytes]

_BODIES = """
    SELECT q.doc_id, q.rev, q.fingerprint, q.content
    FROM {wanted} quarantine q ON q.database = :database AND {match}
"""
# To SQLite a CROSS JOIN is an order, as in `branches`.
_ON_SQLITE = text(
    _BODIES.format(
        wanted="json_each(:keys) w CROSS JOIN",
        match="q.doc_id = json_extract(w.value, '$[0]') AND q.rev = json_extract(w.value, '$[1]')",
    )
)
_ON_POSTGRESQL = text(
    _BODIES.format(
        wanted="unnest(CAST(:ids AS text[]), CAST(:revs AS text[])) AS w(doc_id, rev) JOIN",
        match="q.doc_id = w.doc_id AND q.rev = w.rev",
    )
)


@dataclass(slots=True)
class Waiting:
    """A revision beside the graph that is judged again; `row` is its row if this batch brought it.

    `is_read`: whether `revision` has its body.
    """

    revision: NewRevision
    print_: bytes
    origin: Origin
    received_at: datetime
    row: dict[str, Any] | None = None
    is_read: bool = True

    @property
    def key(self) -> Print:
        """Return what tells it apart from what else waits beside its document."""
        return self.revision.rev, self.print_


def waiting_of(row: RowMapping) -> Waiting:
    """Return what a row says, whose body has not been read; its id was looked at when it came."""
    is_end = row["fingerprint"] == RESOLVED
    overstep = None if row["door"] is None else Overstep(row["door"], row["besides"])
    revision = NewRevision(
        row["doc_id"],
        row["rev"],
        tuple(row["ancestors"].split()),
        row["deleted"],
        RESOLVED_TOMBSTONE if is_end else b"",
        verify=False,
        number=row["number"],
        overstep=overstep,
    )
    origin = Origin(row["person"], row["enrolment"])
    return Waiting(revision, row["fingerprint"], origin, row["received_at"], is_read=is_end)


def candidates(
    rejudged: Iterable[Waiting], reasons: Mapping[Print, str], graph: Graph, new: Collection[RevisionId], room: int
) -> list[Waiting]:
    """Return those for which something may have changed, parents first; it is assumed that all of these come in.

    `reasons` are those of all that waits; `new` came in a moment ago, with `room` for so many further leaves.
    """
    ahead = sorted(rejudged, key=lambda one: (generation_of(one.revision.rev), one.revision.rev, one.print_))
    here, came = set(graph.held), set(new)
    highest = max(map(generation_of, here), default=0)
    leaves = set(graph.leaves()) if TOO_MANY_LEAVES in reasons.values() else set()
    found: list[Waiting] = []
    for one in ahead:
        revision, reason = one.revision, reasons.get(one.key)
        if reason == FORGED:
            is_one = not is_still_forged(revision.rev, revision.parent, here, highest)
        elif reason == TOO_MANY_LEAVES:
            is_one = revision.parent in leaves or room > 0
            room -= is_one and revision.parent not in leaves
        elif reason in CLAIMED:
            is_one = _may_be_said_now(revision, here, came)
        else:
            is_one = reason is not None
        if is_one:
            found.append(one)
            here.add(revision.rev)
            came.add(revision.rev)
            leaves.add(revision.rev)
            highest = max(highest, generation_of(revision.rev))
    return found


def lines_of(some: Iterable[Waiting], held: Mapping[str, Collection[RevisionId]]) -> list[Key]:
    """Return those revisions among the `held` of each document after which the contract judges these."""
    wanted: dict[Key, None] = {}
    for one in some:
        if one.revision.overstep is not None:
            here = held[one.revision.doc_id]
            asked = _asked(one.revision, one.revision.overstep.door)
            nearest = [each for each in asked.ancestors if each in here][:1]
            merged = [key for key in asked.merged if key[1] in here]
            wanted |= dict.fromkeys([*((asked.doc_id, each) for each in nearest), *merged])
    return [*wanted]


def still_oversteps(revision: NewRevision, lines: Mapping[Key, bytes]) -> bool:
    """Whether its bringer may not say what a revision says, after the bodies in `lines`."""
    if revision.overstep is None:
        return True
    asked = _asked(revision, revision.overstep.door)
    nearest = next((key for each in asked.ancestors if (key := (asked.doc_id, each)) in lines), None)
    keys = [*([] if nearest is None else [nearest]), *(key for key in asked.merged if key in lines)]
    return judged(asked, {key: restricted(json.loads(lines[key])) for key in keys}, {}) is not None


def _asked(revision: NewRevision, door: Door) -> IncomingRevision:
    return IncomingRevision.of(revision, json.loads(revision.content), door)


def _may_be_said_now(revision: NewRevision, here: Collection[RevisionId], came: set[RevisionId]) -> bool:
    if revision.overstep is None:
        return False
    # What a merge brings together stands in its body.
    is_whole = revision.overstep.door == "projection" and revision.parent in here
    return is_whole or not came.isdisjoint(revision.ancestors)


async def read_bodies(connection: AsyncConnection, sql: Statements, database: str, some: Sequence[Waiting]) -> None:
    """Give these the bodies that they lack."""
    lacking = {(one.revision.doc_id, *one.key): one for one in some if not one.is_read}
    if not lacking:
        return
    wanted: list[Key] = list(dict.fromkeys((doc_id, rev) for doc_id, rev, _ in lacking))
    values: dict[str, object] = {"database": database}
    if sql.is_postgresql:
        values |= {"ids": [doc_id for doc_id, _ in wanted], "revs": [rev for _, rev in wanted]}
    else:
        values["keys"] = json.dumps(wanted)
    for doc_id, rev, print_, content in await connection.execute(
        _ON_POSTGRESQL if sql.is_postgresql else _ON_SQLITE, values
    ):
        one = lacking.get((doc_id, rev, bytes(print_)))
        if one is not None:
            one.revision, one.is_read = replace(one.revision, content=bytes(content)), True
