"""Who gets in, and what they see: Basic, token and cookie; grants at every endpoint; databases of one's own."""

import pytest
from sqlalchemy import select

from server.areas.grants import Grant
from server.read_model.record_tables import records
from tests.builders import PASSWORD, Client, DeviceKey, add_person, grant, person_signed_in, sign_in
from tests.server.couchdb_door import Door, a_database, at_scope, rev
from tests.server.sync_door import DATABASE

pytestmark = pytest.mark.by_turns

FOREIGN = "tourism-03226-2025"
ENDPOINTS = (
    ("GET", ""),
    ("GET", "/a"),
    ("PUT", "/a"),
    ("DELETE", "/a"),
    ("POST", ""),
    ("GET", "/_all_docs"),
    ("POST", "/_all_docs"),
    ("GET", "/_changes"),
    ("GET", "/_changes?feed=longpoll"),
    ("POST", "/_bulk_docs"),
    ("POST", "/_bulk_get"),
    ("POST", "/_revs_diff"),
    ("POST", "/_ensure_full_commit"),
    ("POST", "/_compact"),
    ("GET", "/_security"),
    ("PUT", "/_security"),
    ("GET", "/_local/a"),
    ("PUT", "/_local/a"),
    ("DELETE", "/_local/a"),
    ("GET", "/_design/a"),
    ("DELETE", ""),
)


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
async def test_a_foreign_database_looks_like_a_missing_one_everywhere(client: Client, method: str, path: str) -> None:
    """Rule 12 and I9."""
    await at_scope(client, "hoa", grant("field_worker"))
    body: dict[str, str] | None = {} if method in ("PUT", "POST") else None
    foreign = await Door(client, "hoa", FOREIGN).ask(method, path, body)
    missing = await Door(client, "hoa", "unheard").ask(method, path, body)
    assert foreign.status_code == 404
    assert foreign.json() == missing.json() == {"error": "not_found", "reason": "Database does not exist."}


async def test_a_person_is_recognised_in_three_ways(client: Client) -> None:
    signed_in = await person_signed_in(client, "hoa", grant("field_worker"))
    begun = await client.post("/db/_session", json={"name": "hoa", "password": PASSWORD})
    assert begun.json() == {"ok": True, "name": "hoa", "roles": ["field_worker"]}
    assert "HttpOnly" in begun.headers["set-cookie"]
    assert "SameSite=Strict" in begun.headers["set-cookie"]
    cookie = begun.headers["set-cookie"].partition(";")[0]
    client.cookies.clear()
    ways = {
        "default": {"auth": ("hoa", PASSWORD)},
        "jwt": {"headers": signed_in.headers},
        "cookie": {"headers": {"Cookie": cookie}},
    }
    for handler, way in ways.items():
        session = (await client.get("/db/_session", **way)).json()  # type: ignore[arg-type]
        assert session["userCtx"] == {"name": "hoa", "roles": ["field_worker", "field_worker:agri-03226-2025"]}
        assert session["info"]["authenticated"] == handler
        assert (await client.get(f"/db/{DATABASE}", **way)).status_code == 200  # type: ignore[arg-type]
    assert (await client.get("/db/_session")).json()["userCtx"] == {"name": None, "roles": []}


async def test_a_session_that_was_ended_is_nobodys(client: Client) -> None:
    await add_person(client, "hoa", grant("field_worker"))
    form = {"name": "hoa", "password": PASSWORD}
    await client.post("/db/_session", data=form)
    assert (await client.get(f"/db/{DATABASE}")).status_code == 200
    cookie = client.cookies["AuthSession"]
    await client.delete("/db/_session")
    response = await client.get(f"/db/{DATABASE}", headers={"Cookie": f"AuthSession={cookie}"})
    assert response.status_code == 401


async def test_wrong_passwords_lock_a_name_here_as_everywhere(client: Client) -> None:
    await add_person(client, "hoa", grant("field_worker"))
    for _ in range(5):
        wrong = await client.get(f"/db/{DATABASE}", auth=("hoa", "wrong"))
        assert (wrong.status_code, wrong.json()["reason"]) == (401, "Name or password is incorrect.")
    locked = await client.get(f"/db/{DATABASE}", auth=("hoa", "other"))
    assert (locked.status_code, locked.json()["error"]) == (403, "forbidden")


async def test_a_new_password_ends_what_the_old_one_was_remembered_for(client: Client) -> None:
    signed_in = await person_signed_in(client, "hoa", grant("field_worker"))
    assert (await client.get(f"/db/{DATABASE}", auth=("hoa", PASSWORD))).status_code == 200
    changed = {"password": PASSWORD, "new_password": "another long password"}
    await client.post("/api/auth/password", json=changed, headers=signed_in.headers)
    assert (await client.get(f"/db/{DATABASE}", auth=("hoa", PASSWORD))).status_code == 401
    assert (await client.get(f"/db/{DATABASE}", auth=("hoa", "another long password"))).status_code == 200


async def test_local_documents_are_each_persons_and_each_devices_own(client: Client) -> None:
    key = DeviceKey()
    await at_scope(client, "lan", grant("field_worker"))
    door = await at_scope(client, "hoa", grant("field_worker"))
    phone = (await sign_in(client, "hoa", key=key)).headers
    first = await door.ask("PUT", "/_local/mark", {"at": "1"})
    assert first.json() == {"ok": True, "id": "_local/mark", "rev": "0-1"}
    assert (await Door(client, "lan", DATABASE).ask("GET", "/_local/mark")).status_code == 404
    assert (await client.get(f"/db/{DATABASE}/_local/mark", headers=phone)).status_code == 404
    assert await door.winners() == {}


