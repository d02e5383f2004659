"""Every route of the API and of `/db`, as nobody and in each role, in one's own area and in another's.

`RIGHTS` names every operation with the roles that its door lets in; an operation that it does not name fails the test.
Nobody is refused with 401, another role with 403, who works elsewhere with 403 or 404. That a named role gets what it
asks for is left to each door's own tests: nothing is stored here, so that a right question is often answered 404.
"""

from collections.abc import Callable
from typing import Any, get_args

import pytest

from server.gateway.couchdb import router
from sync.contract.roles import Role
from tests.builders import SIN_CHAI, SIN_THAU, Client, grant, person_signed_in
from tests.described import document

RECORD = "018f5c3e-0000-7000-8000-000000000009"
REV = f"1-{'a' * 32}"
EVERYBODY: frozenset[Role] = frozenset(get_args(Role))
DESK: frozenset[Role] = frozenset({"data_manager", "administrator"})
MANAGER: frozenset[Role] = frozenset({"data_manager"})
ADMINISTRATOR: frozenset[Role] = frozenset({"administrator"})
#: Who manages peers administers everything, which nobody here does; another server's account reads its doors.
SUPERVISOR: frozenset[Role] = frozenset({"supervisor"})
PEER: frozenset[Role] = frozenset({"peer"})
NOBODY: frozenset[Role] = frozenset()
#: Where one can ask without having signed in.
OPEN = {
    "POST /api/auth/login",
    "POST /api/auth/refresh",
    "POST /api/auth/logout",
    "GET /.well-known/jwks.json",
    "OPTIONS /api/media",
    "OPTIONS /api/media/{sha256}",
}
RIGHTS: dict[str, frozenset[Role]] = {
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
    "POST /api/areas/projects": NOBODY,
    "POST /api/forms/check": ADMINISTRATOR,
    "POST /api/forms/candidates/{candidate}/publish": ADMINISTRATOR,
    "GET /api/forms": EVERYBODY,
    "GET /api/forms/{form}/{version}/xform": EVERYBODY,
    "GET /api/contents/{sha256}": EVERYBODY,
    "POST /api/sync": EVERYBODY,
    "GET /api/media/{sha256}": EVERYBODY,
    "HEAD /api/media/{sha256}": EVERYBODY,
    "PATCH /api/media/{sha256}": EVERYBODY,
    "POST /api/media": EVERYBODY,
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
    "GET /api/peers": NOBODY,
    "POST /api/peers": NOBODY,
    "POST /api/peers/{peer}/sync": NOBODY,
    "DELETE /api/peers/{peer}": NOBODY,
    "GET /api/peers/directory": PEER,
    "GET /api/peers/contents/{sha256}": PEER,
    "GET /api/peers/media/awaited": EVERYBODY,
    "POST /api/peers/media/held": EVERYBODY,
    "GET /api/peers/media/{sha256}": EVERYBODY,
    "HEAD /api/peers/media/{sha256}": EVERYBODY,
    "PATCH /api/peers/media/{sha256}": EVERYBODY,
    "POST /api/peers/media": EVERYBODY,
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
    "POST /api/peers": {"name": "other", "url": "https://couchdb.example.vn"},
    "POST /api/peers/media/held": {"sha256s": []},
}
#: Read from headers alone.
HAND_READ = {"POST /api/media", "POST /api/peers/media"}
REFUSED = {403, 404}
#: Of a whole project, where everybody here works in one commune: it looks as if it did not exist.
HIDDEN = {
    "POST /api/areas/projects",
    "POST /api/forms/check",
    "POST /api/forms/candidates/{candidate}/publish",
}


def operations(client: Client) -> list[str]:
    """Return every operation of OpenAPI; those that end sessions last."""
    paths = document()["paths"]
    every = [f"{method.upper()} {path}" for path, item in paths.items() for method in item]
    return sorted(every, key=lambda operation: (operation.startswith("DELETE /api/me"), operation))


