"""Every route of this server, as nobody and in each role, in one's own area and in another's.

`RIGHTS` names every operation of the API with the roles that its door lets in, and `OUTSIDE` every other address; what
neither names fails the test. What is below `/db`: `test_db_rights.py`. Nobody is refused with 401,
another role with 403, who works elsewhere with 403 or 404, whether the area stands in the path, the query or the body.
Who is let in gets an answer that the API's description knows, and none that says that they may not. Nothing is stored
here, so that a right question is often answered 404.
"""

import base64
from collections.abc import Callable, Iterator
from typing import Any, get_args

import httpx
import pytest
from litestar.routes import ASGIRoute, HTTPRoute

from server.gateway.couchdb.root_paths import NAMES
from sync.contract.roles import Role
from tests.builders import PASSWORD, SIN_CHAI, SIN_THAU, Client
from tests.described import document, misfit
from tests.server.route_callers import RECORD, REFUSED, Caller, callers

REV = f"1-{'a' * 32}"
EVERYTHING: frozenset[Caller] = frozenset({"everything"})
EVERYBODY: frozenset[Caller] = EVERYTHING | frozenset(get_args(Role))
ADMINISTRATOR: frozenset[Caller] = EVERYTHING | {"administrator"}
DESK: frozenset[Caller] = ADMINISTRATOR | {"data_manager"}
MANAGER: frozenset[Caller] = frozenset({"data_manager"})
SUPERVISOR: frozenset[Caller] = frozenset({"supervisor"})
#: Another server's account.
PEER: frozenset[Caller] = frozenset({"peer"})
#: Where one can ask without having signed in.
OPEN = {
    "POST /api/auth/login",
    "POST /api/auth/refresh",
    "POST /api/auth/logout",
    "GET /.well-known/jwks.json",
    "OPTIONS /api/media",
    "OPTIONS /api/media/{sha256}",
}
RIGHTS: dict[str, frozenset[Caller]] = {
    "POST /api/auth/password": EVERYBODY,
    "GET /api/me": EVERYBODY,
    "GET /api/me/sessions": EVERYBODY,
    "DELETE /api/me/sessions": EVERYBODY,
    "DELETE /api/me/sessions/{session}": EVERYBODY,
    "GET /api/people": ADMINISTRATOR,
    "POST /api/people": ADMINISTRATOR,
    "PATCH /api/people/{person}": ADMINISTRATOR,
    "PUT /api/people/{person}/grants": ADMINISTRATOR,
    "GET /api/people/{person}/enrolments": ADMINISTRATOR,
    "DELETE /api/people/{person}/enrolments/{enrolment}": ADMINISTRATOR,
    "GET /api/people/{person}/audit": ADMINISTRATOR,
    "GET /api/areas": EVERYBODY,
    "GET /api/areas/resolve": EVERYBODY,
    "POST /api/areas/projects": EVERYTHING,
    "POST /api/forms/check": ADMINISTRATOR,
    "POST /api/forms/candidates/{candidate}/publish": ADMINISTRATOR,
    "GET /api/forms/candidates/{candidate}/effect": ADMINISTRATOR,
    "PUT /api/forms/candidates/{candidate}/trial": ADMINISTRATOR,
    "GET /api/forms/trials": EVERYBODY,
    "GET /api/forms": EVERYBODY,
    "GET /api/forms/{form}/{version}/xform": EVERYBODY,
    "GET /api/forms/{form}/{version}/source": ADMINISTRATOR,
    "PUT /api/forms/{form}/{version}/status": ADMINISTRATOR,
    "GET /api/contents/{sha256}": EVERYBODY,
    "POST /api/sync": EVERYBODY,
    "GET /api/media/{sha256}": EVERYBODY,
    "HEAD /api/media/{sha256}": EVERYBODY,
    "PATCH /api/media/{sha256}": EVERYBODY,
    "POST /api/media": EVERYBODY,
    "POST /api/media/bundles": EVERYBODY,
    "GET /api/review/records": EVERYBODY,
    "GET /api/review/records/{database}/{record}": EVERYBODY,
    "POST /api/review/records/{database}/{record}/decisions": SUPERVISOR,
    "GET /api/conflicts": DESK,
    "GET /api/conflicts/filters": DESK,
    "POST /api/conflicts/batch": MANAGER,
    "POST /api/conflicts/batch/undo": MANAGER,
    "GET /api/conflicts/{database}/{record}": DESK,
    "POST /api/conflicts/{database}/{record}/decide": MANAGER,
    "POST /api/conflicts/{database}/{record}/undo": MANAGER,
    "POST /api/conflicts/{database}/{record}/claim": DESK,
    "POST /api/conflicts/{database}/{record}/ask": MANAGER,
    "GET /api/conflicts/quarantine": DESK,
    "POST /api/conflicts/quarantine/accept": DESK,
    "POST /api/conflicts/quarantine/seen": DESK,
    "GET /api/duplicates": DESK,
    "GET /api/duplicates/{database}/{one}/{other}": DESK,
    "POST /api/duplicates/{database}/{one}/{other}/decide": MANAGER,
    "POST /api/duplicates/{database}/{one}/{other}/part": MANAGER,
    "GET /api/publish/{file}": EVERYBODY,
    "GET /api/following": ADMINISTRATOR,
    "POST /api/following/retry": ADMINISTRATOR,
    "GET /api/peers": EVERYTHING,
    "POST /api/peers": EVERYTHING,
    "POST /api/peers/{peer}/sync": EVERYTHING,
    "DELETE /api/peers/{peer}": EVERYTHING,
    "GET /api/peers/directory": PEER,
    "GET /api/peers/contents/{sha256}": PEER,
    "GET /api/peers/media/awaited": PEER,
    "POST /api/peers/media/held": PEER,
    "GET /api/peers/media/{sha256}": PEER,
    "HEAD /api/peers/media/{sha256}": PEER,
    "PATCH /api/peers/media/{sha256}": PEER,
    "POST /api/peers/media": PEER,
}

