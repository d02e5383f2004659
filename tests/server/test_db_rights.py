"""Every verb of the CouchDB door, as nobody and in each role, in one's own area and in another's.

The verbs are those of the door's own tables; one that is new there fails the tests until it is named here.
"""

from collections.abc import Callable
from typing import Any

import pytest

from server.gateway.couchdb import router
from tests.builders import SIN_CHAI, SIN_THAU, Client
from tests.server.route_callers import RECORD, REFUSED, Caller, callers

ATTACHMENT = f"{RECORD}/photo"
#: Of a database that records live in, nobody may say who may read it or how much it keeps, nor remove it.
NOT_TO_BE_CHANGED = {"DELETE ", "PUT _security", "PUT _revs_limit"}
#: What only who captures there, or another server, may write; checkpoints are everybody's own.
WRITERS: frozenset[Caller] = frozenset({"field_worker", "peer"})
WRITES = {"POST ", f"PUT {RECORD}", f"PUT {ATTACHMENT}"}
#: What the others are answered; for who may write, what they send is nothing that is stored.
READ = {200, 201, 202, 400, 404, 409}
WRITTEN = {200, 201, 202, 400, 404, 409, 415}
#: What the server itself answers below `/db`: to nobody, and to everybody else.
OF_THE_SERVER: dict[str, tuple[set[int], set[int]]] = {
    "GET ": ({200}, {200}),
    "GET _all_dbs": ({401}, {200}),
    "GET _session": ({200}, {200}),
    # Without a name and a password.
    "POST _session": ({400}, {400}),
    "DELETE _session": ({200}, {200}),
}


def verbs_of_a_database() -> list[tuple[str, str]]:
    """Return every method and path that the CouchDB door knows in a database."""
    documents = {RECORD: router.DOCUMENT, ATTACHMENT: router.ATTACHMENT, "_local/checkpoint": router.LOCAL}
    places = {**router.DATABASE, **documents}
    return [(method, path) for path, verbs in places.items() for method in verbs]


@pytest.mark.slow
async def test_every_verb_of_a_database_is_for_those_who_work_in_its_area(
    client: Client, record_property: Callable[[str, object], None]
) -> None:
    wrong, cases = [], 0
    for caller, headers in (await callers(client)).items():
        for unit in (SIN_CHAI, SIN_THAU):
            for method, path in verbs_of_a_database():
                body: dict[str, Any] | None = None if method in ("GET", "DELETE") else {}
                answer = await client.request(method, f"/db/agri-{unit}/{path}", json=body, headers=headers)
                status = answer.status_code
                cases += 1
                is_elsewhere = unit == SIN_THAU and caller != "everything"
                if caller == "nobody":
                    is_right = status == 401
                elif is_elsewhere or f"{method} {path}" in NOT_TO_BE_CHANGED:
                    is_right = status in REFUSED
                elif f"{method} {path}" in WRITES:
                    is_right = status in (WRITTEN if caller in WRITERS else {403})
                else:
                    is_right = status in READ
                if not is_right:
                    wrong.append((method, path, caller, unit, status, answer.text[:120]))
    record_property("told", f"{cases} cases of verbs, callers and databases")
    assert not wrong


@pytest.mark.slow
async def test_the_server_below_db_is_open_where_the_table_says(
    client: Client, record_property: Callable[[str, object], None]
) -> None:
    every = {f"{method} {path}" for path, verbs in router.SERVER.items() for method in verbs}
    assert every == OF_THE_SERVER.keys(), "name a new verb here, with what it answers"
    wrong, cases = [], 0
    for caller, headers in (await callers(client)).items():
        for operation, (to_nobody, to_others) in OF_THE_SERVER.items():
            method, path = operation.split(" ")
            body: dict[str, Any] | None = {} if method == "POST" else None
            answer = await client.request(method, f"/db/{path}", json=body, headers=headers)
            cases += 1
            if answer.status_code not in (to_nobody if caller == "nobody" else to_others):
                wrong.append((operation, caller, answer.status_code))
        # A database beside the scopes is made by who administers everything alone.
        answer = await client.put("/db/beside", headers=headers)
        made = 401 if caller == "nobody" else 201 if caller == "everything" else 403
        if answer.status_code != made:
            wrong.append(("PUT beside", caller, answer.status_code))
        for name in sorted(router.NOT_OFFERED):
            answer = await client.get(f"/db/{name}", headers=headers)
            cases += 1
            if answer.status_code != 501:
                wrong.append((name, caller, answer.status_code))
    record_property("told", f"{cases} cases of the server's own verbs and callers")
    assert not wrong
