"""A household that two workers recorded, by the door that phones use: alike enough to be asked about."""

import random
from datetime import UTC, datetime

import httpx

from server.demo.filling import Filler, SurveySite
from server.demo.phone import Phone
from server.forms.answers.record_answers import to_json
from server.forms.schema import FormSchema
from tests.e2e.apart import apart
from tests.e2e.browser import PLACE
from tests.e2e.disagreeing import COLLEAGUE
from tests.e2e.live_server import LiveServer
from tests.e2e.province import PASSWORD, SCOPE, WORKER

FORM = "household_crop"
TOLD = {
    "head_name": "Sùng Thị Mỷ",
    "head_birth_year": "1979",
    "phone": "0912345678",
    "dwelling_code": "HC-017",
    "house_point": f"{PLACE['latitude']} {PLACE['longitude']} 900 5",
}


class Twice:
    """Two records of one household, the older by one worker and the newer by another."""

    def __init__(self, server: LiveServer) -> None:
        """Record them."""
        self._server = server
        self.older, self.newer = apart(self._record)

    def correct_the_newer(self, **household: str) -> None:
        """Correct the newer record on a phone that knows nothing of what was decided since it was recorded."""
        apart(self._correct, household)

    def expect_members(self, record: str, count: str) -> None:
        """See how many people the household has, as the record stands."""
        query = f"""
            SELECT json_extract(CAST(content AS TEXT), '$.answers.household.members') FROM records
            JOIN bodies ON bodies.doc_id = records.id AND bodies.rev = records.rev WHERE records.id = '{record}'
        """
        self._server.follow_until(query, count)

    async def _record(self) -> tuple[str, str]:
        async with httpx.AsyncClient(base_url=self._server.url, timeout=60) as client:
            first = await Phone(client, "Oppo A17").sign_in(WORKER.username, PASSWORD)
            self._phone = await Phone(client, "Samsung A14").sign_in(COLLEAGUE.username, PASSWORD)
            older = await self._save(client, first, members="5")
            newer = await self._save(client, self._phone, members="6")
        return older, newer

    async def _save(self, client: httpx.AsyncClient, phone: Phone, **household: str) -> str:
        await phone.sync()
        [form] = [each for each in phone.documents["catalog"].values() if each.get("form") == FORM]
        headers = {"Authorization": f"Bearer {phone.access_token}"}
        xform = (await client.get(f"/api/contents/{form['xform']}", headers=headers)).raise_for_status().content
        chance = random.Random(11)
        place = SurveySite("03226", PLACE["latitude"], PLACE["longitude"])
        answers = to_json(FormSchema.parse(xform), Filler(xform).fill(chance, place, datetime.now(UTC)).xml)
        answers["household"] = {**answers["household"], **TOLD, **household}
        record = phone.save(SCOPE, FORM, form["version"], answers)["_id"]
        await phone.sync()
        return str(record)

    async def _correct(self, household: dict[str, str]) -> None:
        document = self._phone.documents[SCOPE][self.newer]
        answers = {**document["answers"], "household": {**document["answers"]["household"], **household}}
        self._phone.save(SCOPE, FORM, document["form_version"], answers, record=self.newer)
        async with httpx.AsyncClient(base_url=self._server.url, timeout=60) as client:
            self._phone.client = client
            await self._phone.sync()
