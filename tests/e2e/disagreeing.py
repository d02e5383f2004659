"""Two workers who correct the same records without knowing of each other, by the door that phones use.

What they make is what a desk has to show: answers of every common type that differ, a point and an outline in two
places, a deletion beside an edit, and one question that several records share.
"""

import json
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from server.demo.filling import Filler, SurveySite
from server.demo.phone import Phone
from server.forms.answers.record_answers import to_json
from server.forms.schema import Field, FormSchema
from tests.e2e.apart import apart
from tests.e2e.browser import PLACE
from tests.e2e.live_server import LiveServer
from tests.e2e.province import PASSWORD, SCOPE, WORKER, Member

COLLEAGUE = Member("huong", "Lò Thị Hương", "field_worker", "agri", "03226")
MANAGER = Member("quan", "Cà Văn Quân", "data_manager", "agri", "11")
#: Records of each form: the first of each differs in all that a form asks, the others in their village.
RECORDS = {"household_crop": 4, "forest_plot": 1, "shan_tea_tree": 1}
SHARED = "village"
POINTS = ("house_point", "centre", "tree_point")
#: Degrees; some thirty metres.
STEP = 0.0003
OPEN = f"SELECT count(DISTINCT record) FROM open_questions WHERE database = '{SCOPE}'"

Answers = dict[str, Any]
Edit = Callable[[Field, Any], Any]


def add_people(server: LiveServer) -> None:
    """Add the second worker and the data manager."""
    for member in (COLLEAGUE, MANAGER):
        server.run(
            *("person", "add", member.username, "--name", member.name, "--locale", member.locale),
            *("--role", member.role, "--project", member.project, "--unit", member.unit),
            typed=f"{PASSWORD}\n",
        )


def disagree(server: LiveServer) -> int:
    """Let both workers correct the same records; return how many wait for a person, once all of them do."""
    # A thread of its own: the browser's driver keeps this one's event loop.
    records = apart(_disagree, server)
    server.follow_until(OPEN, records)
    return records


async def _disagree(server: LiveServer) -> int:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        first = await Phone(client, "Oppo A17").sign_in(WORKER.username, PASSWORD)
        await first.sync()
        schemas = await _save_records(client, first)
        await first.sync()
        second = await Phone(client, "Samsung A14").sign_in(COLLEAGUE.username, PASSWORD)
        await second.sync()
        # Neither has seen what the other does now.
        ids = sorted(name for name, doc in second.documents[SCOPE].items() if doc["type"] == "record")
        seen: set[str] = set()
        for name in ids:
            form = second.documents[SCOPE][name]["form"]
            if form == "shan_tea_tree":
                second.delete(SCOPE, name)
                _correct(first, name, schemas[form], _shared("Bản Nậm Pố"))
            else:
                is_whole = form not in seen
                _correct(first, name, schemas[form], _moved(1) if is_whole else _shared("Bản Hấu Chua"))
                _correct(second, name, schemas[form], _moved(2) if is_whole else _shared("Bản Tả Phìn"))
            seen.add(form)
        await first.sync()
        await second.sync()
        return len(ids)


async def _save_records(client: httpx.AsyncClient, phone: Phone) -> dict[str, FormSchema]:
    chance = random.Random(7)
    schemas: dict[str, FormSchema] = {}
    place = SurveySite("03226", PLACE["latitude"], PLACE["longitude"])
    for document in list(phone.documents["catalog"].values()):
        if document["type"] != "form" or document["form"] not in RECORDS:
            continue
        headers = {"Authorization": f"Bearer {phone.access_token}"}
        xform = (await client.get(f"/api/contents/{document['xform']}", headers=headers)).raise_for_status().content
        schema, filler = FormSchema.parse(xform), Filler(xform)
        schemas[document["form"]] = schema
        for _ in range(RECORDS[document["form"]]):
            answers = _made_up(schema, filler, chance, place)
            phone.save(SCOPE, document["form"], document["version"], answers)
    return schemas


def _made_up(schema: FormSchema, filler: Filler, chance: random.Random, place: SurveySite) -> Answers:
    """Return answers of somebody who consented, so that the form asked for the place."""
    while True:
        answers = to_json(schema, filler.fill(chance, place, datetime.now(UTC)).xml)
        if any(f'"{name}":' in json.dumps(answers) for name in POINTS):
            return _edited(schema.fields, answers, _outlined)


def _correct(phone: Phone, record: str, schema: FormSchema, edit: Edit) -> None:
    document = phone.documents[SCOPE][record]
    answers = _edited(schema.fields, document["answers"], edit)
    phone.save(SCOPE, document["form"], document["form_version"], answers, record=record)


def _edited(fields: tuple[Field, ...], answers: Mapping[str, Any], edit: Edit) -> Answers:
    changed = dict(answers)
    # What is absent isn't asked, and stays so.
    for field in (each for each in fields if each.name in answers):
        value = answers[field.name]
        if field.kind == "group" and isinstance(value, dict):
            changed[field.name] = _edited(field.children, value, edit)
        elif field.kind == "leaf" and field.is_asked and not field.is_calculated and not isinstance(value, list):
            changed[field.name] = edit(field, value)
    return changed


def _outlined(field: Field, value: str | None) -> str | None:
    """Return the answer, and where an outline may be left out a small field beside the place."""
    if field.type != "geoshape" or value is not None:
        return value
    corners = ((0, 0), (0, 3), (2, 4), (3, 1), (0, 0))
    return ";".join(_shifted(f"{PLACE['latitude']} {PLACE['longitude']} 0 4", *corner) for corner in corners)


def _shared(village: str) -> Edit:
    return lambda field, value: village if field.name == SHARED else value


def _moved(by: int) -> Edit:
    """Return how a worker changes one answer of each type; `by` tells the workers apart."""
    left = {"decimal": 1, "integer": 1, "select_one": 1, "date": 1, "geopoint": 1, "geoshape": 1, "text": 1}

    def edit(field: Field, value: str | None) -> str | None:
        if field.name == SHARED:
            return f"Bản Huổi Hạ {by}"
        if value is None or left.get(field.type, 0) == 0 or field.name in {"commune", "old_commune", "consent"}:
            return value
        changed = _changed(field, value, by)
        left[field.type] -= changed != value
        return changed

    return edit


def _changed(field: Field, value: str, by: int) -> str:
    match field.type:
        case "integer":
            return str(int(value) + by)
        case "decimal":
            return f"{float(value) + by / 10:.1f}"
        case "select_one":
            others = [choice.value for choice in field.choices if choice.value != value]
            return others[by % len(others)] if len(others) > 1 else value
        case "date":
            return f"{value[:8]}{10 + by:02d}"
        case "geopoint" | "geoshape":
            return ";".join(_shifted(point, by, by / 2) for point in value.split(";"))
        case _:
            return value


def _shifted(point: str, north: float, east: float) -> str:
    latitude, longitude, *rest = point.split()
    return " ".join((f"{float(latitude) + north * STEP:.7f}", f"{float(longitude) + east * STEP:.7f}", *rest))
