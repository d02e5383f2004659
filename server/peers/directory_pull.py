"""A hub takes over the province's directory: all of it in one transaction, or nothing.

Who is not in it any more is shut out here too, and sign-ins that were ended there end here. What only this hub knows
stays: when a person signed in here, and the devices that enrolled here before the province met them.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, Table, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.areas.tables import projects, unit_successors, units
from server.auth import refresh
from server.auth.tables import enrolments, grants, people
from server.forms.contents import Content, keep
from server.forms.tables import content_projects, contents, form_versions
from server.peers.connections import ReplicationParts
from server.peers.failures import PeerFailed
from server.peers.model import Peer
from server.peers.remote import Remote
from server.peers.tables import hub, hub_ended, peers
from server.platform.db.insert_missing import insert_missing
from server.platform.db.types import UtcDateTime
from server.platform.db.upsert import put
from sync.contract.authority import DIRECTORY

DOOR = "/api/peers"


async def pull_directory(parts: ReplicationParts, peer: Peer, remote: Remote) -> int:
    """Bring this hub's directory up to the province's; return how many rows came, 0 when nothing has changed."""
    address = peer.url.removesuffix("/db") + DOOR
    async with parts.storage.read() as connection:
        etag = await connection.scalar(select(hub.c.etag).where(hub.c.peer == peer.id))
    said = (await remote.ask("GET", f"{address}/directory", query={"known": etag} if etag else None)).object()
    now = parts.clock()
    if said.get("fingerprint") == etag and etag is not None:
        async with parts.storage.write() as connection:
            await connection.execute(update(hub).where(hub.c.peer == peer.id).values(pulled_at=now))
        return 0
    try:
        found = said["directory"]
        brought = await _new_contents(parts, remote, address, found["contents"])
        rows = sum(len(part) for part in found.values())
        async with parts.storage.write() as connection:
            await keep(connection, brought)
            await take_over(connection, found, now)
            await connection.execute(update(peers).where(peers.c.id == peer.id).values(scopes=list(found["scopes"])))
            known = {"etag": said["fingerprint"], "pulled_at": now, "is_complete": True}
            await connection.execute(update(hub).where(hub.c.peer == peer.id).values(**known))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise PeerFailed("garbage", f"a directory of another form ({error})") from None
    # Databases for new scopes, and the atlas of this process.
    await parts.areas.prepare()
    return rows


async def _new_contents(parts: ReplicationParts, remote: Remote, address: str, hashes: Sequence[str]) -> list[Content]:
    async with parts.storage.read() as connection:
        here = set(await connection.scalars(select(contents.c.sha256)))
    brought: list[Content] = []
    for sha256 in hashes:
        if sha256 in here:
            continue
        if not isinstance(sha256, str) or not sha256.isalnum():
            raise ValueError("a hash of another form")
        said = (await remote.ask("GET", f"{address}/contents/{sha256}")).object()
        try:
            body = base64.b64decode(str(said["body"]), validate=True)
        except binascii.Error as error:
            raise ValueError("a content of another form") from error
        if hashlib.sha256(body).hexdigest() != sha256:
            raise PeerFailed("half", f"content {sha256[:12]} is not what it is called")
        brought.append(Content(sha256, str(said["media_type"]), body))
    return brought


async def take_over(connection: AsyncConnection, found: Mapping[str, Any], now: datetime) -> None:
    """Make a directory this hub's own; raise ValueError for one that holds what none may hold."""
    _require_contract(found)
    await put(connection, projects, _typed(projects, found["projects"]))
    await put(connection, units, _typed(units, found["units"]))
    await insert_missing(connection, unit_successors, _typed(unit_successors, found["unit_successors"]))
    await put(connection, form_versions, _typed(form_versions, found["form_versions"]))
    await insert_missing(connection, content_projects, _typed(content_projects, found["content_projects"]))
    await _people(connection, _typed(people, found["people"]))
    await connection.execute(delete(grants))
    await insert_missing(connection, grants, _typed(grants, found["grants"]))
    # A device that enrolled here keeps what this hub has told it.
    await put(
        connection,
        enrolments,
        [{"highest_number": 0, "safe_number": 0, **row} for row in _typed(enrolments, found["enrolments"])],
        keep=("highest_number", "safe_number"),
    )
    # A province that is older says nothing of it.
    await _end_sign_ins(connection, _typed(hub_ended, found.get("ended", [])), now)


async def _end_sign_ins(connection: AsyncConnection, told: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """End here what the province has ended since it was last heard: a changed password, a lost or stolen phone."""
    known = {row.holder: row.at for row in await connection.execute(select(hub_ended))}
    for row in told:
        if known.get(row["holder"]) == row["at"]:
            continue
        revoke = refresh.revoke_person if row["is_person"] else refresh.revoke_enrolment
        await revoke(connection, row["holder"], now)
    await put(connection, hub_ended, told)


async def _people(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    by_name = {row["username"]: row["id"] for row in rows}
    ids = set(by_name.values())
    for row in (await connection.execute(select(people.c.id, people.c.username))).all():
        if row.id not in ids:
            # The province alone says who there is; a name that it has given to somebody else is free for them.
            freed = {"username": row.id} if row.username in by_name else {}
            shut = update(people).where(people.c.id == row.id)
            await connection.execute(shut.values(is_active=False, **freed))
        elif by_name.get(row.username) != row.id:
            await connection.execute(update(people).where(people.c.id == row.id).values(username=row.id))
    await put(connection, people, rows)


def _require_contract(found: Mapping[str, Any]) -> None:
    """Raise ValueError for a column that no directory may hold."""
    for name, part in DIRECTORY.items():
        if part.columns is not None and name != "contents":
            more = {column for row in found[name] for column in row} - {*part.columns}
            if more:
                raise ValueError(f"{name} with {', '.join(sorted(more))}")


def _typed(table: Table, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of a directory as the table takes them; a column that is not there is an error."""
    return [{name: _value(table, name, value) for name, value in row.items()} for row in rows]


def _value(table: Table, name: str, value: Any) -> Any:
    kind = table.c[name].type
    if value is not None and isinstance(kind, UtcDateTime):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if value is not None and isinstance(kind, Date) else value
