"""The quarantine, as a data manager reads it and works it off.

An entry leaves the queue by being let in, and in no other way: nothing that a worker saved is thrown away. What cannot
be let in, or should not be, is marked as seen with a comment and stays for whoever asks.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, tuple_

from server.areas.atlas import Atlas
from server.auth.audit import note
from server.auth.names import names_of
from server.auth.principal import Principal
from server.desk.conflicts.differences import differences
from server.desk.conflicts.tables import quarantine_notes
from server.desk.quarantine.schemas import (
    Accepted,
    Counts,
    EntryKey,
    MisfitEntry,
    NewNote,
    Note,
    Present,
    QuarantineEntry,
    QuarantineQueue,
    WhyNot,
)
from server.errors import Problem
from server.forms.answers.record_answers import check
from server.forms.library import FormLibrary, PublishedForm
from server.ingest.policy import acceptable
from server.journal import quarantine
from server.journal.entitlement import IncomingRevision
from server.journal.journal import Journal
from server.journal.model import (
    NotWaiting,
    Origin,
    Outcome,
    QuarantinedRevision,
    StoredRevision,
)
from server.journal.quarantine import Narrowing, as_new
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.ids import uuid7
from server.platform.paging import Paging
from server.read_model.record_tables import records
from sync.contract.reasons import Reason
from sync.contract.scope import Scope
from sync.revisions.json_pointer import tokens_of

#: How much content one page carries; a phone may save megabytes in one record.
PAGE_BYTES = 1_000_000
#: How much of an answer is quoted that does not fit.
QUOTED = 300

_SEEN = select(
    quarantine_notes.c.database, quarantine_notes.c.doc_id, quarantine_notes.c.rev, quarantine_notes.c.fingerprint
)


@dataclass(frozen=True, slots=True)
class QuarantineFilters:
    """Filters of the queue; `databases` are those whose queue the person may work off."""

    databases: tuple[str, ...]
    reason: str | None = None
    is_seen: bool | None = None


class QuarantineDesk:
    """A data manager's desk of the quarantine: shows it, lets entries in, notes that they were seen."""

    def __init__(self, storage: Storage, journal: Journal, library: FormLibrary, clock: Clock) -> None:
        """Keep the parts."""
        self._storage = storage
        self._journal = journal
        self._library = library
        self._clock = clock

    async def page(self, filters: QuarantineFilters, atlas: Atlas, paging: Paging) -> QuarantineQueue:
        """Return a page of the queue; one with large records ends early."""
        narrowing = Narrowing(filters.databases, _SEEN, filters.reason, filters.is_seen)
        async with self._storage.read() as connection:
            found = await quarantine.page(connection, narrowing, paging.before, paging.limit, PAGE_BYTES)
            counts = Counts(
                unseen=await quarantine.count(connection, narrowing, is_marked=False),
                seen=await quarantine.count(connection, narrowing, is_marked=True),
            )
        entries = await self._entries(found.rows, atlas)
        return QuarantineQueue(entries=entries, next=found.next, counts=counts)

    async def accept(self, principal: Principal, key: EntryKey) -> Accepted:
        """Let an entry in with those that waited only for it; raise what stands against it as a problem."""
        waiting = await self._waiting(key)
        blocking, passed = await self._parents(key.database, [waiting])
        [overstep] = await self._oversteps(key.database, [waiting])
        if why_not := _why_not(waiting, blocking, overstep):
            raise Problem(why_not)
        try:
            moved = await self._write_accepted(principal, key, waiting, past=[rev for _, rev in passed])
        except NotWaiting:
            # Somebody else was quicker between the look and the lock.
            raise Problem("not_waiting") from None
        if moved[0].outcome != "stored":
            raise Problem("waits_for_more", reason=moved[0].reason)
        return Accepted(rev=key.rev, followers=len(moved) - 1)

    async def _write_accepted(
        self, principal: Principal, key: EntryKey, waiting: QuarantinedRevision, past: Collection[str]
    ) -> list[Outcome]:
        origin = Origin(principal.person, principal.enrolment)
        details = {"rev": key.rev, "fingerprint": key.fingerprint, "reason": waiting.reason}
        async with self._storage.write() as connection:
            moved = await self._journal.accept_within(
                connection, key.database, key.id, key.rev, origin, fingerprint=waiting.fingerprint, past=past
            )
            if moved[0].outcome == "stored":
                subject = f"{key.database}/{key.id}"
                await note(connection, self._clock, principal.person, "quarantine.accepted", subject, **details)
        return moved

    async def mark_seen(self, principal: Principal, new: NewNote) -> None:
        """Add what a person made of an entry that waits."""
        waiting = await self._waiting(new)
        row = {
            "id": uuid7(self._clock),
            "database": new.database,
            "doc_id": new.id,
            "rev": new.rev,
            "fingerprint": waiting.fingerprint,
            "person": principal.person,
            "at": self._clock(),
            "comment": new.comment.strip(),
        }
        async with self._storage.write() as connection:
            await connection.execute(quarantine_notes.insert().values(**row))
            subject = f"{new.database}/{new.id}"
            await note(connection, self._clock, principal.person, "quarantine.seen", subject, rev=new.rev)

    async def _oversteps(self, database: str, rows: Sequence[QuarantinedRevision]) -> list[Reason | None]:
        # Of what moves in, not of all that came: attachments stay behind.
        moving = [as_new(one) for one in rows]
        asked = [IncomingRevision.of(each, json.loads(each.content), "acceptance") for each in moving]
        return await self._journal.oversteps(database, asked)

    async def _parents(
        self, database: str, rows: Sequence[QuarantinedRevision]
    ) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
        """Return (document, revision) of the waiting parents of these that a person may let in, and of the others.

        An edit waits for the former alone: it would wait for the others for ever.
        """
        parents = {(one.doc_id, one.ancestors[0]) for one in rows if one.ancestors}
        waiting = await self._journal.waiting_parents(database, parents)
        found = zip(waiting, await self._oversteps(database, waiting), strict=True)
        blocking = {(one.doc_id, one.rev) for one, overstep in found if _is_acceptable(one, overstep)}
        return blocking, {(one.doc_id, one.rev) for one in waiting} - blocking

    async def _waiting(self, key: EntryKey) -> QuarantinedRevision:
        named = (key.rev, bytes.fromhex(key.fingerprint))
        for one in await self._journal.quarantined(key.database, key.id):
            if (one.rev, one.fingerprint) == named:
                return one
        raise Problem("not_waiting")

    async def _entries(self, rows: Sequence[QuarantinedRevision], atlas: Atlas) -> list[QuarantineEntry]:
        standing: dict[tuple[str, str], StoredRevision] = {}
        oversteps: dict[tuple[str, str, str, bytes], Reason | None] = {}
        blocking: dict[str, set[tuple[str, str]]] = {}
        for database in {one.database for one in rows}:
            ids = {one.doc_id for one in rows if one.database == database}
            winners = await self._journal.documents(database, ids)
            standing |= {(database, doc_id): winner for doc_id, winner in winners.items()}
            named = [one for one in rows if one.database == database]
            found = zip(named, await self._oversteps(database, named), strict=True)
            oversteps |= {(database, one.doc_id, one.rev, one.fingerprint): reason for one, reason in found}
            blocking[database], _ = await self._parents(database, named)
        async with self._storage.read() as connection:
            entry = tuple_(quarantine_notes.c.database, quarantine_notes.c.doc_id, quarantine_notes.c.rev)
            wanted = {(one.database, one.doc_id, one.rev) for one in rows}
            query = select(quarantine_notes).where(entry.in_(wanted)).order_by(quarantine_notes.c.id)
            notes = (await connection.execute(query)).all() if rows else []
            people = {one.person for one in rows} | {one.person for one in standing.values()}
            people |= {row.person for row in notes}
            names = await names_of(connection, (person for person in people if person))
            # Whose a record is, whatever a desk decided about it, its row says; the very latest may have none yet.
            here = tuple_(records.c.database, records.c.id).in_(standing.keys())
            shown = (await connection.execute(select(records).where(here))).all() if standing else []
            whose = {key: names.get(one.person or "", "") for key, one in standing.items()}
            whose |= {(row.database, row.id): row.by_name for row in shown}
        return [
            await self._entry(
                one,
                atlas,
                names,
                present=standing.get((one.database, one.doc_id)),
                whose=whose.get((one.database, one.doc_id), ""),
                blocking=blocking[one.database],
                overstep=oversteps[one.database, one.doc_id, one.rev, one.fingerprint],
                notes=[
                    Note(by_name=names.get(row.person, ""), at=row.at, comment=row.comment)
                    for row in notes
                    if (row.database, row.doc_id, row.rev, row.fingerprint)
                    == (one.database, one.doc_id, one.rev, one.fingerprint)
                ],
            )
            for one in rows
        ]

    async def _entry(
        self,
        one: QuarantinedRevision,
        atlas: Atlas,
        names: Mapping[str, str],
        *,
        present: StoredRevision | None,
        whose: str,
        blocking: Collection[tuple[str, str]],
        overstep: Reason | None,
        notes: list[Note],
    ) -> QuarantineEntry:
        content = _content(one)
        stands = {} if present is None else _content(present)
        # A deletion says nothing of its form; what it deletes does.
        form, version = (_text(content.get(name) or stands.get(name)) for name in ("form", "form_version"))
        published = await self._library.get(form, version)
        if published is not None and published.project != Scope.of(one.database).project:
            published = None
        project, unit_id = Scope.of(one.database)
        unit = atlas.units.get(unit_id)
        why_not = _why_not(one, blocking, overstep)
        is_compared = present is not None and not present.deleted and not one.deleted
        return QuarantineEntry(
            database=one.database,
            id=one.doc_id,
            rev=one.rev,
            fingerprint=one.fingerprint.hex(),
            reason=one.reason,
            project=project,
            unit=unit_id,
            # The catalog is nobody's unit.
            unit_name=unit.name if unit else unit_id or project,
            by_name=names.get(one.person or "", ""),
            recorded_at=_text(_mapping(content.get("saved")).get("at")),
            received_at=one.received_at,
            form=form,
            form_version=version,
            form_title=dict(published.titles) if published else {},
            is_form_known=published is not None,
            title=_title(content) or _title(stands),
            is_deleted=one.deleted,
            doc=_document(one, content),
            present=None
            if present is None
            else Present(
                rev=present.rev,
                by_name=whose,
                received_at=present.received_at,
                is_deleted=present.deleted,
                doc=_document(present, stands),
            ),
            differs=differences(content.get("answers"), stands.get("answers"), "/answers") if is_compared else [],
            misfits=_misfits(one, content, published),
            notes=notes,
            may_accept=why_not is None,
            why_not=why_not,
        )


