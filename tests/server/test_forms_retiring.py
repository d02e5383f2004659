"""A form is taken from the phones and given back to them, and its spreadsheet comes back as it was brought."""

import asyncio
import json

import httpx
import pytest

from server.auth.audit import acts_on
from server.forms.versions.publication import change_status, publish, versions_of
from server.journal.journal import Journal
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from tests.builders import PROVINCE, Client, SignedIn, grant, person_signed_in, problem
from tests.server.test_forms_publication import (
    administrator,
    candidate_of,
    catalog_document,
    checked,
    go_live,
    published,
)
from tests.workbooks import SETTINGS, xlsform

pytestmark = pytest.mark.by_turns


async def set_status(client: Client, who: SignedIn, version: str, status: str) -> httpx.Response:
    return await client.put(f"/api/forms/household/{version}/status", json={"status": status}, headers=who.headers)


async def statuses_of(client: Client, who: SignedIn) -> dict[str, str]:
    listed = (await client.get("/api/forms", headers=who.headers)).json()["forms"]
    statuses = {one["version"]: one["status"] for one in listed}
    for version, status in statuses.items():
        assert (await catalog_document(client, "household", version))["status"] == status
    return statuses


async def test_a_form_is_retired_and_brought_back_and_phones_hear_of_it(client: Client) -> None:
    who = await administrator(client)
    await published(client, who)
    answer = await set_status(client, who, "1", "retired")
    assert (answer.status_code, answer.json()["status"]) == (200, "retired")
    assert await statuses_of(client, who) == {"1": "retired"}
    before = await client.app.state["journal"].state("catalog")
    assert (await set_status(client, who, "1", "retired")).json() == answer.json()
    assert await client.app.state["journal"].state("catalog") == before
    # Records of it still come in: what it asks stays readable.
    assert (await client.get("/api/forms/household/1/xform", headers=who.headers)).status_code == 200
    assert (await set_status(client, who, "1", "live")).json()["status"] == "live"
    assert await statuses_of(client, who) == {"1": "live"}
    async with client.app.state["storage"].read() as connection:
        acts = [act.action for act in await acts_on(connection, "form:household:1")]
    assert sorted(acts) == ["form_brought_back", "form_published", "form_retired"]


async def test_an_older_version_that_is_brought_back_takes_the_place_of_the_one_in_use(client: Client) -> None:
    who = await administrator(client)
    await published(client, who, version="1")
    await published(client, who, version="2")
    assert (await set_status(client, who, "1", "live")).status_code == 200
    assert await statuses_of(client, who) == {"1": "live", "2": "retired"}


async def test_versions_that_are_brought_back_at_once_leave_one_in_use(storage: Storage, clock: Clock) -> None:
    journal = Journal(storage, clock)
    await journal.ensure(["catalog"])
    for number in range(3):
        candidate = await candidate_of(storage, clock, version=f"{number}")
        await publish(storage, journal, clock, candidate, person=None, loaded_in_browser=False)
    versions = await versions_of(storage, "household")
    await asyncio.gather(*(change_status(storage, journal, clock, one, "live", person=None) for one in versions))
    statuses = sorted(one.status for one in await versions_of(storage, "household"))
    assert statuses == ["live", "retired", "retired"]
    stored = await journal.documents("catalog", [f"form:household:{number}" for number in range(3)])
    assert sorted(json.loads(one.content)["status"] for one in stored.values()) == statuses


async def test_only_who_publishes_in_a_project_retires_its_forms_and_gets_their_spreadsheets(client: Client) -> None:
    agri = await administrator(client)
    await published(client, agri)
    worker = await person_signed_in(client, "worker", grant("field_worker", unit=PROVINCE))
    there = await person_signed_in(client, "there", grant("administrator"))
    other = await administrator(client, "tourism")
    for who, status, code in ((worker, 403, "not_allowed"), (there, 404, "not_found"), (other, 404, "not_found")):
        problem(await set_status(client, who, "1", "retired"), status, code)
        problem(await client.get("/api/forms/household/1/source", headers=who.headers), status, code)
    problem(await set_status(client, agri, "9", "retired"), 404, "not_found")
    problem(await set_status(client, agri, "1", "gone"), 400, "invalid_request")


async def test_the_spreadsheet_comes_back_as_its_author_brought_it(client: Client) -> None:
    who = await administrator(client)
    data = xlsform(settings=SETTINGS | {"version": "2026-03-01 00:00:00"})
    answer = await checked(client, who, data, accept=["*"])
    await go_live(client, who, answer["id"])
    found = await client.get("/api/forms/household/2026-03-01/source", headers=who.headers)
    assert (found.status_code, found.content) == (200, data)
    assert found.headers["content-type"].startswith("application/vnd.openxmlformats")
    assert found.headers["content-disposition"] == 'attachment; filename="household-2026-03-01.xlsx"'
