"""Places: what a code meant when, successors, scopes and the catalog."""

import json
from datetime import date

import pytest
from litestar import Litestar

from server.areas.areas import Areas
from server.areas.atlas import Atlas, Project
from server.areas.grants import PROVINCE
from server.auth.principal import Principal
from server.journal.journal import Journal
from server.platform.db.engine import Storage
from tests.builders import SIN_CHAI, Client, grant, person_signed_in, problem
from tests.conftest import StandingClock

pytestmark = pytest.mark.by_turns

LAST_OLD_DAY, FIRST_NEW_DAY = date(2025, 6, 30), date(2025, 7, 1)


@pytest.fixture
async def areas(storage: Storage, clock: StandingClock) -> Areas:
    made = Areas(storage, Journal(storage, clock), clock)
    await made.prepare()
    return made


@pytest.fixture
async def atlas(areas: Areas) -> Atlas:
    return await areas.atlas()


async def test_a_code_without_a_date_is_resolved_by_date(atlas: Atlas) -> None:
    before, after = atlas.resolve("03226", LAST_OLD_DAY), atlas.resolve("03226", FIRST_NEW_DAY)
    assert before is not None
    assert after is not None
    assert (before.name, before.district) == ("Xã Tả Sìn Thàng", "Huyện Tủa Chùa")
    assert (after.id, after.name) == (SIN_CHAI, "Sín Chải")
    assert atlas.resolve("99999", FIRST_NEW_DAY) is None


async def test_129_units_became_45(atlas: Atlas) -> None:
    old = [unit for unit in atlas.present(LAST_OLD_DAY) if unit.id != PROVINCE]
    new = [unit for unit in atlas.present(FIRST_NEW_DAY) if unit.id != PROVINCE]
    assert (len(old), len(new)) == (129, 45)
    became = {later.id for unit in old for later in atlas.today(unit.id, FIRST_NEW_DAY)}
    assert became == {unit.id for unit in new}
    assert all(len(atlas.today(unit.id, FIRST_NEW_DAY)) == 1 for unit in old)


async def test_all_new_codes_are_reused_old_ones(atlas: Atlas) -> None:
    new = [unit for unit in atlas.present(FIRST_NEW_DAY) if unit.id != PROVINCE]
    assert all(atlas.resolve(unit.code, LAST_OLD_DAY) is not None for unit in new)


async def test_a_unit_that_exists_is_itself_today(atlas: Atlas) -> None:
    assert [unit.id for unit in atlas.today(SIN_CHAI, FIRST_NEW_DAY)] == [SIN_CHAI]
    assert atlas.today("no-such-unit", FIRST_NEW_DAY) == ()


async def test_every_scope_and_the_catalog_have_a_database(
    atlas: Atlas, storage: Storage, clock: StandingClock
) -> None:
    made = {state.name for state in await Journal(storage, clock).databases()}
    assert made == {"catalog", *(scope.name for scope in atlas.scopes)}
    assert len(atlas.scopes) == 90
    assert "agri-03226-2025" in made


async def test_preparing_again_changes_nothing(areas: Areas, storage: Storage, clock: StandingClock) -> None:
    journal = Journal(storage, clock)
    before = await journal.databases()
    await areas.prepare()
    assert await journal.databases() == before


async def test_the_catalog_tells_phones_the_communes_in_strings_only(
    areas: Areas, storage: Storage, clock: StandingClock
) -> None:
    stored = await Journal(storage, clock).document("catalog", f"area:{SIN_CHAI}")
    assert stored is not None
    told = json.loads(stored.content)
    assert told | {"longitude": "", "latitude": ""} == {
        "type": "area",
        "unit": SIN_CHAI,
        "code": "03226",
        "name": "Sín Chải",
        "kind": "commune",
        "longitude": "",
        "latitude": "",
        "valid_from": "2025-07-01",
    }
    assert float(told["longitude"]) > 102
    assert (await Journal(storage, clock).state("catalog")).documents == 45


async def test_a_new_project_gets_a_scope_in_every_commune(
    areas: Areas, storage: Storage, clock: StandingClock
) -> None:
    assert await areas.add_project(Project("health", "Y tế", "Health"))
    assert not await areas.add_project(Project("health", "Y tế khác", "Other"))
    made = {state.name for state in await Journal(storage, clock).databases()}
    assert "health-03226-2025" in made
    assert (await areas.atlas()).projects["health"].name_vi == "Y tế"


async def test_another_process_sees_a_new_project_within_half_a_minute(
    areas: Areas, storage: Storage, clock: StandingClock
) -> None:
    other = Areas(storage, Journal(storage, clock), clock)
    await other.atlas()
    await areas.add_project(Project("health", "Y tế", "Health"))
    clock.move(seconds=31)
    assert "health" in (await other.atlas()).projects


async def test_carried_are_the_scopes_of_field_work_alone(atlas: Atlas) -> None:
    held = (grant("field_worker"), grant("supervisor", "tourism", PROVINCE))
    principal = Principal("p", "Lan", None, held)
    assert [scope.name for scope in atlas.carried(principal)] == ["agri-03226-2025"]
    assert len(atlas.scopes_of(principal)) == 46
    assert atlas.scopes_of(Principal("p", "Lan", None, ())) == ()


async def test_the_door_resolves_a_code_and_tells_what_it_is_part_of_today(client: Client) -> None:
    worker = await person_signed_in(client, "lan")
    answer = await client.get("/api/areas/resolve?code=03223&on=2024-05-01", headers=worker.headers)
    body = answer.json()
    assert body["unit"]["name"] == "Xã Xín Chải"
    assert [unit["id"] for unit in body["today"]] == [SIN_CHAI]
    problem(await client.get("/api/areas/resolve?code=1&on=2024-05-01", headers=worker.headers), 404, "not_found")
    problem(await client.get("/api/areas/resolve?code=1&on=yesterday", headers=worker.headers), 400, "invalid_request")
    problem(await client.get("/api/areas/resolve", headers=worker.headers), 400, "invalid_request")
    problem(await client.get("/api/areas"), 401, "not_signed_in")


async def test_today_is_the_provinces_day(client: Client, clock: StandingClock) -> None:
    clock.now = clock.now.replace(year=2025, month=6, day=30, hour=16, minute=59)
    worker = await person_signed_in(client, "lan")
    assert len((await client.get("/api/areas", headers=worker.headers)).json()["units"]) == 130
    clock.move(minutes=1)
    assert len((await client.get("/api/areas", headers=worker.headers)).json()["units"]) == 46


async def test_only_an_administrator_of_every_project_makes_one(client: Client, app: Litestar) -> None:
    body = {"id": "health", "name_vi": "Y tế", "name_en": "Health"}
    some = await person_signed_in(client, "some", grant("administrator", "agri", PROVINCE))
    problem(await client.post("/api/areas/projects", json=body, headers=some.headers), 404, "not_found")
    admin = await person_signed_in(client, "admin", grant("administrator", "*", PROVINCE))
    assert (await client.post("/api/areas/projects", json=body, headers=admin.headers)).status_code == 201
    problem(await client.post("/api/areas/projects", json=body, headers=admin.headers), 409, "project_taken")
    bad = body | {"id": "Y-te"}
    problem(await client.post("/api/areas/projects", json=bad, headers=admin.headers), 400, "invalid_request")