def _why_not(one: QuarantinedRevision, blocking: Collection[tuple[str, str]], overstep: Reason | None) -> WhyNot | None:
    """Return what stands against letting it in, None where a person may.

    The ingest policy says what, for its door `acceptance`.
    """
    if not _is_acceptable(one, overstep):
        return "not_acceptable"
    return "parent_waits" if any((one.doc_id, rev) in blocking for rev in one.ancestors[:1]) else None


def _is_acceptable(one: QuarantinedRevision, overstep: Reason | None) -> bool:
    # A decision, or a merge, that a phone made up would take effect as if a supervisor or a server had made it: whoever
    # lets it in can vouch for what a worker saw, not for that.
    return acceptable(one.doc_id, _content(one), overstep, deleted=one.deleted) is None


def _misfits(
    one: QuarantinedRevision, content: Mapping[str, Any], published: PublishedForm | None
) -> list[MisfitEntry]:
    """Return the answers that do not type, whatever the entry waits for: rights are looked at before answers are."""
    if published is None or one.deleted:
        return []
    answers = content.get("answers")
    found = [
        MisfitEntry(
            path=f"/answers{misfit.path}",
            reason=misfit.reason,
            came=_quote(_at(answers, misfit.path)),
            labels=_labels(published, misfit.path),
        )
        for misfit in check(published.schema, answers)
    ]
    if not found and one.reason == "misfit_answers":
        # The door looks at two things under this name, and the answers are in order.
        found = [MisfitEntry(path="/media", reason="not_media", came=_quote(content.get("media")), labels={})]
    return found


def _labels(published: PublishedForm, path: str) -> dict[str, str]:
    question = published.schema.by_path.get("/".join(token for token in path.split("/") if not token.isdigit()))
    return dict(question.labels or {}) if question else {}


def _at(value: Any, path: str) -> Any:
    for name in tokens_of(path):
        value = value[int(name)] if isinstance(value, list) else value.get(name)
    return value


def _quote(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= QUOTED else f"{text[:QUOTED]}…"


def _title(content: Mapping[str, Any]) -> str:
    return _text(_mapping(_mapping(content.get("answers")).get("meta")).get("instanceName"))


def _document(revision: QuarantinedRevision | StoredRevision, content: Mapping[str, Any]) -> dict[str, Any]:
    flag = {"_deleted": True} if revision.deleted else {}
    return {"_id": revision.doc_id, "_rev": revision.rev, **flag, **content}


def _content(revision: QuarantinedRevision | StoredRevision) -> dict[str, Any]:
    return _mapping(json.loads(revision.content))


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
