"""What clients do without asking: slashes, escaped slashes, odd headers, methods, and the words of errors."""

import pytest

from server.gateway.couchdb import local
from tests.builders import PASSWORD, Client, grant
from tests.server.couchdb_door import Door, a_database, at_scope

pytestmark = pytest.mark.by_turns


async def test_the_front_page_is_open_to_everyone_and_survives_malformed_credentials(client: Client) -> None:
    for path in ("/db", "/db/"):
        for header in (
            {},
            {"Authorization": "Basic: nonsense"},
            {"Authorization": "Basic !!!"},
            {"Authorization": "X"},
        ):
            response = await client.get(path, headers=header)
            assert response.status_code == 200
            said = response.json()
            assert said["couchdb"] == "Welcome"
            assert said["vendor"]["name"] == "Nương"
            assert said["uuid"] == client.app.state.server_id


async def test_malformed_credentials_are_unauthorized_everywhere_else(client: Client) -> None:
    for header in (
        {},
        {"Authorization": "Basic: nonsense"},
        {"Authorization": "Bearer x"},
        {"Authorization": "Basic eA=="},
    ):
        response = await client.get("/db/agri-03226-2025/", headers=header)
        assert response.status_code == 401
        assert response.json()["error"] == "unauthorized"
        assert "Basic" not in response.headers["www-authenticate"]


async def test_a_trailing_slash_means_nothing_and_never_redirects(client: Client) -> None:
    door = await a_database(client)
    for path in ("", "/"):
        response = await door.ask("GET", path)
        assert response.status_code == 200
        assert response.json()["db_name"] == "notes"
    assert (await door.ask("POST", "/_bulk_docs/", {"docs": []})).status_code == 201


async def test_an_escaped_slash_stands_inside_an_id(client: Client) -> None:
    door = await a_database(client)
    await door.put("a%2Fb%20c%C6%B0", x="1")
    found = await door.get("/a%2Fb%20c%C6%B0")
    assert found["_id"] == "a/b cư"
    assert list(await door.winners()) == ["a/b cư"]


async def test_local_and_design_ids_may_be_written_either_way(client: Client) -> None:
    door = await a_database(client)
    for prefix in ("_local/", "_local%2F"):
        await door.ask("PUT", f"/{prefix}mark", {"at": "1"})
        assert (await door.get("/_local/mark"))["at"] == "1"
    assert (await door.ask("PUT", "/_design/x", {"language": "query"})).status_code == 201
    assert (await door.get("/_design%2Fx"))["_id"] == "_design/x"


async def test_other_paths_and_methods_are_answered_as_couchdb_does(client: Client) -> None:
    door = await a_database(client)
    for method, path, status, error in (
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/_unheard", 404, "not_found"),
        ("POST", "/_find", 501, "not_implemented"),
        ("POST", "/_purge", 501, "not_implemented"),
        ("DELETE", "/_bulk_docs", 405, "method_not_allowed"),
        ("GET", "/doc/picture.jpg", 404, "not_found"),
        ("GET", "/_design/x/_view/y", 404, "not_found"),
        ("PUT", "/_odd", 404, "not_found"),
    ):
        response = await door.ask(method, path)
        assert (response.status_code, response.json()["error"]) == (status, error), path
        assert response.json()["reason"]


async def test_a_path_that_only_begins_like_the_door_is_none_of_it(client: Client) -> None:
    assert (await client.get("/dbx")).status_code == 404


async def test_a_head_has_the_headers_and_no_body(client: Client) -> None:
    door = await a_database(client)
    first = await door.put("a", x="1")
    response = await door.ask("HEAD", "/a")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["etag"] == f'"{first}"'


async def test_requests_that_there_is_nothing_to_do_for_are_answered(client: Client) -> None:
    door = await a_database(client)
    full = await door.post("/_ensure_full_commit", {}, 201)
    assert full == {"ok": True, "instance_start_time": (await door.get())["instance_start_time"]}
    assert await door.post("/_compact", {}, 202) == {"ok": True}


async def test_info_counts_documents_and_tells_where_the_feed_ends(client: Client) -> None:
    door = await a_database(client)
    await door.put("a", x="1")
    first = await door.put("b", x="1")
    await door.ask("DELETE", f"/b?rev={first}")
    info = await door.get()
    assert (info["doc_count"], info["doc_del_count"], info["compact_running"]) == (1, 1, False)
    assert info["update_seq"].startswith("3-")
    assert info["update_seq"] == (await door.get("/_changes"))["last_seq"]


