"""Enrolments: a person on a device, named by the thumbprint of the device's public key.

The private key never leaves the browser that made it; signing in where it still is registers the same enrolment again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.areas.grants import EVERY_PROJECT, Grant
from server.auth.jwk import BadKey, public_jwk, thumbprint
from server.auth.tables import enrolments as table
from server.auth.tables import grants, people
from server.errors import Problem
from server.platform.db.insert_missing import insert_missing
from sync.contract.roles import RIGHTS


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A device as the server knows it; `exchange_grants` are those at its last completed exchange, None before it."""

    id: str
    person: str
    jwk: Mapping[str, str]
    label: str
    registered_at: datetime
    revoked_at: datetime | None
    exchanged_at: datetime | None
    exchange_grants: tuple[Grant, ...] | None
    highest_number: int
    safe_number: int
    device: Mapping[str, Any] | None


_RECORDS = [role for role, rights in RIGHTS.items() if "capture" in rights.actions]
# Built once: every exchange of a phone runs these two.
_FIND = select(table).where(table.c.id == bindparam("enrolment"))
_NOTE = (
    update(table)
    .where(table.c.id == bindparam("enrolment"))
    .values(
        exchanged_at=bindparam("at"),
        exchange_grants=bindparam("held"),
        highest_number=bindparam("highest"),
        safe_number=bindparam("safe"),
        device=bindparam("said"),
    )
)


async def find(connection: AsyncConnection, enrolment: str) -> Enrolment | None:
    """Return the enrolment, revoked or not; None if unknown."""
    row = (await connection.execute(_FIND, {"enrolment": enrolment})).first()
    return _from_row(row) if row else None


async def count_phones(connection: AsyncConnection, project: str, *, silent_since: datetime | None = None) -> int:
    """Return on how many devices people record in a project: enrolled, not revoked, and heard from at least once.

    With `silent_since` only those that were not heard from after that.
    """
    is_heard = [table.c.revoked_at.is_(None), table.c.exchanged_at.is_not(None), people.c.is_active]
    if silent_since is not None:
        is_heard.append(table.c.exchanged_at < silent_since)
    may_record = (grants.c.project.in_((project, EVERY_PROJECT)), grants.c.role.in_(_RECORDS))
    query = (
        select(func.count(table.c.id.distinct()))
        .join(people, people.c.id == table.c.person)
        .join(grants, grants.c.person == people.c.id)
        .where(*is_heard, *may_record)
    )
    return (await connection.execute(query)).scalar_one()


async def of_person(connection: AsyncConnection, person: str) -> list[Enrolment]:
    """Return a person's enrolments, newest first."""
    query = select(table).where(table.c.person == person).order_by(table.c.registered_at.desc())
    return [_from_row(row) for row in await connection.execute(query)]


async def register(
    connection: AsyncConnection, person: str, jwk: Mapping[str, object], label: str, at: datetime
) -> Enrolment:
    """Return this key's enrolment, made if it is new; raises a problem for a bad, a revoked or another's key."""
    try:
        key = public_jwk(jwk)
    except BadKey as error:
        raise Problem("invalid_request", str(error), field="enrolment.jwk") from None
    name = thumbprint(key)
    row = {"id": name, "person": person, "jwk": key, "label": label, "registered_at": at}
    await insert_missing(connection, table, [row | {"highest_number": 0, "safe_number": 0}])
    known = await find(connection, name)
    assert known is not None
    if known.person != person:
        raise Problem("enrolment_of_another")
    if known.revoked_at is not None:
        raise Problem("enrolment_revoked")
    return known


async def revoke(connection: AsyncConnection, enrolment: str, at: datetime) -> None:
    """Take the key's trust away; what it brought before stays."""
    await connection.execute(
        update(table).where(table.c.id == enrolment, table.c.revoked_at.is_(None)).values(revoked_at=at)
    )


async def note_exchange(
    connection: AsyncConnection,
    enrolment: str,
    *,
    grants: tuple[Grant, ...],
    highest: int,
    safe: int,
    at: datetime,
    device: Mapping[str, Any] | None,
) -> None:
    """Keep what a completed exchange told the device, in the exchange's own transaction."""
    held = [[grant.role, grant.project, grant.unit] for grant in grants]
    values = {"enrolment": enrolment, "at": at, "held": held, "highest": highest, "safe": safe, "said": device}
    await connection.execute(_NOTE, values)


def _from_row(row: Row[Any]) -> Enrolment:
    held = row.exchange_grants
    grants = None if held is None else tuple(Grant(*grant) for grant in held)
    return Enrolment(**row._asdict() | {"exchange_grants": grants})
