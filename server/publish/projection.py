"""From the supervisors' approvals to typed rows: what the views show.

Follows the same feeds as the projection of records and never reads ahead of it. A record is published as exactly the
revision that was last approved (I8): a newer edit, a return or a deletion changes nothing here until somebody approves
it; an approved deletion, an approved word that it is the same as another record, and an erasure take the row away.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.forms.library import FormLibrary
from server.journal.followers.follower import Effects
from server.journal.journal import Journal
from server.journal.model import Change, StoredRevision
from server.platform.db.engine import Storage
from server.platform.db.upsert import put
from server.publish.columns import Table, row
from server.publish.layout_book import Layouts
from server.publish.tables import published
from server.read_model.record_tables import decisions, records
from sync.contract.scope import Scope
from sync.matching.duplicates import survivor_of

NAME = "published"
FOLLOWED = "records"
CATALOG = "catalog"
FORM_PREFIX = "form:"
REVIEW_PREFIX = "review:"
#: Rises when typed values are made otherwise, so that an upgraded server makes the rows that stand anew.
RULES = 2


class FormNotHere(LookupError):
    """An approved record is of a form version that this server does not have."""


@dataclass(frozen=True, slots=True)
class _Publication:
    """An approved revision that must be published instead of what is."""

    stored: StoredRevision
    content: Mapping[str, Any]
    approval: Mapping[str, Any]

    @property
    def form(self) -> tuple[str, str]:
        """Return the form and its version."""
        return str(self.content.get("form")), str(self.content.get("form_version"))


class PublishedProjection:
    """Keeps the rows and the views of approved records; a `Projection` of the follower."""

    name = NAME
    after: tuple[str, ...] = (FOLLOWED,)
    writes_back: tuple[str, ...] = ()

    def __init__(self, storage: Storage, journal: Journal, library: FormLibrary) -> None:
        """Read nothing yet."""
        self._storage = storage
        self._journal = journal
        self._library = library
        self._layouts = Layouts(library)

    async def effects(self, database: str, changes: Sequence[Change]) -> Effects:
        """Return what the changes of one database make of the published rows, or of the views."""
        if database == CATALOG:
            return self._forms(changes)
        ids = list(dict.fromkeys(map(_record_of, changes)))
        gone, due = await self._due(database, ids)

        async def apply(connection: AsyncConnection) -> None:
            for record in gone:
                here = (published.c.database == database) & (published.c.record == record)
                await connection.execute(delete(published).where(here))
            tables = {
                form: await self._layouts.learn(connection, *form) for form in sorted({each.form for each in due})
            }
            await put(connection, published, [await self._row(each, tables[each.form]) for each in due])

        return apply

    def _forms(self, changes: Sequence[Change]) -> Effects:
        documents = [json.loads(each.content or b"{}") for each in changes if each.doc_id.startswith(FORM_PREFIX)]
        forms = [(str(each.get("form")), str(each.get("version"))) for each in documents if each.get("type") == "form"]

        async def apply(connection: AsyncConnection) -> None:
            for form, version in sorted(forms):
                await self._layouts.learn(connection, form, version)

        return apply

    async def _due(self, database: str, ids: Sequence[str]) -> tuple[list[str], list[_Publication]]:
        """Return the records whose row must go, and the revisions that must be published."""
        standing = select(records.c.id, records.c.published_rev, records.c.is_erased).where(
            records.c.database == database, records.c.id.in_(ids)
        )
        present = select(published.c.record, published.c.rev, published.c.rules).where(
            published.c.database == database, published.c.record.in_(ids)
        )
        async with self._storage.read() as connection:
            wanted = (await connection.execute(standing)).all()
            rows = {each.record: (each.rev, each.rules) for each in await connection.execute(present)}
            approved = {each.id: each.published_rev for each in wanted if each.published_rev}
            approvals = await _approvals(connection, database, approved)
        gone: list[str] = []
        due: list[_Publication] = []
        for each in wanted:
            revision = None if each.is_erased else each.published_rev
            if rows.get(each.id) == (None if revision is None else (revision, RULES)):
                continue
            stored = await self._journal.document(database, each.id, revision) if revision else None
            content = json.loads(stored.content) if stored is not None and not stored.deleted else None
            # What says to be another record is published as that one.
            if stored is None or content is None or survivor_of(content) is not None:
                gone.append(each.id)
            else:
                due.append(_Publication(stored, content, approvals.get(each.id, {})))
        return gone, due

    async def _row(self, publication: _Publication, table: Table | None) -> dict[str, Any]:
        stored, content = publication.stored, publication.content
        form, version = publication.form
        found = await self._library.get(form, version)
        if found is None or table is None:
            raise FormNotHere(f"{form} {version}")
        project, unit = Scope.of(stored.database)
        approval = publication.approval
        return {
            "database": stored.database,
            "record": stored.doc_id,
            "rev": stored.rev,
            "form": form,
            "form_version": version,
            "project": project,
            "unit": unit,
            "approved_by": approval.get("by"),
            "approved_by_name": str(approval.get("by_name", "")),
            "approved_at": _moment(approval.get("at")),
            "rules": RULES,
            "data": row(table, found.schema.fields, content.get("answers") or {}, content.get("media") or {}),
        }


def _record_of(change: Change) -> str:
    if change.doc_id.startswith(REVIEW_PREFIX):
        return change.doc_id.removeprefix(REVIEW_PREFIX).rpartition(":")[0]
    return change.doc_id


async def _approvals(
    connection: AsyncConnection, database: str, revisions: Mapping[str, str]
) -> dict[str, Mapping[str, Any]]:
    """Return the last approval of each record's published revision."""
    here = (decisions.c.database == database) & decisions.c.record.in_(revisions)
    found: dict[str, Mapping[str, Any]] = {}
    for each in await connection.execute(select(decisions).where(here).order_by(decisions.c.id)):
        if each.content.get("decision") == "approved" and each.content.get("rev") == revisions[each.record]:
            found[each.record] = each.content
    return found


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
