"""Approved records as GeoJSON, for those who may read them."""

import json
from typing import Any

import pytest
from litestar import Litestar

from tests.builders import PROVINCE, Client, SignedIn, grant, person_signed_in, problem
from tests.conftest import StandingClock
from tests.surveys import BINDS, INSIDE, OTHER_SCOPE, Province, survey

pytestmark = pytest.mark.by_turns

PATH = "/api/publish/household.geojson"
ANSWERS = {
    "household": {"name": "Lò Văn Ban", "phone": "0912345678"},
    "members": "5",
    "area": "1.25",
    "house": INSIDE,
    "crops": ["rice", "maize"],
    "crop_row": [{"_rid": "r1", "crop": "rice", "yield": "40.5"}],
}


@pytest.fixture
async def province(app: Litestar, client: Client, clock: StandingClock) -> Province:
    state = app.state
    return await Province(state.storage, clock, state.settings).open()


async def approved(province: Province, answers: dict[str, Any], **more: Any) -> str:
    saved = await province.save(answers, **more)
    await province.decide(saved, "approved", **({"scope": more["scope"]} if "scope" in more else {}))
    return saved.doc_id


async def features(client: Client, who: SignedIn, **params: Any) -> list[dict[str, Any]]:
    answer = await client.get(PATH, headers=who.headers, params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/geo+json")
    collection = json.loads(answer.content)
    assert collection["type"] == "FeatureCollection"
    found: list[dict[str, Any]] = collection["features"]
    return found


async def test_an_approved_record_is_a_feature_with_typed_properties(client: Client, province: Province) -> None:
    record = await approved(province, ANSWERS)
    await province.save({"members": "7"})
    await province.follow()
    reader = await person_signed_in(client, "khang", grant("supervisor"))
    [feature] = await features(client, reader)
    assert (feature["type"], feature["id"]) == ("Feature", record)
    # Longitude first (RFC 7946), while forms write latitude first.
    assert feature["geometry"] == {"type": "Point", "coordinates": [103.25, 22.05, 600.0]}
    properties = feature["properties"]
    assert (properties["members"], properties["area"], properties["crops_list"]) == (5, 1.25, ["rice", "maize"])
    assert properties["crop_row"] == [{"row_id": "r1", "crop": "rice", "yield": 40.5}]
    assert (properties["unit"], properties["approved_by"]) == ("03226-2025", "Khang Thị Mai")


async def test_sensitive_answers_are_left_out_unless_one_is_entitled(client: Client, province: Province) -> None:
    await approved(province, ANSWERS)
    await province.follow()
    reader = await person_signed_in(client, "khang", grant("supervisor"))
    manager = await person_signed_in(client, "giang", grant("data_manager"))
    [for_reader] = await features(client, reader)
    [for_manager] = await features(client, manager)
    assert "household_phone" not in for_reader["properties"]
    assert "household_phone" not in for_manager["properties"]
    [asked_for] = await features(client, manager, sensitive="true")
    assert asked_for["properties"]["household_phone"] == "0912345678"
    problem(await client.get(f"{PATH}?sensitive=true", headers=reader.headers), 403, "not_allowed")


async def test_only_ones_own_scopes_are_given(client: Client, province: Province) -> None:
    """I9: nothing of a document leaves for a person whose grants don't cover its scope."""
    here = await approved(province, ANSWERS)
    there = await approved(province, ANSWERS, scope=OTHER_SCOPE)
    await province.follow()
    reader = await person_signed_in(client, "khang", grant("supervisor"))
    everywhere = await person_signed_in(client, "giang", grant("data_manager", unit=PROVINCE))
    tourism = await person_signed_in(client, "thu", grant("supervisor", project="tourism"))
    assert [each["id"] for each in await features(client, reader)] == [here]
    assert {each["id"] for each in await features(client, everywhere)} == {here, there}
    assert [each["id"] for each in await features(client, everywhere, scope=OTHER_SCOPE)] == [there]
    assert await features(client, tourism) == []
    problem(await client.get(f"{PATH}?scope={OTHER_SCOPE}", headers=reader.headers), 404, "not_found")
    problem(await client.get(PATH), 401, "not_signed_in")


async def test_an_outline_runs_counter_clockwise_and_a_record_without_a_place_has_none(
    client: Client, province: Province
) -> None:
    clockwise = "22.05 103.25 0 0; 22.06 103.26 0 0; 22.05 103.26 0 0; 22.05 103.25 0 0"
    await approved(province, {"plot": clockwise, "area": "1"})
    await approved(province, {"members": "2"})
    await province.follow()
    reader = await person_signed_in(client, "khang", grant("supervisor"))
    found = {each["geometry"]["type"] if each["geometry"] else None: each for each in await features(client, reader)}
    assert set(found) == {"Polygon", None}
    assert found["Polygon"]["geometry"]["coordinates"][0][1] == [103.26, 22.05]


async def test_an_outline_is_the_geometry_and_the_point_beside_it_stays_a_property(
    client: Client, province: Province
) -> None:
    outline = "22.05 103.25 0 0; 22.05 103.26 0 0; 22.06 103.26 0 0; 22.05 103.25 0 0"
    await approved(province, {"house": INSIDE, "plot": outline})
    await approved(province, {"house": INSIDE})
    await province.follow()
    reader = await person_signed_in(client, "khang", grant("supervisor"))
    found = {each["geometry"]["type"]: each["properties"] for each in await features(client, reader)}
    # Who has no outline is still on the map.
    assert found.keys() == {"Polygon", "Point"}
    assert (found["Polygon"]["house_longitude"], found["Polygon"]["house_latitude"]) == (103.25, 22.05)


async def test_a_sensitive_outline_leaves_the_point_to_whoever_may_not_see_it(
    client: Client, province: Province
) -> None:
    binds = {**BINDS, "plot": 'geoshape" xmlns:n="urn:n" sensitive="yes'}
    await province.publish(version="2", xform=survey(version="2", binds=binds))
    outline = "22.05 103.25 0 0; 22.05 103.26 0 0; 22.06 103.26 0 0; 22.05 103.25 0 0"
    await approved(province, {"house": INSIDE, "plot": outline}, form_version="2")
    await province.follow()
    manager = await person_signed_in(client, "giang", grant("data_manager"))
    [hidden], [shown] = await features(client, manager), await features(client, manager, sensitive="true")
    assert (hidden["geometry"]["type"], shown["geometry"]["type"]) == ("Point", "Polygon")
    assert "plot" not in hidden["properties"]


@pytest.mark.slow
async def test_a_large_set_is_streamed_whole(client: Client, province: Province) -> None:
    for number in range(530):
        await approved(province, {"members": str(number)})
    await province.follow()
    reader = await person_signed_in(client, "khang", grant("supervisor"))
    found = await features(client, reader)
    assert sorted(each["properties"]["members"] for each in found) == list(range(530))


async def test_an_unknown_form_is_not_found(client: Client, province: Province) -> None:
    reader = await person_signed_in(client, "khang", grant("supervisor"))
    for name in ("other.geojson", "household", "household.csv"):
        problem(await client.get(f"/api/publish/{name}", headers=reader.headers), 404, "not_found")
