"""A database itself: what it is, making and removing it, who may use it, and requests that leave nothing to do."""

from typing import Any

from server.gateway.couchdb.answer import Answer, answer
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.refusals import Refusal, bad_request, forbidden
from server.journal.store import document_list
from server.journal.store.branches import REVS_LIMIT
from server.journal.store.document_list import DatabaseInfo


async def info(call: Call) -> Answer:
    """Tell how many documents there are and where the feed ends."""
    of = await _info(call)
    return answer(
        {
            "db_name": of.name,
            "doc_count": of.documents,
            "doc_del_count": of.deleted,
            "update_seq": of.update_seq,
            "purge_seq": "0",
            "instance_start_time": _started(of),
            "compact_running": False,
            "disk_format_version": 8,
            "props": {},
            "sizes": {"active": 0, "external": 0, "file": 0},
        }
    )


async def make(call: Call, name: str) -> Answer:
    """Make a database that takes any documents."""
    await call.parts.databases.make(name, call.person)
    return answer({"ok": True}, 201)


async def remove(call: Call) -> Answer:
    """Remove such a database with everything in it."""
    await call.parts.databases.remove(call.db, call.person)
    return answer({"ok": True})


async def ensure_full_commit(call: Call) -> Answer:
    """Say yes: whatever was answered is on the disk already."""
    return answer({"ok": True, "instance_start_time": _started(await _info(call))}, 201)


async def compact(_call: Call) -> Answer:
    """Say yes: the journal keeps everything and leaves nothing behind."""
    return answer({"ok": True}, 202)


async def revs_limit(_call: Call) -> Answer:
    """Tell how many ancestors of a revision are named."""
    return Answer(b"%d\n" % REVS_LIMIT)


async def set_revs_limit(call: Call) -> Answer:
    """Take the limit that holds already; the journal keeps every revision, and no other limit can be kept."""
    if not call.db.is_admin:
        raise forbidden("You are not a db or server admin.")
    said = (await call.text()).strip()
    if not said.isdigit() or not int(said[:18]):
        raise bad_request("Rev limit must be a positive integer")
    if int(said[:18]) != REVS_LIMIT:
        raise Refusal(501, "not_implemented", f"This server keeps every revision and names {REVS_LIMIT} of a line.")
    return answer({"ok": True})


async def security(call: Call) -> Answer:
    """Tell which names and roles may use the database."""
    return answer(call.db.security)


async def set_security(call: Call) -> Answer:
    """Say which names and roles may use a database that an administrator made."""
    said: dict[str, Any] = await call.mapping()
    for group in ("admins", "members"):
        lists = said.setdefault(group, {})
        if not isinstance(lists, dict):
            raise bad_request(f"{group} must be an object")
        for name in ("names", "roles"):
            each = lists.setdefault(name, [])
            if not isinstance(each, list) or not all(isinstance(one, str) and "\0" not in one for one in each):
                raise bad_request(f"{group}.{name} must be a list of strings")
    await call.parts.databases.set_security(call.db, said)
    return answer({"ok": True})


async def _info(call: Call) -> DatabaseInfo:
    async with call.parts.storage.read() as connection:
        return await document_list.info(connection, call.db.name)


def _started(of: DatabaseInfo) -> str:
    """Return the moment at which the database was made: it tells a replicator that it is still the same one."""
    return str(int(of.created_at.timestamp() * 1_000_000))
