"""JSON that is nested deeply, or breaks off with its client, is told as such at every door, and is no bug of ours."""

import base64
import json
from typing import Any

import pytest
from litestar import Litestar
from structlog.testing import capture_logs

from server.auth.authentication import SIGN_IN_BYTES
from server.platform.request import JSON_BYTES, JSON_VALUES
from sync.revisions.canonical import MAX_DEPTH
from tests.builders import Client, DeviceKey, grant, person_signed_in, problem
from tests.described import document
from tests.server.couchdb_door import at_scope

pytestmark = pytest.mark.one_store("bodies are refused before anything is looked up")
JSON_TYPE = {"Content-Type": "application/json"}
DEEP = 5_000
#: Whole JSON, JSON that never ends, and objects in objects: decoders recurse differently into each.
DEEP_BODIES = [b"[" * DEEP + b"]" * DEEP, b"[" * DEEP, b'{"a":' * 2_500 + b"1" + b"}" * 2_500]
DB_DOORS = [
    ("POST", "/_bulk_docs"),
    ("POST", "/_bulk_get"),
    ("POST", "/_all_docs"),
    ("POST", "/_changes?filter=_selector"),
    ("POST", "/_revs_diff"),
    ("PUT", "/a"),
    ("PUT", "/_local/a"),
]


def json_doors(app: Litestar) -> list[tuple[str, str]]:
    """Return the method and path of everything in the API that takes JSON, as its own description has it."""
    schema = document()
    return [
        (method.upper(), path.replace("{", "").replace("}", ""))
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    ]


@pytest.mark.parametrize("body", DEEP_BODIES, ids=["whole", "endless", "objects"])
async def test_deeply_nested_json_is_malformed_at_every_door_of_the_api(client: Client, body: bytes) -> None:
    admin = await person_signed_in(client, "admin", grant("administrator", "*", "11"))
    doors = [*json_doors(client.app), ("POST", "/api/sync")]
    assert len(doors) > 20
    for method, path in doors:
        answer = await client.request(method, path, content=body, headers=admin.headers | JSON_TYPE)
        assert answer.status_code == 400, f"{method} {path}: {answer.text}"
        params = problem(answer, 400, "malformed_json")
        assert params["reason"] in ("too_deep", "not_json")
    begun = b'{"username":"[[[","password":'
    said = begun + b"[" * 100 + b"]" * 100 + b"}"
    answer = await client.post("/api/auth/login", content=said, headers=JSON_TYPE)
    # The 65th level; what stands in a string is none.
    assert problem(answer, 400, "malformed_json") == {"reason": "too_deep", "where": str(len(begun) + MAX_DEPTH - 1)}


@pytest.mark.parametrize("body", DEEP_BODIES, ids=["whole", "endless", "objects"])
async def test_deeply_nested_json_is_a_bad_request_at_every_door_of_replicas(client: Client, body: bytes) -> None:
    door = await at_scope(client, "hoa", grant("field_worker"))
    for method, path in DB_DOORS:
        answer = await door.ask(method, path, content=body, headers=JSON_TYPE)
        assert (answer.status_code, answer.json()["error"]) == (400, "bad_request"), f"{method} {path}: {answer.text}"
    answer = await client.post("/db/_session", content=body, headers=JSON_TYPE)
    assert answer.status_code == 400


async def test_deeply_nested_tokens_sign_nobody_in(client: Client) -> None:
    def part(text: str) -> str:
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    deep = "[" * 2_000 + "]" * 2_000
    header = part(json.dumps({"alg": "ES256", "kid": "x"}))
    for token in (f"{part(deep)}.{part('{}')}.eA", f"{header}.{part(deep)}.eA"):
        answer = await client.get("/api/me", headers={"Authorization": f"Bearer {token}"})
        problem(answer, 401, "not_signed_in")
        assert (await client.get("/db/", headers={"Authorization": f"Bearer {token}"})).status_code in (200, 401)
    admin = await person_signed_in(client, "admin", grant("data_manager", "*", "11"))
    answer = await client.get(f"/api/conflicts/quarantine?before={part(deep)}", headers=admin.headers)
    assert answer.status_code == 400


async def test_what_is_larger_than_any_json_of_ours_is_refused_before_it_is_read(client: Client) -> None:
    admin = await person_signed_in(client, "admin", grant("administrator", "*", "11"))
    headers = admin.headers | JSON_TYPE
    answer = await client.post("/api/people", content=b'"' + b"a" * JSON_BYTES + b'"', headers=headers)
    assert problem(answer, 413, "too_large") == {"limit": JSON_BYTES}
    answer = await client.post("/api/people", content=json.dumps([0] * (JSON_VALUES + 1)).encode(), headers=headers)
    assert problem(answer, 400, "malformed_json")["reason"] == "too_many_values"


async def test_bodies_of_signing_in_are_small_at_every_door(client: Client) -> None:
    """Anybody may send them."""
    long = "a" * SIGN_IN_BYTES
    for path in ("/api/auth/login", "/api/auth/refresh", "/api/auth/logout", "/api/auth/password"):
        problem(await client.post(path, json={"username": long}), 413, "too_large")
    assert (await client.post("/db/_session", json={"name": "hoa", "password": long})).status_code == 413
    assert (await client.post("/db/_session", data={"name": "hoa", "password": long})).status_code == 413
    # A device's key and the longest password fit.
    key = DeviceKey()
    body = {"username": "hoa" * 60, "password": "ừ" * 1024, "enrolment": {"jwk": key.jwk, "label": "ừ" * 200}}
    problem(await client.post("/api/auth/login", json=body), 401, "wrong_password")


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/sync", "/db/_session", "/api/forms/check"])
async def test_a_client_that_goes_away_in_the_middle_of_a_body_is_no_error_of_the_server(
    client: Client, path: str
) -> None:
    messages = [
        {"type": "http.request", "body": b'{"username":', "more_body": True},
        {"type": "http.disconnect"},
    ]
    answers: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0) if len(messages) > 1 else messages[0]

    async def send(message: Any) -> None:
        answers.append(message)

    content_type = b"multipart/form-data; boundary=x" if path == "/api/forms/check" else b"application/json"
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(b"content-type", content_type), (b"content-length", b"100")],
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
    }
    with capture_logs() as logged:
        await client.app(scope, receive, send)  # type: ignore[arg-type]
    assert [entry["event"] for entry in logged if entry["log_level"] in ("error", "critical")] == []
    assert answers[0]["status"] == 400
