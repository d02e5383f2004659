"""What enters a scope by this door passes the rules that phones' work passes."""

import json
from typing import Any

import pytest

from server.journal.model import Origin
from tests.builders import Client, add_person, grant, sign_in
from tests.server.couchdb_door import Door, at_scope, record, rev, revision
from tests.server.sync_door import DATABASE, a_phone, exchange, outcomes, save, with_form

pytestmark = pytest.mark.by_turns


async def _quarantined(client: Client) -> dict[str, str]:
    waiting = await client.app.state.journal.quarantined(DATABASE)
    return {each.doc_id: each.reason for each in waiting}


async def _at_scope(client: Client) -> Door:
    await with_form(client)
    return await at_scope(client, "lan", grant("field_worker"))


async def test_records_that_fit_are_stored_under_the_sessions_person(client: Client) -> None:
    door = await _at_scope(client)
    assert await door.bring(revision("a", rev(1, "a"), **record())) == []
    await door.put("b", **record())
    assert set(await door.winners()) == {"a", "b"}
    person = (await sign_in(client, "lan")).person
    for name in "ab":
        stored = await client.app.state.journal.document(DATABASE, name)
        assert stored.person == person


async def test_what_does_not_fit_is_answered_as_success_and_waits_for_a_person(client: Client) -> None:
    """Rule 9."""
    door = await _at_scope(client)
    bad: dict[str, dict[str, Any]] = {
        "unknown_form": record() | {"form_version": "1"},
        "misfit_answers": record(trees="twelve"),
        "not_a_record": {"x": "1"},
        "servers_only": record() | {"open": {"/answers/trees": [rev(1, "a")]}},
    }
    for reason, content in bad.items():
        assert await door.bring(revision(f"brought-{reason}", rev(1, reason), **content)) == []
        await door.put(f"put-{reason}", **content)
    await door.put("review:x:y", type="review")
    expected = {f"{way}-{reason}": reason for way in ("brought", "put") for reason in bad}
    assert await _quarantined(client) == expected | {"review:x:y": "not_a_record"}
    assert await door.winners() == {}
    assert await door.post("/_revs_diff", {"brought-unknown_form": [rev(1, "unknown_form")]}) == {}


async def test_an_edit_that_mends_what_waits_comes_in(client: Client) -> None:
    door = await _at_scope(client)
    first = await door.put("a", **record(trees="twelve"))
    second = await door.put("a", **record(trees="12"), _rev=first)
    assert second.startswith("2-")
    waiting = await client.app.state.journal.quarantined(DATABASE, "a")
    assert {(each.rev, each.reason) for each in waiting} == {(first, "misfit_answers")}
    assert await door.winners() == {"a": second}


async def test_members_of_servers_may_come_back_as_they_were(client: Client) -> None:
    from server.journal.model import NewRevision, Origin

    door = await _at_scope(client)
    merged = NewRevision.following("a", {**record(), "open": {"/answers/trees": [rev(1, "x")]}}, None)
    await client.app.state.journal.write(DATABASE, [merged], Origin())
    found = await door.get("/a")
    found["answers"]["trees"] = "13"
    assert (await door.ask("PUT", "/a", found)).status_code == 201
    assert (await door.get("/a"))["answers"]["trees"] == "13"
    found["open"] = {}
    found["_rev"] = (await door.get("/a"))["_rev"]
    await door.ask("PUT", "/a", found)
    assert (await _quarantined(client)) == {"a": "servers_only"}


async def test_a_bare_tombstone_deletes_a_record(client: Client) -> None:
    door = await _at_scope(client)
    first = await door.put("a", **record())
    assert (await door.ask("DELETE", f"/a?rev={first}")).status_code == 200
    assert await door.bring(revision("b", rev(1, "b"), deleted=True)) == []
    assert await _quarantined(client) == {}


