"""Refresh tokens that rotate: each use gives a successor, and the old one stays valid until a successor is used.

An answer that is lost on the way therefore signs nobody out: the phone shows the old token again and gets another
successor. Once one successor has been used, its parent and its siblings are dead; showing a dead one means that two
parties hold the same sign-in, and the whole family is revoked (RFC 9700, 4.14.2). Only digests are stored.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.auth.tables import ended_sign_ins, people
from server.auth.tables import refresh_tokens as table
from server.platform.db.upsert import put


@dataclass(frozen=True, slots=True)
class SignIn:
    """The owner of one family of tokens: a person, on a device or not."""

    person: str
    enrolment: str | None
    family: str


@dataclass(frozen=True, slots=True)
class Renewal:
    """A refresh token that was accepted, and the one that takes its place."""

    sign_in: SignIn
    successor: str


@dataclass(frozen=True, slots=True)
class Reused:
    """A dead token was shown; its family is revoked now."""

    person: str
    family: str


async def begin(connection: AsyncConnection, sign_in: SignIn, label: str, at: datetime, lifetime: timedelta) -> str:
    """Return the first refresh token of a sign-in; `label` is what its person sees it called."""
    about = {"began_at": at, "issued_at": at, "label": label}
    return await _add(connection, sign_in, None, at + lifetime, about)


async def renew(connection: AsyncConnection, token: str, at: datetime, lifetime: timedelta) -> Renewal | Reused | None:
    """Return the renewal; `Reused` for a dead token, None for one that is unknown, expired or revoked.

    The caller commits in every case: a revocation must outlive the refusal.
    """
    shown = _digest(token)
    # One renewal of a person at a time: two siblings that supersede each other would wait for each other for ever.
    owner = select(table.c.person).where(table.c.digest == shown).scalar_subquery()
    await connection.execute(select(people.c.id).where(people.c.id == owner).with_for_update(key_share=True))
    row = (await connection.execute(select(table).where(table.c.digest == shown))).first()
    if row is None or row.revoked_at is not None or row.expires_at <= at:
        return None
    if row.superseded_at is not None:
        await revoke_family(connection, row.family, at)
        return Reused(row.person, row.family)
    if row.parent is not None:
        relatives = (table.c.digest == row.parent) | and_(table.c.parent == row.parent, table.c.digest != shown)
        await connection.execute(
            update(table).where(relatives, table.c.superseded_at.is_(None)).values(superseded_at=at)
        )
    await forget_expired(connection, row.person, at)
    sign_in = SignIn(row.person, row.enrolment, row.family)
    about = {"began_at": row.began_at, "issued_at": at, "label": row.label}
    return Renewal(sign_in, await _add(connection, sign_in, shown, at + lifetime, about))


async def family_of(connection: AsyncConnection, token: str) -> tuple[str, str] | None:
    """Return (person, family) of a token, whatever its state."""
    row = (await connection.execute(select(table).where(table.c.digest == _digest(token)))).first()
    return (row.person, row.family) if row else None


async def stands_for(connection: AsyncConnection, token: str, at: datetime) -> SignIn | None:
    """Return the sign-in of a token that is still good, without renewing it."""
    row = (await connection.execute(select(table).where(table.c.digest == _digest(token)))).first()
    if row is None or row.revoked_at is not None or row.superseded_at is not None or row.expires_at <= at:
        return None
    return SignIn(row.person, row.enrolment, row.family)


async def revoke_family(connection: AsyncConnection, family: str, at: datetime) -> None:
    """End one sign-in, and those of its device at hubs."""
    await _revoke(connection, table.c.family == family, at)
    query = select(table.c.enrolment).where(table.c.family == family, table.c.enrolment.is_not(None)).limit(1)
    if (enrolment := await connection.scalar(query)) is not None:
        await _note_end(connection, enrolment, at, is_person=False)


async def revoke_person(connection: AsyncConnection, person: str, at: datetime) -> None:
    """End every sign-in of a person, at hubs too."""
    await _revoke(connection, table.c.person == person, at)
    await _note_end(connection, person, at, is_person=True)


async def revoke_enrolment(connection: AsyncConnection, enrolment: str, at: datetime) -> None:
    """End every sign-in on a device, at hubs too."""
    await _revoke(connection, table.c.enrolment == enrolment, at)
    await _note_end(connection, enrolment, at, is_person=False)


async def forget_expired(connection: AsyncConnection, person: str, at: datetime) -> None:
    """Delete a person's tokens that have run out: unknown and expired ones are answered alike."""
    await connection.execute(table.delete().where(table.c.person == person, table.c.expires_at <= at))


async def _revoke(connection: AsyncConnection, which: ColumnElement[bool], at: datetime) -> None:
    # As a renewal does: one that runs beside this would add a successor that nothing revokes.
    owners = select(table.c.person).where(which)
    await connection.execute(select(people.c.id).where(people.c.id.in_(owners)).with_for_update(key_share=True))
    await connection.execute(update(table).where(which, table.c.revoked_at.is_(None)).values(revoked_at=at))


async def _note_end(connection: AsyncConnection, holder: str, at: datetime, *, is_person: bool) -> None:
    await put(connection, ended_sign_ins, [{"holder": holder, "is_person": is_person, "at": at}])


async def _add(
    connection: AsyncConnection,
    sign_in: SignIn,
    parent: str | None,
    expires_at: datetime,
    about: Mapping[str, object],
) -> str:
    token = secrets.token_urlsafe(32)
    row = {"digest": _digest(token), "parent": parent, "expires_at": expires_at, **asdict(sign_in), **about}
    await connection.execute(table.insert().values(**row))
    return token


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
