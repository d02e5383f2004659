"""Rows of `_bulk_get` and `_revs_diff` that nobody can read: each costs itself alone."""

from typing import Any

import pytest

from tests.builders import PASSWORD, Client, grant
from tests.server.couchdb_door import Door, a_database, at_scope, rev, revision

pytestmark = pytest.mark.by_turns

INVALID = "Invalid rev format"
BAD: dict[str, tuple[Any, dict[str, Any]]] = {
    "no id": ({"rev": rev(1, "x")}, {"id": None, "rev": None, "error": "bad_request", "reason": "document id missed"}),
    "id is a number": (
        {"id": 7},
        {"id": 7, "rev": None, "error": "illegal_docid", "reason": "Document id must be a string"},
    ),
    "id is empty": (
        {"id": ""},
        {"id": "", "rev": None, "error": "illegal_docid", "reason": "Document id must not be empty"},
    ),
    "id is reserved": (
        {"id": "_odd"},
        {
            "id": "_odd",
            "rev": None,
            "error": "illegal_docid",
            "reason": "Only reserved document ids may start with underscore.",
        },
    ),
    "rev without a generation": (
        {"id": "a", "rev": "nonsense"},
        {"id": "a", "rev": "nonsense", "error": "bad_request", "reason": INVALID},
    ),
    "rev is null": ({"id": "a", "rev": None}, {"id": "a", "rev": None, "error": "bad_request", "reason": INVALID}),
    "rev is a list": ({"id": "a", "rev": [1]}, {"id": "a", "rev": [1], "error": "bad_request", "reason": INVALID}),
    "atts_since is no list": (
        {"id": "a", "atts_since": "1-a"},
        {
            "id": "a",
            "rev": "1-a",
            "error": "bad_request",
            "reason": "att_since value must be array of revs.",
        },
    ),
    "atts_since names no rev": (
        {"id": "a", "atts_since": [rev(1, "x"), "odd"]},
        {"id": "a", "rev": "odd", "error": "bad_request", "reason": INVALID},
    ),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_row_of_bulk_get_that_nobody_can_read_costs_itself_alone(client: Client, name: str) -> None:
    door = await a_database(client)
    await door.bring(revision("a", rev(1, "x"), x="1"), revision("b", rev(1, "y"), x="2"))
    row, error = BAD[name]
    said = await door.post("/_bulk_get", {"docs": [{"id": "a", "rev": rev(1, "x")}, row, {"id": "b"}]})
    first, bad, last = said["results"]
    assert (first["docs"][0]["ok"]["x"], last["docs"][0]["ok"]["x"]) == ("1", "2")
    assert bad == {"id": error["id"], "docs": [{"error": error}]}


async def test_a_row_of_bulk_get_that_is_no_object_costs_itself_alone(client: Client) -> None:
    door = await a_database(client)
    await door.put("a", x="1")
    said = await door.post("/_bulk_get", {"docs": ["a", {"id": "a"}, None]})
    bad, good, none = said["results"]
    assert good["docs"][0]["ok"]["x"] == "1"
    assert bad["docs"][0]["error"]["error"] == none["docs"][0]["error"]["error"] == "bad_request"


async def test_a_row_of_bulk_get_with_a_name_twice_costs_itself_alone(client: Client) -> None:
    door = await a_database(client)
    await door.put("a", x="1")
    body = b'{"docs":[{"id":"a"},{"id":"a","id":"b"},{"id":"\\ud800"},{"id":"a"}]}'
    said = (await _sent(door, "/_bulk_get", body)).json()
    assert ["ok" if "ok" in row["docs"][0] else row["docs"][0]["error"]["error"] for row in said["results"]] == [
        "ok",
        "bad_request",
        "bad_request",
        "ok",
    ]
    # Elsewhere in the body it is nobody's row.
    answer = await _sent(door, "/_bulk_get", b'{"docs":[],"odd":1,"odd":2}')
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


async def test_a_row_of_bulk_get_without_a_revision_gets_every_leaf(client: Client) -> None:
    door = await a_database(client)
    await door.bring(
        revision("a", rev(2, "p"), rev(1, "o"), x="p"),
        revision("a", rev(2, "q"), rev(1, "o"), x="q"),
        revision("a", rev(2, "r"), rev(1, "o"), deleted=True),
    )
    [row] = (await door.post("/_bulk_get", {"docs": [{"id": "a"}]}))["results"]
    leaves = await door.get("/a", open_revs="all")
    assert row == {"id": "a", "docs": leaves}
    assert len(leaves) == 3


async def test_a_revision_of_another_form_is_simply_not_here(client: Client) -> None:
    """CouchDB takes any hash behind the generation: one such document must not hold up all that come with it."""
    door = await a_database(client)
    await door.bring(revision("a", rev(1, "x"), x="1"))
    odd = ["1-abc", f"1-{'F' * 32}", "3-0123456789"]
    asked = {"a": [rev(1, "x"), *odd], "b": ["2-abc"], "c": [rev(1, "c")]}
    assert await door.post("/_revs_diff", asked) == {
        "a": {"missing": odd, "possible_ancestors": [rev(1, "x")]},
        "b": {"missing": ["2-abc"]},
        "c": {"missing": [rev(1, "c")]},
    }
    said = await door.post("/_bulk_get", {"docs": [{"id": "a", "rev": each} for each in odd]})
    assert [row["docs"][0]["error"]["error"] for row in said["results"]] == ["not_found"] * 3
    scope = await at_scope(client, "hoa", grant("field_worker"))
    [refused] = await scope.bring({"_id": "b", "_rev": "2-abc"}, revision("c", rev(1, "c"), deleted=True))
    assert (refused["id"], refused["error"]) == ("b", "bad_request")
    assert set(await scope.winners()) == {"c"}


@pytest.mark.parametrize("revs", [["nonsense"], [7], "1-a", {"1": 2}, [f"{'9' * 5000}-a"], ["-1-a"]])
async def test_what_is_no_revision_at_all_is_refused_as_a_whole_by_revs_diff(client: Client, revs: Any) -> None:
    door = await a_database(client)
    answer = await door.ask("POST", "/_revs_diff", {"a": revs, "b": [rev(1, "b")]})
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


async def _sent(door: Door, path: str, body: bytes) -> Any:
    headers = {"Content-Type": "application/json"}
    url = f"/db/{door.database}{path}"
    return await door.client.post(url, content=body, headers=headers, auth=(door.username, PASSWORD))