async def test_local_documents_move_from_the_revision_that_they_name(client: Client) -> None:
    door = await at_scope(client, "hoa", grant("field_worker"))
    await door.ask("PUT", "/_local/mark", {"at": "1"})
    assert (await door.ask("PUT", "/_local/mark", {"at": "2"})).status_code == 409
    assert (await door.ask("PUT", "/_local/mark", {"at": "2", "_rev": "0-7"})).status_code == 409
    moved = await door.ask("PUT", "/_local/mark", {"at": "2", "_rev": "0-1"})
    assert moved.json()["rev"] == "0-2"
    assert await door.get("/_local/mark") == {"_id": "_local/mark", "_rev": "0-2", "at": "2"}
    assert (await door.ask("DELETE", "/_local/mark?rev=0-1")).status_code == 409
    assert (await door.ask("DELETE", "/_local/mark?rev=0-2")).status_code == 200
    assert (await door.ask("DELETE", "/_local/mark?rev=0-2")).status_code == 404


async def test_the_catalog_is_read_by_all_and_written_by_nobody(client: Client) -> None:
    door = await at_scope(client, "hoa", grant("field_worker"), database="catalog")
    assert (await door.get("/_all_docs"))["total_rows"] > 0
    for method, path, body in (("PUT", "/a", {}), ("POST", "/_bulk_docs", {"docs": []}), ("DELETE", "", None)):
        response = await door.ask(method, path, body)
        assert (response.status_code, response.json()["error"]) == (403, "forbidden")
    stranger = await at_scope(client, "khach", database="catalog")
    assert (await stranger.ask("GET")).status_code == 404


async def test_who_only_reads_is_told_for_the_whole_request(client: Client) -> None:
    """Rule 9: forbidden for one document would make a replicator pass over it."""
    door = await at_scope(client, "mai", grant("supervisor"))
    assert (await door.ask("GET")).status_code == 200
    docs = {"docs": [{"_id": "a", "_rev": rev(1, "a")}], "new_edits": False}
    response = await door.ask("POST", "/_bulk_docs", docs)
    assert (response.status_code, response.json()["error"]) == (403, "forbidden")


async def test_administrators_make_and_remove_databases(client: Client) -> None:
    door = await a_database(client)
    again = await door.ask("PUT")
    assert (again.status_code, again.json()["error"]) == (412, "file_exists")
    first = (await door.get())["instance_start_time"]
    await door.put("a", x="1")
    assert (await door.ask("DELETE")).json() == {"ok": True}
    assert (await door.ask("GET")).status_code == 404
    assert (await door.ask("DELETE")).status_code == 404
    assert (await door.ask("PUT")).status_code == 201
    assert (await door.get())["doc_count"] == 0
    assert first


async def test_names_of_scopes_places_and_the_servers_own_are_kept(client: Client) -> None:
    await a_database(client)
    for name, status in (
        (DATABASE, 412),
        ("catalog", 412),
        ("published", 403),
        ("health-03226-2025", 403),
        ("Upper", 400),
        ("1st", 400),
    ):
        response = await Door(client, "dung", name).ask("PUT")
        assert response.status_code == status, name
        assert response.json()["reason"]
    assert (await Door(client, "dung", DATABASE).ask("DELETE")).status_code == 403


async def test_others_make_no_databases_and_see_none_of_them(client: Client) -> None:
    await a_database(client)
    await add_person(client, "hoa", Grant("administrator", "agri", "11"))
    assert (await Door(client, "hoa", "mine").ask("PUT")).status_code == 403
    assert (await Door(client, "hoa", "notes").ask("GET")).status_code == 404


async def test_members_named_in_its_security_use_a_database(client: Client) -> None:
    door = await a_database(client)
    hoa = Door(client, "hoa", "notes")
    await add_person(client, "hoa", grant("field_worker"))
    for security in ({"members": {"names": ["hoa"]}}, {"members": {"roles": ["field_worker:agri-03226-2025"]}}):
        assert (await door.ask("PUT", "/_security", security)).status_code == 200
        assert (await hoa.ask("GET")).status_code == 200
        assert (await hoa.ask("PUT", "/_security", {})).status_code == 403
        await door.ask("PUT", "/_security", {"members": {"names": ["other"]}})
        assert (await hoa.ask("GET")).status_code == 404
    assert (await door.ask("PUT", "/_security", {"members": []})).status_code == 400
    assert (await door.get("/_security"))["members"]["names"] == ["other"]


async def test_the_security_of_a_scope_tells_the_roles_and_cannot_be_set(client: Client) -> None:
    door = await at_scope(client, "hoa", grant("field_worker"))
    security = await door.get("/_security")
    assert "field_worker:agri-03226-2025" in security["members"]["roles"]
    assert (await door.ask("PUT", "/_security", security)).status_code == 403


async def test_what_looks_like_a_record_in_a_made_database_is_nobodys_to_review(client: Client) -> None:
    door = await a_database(client)
    await door.put("a", type="record", form="f", form_version="1", answers={})
    await client.app.state.runner.once()
    async with client.app.state.storage.read() as connection:
        assert (await connection.execute(select(records.c.id))).all() == []
