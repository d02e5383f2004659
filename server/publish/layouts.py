"""Which columns each form has here: its layout over the versions that came, remembered in the order of their coming."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.db.put import put
from server.forms.library import FormLibrary
from server.publish.columns import Table, layout
from server.publish.tables import publication_versions
from server.publish.views import make_views


class Layouts:
    """The layouts of all forms; each is made once for every set of versions."""

    def __init__(self, library: FormLibrary) -> None:
        """Read nothing yet."""
        self._library = library
        self._known: dict[tuple[str, tuple[str, ...]], Table] = {}

    async def of(self, connection: AsyncConnection, form: str) -> Table | None:
        """Return the table of a form; None if no version of it came here."""
        query = select(publication_versions.c.version).where(publication_versions.c.form == form)
        versions = tuple((await connection.scalars(query.order_by(publication_versions.c.position))).all())
        if not versions:
            return None
        known = self._known.get((form, versions))
        if known is None:
            found = [await self._library.get(form, version) for version in versions]
            known = layout(form, [each.schema for each in found if each is not None])
            self._known[form, versions] = known
        return known

    async def learn(self, connection: AsyncConnection, form: str, version: str) -> Table | None:
        """Return the table of a form with this version among its versions, its views made accordingly."""
        here = publication_versions.c.form == form
        known = select(publication_versions.c.position).where(here, publication_versions.c.version == version)
        if await connection.scalar(known) is not None:
            return await self.of(connection, form)
        if await self._library.get(form, version) is None:
            return None
        last = await connection.scalar(select(func.max(publication_versions.c.position)).where(here)) or 0
        await put(connection, publication_versions, [{"form": form, "position": last + 1, "version": version}])
        table = await self.of(connection, form)
        if table is not None:
            await make_views(connection, table, form)
        return table
