"""Another worker's phone, by the door that phones use: it records a tree with its photos, and corrects it."""

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx

from server.demo.files import TYPES, made_up
from server.demo.filling import Filler, SurveySite
from server.demo.phone import Attachment, Phone
from server.forms.answers.record_answers import to_json
from server.forms.schema import FormSchema
from tests.e2e.apart import apart
from tests.e2e.browser import PLACE
from tests.e2e.live_server import LiveServer
from tests.e2e.province import PASSWORD, SCOPE, Member
from tests.e2e.tea_trees import FORM

COLLEAGUE = Member("hoa", "Lò Thị Hoa", "field_worker", "agri", "03226")


class Colleague:
    """Another worker's phone, which recorded the tree."""

    def __init__(self, server: LiveServer) -> None:
        """Sign in and pull."""
        self._server = server
        apart(self._with_client, self._sign_in)

    def record(self) -> str:
        """Record a tree, send it, and return its title."""
        return str(apart(self._with_client, self._record))

    def correct(self, **tree: str) -> None:
        """Change answers of the tree as this phone knows it, and send it."""
        apart(self._with_client, self._correct, tree)

    async def _sign_in(self, client: httpx.AsyncClient) -> None:
        self._phone = await Phone(client).sign_in(COLLEAGUE.username, PASSWORD)
        await self._phone.sync()

    async def _record(self, client: httpx.AsyncClient) -> str:
        [form] = [one for one in self._phone.documents["catalog"].values() if one.get("form") == FORM]
        headers = {"Authorization": f"Bearer {self._phone.access_token}"}
        xform = (await client.get(f"/api/contents/{form['xform']}", headers=headers)).content
        chance, now = random.Random(7), datetime.now(UTC)
        filled = Filler(xform).fill(chance, SurveySite("03226", PLACE["latitude"], PLACE["longitude"]), now)
        answers = to_json(FormSchema.parse(xform), filled.xml)
        record = self._phone.save(SCOPE, FORM, form["version"], answers)["_id"]
        media = {
            name: self._phone.attach(Attachment(SCOPE, record, name, TYPES[kind], made_up(kind, chance)))
            for name, kind in filled.files
        }
        self._phone.save(SCOPE, FORM, form["version"], answers, media=media, record=record)
        await self._phone.sync()
        return str(answers["meta"]["instanceName"])

    async def _correct(self, _client: httpx.AsyncClient, tree: dict[str, str]) -> None:
        [record] = [one for one in self._phone.documents[SCOPE].values() if one["type"] == "record"]
        answers = record["answers"]
        groups = {name: {**group, **_of(group, tree)} for name, group in answers.items() if isinstance(group, dict)}
        version, media = record["form_version"], record["media"]
        self._phone.save(SCOPE, FORM, version, {**answers, **groups}, media=media, record=record["_id"])
        await self._phone.sync()

    async def _with_client(self, work: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        async with httpx.AsyncClient(base_url=self._server.url, timeout=30) as client:
            if hasattr(self, "_phone"):
                self._phone.client = client
            return await work(client, *arguments)


def _of(group: dict[str, Any], tree: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in tree.items() if name in group}
