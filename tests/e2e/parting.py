"""A record that stands in two areas, and one that two workers edited by form versions without a way between."""

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from server.demo.filling import Filler, SurveySite
from server.demo.phone import Phone
from server.forms.answers.record_answers import to_json
from server.forms.schema import FormSchema
from tests.e2e.apart import apart
from tests.e2e.browser import PLACE
from tests.e2e.disagreeing import COLLEAGUE
from tests.e2e.live_server import ROOT, LiveServer
from tests.e2e.province import PASSWORD, SCOPE, WORKER, Member

FORM = "household_crop"
NEXT_VERSION = "2026112201"
NEIGHBOUR = Member("xo", "Giàng Thị Xó", "field_worker", "agri", "03158")
ELSEWHERE = "agri-03158-2025"
#: What the record says of the village in the other area, and of its head by either version of the form.
VILLAGE, NAME, NUMBER = "Bản Tả Ko Khừ", "Mùa Thị Dợ", "12345"


class Parted:
    """The ids of both records: `moved` stands in two areas, `versions` has edits of two form versions."""

    def __init__(self, server: LiveServer) -> None:
        """Bring them about, and wait until both are asked about."""
        server.run(
            *("person", "add", NEIGHBOUR.username, "--name", NEIGHBOUR.name, "--locale", NEIGHBOUR.locale),
            *("--role", NEIGHBOUR.role, "--project", NEIGHBOUR.project, "--unit", NEIGHBOUR.unit),
            typed=f"{PASSWORD}\n",
        )
        self._server = server
        self.moved, self.versions = apart(self._record)
        server.run("form", "publish", str(_next_version(server.folder)), "--project", "agri")
        apart(self._edit_by_two_versions)
        for record in (self.moved, self.versions):
            asked = f"SELECT count(*) > 0 FROM open_questions WHERE record = '{record}' AND database = '{SCOPE}'"
            server.follow_until(asked, 1)

    async def _record(self) -> tuple[str, str]:
        async with httpx.AsyncClient(base_url=self._server.url, timeout=60) as client:
            phone = await Phone(client, "Oppo A17").sign_in(WORKER.username, PASSWORD)
            await phone.sync()
            [form] = [each for each in phone.documents["catalog"].values() if each.get("form") == FORM]
            headers = {"Authorization": f"Bearer {phone.access_token}"}
            xform = (await client.get(f"/api/contents/{form['xform']}", headers=headers)).raise_for_status().content
            place = SurveySite("03226", PLACE["latitude"], PLACE["longitude"])
            filled = Filler(xform).fill(random.Random(11), place, datetime.now(UTC))
            answers = _named(to_json(FormSchema.parse(xform), filled.xml), NAME)
            records = [phone.save(SCOPE, FORM, form["version"], answers) for _ in range(2)]
            await phone.sync()
            neighbour = await Phone(client, "Xiaomi 12").sign_in(NEIGHBOUR.username, PASSWORD)
            moved, versions = (str(each["_id"]) for each in records)
            neighbour.save(ELSEWHERE, FORM, form["version"], {**answers, "village": VILLAGE}, record=moved)
            await neighbour.sync()
            self._phone = phone
        return moved, versions

    async def _edit_by_two_versions(self) -> None:
        async with httpx.AsyncClient(base_url=self._server.url, timeout=60) as client:
            self._phone.client = client
            second = await Phone(client, "Samsung A14").sign_in(COLLEAGUE.username, PASSWORD)
            await second.sync()
            stands = self._phone.documents[SCOPE][self.versions]
            sides = ((self._phone, stands["form_version"], f"{NAME} A"), (second, NEXT_VERSION, NUMBER))
            for phone, version, name in sides:
                phone.save(SCOPE, FORM, version, _named(stands["answers"], name), record=self.versions)
            for phone, _, _ in sides:
                await phone.sync()


def _named(answers: dict[str, Any], name: str) -> dict[str, Any]:
    return {**answers, "household": {**answers["household"], "head_name": name}}


def _next_version(folder: Path) -> Path:
    """Return the form with a number where it had a name, which no name leads to."""
    book = load_workbook(ROOT / f"server/demo/forms/{FORM}.xlsx")
    survey, settings = book["survey"], book["settings"]
    columns = _columns(survey)
    row = 1 + [cell.value for cell in survey[get_column_letter(columns["name"])]].index("head_name")
    survey.cell(row, columns["type"]).value = "integer"
    for name in ("constraint", "bind::identifies"):
        survey.cell(row, columns[name]).value = None
    settings.cell(2, _columns(settings)["version"]).value = NEXT_VERSION
    path = folder / f"{FORM}.xlsx"
    book.save(path)
    return path


def _columns(sheet: Worksheet) -> dict[object, int]:
    return {cell.value: number for number, cell in enumerate(sheet[1], 1)}
