"""The image that every server's disk begins with: two projects in two communes, a form, and the fought-over records.

It is migrated and filled once in a process; a seed begins with a copy of it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from server.areas.areas import FIRST_PROJECTS
from server.areas.grants import CATALOG, EVERY_PROJECT, PROVINCE, Grant
from server.areas.tables import projects, units
from server.auth import people
from server.auth.people import Person
from server.forms.tables import contents, form_versions
from server.journal.journal import Journal
from server.journal.model import NewRevision, Origin
from server.platform.db.engine import Storage
from server.platform.db.insert_missing import insert_missing
from server.platform.db.migrate import migrate
from sync.revisions.canonical import Json
from tests.simulation.disk import Disk
from tests.simulation.events import SERVERS

BEGINNING = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
UNITS = ("03226-2025", "03158-2025")
SCOPES = tuple(f"{project.id}-{unit}" for project in FIRST_PROJECTS for unit in UNITS)
#: Of each scope, the documents that nearly every edit is about. The app takes an id for one record everywhere, and a
#: photo goes to one of these ids alone.
BASE_RECORDS = dict.fromkeys(SCOPES, ("record-a", "record-b"))
APP_RECORDS = {
    scope: tuple(f"0000000{number}-0000-7000-8000-00000000000{letter}" for letter in "ab")
    for number, scope in enumerate(SCOPES)
}
FORM = {"agri": "plot", "tourism": "sight"}
#: Questions whose answers only people can choose between.
ASKED = ("crop", "area")
VERSION = "1"
#: Published in the middle of some stories, here earlier, there later: it asks one more question.
NEXT_VERSION = "2"
MOST_PEOPLE = 30
_PUBLISHED = (BEGINNING + timedelta(days=1)).strftime("%Y-%m-%d %H:%M:%S.%f")

# What is asked of people, joined, one field a choice, or right for each and wrong together.
_XFORM = """<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"><h:head><h:title>f</h:title>
<model><instance><data id="{form}" version="{version}"><crop/><area/><note/><kinds/>{more}</data></instance>
<bind nodeset="/data/crop" type="string"/>
<bind nodeset="/data/area" type="string" constraint="not(. = '2.5' and ../crop = 'sắn')"/>
<bind nodeset="/data/note" type="string" merge="append"/><bind nodeset="/data/kinds" type="string"/></model></h:head>
<h:body><input ref="/data/crop"><label>c</label></input><input ref="/data/area"><label>a</label></input>
<input ref="/data/note"><label>n</label></input><select ref="/data/kinds"><label>k</label>
<item><label>a</label><value>a</value></item><item><label>b</label><value>b</value></item>
<item><label>c</label><value>c</value></item></select></h:body></h:html>"""


@dataclass(frozen=True, slots=True)
class Image:
    """A server's file, the base records of each scope, and the revision that each of them stands at."""

    content: bytes
    records: Mapping[str, tuple[str, ...]]
    base: dict[tuple[str, str], NewRevision]


def account(server: str) -> str:
    """Return as whom a server comes to another's door."""
    return f"server {server}".replace(" ", "-")


def person(number: int) -> str:
    """Return the id of the n-th person."""
    return f"person-{number:02}"


async def make_image(disk: Disk, records: Mapping[str, tuple[str, ...]]) -> Image:
    """Return a migrated and filled image with these base records; `disk` is used for it."""
    disk.path.touch()
    storage = disk.start()
    await migrate(storage)
    await _fill(storage)
    journal = Journal(storage, lambda: BEGINNING)
    await journal.ensure([CATALOG, *SCOPES])
    await journal.write(
        CATALOG, [NewRevision.following(f"area:{unit}", {"type": "area"}, None) for unit in UNITS], Origin()
    )
    base: dict[tuple[str, str], NewRevision] = {}
    for scope in SCOPES:
        made = [NewRevision.following(doc_id, base_content(scope), None) for doc_id in records[scope]]
        await journal.write(scope, made, Origin())
        base |= {(scope, revision.doc_id): revision for revision in made}
    content = disk.image()
    await disk.stop()
    return Image(content, records, base)


def base_content(scope: str) -> dict[str, Json]:
    """Return what a base record says at first."""
    form = FORM[scope.partition("-")[0]]
    answers: dict[str, Json] = {"crop": "ngô", "area": "1.0", "note": None, "kinds": ["a"]}
    return {"type": "record", "form": form, "form_version": VERSION, "answers": answers, "media": {}}


async def _fill(storage: Storage) -> None:
    async with storage.write() as connection:
        await insert_missing(
            connection,
            projects,
            [{"id": one.id, "name_vi": one.name_vi, "name_en": one.name_en} for one in FIRST_PROJECTS],
        )
        await insert_missing(
            connection,
            units,
            [
                {
                    **dict.fromkeys(column.name for column in units.columns),
                    "id": unit,
                    "code": unit.partition("-")[0],
                    "kind": "commune",
                    "name": unit,
                    "valid_from": date(2025, 7, 1),
                }
                for unit in UNITS
            ],
        )
        for number in range(MOST_PEOPLE):
            name = person(number)
            member = Person(
                name, name, name, None, "vi", True, BEGINNING, None, (Grant("field_worker", "agri", UNITS[0]),)
            )
            await people.add(connection, member, "")
        for server in SERVERS:
            name = account(server)
            grants = (Grant("peer", EVERY_PROJECT, PROVINCE),)
            await people.add(connection, Person(name, name, name, None, "vi", True, BEGINNING, None, grants), "")
        for project, form in FORM.items():
            xforms = {version: _xform(form, version) for version in (VERSION, NEXT_VERSION)}
            for xform in xforms.values():
                about = {"media_type": "application/xml", "bytes": len(xform), "body": xform}
                await insert_missing(connection, contents, [{"sha256": hashlib.sha256(xform).hexdigest(), **about}])
            sha256 = hashlib.sha256(xforms[VERSION]).hexdigest()
            row: dict[str, object] = {
                "form": form,
                "version": VERSION,
                "project": project,
                "titles": {"vi": form},
                "languages": ["vi"],
            }
            row |= {"xform": sha256, "source": sha256, "lists": {}, "points": [], "status": "live"}
            row |= {"loaded_in_browser": True, "published_by": None, "published_at": BEGINNING}
            await insert_missing(connection, form_versions, [row])
        await connection.exec_driver_sql(
            "CREATE TABLE simulated_checkpoints (name TEXT PRIMARY KEY, since TEXT NOT NULL)"
        )


def _xform(form: str, version: str) -> bytes:
    return _XFORM.format(form=form, version=version, more="<owner/>" if version == NEXT_VERSION else "").encode()


async def publish(disk: Disk) -> None:
    """Let a server have the next version of every form, as published at the same moment everywhere."""
    rest = "project, titles, languages, source, lists, points, status, loaded_in_browser, published_by"
    for form in FORM.values():
        await disk.put(
            f"INSERT OR IGNORE INTO form_versions (form, version, xform, published_at, {rest})"
            f" SELECT form, ?, ?, ?, {rest} FROM form_versions WHERE form = ? AND version = ?",
            (NEXT_VERSION, hashlib.sha256(_xform(form, NEXT_VERSION)).hexdigest(), _PUBLISHED, form, VERSION),
        )