KEY = {"database": f"agri-{SIN_CHAI}", "id": RECORD, "rev": REV, "fingerprint": "ab"}
#: Bodies in the expected form, so that who asks is what decides; `{}` where nothing must be said.
BODIES: dict[str, Any] = {
    "POST /api/sync": {"protocol": 2, "enrolment": "A" * 43, "exchange": "1"},
    "POST /api/auth/login": {"username": "nobody", "password": "wrong"},
    "POST /api/auth/refresh": {"refresh_token": "none"},
    "POST /api/auth/logout": {"refresh_token": "none"},
    "POST /api/auth/password": {"password": "wrong", "new_password": "wrong too"},
    "POST /api/people": {"username": "moi", "name": "Mới", "password": "x", "grants": []},
    "PUT /api/people/{person}/grants": {"grants": []},
    "POST /api/areas/projects": {"id": "bees", "name_vi": "Ong", "name_en": "Bees"},
    "POST /api/forms/candidates/{candidate}/publish": {"loaded": True, "languages": []},
    "PUT /api/forms/candidates/{candidate}/trial": {"people": []},
    "PUT /api/forms/{form}/{version}/status": {"status": "retired"},
    "POST /api/review/records/{database}/{record}/decisions": {"rev": REV, "decision": "approved"},
    "POST /api/conflicts/batch": {"dry_run": False, "token": "none"},
    "POST /api/conflicts/batch/undo": {"batch": "none"},
    "POST /api/conflicts/{database}/{record}/decide": {"rev": REV, "choices": []},
    "POST /api/conflicts/{database}/{record}/undo": {"rev": REV, "decision": REV},
    "POST /api/conflicts/{database}/{record}/ask": {"path": "/answers/trees"},
    "POST /api/conflicts/quarantine/accept": KEY,
    "POST /api/conflicts/quarantine/seen": {**KEY, "comment": "seen"},
    "POST /api/duplicates/{database}/{one}/{other}/decide": {"verdict": "unsure", "revs": {}},
    "POST /api/duplicates/{database}/{one}/{other}/part": {"revs": {}},
    "POST /api/following/retry": {"follower": "none", "database": KEY["database"], "document": RECORD},
    # No token goes there: nobody's exchange begins.
    "POST /api/peers": {"name": "other", "url": "https://couchdb.example.vn", "auth": "token"},
    "POST /api/peers/media/held": {"sha256s": []},
}
#: Read from headers alone.
HAND_READ = {"POST /api/media", "POST /api/media/bundles", "POST /api/peers/media"}
#: Of a whole project, where everybody here works in one commune: it looks as if it did not exist.
HIDDEN = {
    "POST /api/areas/projects",
    "POST /api/forms/check",
    "POST /api/forms/candidates/{candidate}/publish",
}


