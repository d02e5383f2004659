"""Every member × every door × every role and none × {introduce, change, remove, repeat, delete}, from the contract.

What the tables say (`MEMBERS`, `DOORS`, `POLICY`, `RIGHTS`) is what the doors do. A member, a door or a role that is
new fails here until it is tried.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from server.auth.principal import Principal
from server.demo.phone import Phone
from server.errors import Problem
from server.ingest.desk_writes import write_at_desk
from server.ingest.peer_ingest import PeerSender
from server.journal.model import NewRevision, Origin
from server.peers.background import parts_of
from sync.contract.members import DOORS, MEMBERS, Door
from sync.contract.roles import RIGHTS, ROLES, Role
from sync.revisions.canonical import canonical
from sync.revisions.revision_id import revision_id
from tests.builders import PASSWORD, Client, add_person, grant, sign_in
from tests.server.couchdb_door import Door as ReplicaDoor
from tests.server.couchdb_door import at_scope, record, rev, revision
from tests.server.doors.tried import ACTS, OF_DESKS, OTHERS, VALUES, WORKERS, Tried, allowed, content
from tests.server.peers_world import peer_account
from tests.server.sync_door import DATABASE, exchange, with_form


def test_these_are_all_members_doors_and_roles() -> None:
    assert VALUES.keys() == MEMBERS.keys() | {"colour"}
    tried = {"phone", "replica", "peer", "province", "desk", "acceptance"}
    # Another server's follower is tried as such, below.
    assert DOORS.keys() == tried | {"projection"}
    assert {role for roles in WORKERS.values() for role in roles} | {role for roles in OTHERS for role in roles} == {
        *ROLES
    }


Way = Callable[[Client, Tried, tuple[Role, ...]], Awaitable[None]]


async def a_replica(client: Client, roles: tuple[Role, ...]) -> ReplicaDoor:
    name = "lan-" + "-".join(roles).replace("_", "")
    return await at_scope(client, name, *(grant(role) for role in roles))


async def by_put_and_delete(client: Client, tried: Tried, roles: tuple[Role, ...]) -> None:
    door = await a_replica(client, roles)
    for each in tried.documents(ACTS[:-1]):
        assert (await door.ask("PUT", f"/{each['_id']}", each)).status_code == 201
    for each in tried.documents(["delete"]):
        assert (await door.ask("DELETE", f"/{each['_id']}?rev={each['_rev']}")).status_code == 200


async def by_bulk_docs(client: Client, tried: Tried, roles: tuple[Role, ...]) -> None:
    rows = await (await a_replica(client, roles)).post("/_bulk_docs", {"docs": tried.documents()}, 201)
    assert [row for row in rows if "error" in row] == []


async def by_replication(client: Client, tried: Tried, roles: tuple[Role, ...]) -> None:
    assert await (await a_replica(client, roles)).bring(*tried.revisions()) == []


async def by_phone(client: Client, tried: Tried, roles: tuple[Role, ...]) -> None:
    name = "hoa-" + "-".join(roles).replace("_", "")
    await add_person(client, name, *(grant(role) for role in roles))
    phone = await Phone(client, clock=client.app.state["clock"]).sign_in(name, PASSWORD)
    await phone.sync()
    for doc_id, (member, act) in tried.cases.items():
        is_deleted = act == "delete"
        phone.put(DATABASE, doc_id, {"type": "record"} if is_deleted else content(member, act), deleted=is_deleted)
    assert {ack.outcome for ack in (await exchange(phone)).acks} <= {"stored", "quarantined"}


WAYS: list[tuple[Way, Door, str]] = [
    (way, "phone" if way is by_phone else "replica", who)
    for who in WORKERS
    for way in (by_put_and_delete, by_bulk_docs, by_replication, by_phone)
    # One by one, once is enough.
    if way is not by_put_and_delete or who == "worker who decides"
]


@pytest.mark.slow
@pytest.mark.parametrize(("way", "door", "who"), WAYS)
async def test_whoever_is_not_entitled_may_only_repeat_what_stands_before(
    client: Client, way: Way, door: Door, who: str, record_property: Callable[[str, object], None]
) -> None:
    await with_form(client)
    tried = Tried(client, "a")
    await tried.arrange()
    await way(client, tried, WORKERS[who])
    count = await tried.check(door)
    record_property("told", f"contract: {count} cases of a {who} {way.__name__.replace('_', ' ')}")


@pytest.mark.parametrize("roles", OTHERS, ids=lambda roles: "-".join(roles) or "none")
async def test_who_may_not_record_writes_nothing_whatever_the_member(
    client: Client, roles: tuple[Role, ...], record_property: Callable[[str, object], None]
) -> None:
    await with_form(client)
    tried = Tried(client, "a")
    await tried.arrange()
    before = await client.app.state["journal"].state(DATABASE)
    door = await a_replica(client, roles)
    count = len(tried.cases)
    for body in ({"docs": tried.documents()}, {"docs": tried.revisions(), "new_edits": False}):
        # Another server may bring what it has.
        if roles != ("peer",):
            assert (await door.ask("POST", "/_bulk_docs", body)).status_code in (403, 404)
            count += len(tried.cases)
    phone = await Phone(client, clock=client.app.state["clock"]).sign_in(door.username, PASSWORD)
    await phone.sync()
    for doc_id, (member, act) in tried.cases.items():
        phone.put(DATABASE, doc_id, content(member, act), deleted=act == "delete")
    assert {ack.reason for ack in (await exchange(phone)).acks} == {"not_allowed"}
    assert await client.app.state["journal"].state(DATABASE) == before
    assert await client.app.state["journal"].quarantined() == []
    record_property("told", f"contract: {count} cases of a person with {'-'.join(roles) or 'no role'}")


@pytest.mark.parametrize("role", [None, *ROLES])
async def test_a_desk_writes_what_its_persons_role_may_and_nothing_else(
    client: Client, role: Role | None, record_property: Callable[[str, object], None]
) -> None:
    await with_form(client)
    tried = Tried(client, "a")
    await tried.arrange()
    state = client.app.state
    person = Principal("manager", "", None, () if role is None else (grant(role),))
    may = role is not None and "decide_conflicts" in RIGHTS[role].actions
    for doc_id, (member, act) in tried.cases.items():
        said = {"type": "record"} if act == "delete" else content(member, act)
        new = NewRevision.following(doc_id, said, tried.parents[doc_id], deleted=act == "delete")
        try:
            async with state["storage"].write() as connection:
                [outcome] = await write_at_desk(connection, state["journal"], DATABASE, [new], person)
                is_written = outcome.outcome == "stored"
        except Problem as problem:
            assert problem.code == "not_allowed"  # noqa: PT017 - half of the cases raise none
            is_written = False
        assert is_written == (may and allowed(member, act, "desk")), doc_id
    record_property("told", f"contract: {len(tried.cases)} cases of a desk, as {role}")


@pytest.mark.parametrize("door", ["peer", "province"])
@pytest.mark.parametrize("has_account", [True, False])
async def test_another_server_is_entitled_as_the_province_or_only_repeats(
    client: Client, door: Door, has_account: bool, record_property: Callable[[str, object], None]
) -> None:
    await with_form(client)
    tried = Tried(client, "a")
    await tried.arrange()
    if has_account and door == "peer":
        await peer_account(client)
        assert await ReplicaDoor(client, "hub", DATABASE).bring(*tried.revisions()) == []
    else:
        bringer = PeerSender("peer:other", is_believed=door == "province", has_account=has_account)
        brought = [
            ({k: each[k] for k in each if k != "_revisions"}, (tried.parents[each["_id"]],))
            for each in tried.revisions()
        ]
        await parts_of(client.app).ingest.receive(DATABASE, brought, bringer)
    count = await tried.check(door)
    record_property("told", f"contract: {count} cases of a {door}, with an account: {has_account}")


async def test_a_followers_merge_and_carried_edit_come_from_another_server(client: Client) -> None:
    """Their ids are their own hash, so any server would write them alike."""
    await with_form(client)
    journal = client.app.state["journal"]
    first = NewRevision.following("a", record(), None)
    sides = [NewRevision.following("a", record(trees=trees), first.rev) for trees in ("13", "14")]
    joined = NewRevision.following("a", record(trees="15") | {"same_as": OF_DESKS}, sides[1].rev)
    await journal.write(DATABASE, [first, *sides, joined], Origin())
    merge = record(trees="15") | {"same_as": OF_DESKS, "merged": [joined.rev]}
    forged = record(trees="15") | {"erased": True, "merged": [joined.rev]}
    carried = record(trees="16") | {"forwarded": ["b", rev(2, "b")]}
    parents = {"merge": sides[0].rev, "forged": sides[0].rev, "carried": first.rev}
    said = {"merge": merge, "forged": forged, "carried": carried}
    brought = []
    for name, body in said.items():
        made = revision_id("a", deleted=False, parent=parents[name], content=canonical(body))
        brought.append(({"_id": "a", "_rev": made, **body}, (parents[name],)))
    outcomes = await parts_of(client.app).ingest.receive(DATABASE, brought, PeerSender("peer:hub", has_account=True))
    assert [(one.outcome, one.reason) for one in outcomes] == [
        ("stored", None),
        ("quarantined", "servers_only"),
        ("stored", None),
    ]


async def test_what_a_worker_wrote_beforehand_keeps_out_no_server_that_may_write_it(client: Client) -> None:
    await with_form(client)
    journal = client.app.state["journal"]
    first = NewRevision.following("a", record(), None)
    await journal.write(DATABASE, [first], Origin())
    carried = NewRevision.following("a", record(trees="16") | {"forwarded": ["b", rev(2, "b")]}, first.rev)
    door = await at_scope(client, "lan", grant("field_worker"))
    said = json.loads(carried.content)
    assert await door.bring(revision("a", carried.rev, first.rev, **said)) == []
    assert [one.reason for one in await journal.quarantined(DATABASE)] == ["servers_only"]
    [outcome] = await journal.write(DATABASE, [carried], Origin())
    assert outcome.outcome == "stored"
    assert await journal.quarantined(DATABASE) == []


async def test_a_line_that_comes_in_one_request_introduces_nothing_by_the_way(client: Client) -> None:
    await with_form(client)
    door = await at_scope(client, "lan", grant("field_worker"))
    first, second, third = rev(1, "a"), rev(2, "a"), rev(3, "a")
    await door.bring(revision("a", first, **record()))
    erasing = {"erased": True}
    await door.bring(
        revision("a", third, second, first, **record(trees="15"), **erasing),
        revision("a", second, first, **record(trees="14"), **erasing),
        # Another body under an id that is here.
        revision("a", first, **record(), **erasing),
        revision("a", rev(2, "b"), first, **record(trees="16"), **erasing),
    )
    stands = await client.app.state["journal"].document(DATABASE, "a")
    assert stands.rev == first
    assert b"erased" not in stands.content


async def test_an_edit_that_comes_before_its_parent_is_judged_by_the_nearest_that_is_here(client: Client) -> None:
    await with_form(client)
    joined = NewRevision.following("a", record() | {"same_as": OF_DESKS}, None)
    await client.app.state["journal"].write(DATABASE, [joined], Origin())
    door = await at_scope(client, "lan", grant("field_worker"))
    line = [rev(3, "a"), rev(2, "a"), joined.rev]
    await door.bring(revision("a", *line, **record(trees="15"), same_as=OF_DESKS))
    await door.bring(revision("a", *line[1:], **record(trees="14"), same_as=OF_DESKS))
    await door.bring(revision("a", rev(3, "b"), rev(2, "b"), joined.rev, **record(trees="16")))
    waiting = await client.app.state["journal"].quarantined(DATABASE)
    assert [(one.rev, one.reason) for one in waiting] == [(rev(3, "b"), "servers_only")]


async def test_an_erased_record_is_not_begun_anew_over_its_tombstone(client: Client) -> None:
    await with_form(client)
    erased = NewRevision.following("a", {"type": "record", "erased": True}, None, deleted=True)
    await client.app.state["journal"].write(DATABASE, [erased], Origin())
    door = await at_scope(client, "lan", grant("field_worker"))
    await door.put("a", **record())
    stands = await client.app.state["journal"].document(DATABASE, "a")
    assert (stands.rev, stands.deleted) == (erased.rev, True)


async def test_nobody_lets_in_what_only_servers_write_and_a_strange_member_may_come_in(
    client: Client, record_property: Callable[[str, object], None]
) -> None:
    await with_form(client)
    tried = Tried(client, "a")
    await tried.arrange()
    new = [
        NewRevision.following(doc_id, {"answers": {"trees": "mười hai"}} | content(member, act), tried.parents[doc_id])
        for doc_id, (member, act) in tried.cases.items()
        if act != "delete"
    ]
    held = [replace(one, quarantine="misfit_answers") for one in new]
    await client.app.state["journal"].write(DATABASE, held, Origin())
    await add_person(client, "quản", grant("data_manager"))
    headers = (await sign_in(client, "quản")).headers
    found: dict[str, dict[str, Any]] = {}
    page: dict[str, Any] = {"next": ""}
    while page["next"] is not None:
        params = {"before": page["next"]} if page["next"] else {}
        page = (await client.get("/api/conflicts/quarantine", params=params, headers=headers)).json()
        found |= {entry["id"]: entry for entry in page["entries"]}
    expected = {one.doc_id: allowed(*tried.cases[one.doc_id], "acceptance") for one in new}
    assert {doc_id: entry["may_accept"] for doc_id, entry in found.items()} == expected
    refused = next(entry for entry in found.values() if not entry["may_accept"])
    key = {name: refused[name] for name in ("database", "id", "rev", "fingerprint")}
    answer = await client.post("/api/conflicts/quarantine/accept", json=key, headers=headers)
    assert answer.json()["code"] == "not_acceptable"
    record_property("told", f"contract: {len(found)} cases of letting in")


@pytest.mark.parametrize("kind", ["review", "question", "reply", "task"])
async def test_what_is_said_once_is_neither_edited_nor_deleted_by_another_server(client: Client, kind: str) -> None:
    await with_form(client)
    person = await add_person(client, "sơn", grant("supervisor"), grant("data_manager"))
    name = f"{kind}:a:018f5c3e-0000-7000-8000-000000000001"
    said = {"type": kind, "record": "a", "by": person.id}
    first, second, third = (rev(generation, kind) for generation in (1, 2, 3))
    brought: list[tuple[dict[str, Any], tuple[str, ...]]] = [
        ({"_id": name, "_rev": first, **said}, ()),
        ({"_id": name, "_rev": second, **said, "decision": "approved"}, (first,)),
        ({"_id": name, "_rev": third, **said, "_deleted": True}, (second, first)),
    ]
    outcomes = await parts_of(client.app).ingest.receive(DATABASE, brought, PeerSender("peer:hub", has_account=True))
    expected = "quarantined" if kind == "task" else "stored"
    assert [one.outcome for one in outcomes] == [expected, "quarantined", "quarantined"]
