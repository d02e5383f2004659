"""Builders of forms, records and followers for the tests of reconcile, review and publish."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from server.areas.areas import Areas
from server.auth.tables import people
from server.background import followers_of
from server.forms.contents import XFORM_TYPE, Content, keep
from server.forms.library import FormLibrary
from server.forms.tables import form_versions
from server.journal.followers.runner import Runner
from server.journal.journal import Journal
from server.journal.model import NewRevision, Origin
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.ids import uuid7
from server.settings import Settings
from sync.revisions.canonical import Json

SCOPE = "agri-03226-2025"
OTHER_SCOPE = "agri-03158-2025"
#: The representative point of Sín Chải, roughly, and of a place far outside it.
INSIDE = "22.05 103.25 600 4.5"

FIELDS = """
<household><name/><phone/></household><members/><area/><visited/><started/><milk_at/><house/><crops/><photo/><note_text/>
<plot/><crop_row><_rid/><crop/><yield/></crop_row><meta><instanceID/><instanceName/></meta>
"""
BINDS = {
    "household/name": "string",
    "household/phone": 'string" xmlns:n="urn:n" sensitive="yes',
    "members": "int",
    "area": "decimal",
    "visited": "date",
    "started": "dateTime",
    "milk_at": "time",
    "house": "geopoint",
    "crops": "string",
    "photo": "binary",
    "note_text": "string",
    "plot": "geoshape",
    "crop_row/_rid": "string",
    "crop_row/crop": "string",
    "crop_row/yield": "decimal",
    "meta/instanceID": "string",
    "meta/instanceName": "string",
}


def survey(
    form: str = "household", version: str = "1", fields: str = FIELDS, binds: dict[str, str] | None = None
) -> bytes:
    """Return the XForm of a small survey with every kind of answer that is published."""
    types = BINDS if binds is None else binds
    nodes = "".join(f'<bind nodeset="/data/{path}" type="{kind}"/>' for path, kind in types.items())
    return f"""<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml">
    <h:head><h:title>Hộ gia đình</h:title><model><instance>
    <data id="{form}" version="{version}">{fields}</data></instance>{nodes}</model></h:head>
    <h:body>
      <input ref="/data/members"><label>Số người</label></input>
      <select ref="/data/crops"><label>Cây trồng</label>
        <item><label>Lúa</label><value>rice</value></item><item><label>Ngô</label><value>maize</value></item></select>
      <upload ref="/data/photo" mediatype="image/*"><label>Ảnh</label></upload>
      <group ref="/data/crop_row"><label>Cây</label><repeat nodeset="/data/crop_row">
        <input ref="/data/crop_row/crop"><label>Cây</label></input></repeat></group>
    </h:body></h:html>""".encode()


@dataclass
class Province:
    """A storage with a journal, people, forms and the followers, as the app wires them."""

    storage: Storage
    clock: Clock
    settings: Settings = field(default_factory=lambda: Settings(secret="only the tests know this, 40 characters!"))

    def __post_init__(self) -> None:
        self.journal = Journal(self.storage, self.clock)
        self.areas = Areas(self.storage, self.journal, self.clock)
        self.library = FormLibrary(self.storage)

    async def open(self) -> "Province":
        """Bring in areas, the first form and two people."""
        await self.areas.prepare()
        await self.add_person("lo", "Lò Văn Ban")
        await self.add_person("vang", "Vàng A Súng")
        await self.publish()
        return self

    @property
    def runner(self) -> Runner:
        """Return new followers: what they remember is only what is in the database."""
        return followers_of(
            self.settings, self.storage, self.journal, clock=self.clock, library=self.library, areas=self.areas
        )

    async def follow(self) -> None:
        """Let the followers take everything."""
        await self.runner.once()

    async def add_person(self, person: str, name: str) -> None:
        row = {"id": person, "username": person, "name": name, "locale": "vi", "password": "-", "is_active": True}
        async with self.storage.write() as connection:
            await connection.execute(people.insert().values(**row, created_at=self.clock()))

    async def publish(self, form: str = "household", version: str = "1", xform: bytes | None = None) -> None:
        """Publish a version of a form, as its author's publishing leaves it behind."""
        content = Content.of(xform or survey(form, version), XFORM_TYPE)
        titles = {"vi": "Hộ gia đình", "en": "Household"}
        async with self.storage.write() as connection:
            await keep(connection, [content])
            await connection.execute(
                form_versions.insert().values(
                    form=form,
                    version=version,
                    project="agri",
                    titles=titles,
                    languages=["vi", "en"],
                    xform=content.sha256,
                    source=content.sha256,
                    lists={},
                    points=[],
                    status="live",
                    loaded_in_browser=True,
                    published_at=self.clock(),
                )
            )
        document: dict[str, Json] = {"type": "form", "form": form, "version": version, "xform": content.sha256}
        await self.journal.write("catalog", [NewRevision.following(f"form:{form}:{version}", document, None)], Origin())

    async def save(
        self,
        answers: dict[str, Any],
        *,
        record: str | None = None,
        parent: str | None = None,
        by: str = "lo",
        scope: str = SCOPE,
        at: datetime | None = None,
        **content: Any,
    ) -> NewRevision:
        """Save a record, or an edit of it."""
        document: dict[str, Any] = {
            "type": "record",
            "form": "household",
            "form_version": "1",
            "answers": answers,
            "media": {},
            "saved": {"by": "device", "number": "1", "at": (at or self.clock()).isoformat()},
            **content,
        }
        revision = NewRevision.following(record or uuid7(self.clock), document, parent)
        await self._write(scope, revision, by)
        return revision

    async def delete(self, revision: NewRevision, by: str = "lo") -> NewRevision:
        """Delete a record."""
        tombstone = NewRevision.following(revision.doc_id, {"type": "record"}, revision.rev, deleted=True)
        await self._write(SCOPE, tombstone, by)
        return tombstone

    async def erase(self, revision: NewRevision) -> None:
        """Erase a record, as a recorded erasure leaves every leaf."""
        erased = NewRevision.following(revision.doc_id, {"type": "record", "erased": True}, revision.rev, deleted=True)
        await self._write(SCOPE, erased, "lo")

    async def decide(
        self, revision: NewRevision, decision: str, *follows: str, scope: str = SCOPE, sent_by: str = "khang"
    ) -> str:
        """Write a decision of Khang's as a document; return its id."""
        document = f"review:{revision.doc_id}:{uuid7(self.clock)}"
        content: dict[str, Json] = {
            "type": "review",
            "record": revision.doc_id,
            "rev": revision.rev,
            "decision": decision,
            "comment": "",
            "comments": {},
            "by": "khang",
            "by_name": "Khang Thị Mai",
            "at": self.clock().isoformat(),
            "follows": list(follows),
        }
        await self._write(scope, NewRevision.following(document, content, None), sent_by)
        return document

    async def _write(self, scope: str, revision: NewRevision, by: str) -> None:
        [outcome] = await self.journal.write(scope, [revision], Origin(by))
        assert outcome.outcome == "stored", outcome