def address(path: str, database: str) -> str:
    """Return a path with something that fits in each place."""
    known = {"database": database, "sha256": "a" * 64, "file": "trees.geojson"}
    return "/".join(known.get(part[1:-1], RECORD) if part.startswith("{") else part for part in path.split("/"))


async def callers(client: Client) -> dict[Role | None, dict[str, str]]:
    """Return the headers of nobody, and of one person in each role in Sín Chải."""
    found: dict[Role | None, dict[str, str]] = {None: {}}
    for role in get_args(Role):
        found[role] = (await person_signed_in(client, role, grant(role))).headers
    return found


async def status_of(client: Client, operation: str, database: str, headers: dict[str, str]) -> int:
    """Return how the server answers an operation."""
    method, path = operation.split(" ")
    body = (
        None if method in ("GET", "HEAD", "OPTIONS", "DELETE") or operation in HAND_READ else BODIES.get(operation, {})
    )
    query = {"code": "03226", "on": "2026-01-01"} if path == "/api/areas/resolve" else None
    if operation == "POST /api/forms/check":
        form: dict[str, Any] = {"data": {"project": "agri"}, "files": {"file": ("trees.xlsx", b"none")}}
        return (await client.post(path, headers=headers, **form)).status_code
    answer = await client.request(method, address(path, database), json=body, params=query, headers=headers)
    return answer.status_code


@pytest.mark.slow
async def test_every_route_lets_in_those_whom_the_table_names_and_nobody_else(
    client: Client, record_property: Callable[[str, object], None]
) -> None:
    every = operations(client)
    assert set(every) == RIGHTS.keys() | OPEN, "name a new route here, with the roles that its door lets in"
    wrong, cases = [], 0
    for role, headers in (await callers(client)).items():
        for operation in every:
            for unit in (SIN_CHAI, SIN_THAU) if "{database}" in operation else (SIN_CHAI,):
                status = await status_of(client, operation, f"agri-{unit}", headers)
                cases += 1
                if operation in OPEN:
                    is_right = status < 500
                elif role is None:
                    is_right = status == 401
                elif unit == SIN_THAU:
                    is_right = status in REFUSED
                elif role not in RIGHTS[operation]:
                    # Not 404: nothing is stored, so that whoever is let in by mistake gets that too.
                    is_right = status == 403 or (operation in HIDDEN and status == 404)
                else:
                    is_right = status < 500
                if not is_right:
                    wrong.append((operation, role, unit, status))
    record_property("told", f"{cases} cases of routes, roles and areas")
    assert not wrong


#: Of a database that records live in, nobody may say who may read it, nor remove it.
NOT_TO_BE_CHANGED = {"DELETE ", "PUT _security"}


def verbs_of_a_database() -> list[tuple[str, str]]:
    """Return every method and path that the CouchDB door knows in a database."""
    places = {**router.DATABASE, RECORD: router.DOCUMENT, "_local/checkpoint": router.LOCAL}
    return [(method, path) for path, verbs in places.items() for method in verbs]


async def test_every_verb_of_a_database_is_for_those_who_work_in_its_area(
    client: Client, record_property: Callable[[str, object], None]
) -> None:
    wrong, cases = [], 0
    for role, headers in (await callers(client)).items():
        for unit in (SIN_CHAI, SIN_THAU):
            for method, path in verbs_of_a_database():
                body: dict[str, Any] | None = None if method in ("GET", "DELETE") else {}
                answer = await client.request(method, f"/db/agri-{unit}/{path}", json=body, headers=headers)
                status = answer.status_code
                cases += 1
                if role is None:
                    is_right = status == 401
                elif unit == SIN_THAU or f"{method} {path}" in NOT_TO_BE_CHANGED:
                    is_right = status in REFUSED
                else:
                    is_right = status < 500 and status not in (401, 405)
                if not is_right:
                    wrong.append((method, path, role, unit, status))
    record_property("told", f"{cases} cases of verbs, roles and databases")
    assert not wrong