async def test_both_doors_store_the_same_revisions(client: Client) -> None:
    await with_form(client)
    phone = await a_phone(client, "hoa")
    door = await at_scope(client, "lan", grant("field_worker"))
    saved = save(phone)
    assert [outcome for _, outcome, _ in outcomes(await exchange(phone))] == ["stored"]
    found = await door.get(f"/{saved['_id']}", revs=True)
    assert found["_rev"] == saved["_rev"]
    assert await door.post("/_revs_diff", {saved["_id"]: [saved["_rev"]]}) == {}
    assert await door.bring(found) == []
    found["answers"]["trees"] = "99"
    found.pop("_revisions")
    edited = (await door.ask("PUT", f"/{saved['_id']}", found)).json()["rev"]
    answer = await exchange(phone)
    [document] = answer.changes[DATABASE].docs
    assert document["_rev"] == edited
    assert (await door.winners())[saved["_id"]] == edited


async def test_a_record_with_attachments_waits_with_them_and_is_accepted_without(client: Client) -> None:
    door = await _at_scope(client)
    await add_person(client, "hub", grant("peer"))
    other_server = Door(client, "hub", DATABASE)
    attached = {"p.jpg": {"content_type": "image/jpeg", "data": "eA=="}}
    stub = {"p.jpg": {"stub": True, "digest": "md5-x", "length": 1, "revpos": 1}}
    assert await door.bring(revision("inline", rev(1, "a"), **record(), _attachments=attached)) == []
    assert await other_server.bring(revision("stub", rev(1, "a"), **record(), _attachments=stub)) == []
    await door.put("edit", **record(), _attachments=attached)
    # As CouchDB's replicator sends the longer ones: the attachments follow the document.
    follows = {"p.jpg": {"content_type": "image/jpeg", "follows": True, "length": 1}}
    document = json.dumps(revision("related", rev(1, "a"), **record(), _attachments=follows)).encode()
    kind = 'multipart/related; boundary="x"'
    parts = b"--x\r\nContent-Type: application/json\r\n\r\n%b\r\n--x\r\n\r\nx\r\n--x--" % document
    sent = await door.ask("PUT", "/related?new_edits=false", content=parts, headers={"Content-Type": kind})
    assert sent.status_code == 201, sent.text

    assert await _quarantined(client) == dict.fromkeys(("inline", "stub", "edit", "related"), "attachments")
    assert await door.winners() == {}
    kept = {one.doc_id: json.loads(one.content) for one in await client.app.state.journal.quarantined(DATABASE)}
    assert kept["stub"]["_attachments"] == stub
    assert [kept[name]["_attachments"]["p.jpg"]["data"] for name in ("inline", "edit", "related")] == ["eA=="] * 3

    await client.app.state.journal.accept(DATABASE, "inline", rev(1, "a"), Origin("somebody"))
    found = await door.get("/inline")
    assert (found["_rev"], found["answers"]) == (rev(1, "a"), record()["answers"])
    assert "_attachments" not in found
    # Whoever sends it again has done so before.
    assert await door.bring(revision("inline", rev(1, "a"), **record(), _attachments=attached)) == []
    assert "inline" not in await _quarantined(client)


async def test_attachments_that_are_too_long_fail_the_request_so_that_no_checkpoint_passes_them(client: Client) -> None:
    await with_form(client)
    door = await at_scope(client, "lan", grant("field_worker"))
    said = json.dumps(record() | {"_attachments": {"a.jpg": {"follows": True, "length": 11_000_000}}}).encode()
    parts = (
        b"--x\r\nContent-Type: application/json\r\n\r\n" + said + b"\r\n--x\r\n\r\n" + b"j" * 11_000_000 + b"\r\n--x--"
    )
    kind = {"Content-Type": 'multipart/related; boundary="x"'}
    refused = await door.ask("PUT", "/long?new_edits=false", content=parts, headers=kind)
    assert (refused.status_code, refused.json()["error"]) == (503, "service_unavailable")
    assert await _quarantined(client) == {}
