"""People and their grants as rows: found, added, changed, listed."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, and_, bindparam, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.areas.grants import Grant
from server.auth.principal import Principal
from server.auth.tables import enrolments, grants, people, refresh_tokens


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can sign in."""

    id: str
    username: str
    name: str
    birth_year: int | None
    locale: str
    is_active: bool
    created_at: datetime
    signed_in_at: datetime | None
    grants: tuple[Grant, ...] = ()


def folded(username: str) -> str:
    """Return a username as it is compared and kept: NFC, without case, without blanks around it."""
    return unicodedata.normalize("NFC", username).strip().casefold()


def by_given_name(person: Person) -> tuple[str, str]:
    """Return the key by which Vietnamese names are sorted: the last word first."""
    words = person.name.casefold().split() or [""]
    return words[-1], person.name.casefold()


_PERSON = [column for column in people.columns if column.name != "password"]


# Built once, with the grants: every request asks one of these, and building a query costs more than running it.
_WITH_GRANTS = (
    select(*people.c, grants.c.role, grants.c.project, grants.c.unit)
    .select_from(people)
    .outerjoin(grants, grants.c.person == people.c.id)
    .order_by(*grants.primary_key.columns)
)
_BY_ID = _WITH_GRANTS.where(people.c.id == bindparam("person"))
_BY_USERNAME = _WITH_GRANTS.where(people.c.username == bindparam("username"))


async def find(connection: AsyncConnection, person: str) -> Person | None:
    """Return the person with this id and their grants."""
    found = _with_grants((await connection.execute(_BY_ID, {"person": person})).mappings().all())
    return found and found[0]


async def find_by_username(connection: AsyncConnection, username: str) -> tuple[Person, str] | None:
    """Return the person of this name, however it is typed, and their password's hash."""
    rows = await connection.execute(_BY_USERNAME, {"username": folded(username)})
    return _with_grants(rows.mappings().all())


async def everybody(connection: AsyncConnection) -> list[Person]:
    """Return all people with their grants, sorted by given name."""
    held: dict[str, tuple[Grant, ...]] = {}
    for row in await connection.execute(select(grants).order_by(*grants.primary_key.columns)):
        held[row.person] = (*held.get(row.person, ()), Grant(row.role, row.project, row.unit))
    found = [Person(**row._mapping) for row in await connection.execute(select(*_PERSON))]
    return sorted((replace(person, grants=held.get(person.id, ())) for person in found), key=by_given_name)


async def add(connection: AsyncConnection, person: Person, password_hash: str) -> bool:
    """Add `person` with their grants; False if the username is taken."""
    username = folded(person.username)
    if await connection.scalar(select(people.c.id).where(people.c.username == username)) is not None:
        return False
    row = {column.name: getattr(person, column.name) for column in _PERSON}
    await connection.execute(people.insert().values(**row | {"username": username, "password": password_hash}))
    await set_grants(connection, person.id, person.grants)
    return True


async def change(connection: AsyncConnection, person: str, changes: Mapping[str, object]) -> None:
    """Set columns of a person."""
    if changes:
        await connection.execute(update(people).where(people.c.id == person).values(**changes))


async def lock_holders(connection: AsyncConnection, grant: Grant) -> None:
    """Make others who lock the same holders wait until this transaction ends: what they read then is fresh.

    The statement that waited may have read what was there before; ask anew after it.
    """
    holders = select(grants.c.person).where(_is(grant))
    query = select(people.c.id).where(people.c.id.in_(holders)).order_by(people.c.id)
    await connection.execute(query.with_for_update(key_share=True))


async def is_held_by_another(connection: AsyncConnection, grant: Grant, person: str) -> bool:
    """Whether somebody besides `person` who can sign in holds exactly this grant."""
    query = select(people.c.id).join(grants, grants.c.person == people.c.id)
    found = await connection.scalar(query.where(_is(grant), people.c.is_active, people.c.id != person).limit(1))
    return found is not None


async def set_grants(connection: AsyncConnection, person: str, held: Iterable[Grant]) -> None:
    """Make `held` the person's grants, no others."""
    await connection.execute(grants.delete().where(grants.c.person == person))
    rows = [{"person": person, "role": g.role, "project": g.project, "unit": g.unit} for g in dict.fromkeys(held)]
    if rows:
        await connection.execute(grants.insert(), rows)


# Built once: every request asks this, and building it costs more than running it.
_PRINCIPAL = (
    select(people.c.name, enrolments.c.id.label("device"), grants.c.role, grants.c.project, grants.c.unit)
    .select_from(people)
    .outerjoin(grants, grants.c.person == people.c.id)
    .outerjoin(
        enrolments,
        (enrolments.c.id == bindparam("enrolment"))
        & (enrolments.c.person == people.c.id)
        & enrolments.c.revoked_at.is_(None),
    )
    .where(people.c.id == bindparam("person"), people.c.is_active)
)
_SIGNED_IN = _PRINCIPAL.where(
    exists().where(
        refresh_tokens.c.family == bindparam("family"),
        refresh_tokens.c.person == people.c.id,
        refresh_tokens.c.revoked_at.is_(None),
    )
)


async def principal(
    connection: AsyncConnection, person: str, enrolment: str | None, family: str | None = None
) -> Principal | None:
    """Return somebody with the rights of this moment; None once they, their device or their sign-in are shut out.

    Asked at every request, in one statement, so that an ended sign-in is refused at once whichever process ended it.
    """
    values = {"person": person, "enrolment": enrolment}
    query = _PRINCIPAL
    if family is not None:
        query, values = _SIGNED_IN, values | {"family": family}
    rows = (await connection.execute(query, values)).all()
    if not rows or (enrolment is not None and rows[0].device is None):
        return None
    held = tuple(Grant(row.role, row.project, row.unit) for row in rows if row.role is not None)
    return Principal(person, rows[0].name, enrolment, held, family)


def _is(grant: Grant) -> ColumnElement[bool]:
    return and_(grants.c.role == grant.role, grants.c.project == grant.project, grants.c.unit == grant.unit)


def _with_grants(rows: Sequence[RowMapping]) -> tuple[Person, str] | None:
    """Return the person whom these rows are of, one for each grant, and their password's hash."""
    if not rows:
        return None
    held = tuple(Grant(row["role"], row["project"], row["unit"]) for row in rows if row["role"] is not None)
    return Person(**{column.name: rows[0][column.name] for column in _PERSON}, grants=held), rows[0]["password"]
