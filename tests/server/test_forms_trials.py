"""Chosen people try a form before it is live: who is handed it, when it ends, and that nothing of it counts."""

import hashlib
from typing import Any

import pytest

from tests.builders import PROVINCE, Client, SignedIn, grant, person_signed_in, problem, sign_in
from tests.conftest import StandingClock
from tests.server.sync_door import DATABASE, a_phone, exchange, outcomes
from tests.server.test_forms_publication import VILLAGES, WITH_LIST, administrator, catalog_document, checked, go_live
from tests.workbooks import SETTINGS, xlsform


async def trials(client: Client, who: SignedIn) -> list[dict[str, Any]]:
    answer = await client.get("/api/forms/trials", headers=who.headers)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["trials"]
    return found


async def set_trial(client: Client, who: SignedIn, candidate: str, *people: SignedIn) -> Any:
    body = {"people": [each.person for each in people]}
    return await client.put(f"/api/forms/candidates/{candidate}/trial", json=body, headers=who.headers)


async def content(client: Client, who: SignedIn, sha256: str) -> int:
    return (await client.get(f"/api/contents/{sha256}", headers=who.headers)).status_code


def hash_of(form: dict[str, Any]) -> str:
    return hashlib.sha256(form["xform"].encode()).hexdigest()


@pytest.fixture
async def author(client: Client) -> SignedIn:
    return await administrator(client)


async def test_only_the_chosen_people_are_handed_a_form_on_trial(client: Client, author: SignedIn) -> None:
    lo = await person_signed_in(client, "lo", grant("field_worker"))
    mai = await person_signed_in(client, "mai", grant("field_worker"))
    form = await checked(client, author, xlsform(WITH_LIST), lists={"villages.csv": VILLAGES})
    needed = [hash_of(form), *form["lists"].values()]
    assert [await content(client, lo, each) for each in needed] == [404, 404]
    answer = await set_trial(client, author, form["id"], lo, lo)
    assert answer.status_code == 200, answer.text
    told = answer.json()["trials"]
    assert [(each["form"], each["is_mine"], [one["name"] for one in each["people"]]) for each in told] == [
        ("household", False, [(await trials(client, author))[0]["people"][0]["name"]])
    ]
    handed = await trials(client, lo)
    assert [(each["id"], each["is_mine"], each["people"]) for each in handed] == [(form["id"], True, [])]
    assert [await content(client, lo, each) for each in needed] == [200, 200]
    assert await trials(client, mai) == []
    assert [await content(client, mai, each) for each in needed] == [404, 404]
    # The catalog, which everybody gets, says nothing of it, and no table has a version.
    assert await catalog_document(client, "household", "1") is None
    assert (await client.get("/api/forms", headers=author.headers)).json()["forms"] == []


async def test_a_record_of_a_form_on_trial_counts_nowhere(client: Client, author: SignedIn) -> None:
    phone = await a_phone(client, "lo")
    form = await checked(client, author, xlsform(settings=SETTINGS))
    lo = await sign_in(client, "lo")
    assert (await set_trial(client, author, form["id"], lo)).status_code == 200
    saved = phone.save(DATABASE, "household", "1", {"head_name": "Lò"})
    # Even where a phone sends one all the same, this server has no such form: it waits aside, and nothing reads it.
    assert [each[1:] for each in outcomes(await exchange(phone))] == [("quarantined", "unknown_form")]
    assert await client.app.state["journal"].documents(DATABASE, [saved["_id"]]) == {}


async def test_a_trial_ends_when_its_author_ends_it_when_the_form_is_published_or_after_a_month(
    client: Client, author: SignedIn, clock: StandingClock
) -> None:
    lo = await person_signed_in(client, "lo", grant("field_worker", "*"))
    form = await checked(client, author, xlsform(settings=SETTINGS))
    await set_trial(client, author, form["id"], lo)
    assert (await set_trial(client, author, form["id"])).json() == {"trials": []}
    assert await trials(client, lo) == []
    assert await content(client, lo, hash_of(form)) == 404

    await set_trial(client, author, form["id"], lo)
    later = await checked(client, author, xlsform(settings=SETTINGS | {"version": "2"}))
    await set_trial(client, author, later["id"], lo)
    assert [each["version"] for each in await trials(client, lo)] == ["2"]
    clock.move(minutes=1)
    assert (await go_live(client, author, form["id"])).status_code == 200
    assert await trials(client, lo) == await trials(client, author) == []
    problem(await set_trial(client, author, form["id"], lo), 409, "form_version_exists")

    clock.move(minutes=1)
    await set_trial(client, author, later["id"], lo)
    assert len(await trials(client, lo)) == 1
    clock.move(days=31)
    assert await trials(client, await sign_in(client, "lo")) == []


async def test_a_trial_is_for_people_who_record_in_the_project(client: Client, author: SignedIn) -> None:
    form = await checked(client, author, xlsform(settings=SETTINGS))
    looks_only = await person_signed_in(client, "khang", grant("supervisor"))
    elsewhere = await person_signed_in(client, "lan", grant("field_worker", "tourism"))
    lo = await person_signed_in(client, "lo", grant("field_worker"))
    told = problem(await set_trial(client, author, form["id"], lo, looks_only, elsewhere), 422, "not_recording")
    assert set(told["people"]) == {looks_only.person, elsewhere.person}
    assert await trials(client, author) == []
    other = await person_signed_in(client, "other", grant("administrator", "tourism", PROVINCE))
    problem(await set_trial(client, lo, form["id"], lo), 403, "not_allowed")
    problem(await set_trial(client, other, form["id"], lo), 404, "not_found")
    await set_trial(client, author, form["id"], lo)
    assert await trials(client, other) == []
    # Whoever lost the right to record loses the trial with it.
    path = f"/api/people/{lo.person}/grants"
    held = {"grants": [{"role": "supervisor", "project": "agri", "unit": grant("supervisor").unit}]}
    assert (await client.put(path, json=held, headers=author.headers)).status_code == 200
    assert await trials(client, lo) == []
    assert await content(client, lo, hash_of(form)) == 404
