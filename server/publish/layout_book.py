"""The columns of each form here: its layout over the versions that came, kept in the order of their arrival."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.forms.library import FormLibrary
from server.platform.db.upsert import put
from server.publish.columns import Table, layout
from server.publish.tables import publication_versions
from server.publish.views import make_views

#: The versions of a form in the order of their coming, with whether each came while calculations were text.
_Versions = tuple[tuple[str, bool], ...]


class Layouts:
    """The layouts of all forms; each is made once for every set of versions."""

    def __init__(self, library: FormLibrary) -> None:
        """Read nothing yet."""
        self._library = library
        self._known: dict[tuple[str, _Versions], Table] = {}

    async def of(self, connection: AsyncConnection, form: str) -> Table | None:
        """Return the table of a form; None if no version of it came here."""
        here = publication_versions.c.form == form
        query = select(publication_versions.c.version, publication_versions.c.calculations_as_text).where(here)
        rows = (await connection.execute(query.order_by(publication_versions.c.position))).all()
        versions = tuple((row.version, row.calculations_as_text) for row in rows)
        if not versions:
            return None
        known = self._known.get((form, versions))
        if known is None:
            found = [await self._library.get(form, version) for version, _ in versions]
            as_text = {version for version, is_text in versions if is_text}
            known = layout(form, [each.schema for each in found if each is not None], as_text)
            self._known[form, versions] = known
        return known

    async def learn(self, connection: AsyncConnection, form: str, version: str) -> Table | None:
        """Return the table of a form with this version among its versions, its views made accordingly."""
        here = publication_versions.c.form == form
        known = select(publication_versions.c.position).where(here, publication_versions.c.version == version)
        if await connection.scalar(known) is None:
            if await self._library.get(form, version) is None:
                return None
            last = await connection.scalar(select(func.max(publication_versions.c.position)).where(here)) or 0
            row = {"form": form, "position": last + 1, "version": version, "calculations_as_text": False}
            await put(connection, publication_versions, [row])
        table = await self.of(connection, form)
        # Also of a version that is known: the rules of an upgraded server may give it other columns.
        if table is not None:
            await make_views(connection, table, form)
        return table
