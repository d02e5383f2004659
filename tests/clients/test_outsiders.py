"""Clients of CouchDB that are neither CouchDB nor PouchDB: their requests, as they send them, to a running server."""

import gzip
import json
from typing import Any

import httpx
import pytest

from tests.bench.arrangement import ADMINISTRATOR
from tests.clients.province import Province

pytestmark = pytest.mark.slow
JSON = {"Accept": "application/json"}


def made(province: Province, door: httpx.Client) -> str:
    name = "/" + str(province.made()["url"]).rpartition("/")[2]
    assert door.put(f"{name}/").status_code == 201
    return name


def post(door: httpx.Client, path: str, body: Any, **query: str) -> Any:
    answer = door.post(path, json=body, params=query, headers=JSON)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def test_couchbackup_backs_a_database_up_and_restores_it_into_an_empty_one(province: Province) -> None:
    with province.door(ADMINISTRATOR) as door:
        source, target = made(province, door), made(province, door)
        for name in "abc":
            assert door.put(f"{source}/{name}", json={"n": name}).status_code == 201
        # Older ones look whether it is there by a method that it doesn't know, newer ones by asking for nothing.
        assert door.head(f"{source}/_bulk_get").status_code == door.get(f"{source}/_bulk_get").status_code == 405
        assert post(door, f"{source}/_bulk_get", {"docs": []}) == {"results": []}
        assert door.head(source).status_code == 200
        changes = post(door, f"{source}/_changes", {}, since="0", limit="10000", seq_interval="10000", feed="normal")
        assert [row["seq"] for row in changes["results"][1:]] == [None, None]
        asked = {"docs": [{"id": row["id"]} for row in changes["results"]]}
        found = post(door, f"{source}/_bulk_get", asked, revs="true")
        documents = [each["ok"] for row in found["results"] for each in row["docs"]]
        info = door.get(target).json()
        assert (info["doc_count"], info["doc_del_count"]) == (0, 0)
        packed = gzip.compress(json.dumps({"new_edits": False, "docs": documents}).encode())
        headers = {**JSON, "Content-Type": "application/json", "Content-Encoding": "gzip"}
        restored = door.post(f"{target}/_bulk_docs", content=packed, headers=headers)
        assert (restored.status_code, restored.json()) == (201, [])
        assert door.get(f"{target}/b?revs=true").json() == door.get(f"{source}/b?revs=true").json()


def test_rxdb_pulls_by_checkpoints_pushes_edits_and_learns_what_it_conflicts_with(province: Province) -> None:
    with province.door(ADMINISTRATOR) as door:
        database = made(province, door)
        rev = door.put(f"{database}/a", json={"n": "1"}).json()["rev"]
        query = {"style": "all_docs", "feed": "normal", "include_docs": "true", "since": "0", "limit": "60"}
        # It sends its query with a heartbeat, whatever the feed is.
        pulled = door.get(f"{database}/_changes", params={**query, "heartbeat": "60000", "seq_interval": "60"}).json()
        assert [row["doc"]["n"] for row in pulled["results"]] == ["1"]
        rows = post(door, f"{database}/_bulk_docs", {"docs": [{"_id": "a", "_rev": rev, "n": "2"}, {"_id": "b"}]})
        assert [row["ok"] for row in rows] == [True, True]
        late = post(door, f"{database}/_bulk_docs", {"docs": [{"_id": "a", "_rev": rev, "n": "3"}]})
        assert late == [{"id": "a", "error": "conflict", "reason": "Document update conflict."}]
        master = post(door, f"{database}/_all_docs", {"keys": ["a"]}, include_docs="true")
        assert [row["doc"]["n"] for row in master["rows"]] == ["2"]
        live = {**query, "feed": "longpoll", "heartbeat": "60000", "since": pulled["last_seq"]}
        assert {row["id"] for row in door.get(f"{database}/_changes", params=live).json()["results"]} == {"a", "b"}
        gone = post(door, f"{database}/_bulk_docs", {"docs": [{"_id": "b", "_rev": rows[1]["rev"], "_deleted": True}]})
        assert gone[0]["ok"]


def test_cloudant_sync_asks_for_bulk_get_by_its_405_and_pushes_in_parts(province: Province) -> None:
    with province.door(ADMINISTRATOR) as door:
        database = made(province, door)
        assert door.get(f"{database}/_bulk_get", headers=JSON).status_code == 405
        stub = {"content_type": "text/plain", "follows": True, "length": 2, "revpos": 1}
        revisions = {"start": 1, "ids": ["0" * 32]}
        document = {"_id": "a", "_rev": f"1-{'0' * 32}", "_revisions": revisions, "_attachments": {"t": stub}}
        body = (
            b"--x\r\nContent-Type: application/json\r\n\r\n"
            + json.dumps(document).encode()
            + b"\r\n--x\r\n\r\nhi\r\n--x--"
        )
        headers = {**JSON, "Content-Type": "multipart/related;boundary=x"}
        put = door.put(f"{database}/a", params={"new_edits": "false"}, content=body, headers=headers)
        assert put.status_code == 201, put.text
        query = {"feed": "normal", "style": "all_docs", "limit": "1000", "seq_interval": "1000", "since": "0"}
        changes = door.get(f"{database}/_changes", params=query, headers=JSON).json()
        asked = {"docs": [{"id": "a", "rev": changes["results"][0]["changes"][0]["rev"], "atts_since": []}]}
        found = post(door, f"{database}/_bulk_get", asked, revs="true", attachments="true", latest="true")
        assert found["results"][0]["docs"][0]["ok"]["_attachments"]["t"]["data"] == "aGk="
        local = door.put(f"{database}/_local/0a", json={"lastSequence": changes["last_seq"]}, headers=JSON)
        assert local.status_code == 201
        assert post(door, f"{database}/_revs_diff", {"a": [f"1-{'0' * 32}"]}) == {}
