"""Where a replication goes on: CouchDB's `_local` checkpoints on both sides, and what their histories have in common.

The target is written before the source, and both only after the target has everything durably. A crash between two
steps leaves one side behind, the common session is then an older one, and the batch goes again (I7). What one side has
forgotten (a database that was made anew) means from the beginning.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.store import local_documents
from server.journal.store.local_documents import LocalKey
from sync.revisions.canonical import Json, canonical

VERSION = 4
HISTORY = 50
#: Whose local documents these are; no person's name has a space.
OWNER = "this server"
_NUMBER = re.compile(r"\d{1,18}")


def replication_id(source: str, target: str, options: Mapping[str, Json]) -> str:
    """Return the name that this replication has on both sides: another source, target or option is another one."""
    said: Json = {"version": VERSION, "source": source, "target": target, "options": dict(options)}
    return hashlib.sha256(canonical(said)).hexdigest()[:32]


@dataclass(slots=True)
class Session:
    """One run of a replication from `start_seq` on, with what it has counted so far."""

    start_seq: str | None
    started_at: datetime
    earlier: Sequence[Mapping[str, Any]] = ()
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    checked: int = 0
    found: int = 0
    read: int = 0
    written: int = 0
    failed: int = 0

    def document(self, recorded_seq: str, at: datetime) -> dict[str, Any]:
        """Return the checkpoint at `recorded_seq`, as CouchDB writes it."""
        entry = {
            "session_id": self.id,
            "start_time": _http_date(self.started_at),
            "end_time": _http_date(at),
            "start_last_seq": self.start_seq or 0,
            "end_last_seq": recorded_seq,
            "recorded_seq": recorded_seq,
            "missing_checked": self.checked,
            "missing_found": self.found,
            "docs_read": self.read,
            "docs_written": self.written,
            "doc_write_failures": self.failed,
        }
        return {
            "session_id": self.id,
            "source_last_seq": recorded_seq,
            "replication_id_version": VERSION,
            "history": [entry, *self.earlier][:HISTORY],
        }


def common_seq(ours: Mapping[str, Any] | None, theirs: Mapping[str, Any] | None) -> str | None:
    """Return the latest sequence that both sides have recorded; None: from the beginning.

    One session stands at two places when a crash came between the two writes, or when one side was restored from a
    backup: the lower one is safe in every case.
    """
    if ours is None or theirs is None:
        return None
    session = ours.get("session_id")
    if session is not None and session == theirs.get("session_id"):
        return _lower(ours.get("source_last_seq"), theirs.get("source_last_seq"))
    theirs_by_session = {entry.get("session_id"): entry for entry in _history(theirs)}
    for entry in _history(ours):
        if (other := theirs_by_session.get(entry.get("session_id"))) is not None:
            return _lower(entry.get("recorded_seq"), other.get("recorded_seq"))
    return None


def history_of(checkpoint: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """Return the earlier sessions, newest first."""
    return [] if checkpoint is None else _history(checkpoint)


async def read_own(connection: AsyncConnection, database: str, replication: str) -> Mapping[str, Any] | None:
    """Return this server's side of a replication's checkpoint."""
    found = await local_documents.find(connection, LocalKey(database, OWNER, replication))
    return None if found is None else json.loads(found.content)


async def write_own(connection: AsyncConnection, database: str, replication: str, content: Mapping[str, Any]) -> None:
    """Write this server's side over what stands: nobody else writes it."""
    key = LocalKey(database, OWNER, replication)
    stands = await local_documents.find(connection, key)
    await local_documents.put(connection, key, stands.rev if stands else None, canonical(dict(content)))


def _history(checkpoint: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = checkpoint.get("history")
    return [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []


def _lower(one: object, other: object) -> str | None:
    """Return the sequence that comes first by the number that both begin with; None when one of them has none."""
    numbered = [(int(match[0]), str(seq)) for seq in (one, other) if (match := _NUMBER.match(str(seq)))]
    lowest = min(numbered, default=(0, ""))
    return lowest[1] if len(numbered) == 2 and lowest[0] > 0 else None


def _http_date(moment: datetime) -> str:
    return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")
