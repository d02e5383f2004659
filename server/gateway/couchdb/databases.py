"""Which databases a caller sees, and what they are to them.

Scopes are there for whom a grant covers them, the catalog for everyone who holds a grant, and databases that an
administrator made for the names and roles in their `_security`. Any other name is answered like one that nobody uses.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import delete, select

from server.areas.areas import Areas
from server.areas.grants import CATALOG
from server.auth.authorise import allowed
from server.gateway.couchdb.caller import Caller
from server.gateway.couchdb.refusals import Refusal, forbidden, no_database
from server.gateway.couchdb.tables import made_databases as table
from server.journal.journal import Journal
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.db.insert_missing import insert_missing
from sync.contract.scope import Scope

#: CouchDB's rule for names.
_NAME = re.compile(r"[a-z][a-z0-9_$()+/-]{0,99}")
RESERVED = frozenset({CATALOG, "published"})
#: What CouchDB gives a new database: only administrators, until somebody is named.
ADMINS_ONLY: Mapping[str, Any] = {
    "admins": {"names": [], "roles": ["_admin"]},
    "members": {"names": [], "roles": ["_admin"]},
}


@dataclass(frozen=True, slots=True)
class Database:
    """A database that the caller sees; `security` is its `_security`."""

    name: str
    kind: Literal["scope", "catalog", "made"]
    may_write: bool
    is_admin: bool
    security: Mapping[str, Any]

    @property
    def takes_anything(self) -> bool:
        """Whether documents are stored as a CouchDB would store them, without a scope's rules."""
        return self.kind == "made"


class Databases:
    """The databases of one server."""

    def __init__(self, storage: Storage, journal: Journal, areas: Areas, clock: Clock) -> None:
        """Read nothing yet."""
        self._storage = storage
        self._journal = journal
        self._areas = areas
        self._clock = clock

    async def open(self, name: str, caller: Caller) -> Database:
        """Return the database as `caller` sees it; raise Refusal where they see none."""
        if name == CATALOG and caller.principal.grants:
            return Database(name, "catalog", may_write=False, is_admin=False, security=_of_catalog())
        if (await self._areas.atlas()).has_scope(name):
            if not allowed(caller.principal, "read", name):
                raise no_database()
            may_write = any(allowed(caller.principal, action, name) for action in ("capture", "replicate"))
            return Database(name, "scope", may_write, is_admin=False, security=_of_scope(name))
        security = await self._security(name)
        if security is None:
            raise no_database()
        is_admin = caller.is_server_admin or _names(security.get("admins"), caller)
        if not is_admin and not _names(security.get("members"), caller):
            raise no_database()
        return Database(name, "made", may_write=True, is_admin=is_admin, security=security)

    async def visible(self, caller: Caller) -> list[str]:
        """Return the names of all databases that `caller` sees, sorted."""
        atlas = await self._areas.atlas()
        names = [scope.name for scope in atlas.scopes_of(caller.principal)]
        if caller.principal.grants:
            names.append(CATALOG)
        async with self._storage.read() as connection:
            for row in await connection.execute(select(table.c.name, table.c.security)):
                lists = (row.security.get("admins"), row.security.get("members"))
                if caller.is_server_admin or any(_names(each, caller) for each in lists):
                    names.append(row.name)
        return sorted(names)

    async def make(self, name: str, caller: Caller) -> None:
        """Make a database; raise Refusal when the name is taken or can't be one."""
        if not caller.is_server_admin:
            raise forbidden("You are not a server admin.")
        atlas = await self._areas.atlas()
        if name == CATALOG or atlas.has_scope(name):
            raise _exists()
        if not _NAME.fullmatch(name):
            raise Refusal(
                400, "illegal_database_name", f"Name: '{name}'. Only lowercase characters, digits and _$()+-/."
            )
        # A scope may come to be under any project's name: the names of places stay free for them.
        if name in RESERVED or any(name.endswith(f"-{unit}") for unit in atlas.units):
            raise forbidden("The name is kept for the server's own databases.")
        row = {"name": name, "security": ADMINS_ONLY, "made_by": caller.principal.person, "made_at": self._clock()}
        async with self._storage.write() as connection:
            # Who makes it at the same moment waits here, and then sees that it was the second.
            await self._journal.ensure_within(connection, [name], takes_anything=True)
            if await connection.scalar(select(table.c.name).where(table.c.name == name)) is not None:
                raise _exists()
            await insert_missing(connection, table, [row])

    async def remove(self, database: Database, caller: Caller) -> None:
        """Take a made database away with everything in it; raise Refusal for any other."""
        if database.kind != "made" or not caller.is_server_admin:
            raise forbidden("You are not a server admin." if database.kind == "made" else "This database stays.")
        async with self._storage.write() as connection:
            await connection.execute(delete(table).where(table.c.name == database.name))
            await self._journal.remove_within(connection, database.name)

    async def set_security(self, database: Database, security: Mapping[str, Any]) -> None:
        """Say who may use a made database; raise Refusal for any other: there, grants decide."""
        if database.kind != "made" or not database.is_admin:
            raise forbidden("You are not a db or server admin.")
        async with self._storage.write() as connection:
            await connection.execute(
                table.update().where(table.c.name == database.name).values(security=dict(security))
            )

    async def _security(self, name: str) -> Mapping[str, Any] | None:
        if not _NAME.fullmatch(name):
            return None
        async with self._storage.read() as connection:
            found: Mapping[str, Any] | None = await connection.scalar(
                select(table.c.security).where(table.c.name == name)
            )
        return found


def _names(listed: object, caller: Caller) -> bool:
    if not isinstance(listed, dict):
        return False
    names, roles = listed.get("names", ()), listed.get("roles", ())
    return caller.username in names or not set(roles).isdisjoint(caller.roles)


def _of_catalog() -> dict[str, Any]:
    return {"admins": {"names": [], "roles": ["_admin"]}, "members": {"names": [], "roles": []}}


def _of_scope(name: str) -> dict[str, Any]:
    project, unit = Scope.of(name)
    roles = [
        f"{role}:{of_project}-{of_unit}"
        for role in ("administrator", "data_manager", "field_worker", "peer", "supervisor")
        for of_project in (project, "*")
        for of_unit in (unit, "11")
    ]
    return {"admins": {"names": [], "roles": ["_admin"]}, "members": {"names": [], "roles": roles}}


def _exists() -> Refusal:
    return Refusal(412, "file_exists", "The database could not be created, the file already exists.")
