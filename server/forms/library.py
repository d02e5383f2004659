"""Published form versions, ready to use: parsed once in a process, since a version never changes."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from server.forms.conversion.lists import is_list
from server.forms.evaluate.evaluator import Evaluator
from server.forms.schema import FormSchema
from server.forms.tables import contents, form_versions
from server.platform.db.engine import Storage


@dataclass(frozen=True, slots=True)
class PublishedForm:
    """One published version: what its records must fit, and what people call it."""

    form: str
    version: str
    project: str
    titles: Mapping[str, str]
    schema: FormSchema
    xform: bytes
    #: What the form says of answers, its choice lists included.
    evaluator: Evaluator


class FormLibrary:
    """The published versions of one storage."""

    def __init__(self, storage: Storage) -> None:
        """Read nothing yet."""
        self._storage = storage
        self._known: dict[tuple[str, str], PublishedForm] = {}

    async def get(self, form: str, version: str) -> PublishedForm | None:
        """Return a version, whatever its status: records of a retired one still come. None when it is not here."""
        if "\0" in form or "\0" in version:
            # PostgreSQL would refuse the question, and with it a phone's whole request.
            return None
        # What is not here may come at any moment, so only what was found is kept.
        known = self._known.get((form, version))
        if known is not None:
            return known
        query = (
            select(form_versions.c.project, form_versions.c.titles, form_versions.c.lists, contents.c.body)
            .join(contents, contents.c.sha256 == form_versions.c.xform)
            .where(form_versions.c.form == form, form_versions.c.version == version)
        )
        async with self._storage.read() as connection:
            row = (await connection.execute(query)).first()
            if row is None:
                return None
            wanted = {name: sha256 for name, sha256 in row.lists.items() if is_list(name)}
            named = select(contents.c.sha256, contents.c.body).where(contents.c.sha256.in_(wanted.values()))
            files = {sha256: bytes(body) for sha256, body in await connection.execute(named)} if wanted else {}
        lists = {name: files[sha256] for name, sha256 in wanted.items() if sha256 in files}
        xform = bytes(row.body)
        schema = FormSchema.parse(xform)
        evaluator = Evaluator(schema, xform, lists)
        found = PublishedForm(form, version, row.project, row.titles, schema, xform, evaluator)
        self._known[form, version] = found
        return found

    async def names(self) -> list[tuple[str, str]]:
        """Return (form, version) of every version that `get` finds."""
        is_here = contents.c.sha256 == form_versions.c.xform
        query = select(form_versions.c.form, form_versions.c.version).join(contents, is_here)
        async with self._storage.read() as connection:
            return [(row.form, row.version) for row in await connection.execute(query)]

    async def versions(self, form: str) -> tuple[str, ...]:
        """Return all versions of a form, in the order in which they were published."""
        query = select(form_versions.c.version).where(form_versions.c.form == form)
        oldest_first = (form_versions.c.published_at, form_versions.c.version)
        async with self._storage.read() as connection:
            return tuple((await connection.execute(query.order_by(*oldest_first))).scalars())

    async def latest(self, form: str) -> PublishedForm | None:
        """Return the version of a form that was published last, for what is said of all its records together."""
        query = select(form_versions.c.version).where(form_versions.c.form == form)
        newest_first = (form_versions.c.published_at.desc(), form_versions.c.version.desc())
        async with self._storage.read() as connection:
            version = (await connection.execute(query.order_by(*newest_first).limit(1))).scalar()
        return None if version is None else await self.get(form, version)
