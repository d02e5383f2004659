"""What a new version would do to records and phones, told before it is published and without changing anything."""

from typing import Any

import httpx
import pytest
from litestar import Litestar

from server.desk.publishing.effect import effect_of
from server.forms.versions.candidates import read_candidate
from tests.builders import PROVINCE, Client, SignedIn, grant, person_signed_in, problem, sign_in
from tests.conftest import StandingClock
from tests.server.sync_door import a_phone, exchange
from tests.surveys import OTHER_SCOPE, Province
from tests.workbooks import question, xlsform

#: One question stays, one is renamed, one becomes a number, and all others are gone.
SECOND = [
    question("integer", "members"),
    question("decimal", "land", bind__was="area"),
    question("integer", "note_text"),
]


@pytest.fixture
async def province(app: Litestar, client: Client, clock: StandingClock) -> Province:
    return await Province(app.state.storage, clock, app.state.settings).open()


@pytest.fixture
async def author(client: Client, province: Province) -> SignedIn:
    return await person_signed_in(client, "author", grant("administrator", "agri", PROVINCE))


async def candidate(client: Client, who: SignedIn, survey: list[dict[str, str]] = SECOND) -> str:
    data = xlsform(survey, (), version="2")
    files = [("file", ("form.xlsx", data))]
    answer = await client.post("/api/forms/check", data={"project": "agri"}, files=files, headers=who.headers)
    assert answer.json()["errors"] == []
    return str(answer.json()["id"])


async def effect(client: Client, who: SignedIn, of: str) -> httpx.Response:
    return await client.get(f"/api/forms/candidates/{of}/effect", headers=who.headers)


async def told(client: Client, who: SignedIn, of: str) -> dict[str, Any]:
    answer = await effect(client, who, of)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_each_record_stays_changes_sets_answers_aside_or_waits(
    client: Client, province: Province, author: SignedIn
) -> None:
    await province.save({"members": "5"})
    await province.save({"members": "6", "area": "1.5"})
    await province.save({"members": "7", "note_text": "8"}, scope=OTHER_SCOPE)
    await province.save({"members": "8", "crops": ["rice"], "area": "2"})
    # Blank answers whose question is gone are no loss.
    await province.save({"members": "9", "photo": None})
    await province.save({"note_text": "near the stream"})
    await province.delete(await province.save({"members": "1"}))
    await province.erase(await province.save({"members": "1"}))
    await province.follow()
    before = await province.journal.ends()
    found = await told(client, author, await candidate(client, author))
    assert found == {
        "phones": 0,
        "silent": 0,
        "records": 6,
        "looked_at": 6,
        "same": 2,
        "changes": 2,
        "sets_aside": 1,
        "waits": 1,
    }
    assert await province.journal.ends() == before


async def test_records_of_all_versions_are_looked_at_along_their_own_way(
    client: Client, province: Province, author: SignedIn, clock: StandingClock
) -> None:
    await province.save({"area": "1"})
    clock.move(minutes=1)
    between = xlsform([question("decimal", "acreage", bind__was="area")], (), version="1.5")
    files = [("file", ("form.xlsx", between))]
    answer = await client.post("/api/forms/check", data={"project": "agri"}, files=files, headers=author.headers)
    body = {"loaded": True, "languages": ["vi", "en"]}
    path = f"/api/forms/candidates/{answer.json()['id']}/publish"
    assert (await client.post(path, json=body, headers=author.headers)).status_code == 200
    await province.save({"acreage": "2"}, form_version="1.5")
    await province.save({"acreage": "3"}, form_version="of another server")
    await province.follow()
    found = await told(
        client, author, await candidate(client, author, [question("decimal", "land", bind__was="acreage")])
    )
    assert (found["changes"], found["sets_aside"], found["waits"]) == (2, 0, 1)


async def test_a_form_without_records_does_nothing_to_them(client: Client, author: SignedIn) -> None:
    found = await told(client, author, await candidate(client, author))
    assert (found["records"], found["looked_at"], found["waits"]) == (0, 0, 0)


async def test_what_takes_too_long_is_told_as_far_as_it_was_looked_at(
    client: Client, province: Province, author: SignedIn, clock: StandingClock
) -> None:
    await province.save({"members": "5"})
    await province.follow()
    found = await read_candidate(province.storage, await candidate(client, author))
    assert found is not None
    done = await effect_of(province.storage, province.journal, province.library, found, clock, budget_s=0)
    assert (done.records, done.looked_at) == (1, 0)


async def test_phones_are_counted_on_which_people_record_in_the_project(
    client: Client, province: Province, author: SignedIn
) -> None:
    of = await candidate(client, author)
    phone = await a_phone(client, "hoa")
    assert (await told(client, author, of))["phones"] == 0
    await exchange(phone)
    # Two grants are one phone; who records elsewhere, or only looks, has none of it.
    for name, grants in {
        "mai": [grant("field_worker"), grant("field_worker", "*", PROVINCE)],
        "lan": [grant("field_worker", "tourism")],
        "khang": [grant("supervisor")],
    }.items():
        await exchange(await a_phone(client, name, *grants))
    assert (await told(client, author, of))["phones"] == 2


async def test_phones_that_were_silent_for_a_week_may_hold_drafts(
    client: Client, author: SignedIn, clock: StandingClock
) -> None:
    of = await candidate(client, author)
    await exchange(await a_phone(client, "hoa"))
    assert (await told(client, author, of))["silent"] == 0
    clock.move(days=8)
    author = await sign_in(client, "author")
    await exchange(await a_phone(client, "mai"))
    found = await told(client, author, of)
    assert (found["phones"], found["silent"]) == (2, 1)


async def test_only_who_publishes_in_the_project_is_told(client: Client, author: SignedIn) -> None:
    of = await candidate(client, author)
    worker = await person_signed_in(client, "worker", grant("field_worker", unit=PROVINCE))
    other = await person_signed_in(client, "other", grant("administrator", "tourism", PROVINCE))
    problem(await effect(client, worker, of), 403, "not_allowed")
    problem(await effect(client, other, of), 404, "not_found")
    problem(await effect(client, author, "01890000-0000-7000-8000-000000000000"), 404, "not_found")
