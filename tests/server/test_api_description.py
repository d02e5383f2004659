"""The API's description: problems where they can occur, in one form; who must sign in; and bodies as they are read."""

import json
from typing import Any

import httpx
import pytest

from server.errors import KINDS
from server.platform.problems import MEDIA_TYPE
from tests.builders import PASSWORD, Client, add_person, grant, person_signed_in, problem
from tests.described import document, misfit, operation_of

#: What no described address answers: its method is another's, or there is no such address.
OF_NO_OPERATION = {"method_not_allowed"}
#: Where one can ask without having signed in; a phone's exchange tells by its seal who it is.
OPEN = {
    "POST /api/auth/login",
    "POST /api/auth/refresh",
    "POST /api/auth/logout",
    "POST /api/sync",
    "GET /.well-known/jwks.json",
    "OPTIONS /api/media",
    "OPTIONS /api/media/{sha256}",
}
#: Headers say it all.
WITHOUT_BODY = {"POST /api/media", "POST /api/media/bundles", "POST /api/peers/media", "POST /api/peers/{peer}/sync"}


def operations() -> dict[str, dict[str, Any]]:
    """Return every operation by its method and path."""
    paths = document()["paths"]
    return {f"{method.upper()} {path}": each for path, item in paths.items() for method, each in item.items()}


def problems(operation: dict[str, Any]) -> dict[str, list[str]]:
    """Return the codes that an operation may answer, by status."""
    found = {}
    for status, answer in operation["responses"].items():
        if content := answer.get("content", {}).get(MEDIA_TYPE):
            one, narrowed = content["schema"]["allOf"]
            assert one == {"$ref": "#/components/schemas/Problem"}
            found[status] = narrowed["properties"]["code"]["enum"]
    return found


def test_every_error_is_a_problem_document_of_one_schema_with_its_codes_and_status() -> None:
    for name, operation in operations().items():
        for status, codes in problems(operation).items():
            assert {KINDS[code].status for code in codes} == {int(status)}, name
        errors = {status for status in operation["responses"] if int(status) >= 400}
        assert errors == problems(operation).keys() or name.startswith("HEAD"), name


def test_every_code_is_said_of_some_operation() -> None:
    said = {code for each in operations().values() for codes in problems(each).values() for code in codes}
    assert said | OF_NO_OPERATION == KINDS.keys()
    assert document()["components"]["schemas"]["Problem"]["properties"]["code"]["enum"] == sorted(KINDS)


def test_who_asks_is_told_wherever_somebody_must_have_signed_in() -> None:
    every = operations()
    assert {name for name, each in every.items() if not each["security"]} == OPEN
    assert all("401" in each["responses"] for each in every.values() if each["security"])
    schemes = {scheme for each in every.values() for way in each["security"] for scheme in way}
    assert schemes | {"cookie"} == document()["components"]["securitySchemes"].keys()


def test_every_body_is_described_as_exactly_as_it_is_read() -> None:
    reads = {name for name, each in operations().items() if "requestBody" in each}
    sent = {name for name in operations() if name.startswith(("POST", "PUT", "PATCH"))}
    assert sent - reads == WITHOUT_BODY
    assert reads <= sent
    schemas = document()["components"]["schemas"]
    assert {"SyncRequest", "SyncAnswer"} <= schemas.keys()
    # What the framework's own schemas leave out: patterns, ranges, and that nothing else may stand there.
    assert schemas["NewMemberBody"]["additionalProperties"] is False
    assert schemas["NewMemberBody"]["properties"]["username"]["pattern"]
    assert schemas["NewMemberBody"]["properties"]["birth_year"]["anyOf"][0]["minimum"] == 1900


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (200, {}, None),
        (404, {"code": "not_found"}, "GET /api/me answered 404"),
        (401, {"code": "wrong_password"}, "GET /api/me answered wrong_password"),
        (401, {"code": "not_signed_in"}, None),
    ],
)
def test_an_answer_that_is_not_described_is_seen(status: int, body: dict[str, Any], told: str | None) -> None:
    request = httpx.Request("GET", "http://testserver/api/me")
    media_type = {"content-type": MEDIA_TYPE if status >= 400 else "application/json"}
    response = httpx.Response(status, content=json.dumps(body).encode(), headers=media_type, request=request)
    if told is None:
        assert misfit(response) is None
    else:
        assert str(misfit(response)).startswith(told)


def test_words_are_found_before_parameters() -> None:
    found = operation_of("POST", "/api/conflicts/quarantine/accept")
    assert found is not None
    assert found[0] == "POST /api/conflicts/quarantine/accept"
    assert operation_of("GET", "/api/typo") is None


async def test_options_names_every_method_of_an_address(client: Client) -> None:
    for path, item in document()["paths"].items():
        answer = await client.options(path.replace("{", "").replace("}", ""))
        if "options" not in item:
            assert {*answer.headers["allow"].split(", ")} >= {method.upper() for method in item}, path


async def test_a_name_and_a_language_are_described_as_what_nobody_can_take_away(client: Client) -> None:
    admin = await person_signed_in(client, "admin", grant("administrator", "*", "11"))
    members = document()["components"]["schemas"]["MemberChangeBody"]["properties"]
    for name in ("name", "locale"):
        assert members[name]["type"] == "string"
        answer = await client.patch(f"/api/people/{admin.person}", json={name: None}, headers=admin.headers)
        problem(answer, 400, "invalid_request")
    assert {"type": "null"} in members["birth_year"]["anyOf"]


def test_limits_of_parameters_stand_beside_their_types() -> None:
    parameters = {each["name"]: each["schema"] for each in operations()["GET /api/conflicts"]["parameters"]}
    assert parameters["waiting_days"] == {"type": "integer", "exclusiveMinimum": -1, "maximum": 3650}
    assert parameters["unit"] == {"type": "array", "items": {"type": "string"}, "maxItems": 200}


def test_rules_between_members_are_described() -> None:
    schemas = document()["components"]["schemas"]
    # `path` and exactly one way to choose.
    assert (schemas["Choice"]["minProperties"], schemas["Choice"]["maxProperties"]) == (2, 2)
    assert schemas["NewBatch"]["then"]["required"] == ["form", "path", "kind", "rule"]
    assert schemas["NewBatch"]["else"]["required"] == ["token"]
    assert schemas["UploadBody"]["additionalProperties"] is False


async def test_a_sessions_cookie_opens_nothing_of_the_api(client: Client) -> None:
    await add_person(client, "hub", grant("peer"))
    session = await client.post("/db/_session", json={"name": "hub", "password": PASSWORD})
    cookie = session.headers["set-cookie"].partition(";")[0]
    assert (await client.get("/db/_all_dbs", headers={"Cookie": cookie})).status_code == 200
    for path in ("/api/me", "/api/peers/directory", "/api/peers/media/awaited"):
        problem(await client.get(path, headers={"Cookie": cookie}), 401, "not_signed_in")
