"""Managing people on behalf of an administrator.

An administrator hands out and takes away only what they administer themselves, and touches only people all of whose
grants lie there: else changing a password would be a way to anybody's rights. Somebody without grants is nobody's but
the whole province's: they may have been somebody else's before, and keep what they recorded. So whoever administers
less leaves their people one grant at least, and closes the account of who has gone. The console has no such bounds.

Somebody must administer the whole province: nobody takes the last such right away, nor closes that account, neither
here nor at the console.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from server.areas.atlas import Atlas
from server.areas.grants import Grant, Holder
from server.auth import enrolments, people, refresh
from server.auth.audit import note
from server.auth.authorise import EVERYTHING, may_hand_out, may_manage
from server.auth.enrolments import Enrolment
from server.auth.passwords import Passwords
from server.auth.people import Person
from server.auth.principal import Principal
from server.errors import Problem
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.ids import uuid7


@dataclass(frozen=True, slots=True)
class NewMember:
    """Somebody to be added."""

    username: str
    name: str
    password: str
    locale: str = "vi"
    birth_year: int | None = None
    grants: tuple[Grant, ...] = ()


class Manager:
    """Manages people for `principal`; None is the console."""

    def __init__(
        self, storage: Storage, passwords: Passwords, clock: Clock, atlas: Atlas, principal: Principal | None
    ) -> None:
        """Decide over the grants that `principal` holds now."""
        self.atlas = atlas
        self._storage = storage
        self._passwords = passwords
        self._clock = clock
        self._principal = principal

    async def everybody(self) -> list[Person]:
        """Return the people who may be managed, sorted by given name."""
        async with self._storage.read() as connection:
            found = await people.everybody(connection)
        return [person for person in found if self._may_manage(person)]

    async def find(self, person: str) -> Person:
        """Return somebody who may be managed; raises `not_found` for everybody else."""
        async with self._storage.read() as connection:
            return await self._managed(connection, person)

    async def add(self, new: NewMember) -> Person:
        """Add a person; raises `weak_password`, `username_taken`, `unknown_grant`, `not_allowed` or `grants_needed`."""
        self._check_grants(new.grants)
        self._leave_a_grant(new.grants)
        encoded = await self._passwords.new_hash(new.password, new.username, new.name)
        person = Person(
            id=uuid7(self._clock),
            username=people.folded(new.username),
            name=new.name.strip(),
            birth_year=new.birth_year,
            locale=new.locale,
            is_active=True,
            created_at=self._clock(),
            signed_in_at=None,
            grants=new.grants,
        )
        async with self._storage.write() as connection:
            if not await people.add(connection, person, encoded):
                raise Problem("username_taken", username=person.username)
            await self._note(connection, "person_added", person.id, username=person.username, grants=_told(new.grants))
        return person

    async def change(self, person: str, changes: Mapping[str, object]) -> Person:
        """Change a person by the fields of the door; closing the account or a new password ends every sign-in.

        Raises `last_administrator` where nobody would administer the whole province afterwards.
        """
        columns = {name: value for name, value in changes.items() if name in ("name", "locale", "birth_year")}
        if None in (columns.get("name", ""), columns.get("locale", "")):
            raise Problem("invalid_request", "a name and a language can't be taken away")
        if changes.get("active") is not None:
            columns["is_active"] = changes["active"]
        if isinstance(password := changes.get("password"), str):
            found = await self.find(person)
            names = (found.username, found.name, str(columns.get("name", found.name)))
            columns["password"] = await self._passwords.new_hash(password, *names)
        async with self._storage.write() as connection:
            if columns.get("is_active") is False:
                await people.lock_holders(connection, EVERYTHING)
            before = await self._managed(connection, person)
            if columns.get("is_active") is False:
                await self._keep_an_administrator(connection, before)
            await people.change(connection, person, columns)
            if "password" in columns or columns.get("is_active") is False:
                await refresh.revoke_person(connection, person, self._clock())
            await self._note(connection, "person_changed", person, changed=sorted(columns))
            return await self._managed(connection, person)

    async def set_grants(self, person: str, held: tuple[Grant, ...]) -> Person:
        """Make `held` the person's grants; they count from the next request on.

        Raises `last_administrator` where nobody would administer the whole province afterwards, and `grants_needed`.
        """
        self._check_grants(held)
        async with self._storage.write() as connection:
            if EVERYTHING not in held:
                await people.lock_holders(connection, EVERYTHING)
            before = await self._managed(connection, person)
            self._leave_a_grant(held)
            if EVERYTHING not in held:
                await self._keep_an_administrator(connection, before)
            await people.set_grants(connection, person, held)
            await self._note(connection, "grants_set", person, before=_told(before.grants), after=_told(held))
            return await self._managed(connection, person)

    async def devices(self, person: str) -> list[Enrolment]:
        """Return a person's devices, newest first."""
        async with self._storage.read() as connection:
            await self._managed(connection, person)
            return await enrolments.of_person(connection, person)

    async def revoke_device(self, person: str, enrolment: str) -> None:
        """Trust a device no longer and end its sign-ins; what it brought before stays."""
        async with self._storage.write() as connection:
            await self._managed(connection, person)
            known = await enrolments.find(connection, enrolment)
            if known is None or known.person != person:
                raise Problem("not_found")
            await enrolments.revoke(connection, enrolment, self._clock())
            await refresh.revoke_enrolment(connection, enrolment, self._clock())
            await self._note(connection, "enrolment_revoked", person, enrolment=enrolment)

    async def _managed(self, connection: AsyncConnection, person: str) -> Person:
        found = await people.find(connection, person)
        if found is None or not self._may_manage(found):
            raise Problem("not_found")
        return found

    def _may_manage(self, person: Holder) -> bool:
        return self._principal is None or may_manage(self._principal, person)

    async def _keep_an_administrator(self, connection: AsyncConnection, leaving: Person) -> None:
        """Return if somebody else administers the whole province, or `leaving` does not; the holders are locked."""
        if not leaving.is_active or EVERYTHING not in leaving.grants:
            return
        if not await people.is_held_by_another(connection, EVERYTHING, leaving.id):
            raise Problem("last_administrator")

    def _leave_a_grant(self, held: tuple[Grant, ...]) -> None:
        # Nobody leaves a person whom they could not manage any more.
        if not held and not self._may_manage(Principal("", "", None, ())):
            raise Problem("grants_needed")

    def _check_grants(self, held: tuple[Grant, ...]) -> None:
        for grant in held:
            if not self.atlas.is_grantable(grant):
                raise Problem("unknown_grant", project=grant.project, unit=grant.unit)
            if self._principal is not None and not may_hand_out(self._principal, grant):
                raise Problem("not_allowed", action="manage_people", project=grant.project, unit=grant.unit)

    async def _note(self, connection: AsyncConnection, action: str, subject: str, **details: object) -> None:
        by = self._principal.person if self._principal else None
        await note(connection, self._clock, by, action, subject, **details)


def _told(held: tuple[Grant, ...]) -> list[str]:
    return [f"{grant.role} {grant.project} {grant.unit}" for grant in held]