#: Who may do something to a scope that the query, the body or a header names.
Scoped = tuple[frozenset[Caller], Callable[[str, str], dict[str, Any]]]
SCOPED: dict[str, Scoped] = {
    "GET /api/review/records": (EVERYBODY, lambda unit, _: in_query(unit)),
    "GET /api/conflicts": (DESK, lambda unit, _: in_query(unit)),
    "GET /api/conflicts/quarantine": (DESK, lambda unit, _: in_query(unit)),
    "GET /api/duplicates": (DESK, lambda unit, _: in_query(unit)),
    "GET /api/publish/{file}": (EVERYBODY, lambda unit, _: in_query(unit)),
    "POST /api/conflicts/quarantine/accept": (DESK, lambda unit, _: in_body(KEY, unit)),
    "POST /api/conflicts/quarantine/seen": (DESK, lambda unit, _: in_body({**KEY, "comment": "seen"}, unit)),
    "POST /api/conflicts/batch": (
        MANAGER,
        lambda unit, _: {
            "json": {
                "dry_run": True,
                "form": "trees",
                "path": "/answers/trees",
                "kind": "value",
                "rule": {"take": "later"},
                "filters": {"scope": f"agri-{unit}"},
            }
        },
    ),
    "POST /api/following/retry": (
        ADMINISTRATOR,
        lambda unit, _: in_body({"follower": "none", "document": RECORD}, unit),
    ),
    "POST /api/people": (
        ADMINISTRATOR,
        lambda unit, name: {"json": {"username": name, "name": name, "password": PASSWORD, "grants": granted(unit)}},
    ),
    "PUT /api/people/{person}/grants": (ADMINISTRATOR, lambda unit, _: {"json": {"grants": granted(unit)}}),
    "POST /api/media": (frozenset({"field_worker"}), lambda unit, _: {"headers": announced(unit)}),
    # Another server announces what a record here names, and there is none.
    "POST /api/peers/media": (frozenset(), lambda unit, _: {"headers": announced(unit)}),
}
#: Scopes are named there too, and this is who looks after them.
SCOPED_ELSEWHERE = {
    "POST /api/media/bundles": "each file in it has its own verdict: tests/server/test_media_bundles.py",
    "POST /api/sync": "each document has its own verdict: tests/server/test_contract.py",
    "POST /api/peers": "only for who administers everything",
}
#: What of a query or a body names scopes.
SCOPE_NAMES = {"scope", "scopes", "database", "db", "unit"}
#: Every address beside the API and `/db`, and what everybody is answered there; no app is built in these tests.
OUTSIDE: dict[str, set[int]] = {
    "GET /healthz": {200},
    "GET /readyz": {200},
    # For this machine alone, where these tests are: tests/server/test_operating.py.
    "GET /metrics": {200},
    "GET /api": {200},
    "GET /api/docs": {200},
    "GET /api/docs/style.css": {200},
    "GET /api/openapi.json": {200},
    "GET /": {503},
    "GET /{path}": {404},
    "HEAD /": {503},
    "HEAD /{path}": {404},
}


def in_query(unit: str) -> dict[str, Any]:
    return {"params": {"scope": f"agri-{unit}"}}


def in_body(body: dict[str, Any], unit: str) -> dict[str, Any]:
    return {"json": {**body, "database": f"agri-{unit}"}}


def granted(unit: str) -> list[dict[str, str]]:
    return [{"role": "field_worker", "project": "agri", "unit": unit}]


def announced(unit: str) -> dict[str, str]:
    told = {"sha256": "b" * 64, "type": "image/jpeg", "db": f"agri-{unit}", "record": RECORD, "name": "a.jpg"}
    pairs = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in told.items())
    return {"Tus-Resumable": "1.0.0", "Upload-Length": "3", "Upload-Metadata": pairs}


def operations() -> list[str]:
    """Return every operation of OpenAPI; those that end sessions last."""
    paths = document()["paths"]
    every = [f"{method.upper()} {path}" for path, item in paths.items() for method in item]
    return sorted(every, key=lambda operation: (operation.startswith("DELETE /api/me"), operation))


def address(path: str, unit: str) -> str:
    """Return a path with something that fits in each place."""
    known = {"database": f"agri-{unit}", "sha256": "a" * 64, "file": "trees.geojson"}
    return "/".join(known.get(part[1:-1], RECORD) if part.startswith("{") else part for part in path.split("/"))


async def ask(client: Client, operation: str, unit: str, headers: dict[str, str]) -> httpx.Response:
    """Return how the server answers an operation."""
    method, path = operation.split(" ")
    if operation == "POST /api/forms/check":
        form: dict[str, Any] = {"data": {"project": "agri"}, "files": {"file": ("trees.xlsx", b"none")}}
        return await client.post(path, headers=headers, **form)
    no_body = method in ("GET", "HEAD", "OPTIONS", "DELETE") or operation in HAND_READ
    query = {"code": "03226", "on": "2026-01-01"} if path == "/api/areas/resolve" else None
    body = None if no_body else BODIES.get(operation, {})
    return await client.request(method, address(path, unit), json=body, params=query, headers=headers)


def is_let_in(answer: httpx.Response) -> bool:
    """Whether an answer is a described one that refuses nobody for who they are."""
    code = answer.json()["code"] if answer.status_code >= 400 and answer.content else None
    is_turned_away = code in ("not_signed_in", "not_allowed") or (code is None and answer.status_code in (401, 403))
    return misfit(answer) is None and answer.status_code < 500 and not is_turned_away