async def test_only_json_is_taken(client: Client) -> None:
    door = await a_database(client)
    # What a page of another origin can send without asking must not write with somebody's cookie.
    auth = (door.username, PASSWORD)
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        response = await client.post(
            "/db/notes/_bulk_docs", content=b'{"docs":[]}', headers={"Content-Type": kind}, auth=auth
        )
        assert (response.status_code, response.json()["error"]) == (415, "bad_content_type")
    broken = await client.post(
        "/db/notes/_bulk_docs", content=b"{", headers={"Content-Type": "application/json"}, auth=auth
    )
    assert (broken.status_code, broken.json()["error"]) == (400, "bad_request")


async def test_answers_are_compressed_for_who_takes_it(client: Client) -> None:
    door = await a_database(client)
    await door.post("/_bulk_docs", {"docs": [{"_id": f"d{n}", "x": "y" * 100} for n in range(50)]}, 201)
    packed = await door.ask("GET", "/_changes?include_docs=true", headers={"Accept-Encoding": "gzip"})
    plain = await door.ask("GET", "/_changes?include_docs=true", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()
    assert len(plain.json()["results"]) == 50


async def test_somebody_who_reads_all_scopes_sees_them_listed(client: Client) -> None:
    door = await at_scope(client, "hoa", grant("field_worker"))
    response = await client.get("/db/_all_dbs", auth=(door.username, PASSWORD))
    assert response.json() == ["agri-03226-2025", "catalog"]


BODILESS: dict[str, dict[str, str]] = {
    "of no type": {},
    "of JSON": {"Content-Type": "application/json"},
    "of a form": {"Content-Type": "application/x-www-form-urlencoded"},
}


@pytest.mark.parametrize("name", BODILESS)
async def test_a_post_without_a_body_asks_for_nothing_more_than_its_query(client: Client, name: str) -> None:
    door = await a_database(client)
    await door.put("a", x="1")
    await door.put("b", x="1")
    for path in ("/_changes?limit=1", "/_all_docs?limit=1"):
        answer = await door.ask("POST", path, headers=BODILESS[name])
        assert answer.status_code == 200, answer.text
        assert [row["id"] for row in (answer.json().get("results") or answer.json()["rows"])] == ["a"]


async def test_a_body_counts_also_when_nobody_says_what_it_is(client: Client) -> None:
    door = await a_database(client)
    for doc_id in ("a", "b"):
        await door.put(doc_id, x="1")
    auth = (door.username, PASSWORD)
    url = "/db/notes/_changes?filter=_doc_ids"
    answer = await client.post(url, content=b'{"doc_ids":["b"]}', auth=auth)
    assert [row["id"] for row in answer.json()["results"]] == ["b"]
    # As from a page of another site, whose browser asks nobody whether it may send a form.
    form = {"Content-Type": "text/plain"}
    answer = await client.post(url, content=b'{"doc_ids":["b"]}', headers=form, auth=auth)
    assert answer.status_code == 415


@pytest.mark.parametrize("path", ["/_revs_diff", "/_bulk_get", "/_bulk_docs"])
async def test_a_batch_without_a_body_is_none(client: Client, path: str) -> None:
    door = await a_database(client)
    answer = await door.ask("POST", path, headers=BODILESS["of JSON"])
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


async def test_a_database_is_made_with_or_without_a_body(client: Client) -> None:
    door = await a_database(client)
    for name, body in (("one", None), ("two", {}), ("three", {"q": 8})):
        assert (await Door(client, door.username, name).ask("PUT", body=body)).status_code == 201
    answer = await client.put("/db/four", headers=BODILESS["of JSON"], auth=(door.username, PASSWORD))
    assert answer.status_code == 201


async def test_one_replica_keeps_only_so_many_local_documents(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    door = await a_database(client)
    monkeypatch.setattr(local, "MOST", 2)
    for name in ("one", "other"):
        assert (await door.ask("PUT", f"/_local/{name}", {"at": "1"})).status_code == 201
    refused = await door.ask("PUT", "/_local/third", {"at": "1"})
    assert (refused.status_code, refused.json()["error"]) == (413, "too_many_local_documents")
    assert (await door.ask("PUT", "/_local/one", {"_rev": "0-1", "at": "2"})).status_code == 201
    assert (await door.ask("DELETE", "/_local/other?rev=0-1")).status_code == 200
    assert (await door.ask("PUT", "/_local/third", {"at": "1"})).status_code == 201
    monkeypatch.setattr(local, "MOST_BYTES", 25_000)
    long = {"_rev": "0-1", "at": "x" * 30_000}
    assert (await door.ask("PUT", "/_local/third", long)).status_code == 413