@pytest.mark.slow
async def test_every_route_lets_in_those_whom_the_table_names_and_nobody_else(
    client: Client, record_property: Callable[[str, object], None]
) -> None:
    every = operations()
    assert set(every) == RIGHTS.keys() | OPEN, "name a new route here, with the roles that its door lets in"
    wrong, cases = [], 0
    for caller, headers in (await callers(client)).items():
        for operation in every:
            for unit in (SIN_CHAI, SIN_THAU) if "{database}" in operation else (SIN_CHAI,):
                answer = await ask(client, operation, unit, headers)
                status = answer.status_code
                is_elsewhere = unit == SIN_THAU and caller != "everything"
                cases += 1
                if operation in OPEN:
                    is_right = misfit(answer) is None and status < 500
                elif caller == "nobody":
                    is_right = status == 401
                elif is_elsewhere:
                    is_right = status in REFUSED
                elif caller in RIGHTS[operation]:
                    is_right = is_let_in(answer)
                else:
                    # Not 404: nothing is stored, so that whoever is let in by mistake gets that too.
                    is_right = status == 403 or (operation in HIDDEN and status == 404)
                if not is_right:
                    wrong.append((operation, caller, unit, status, answer.text[:200]))
    record_property("told", f"{cases} cases of routes, callers and areas in the path")
    assert not wrong


def named_in(schema: Any) -> Iterator[str]:
    """Yield the names of all members of a schema, at any depth."""
    waiting, seen = [schema], set()
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            yield from part.get("properties", {})
            reference = part.get("$ref")
            if reference and reference not in seen:
                seen.add(reference)
                waiting.append(document()["components"]["schemas"][reference.rpartition("/")[2]])
            waiting += part.values()


def test_every_operation_that_names_a_scope_is_tried_with_a_foreign_one() -> None:
    found = set()
    for operation in operations():
        method, path = operation.split(" ")
        described = document()["paths"][path][method.lower()]
        query = {each["name"] for each in described.get("parameters", ()) if each["in"] == "query"}
        names = query | set(named_in(described.get("requestBody", {})))
        if names & SCOPE_NAMES and "{database}" not in path:
            found.add(operation)
    # A header's content is in no schema.
    assert found | HAND_READ == SCOPED.keys() | SCOPED_ELSEWHERE.keys()


@pytest.mark.slow
async def test_a_foreign_scope_is_refused_wherever_it_is_named(
    client: Client, record_property: Callable[[str, object], None]
) -> None:
    wrong, cases = [], 0
    for caller, headers in (await callers(client)).items():
        for operation, (allowed, said) in SCOPED.items():
            method, path = operation.split(" ")
            for unit in (SIN_CHAI, SIN_THAU):
                more = said(unit, f"{caller}-{unit}")
                more["headers"] = {**headers, **more.get("headers", {})}
                answer = await client.request(method, address(path, unit), **more)
                cases += 1
                if caller == "nobody":
                    is_right = answer.status_code == 401
                elif caller in allowed and (unit == SIN_CHAI or caller == "everything"):
                    is_right = is_let_in(answer)
                else:
                    is_right = answer.status_code in REFUSED
                if not is_right:
                    wrong.append((operation, caller, unit, answer.status_code, answer.text[:200]))
    record_property("told", f"{cases} cases of routes, callers and areas in the query, the body or a header")
    assert not wrong


@pytest.mark.slow
async def test_every_address_beside_the_api_answers_everybody_alike(
    client: Client, record_property: Callable[[str, object], None]
) -> None:
    outside, mounts = set(), set()
    for route in client.app.routes:
        if isinstance(route, ASGIRoute):
            mounts.add(route.path_format)
        elif isinstance(route, HTTPRoute):
            found = {f"{method} {route.path_format}" for method in route.methods}
            outside |= {each for each in found - set(operations()) if not each.startswith("OPTIONS")}
    assert outside == OUTSIDE.keys(), "name a new address here, with what everybody is answered there"
    assert mounts == {"/db"} | {f"/{name}" for name in NAMES}
    wrong, cases = [], 0
    for caller, headers in (await callers(client)).items():
        for operation, statuses in [*OUTSIDE.items(), *((f"GET {name}", {404}) for name in mounts - {"/db"})]:
            method, path = operation.split(" ")
            answer = await client.request(method, path.replace("{path}", "typo.js"), headers=headers)
            cases += 1
            if answer.status_code not in statuses:
                wrong.append((operation, caller, answer.status_code))
    record_property("told", f"{cases} cases of addresses beside the API and callers")
    assert not wrong
