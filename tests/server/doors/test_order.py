"""Whatever the order in which documents come by a door, what is stored and what is quarantined in the end is the same.

Two things are the first's who comes, and stand in no set here: an id that comes with two contents, and the last branch
that a document may have.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from server.auth.people import set_grants
from server.demo.phone import Phone
from server.ingest.awaited_forms import judge_what_awaited_forms
from server.ingest.peer_ingest import PeerSender
from server.journal.model import NewRevision, Origin
from server.peers.background import parts_of
from sync.contract.seal import said_digest, sealed_payload
from sync.revisions.admission import MAX_GENERATION_JUMP
from sync.revisions.canonical import canonical
from sync.revisions.revision_id import RESOLVED_TOMBSTONE, revision_id
from tests.builders import Client, add_person, grant
from tests.server.couchdb_door import at_scope, record, rev
from tests.server.published_forms import publish
from tests.server.sync_door import DATABASE, XFORM, a_phone, with_form

pytestmark = pytest.mark.by_turns

ORDERS = 12
LATE = "2026113001"
JOINED = {"same_as": {"record": "018f5c3e-0000-7000-8000-000000000009", "rev": rev(1, "stays")}}

Brought = tuple[dict[str, Any], tuple[str, ...]]


@dataclass(frozen=True)
class Run:
    """One order: the ids of its documents begin with its name, so that runs don't meet."""

    name: str

    def doc(self, doc_id: str, line: Sequence[str], **content: Any) -> Brought:
        """Return a revision with its ancestors."""
        return {"_id": f"{self.name}-{doc_id}", "_rev": line[0], **content}, tuple(line[1:])

    def made(self, doc_id: str, line: Sequence[str], *, deleted: bool = False, **content: Any) -> Brought:
        """Return one whose id is its own hash, as machines make it; `line` begins with its parent."""
        of = f"{self.name}-{doc_id}"
        made = revision_id(of, deleted=deleted, parent=line[0], content=canonical(content))
        flag = {"_deleted": True} if deleted else {}
        return {"_id": of, "_rev": made, **flag, **content}, tuple(line)

    def edits(self) -> list[Brought]:
        """Return records whose verdicts hang on each other."""
        first, second, third = (rev(each, "a") for each in (1, 2, 3))
        far = [rev(generation, "far") for generation in (MAX_GENERATION_JUMP - 9, 2 * MAX_GENERATION_JUMP - 99)]
        late = {**record(), "form_version": LATE}
        return [
            # A correction of what is quarantined, and what goes on from it.
            self.doc("misfit", [first], **record(trees="twelve")),
            self.doc("misfit", [second, first], **record(trees="13")),
            self.doc("misfit", [third, second, first], **record(trees="fourteen")),
            # Generations that only each other explain, and one that nothing does.
            self.doc("far", [far[0]], **record()),
            self.doc("far", [far[1]], **record(trees="13")),
            self.doc("farther", [rev(5 * MAX_GENERATION_JUMP, "no")], **record()),
            # What a member's writer wrote stands here already; repeated, introduced, and repeated of what may not be.
            self.doc("joined", [second, first], **record(trees="13"), **JOINED),
            self.doc("joined", [third, second, first], **record(trees="14"), **JOINED),
            self.doc("joined", [rev(2, "without"), first], **record(trees="15")),
            self.doc("introduced", [second, first], **record(trees="13"), colour="red"),
            self.doc("introduced", [third, second, first], **record(trees="14"), colour="red"),
            self.doc("introduced", [rev(4, "a"), third, second, first], **record(trees="15")),
            # A form that comes later, with answers that fit and that don't, and an edit of each.
            self.doc("late", [first], **late),
            self.doc("late", [second, first], **{**late, "answers": {"trees": "thirteen"}}),
            self.doc("late", [third, second, first], **late),
            self.doc("never", [first], **{**record(), "form_version": "1"}),
            # Other kinds.
            self.doc("files", [first], **record(), _attachments={"a.jpg": {"data": "YQ==", "content_type": "x"}}),
            self.doc("files", [second, first], **record()),
            self.doc("strange", [first], type="strange"),
            self.doc("strange", [second, first], **record()),
            self.doc("gone", [second, first], _deleted=True),
            self.doc("gone", [first], **record()),
        ]

    def merged(self) -> list[Brought]:
        """Return two branches, the merge of them and the end that a machine puts on one."""
        first = rev(1, "m")
        sides = [rev(2, "m one"), rev(2, "m two")]
        return [
            self.doc("merge", [first], **record()),
            *(self.doc("merge", [side, first], **record(trees=trees)) for side, trees in zip(sides, "34", strict=True)),
            self.made("merge", [sides[0], first], **record(trees="3"), merged=[sides[1]]),
            self.made("merge", [sides[1], first], deleted=True, type="record", resolved=True),
        ]

    def sealed(self, phone: Phone) -> list[Brought]:
        """Return a record of an enrolment, an edit of it, a record whose form comes later, and the seal of them."""
        saved = {"by": phone.enrolment, "at": "2026-11-21T08:00:00Z"}
        lines = [[rev(1, "s")], [rev(2, "s"), rev(1, "s")]]
        documents = [
            self.doc(f"of-{phone.enrolment[:8]}", line, **record(), saved={**saved, "number": str(len(line))})
            for line in lines
        ]
        late = {**record(), "form_version": LATE, "saved": {**saved, "number": "3"}}
        documents.append(self.doc(f"sealed-late-{phone.enrolment[:8]}", [rev(1, "s")], **late))
        push = [(DATABASE, document["_id"], document["_rev"]) for document, _ in documents]
        said = said_digest({"unsent": [], "discarded": [], "drafts": 0, "media": 0}, [])
        content = {"type": "seal", "enrolment": phone.enrolment, "exchange": "1", "push": push, "said": said}
        jws = phone.sign(sealed_payload(phone.enrolment, "1", push, said))
        seal = {"_id": f"seal:{self.name}-{phone.enrolment[:8]}", "_rev": rev(1, "seal"), **content, "jws": jws}
        return [*documents, (seal, ())]

    def said(self, supervisor: str, worker: str) -> list[Brought]:
        """Return decisions by who may make them and by who may not, and an edit of one."""
        name = "review:{}:018f5c3e-0000-7000-8000-00000000000{}"
        by = {"type": "review", "record": f"{self.name}-a", "decision": "approved"}
        one, other = (name.format(f"{self.name}-a", number) for number in (1, 2))
        return [
            ({"_id": one, "_rev": rev(1, "r"), **by, "by": supervisor}, ()),
            ({"_id": one, "_rev": rev(2, "r"), **by, "by": supervisor, "decision": "rejected"}, (rev(1, "r"),)),
            ({"_id": other, "_rev": rev(1, "r"), **by, "by": worker}, ()),
        ]

    async def state(self, client: Client) -> tuple[set[tuple[str, str, str]], set[tuple[str, str, str]]]:
        """Return (document, revision, author) of what is stored, and (document, revision, reason) of what waits."""
        journal = client.app.state["journal"]
        ids = [row.doc_id for row in (await journal.changes(DATABASE, 0)).rows if self.name in row.doc_id]
        histories = await journal.histories(DATABASE, ids)
        stored = {
            (self.plain(one.doc_id), one.rev if "merge" not in one.doc_id else one.content.decode(), str(one.person))
            for line in histories.values()
            for one in line
        }
        waiting = {
            (self.plain(one.doc_id), one.rev, one.reason)
            for one in await journal.quarantined(DATABASE)
            if self.name in one.doc_id
        }
        return stored, waiting

    def plain(self, doc_id: str) -> str:
        return doc_id.replace(self.name, "run")


async def prepared(client: Client, run: Run) -> None:
    """Store what stands before: by whoever may write it."""
    before = {"joined": record() | JOINED, "introduced": record()}
    held = [
        NewRevision(f"{run.name}-{name}", rev(1, "a"), (), False, canonical(content), verify=False)
        for name, content in before.items()
    ]
    await client.app.state["journal"].write(DATABASE, held, Origin("desk"))


def parted(documents: list[Brought], chance: random.Random) -> list[list[Brought]]:
    """Return the documents in any order, in requests of any size."""
    documents = chance.sample(documents, len(documents))
    parts: list[list[Brought]] = []
    while documents:
        size = chance.randint(1, 6)
        parts.append(documents[:size])
        documents = documents[size:]
    return parts


@pytest.mark.parametrize("way", ["peer", "replica"])
async def test_i4_the_order_of_arrival_at_a_door_changes_nothing(client: Client, way: str) -> None:
    await with_form(client)
    working, gone = await a_phone(client, "hoa"), await a_phone(client, "lan")
    supervisor = await add_person(client, "sơn", grant("supervisor"))
    async with client.app.state["storage"].write() as connection:
        await set_grants(connection, gone.person["id"], [])
    door = await at_scope(client, "máy", grant("field_worker"))
    ingest, bringer = parts_of(client.app).ingest, PeerSender("peer:hub", has_account=True)
    outcomes = []
    for number in range(ORDERS):
        run, chance = Run(f"r{number:02}"), random.Random(number)
        await prepared(client, run)
        documents = run.edits()
        if way == "peer":
            documents += run.merged() + run.sealed(working) + run.sealed(gone)
            documents += run.said(supervisor.id, str(working.person["id"]))
        for part in parted(documents, chance):
            if way == "peer":
                await ingest.receive(DATABASE, part, bringer)
            else:
                assert await door.bring(*map(as_replicated, part)) == []
        outcomes.append((run, await run.state(client)))
    first = outcomes[0][1]
    for run, state in outcomes:
        assert state == first, run.name
    stored, waiting = first
    reasons = {(name, reason) for name, _, reason in waiting}
    assert {("run-misfit", "misfit_answers"), ("run-farther", "forged_generation")} <= reasons
    assert {("run-late", "unknown_form"), ("run-joined", "servers_only")} <= reasons
    assert "run-far" not in {name for name, _ in reasons}
    if way == "peer":
        assert len([name for name, *_ in stored if name == "run-merge"]) == 5
        assert {reason for name, reason in reasons if "of-" in name} == {"rights_lost"}
        assert {by for name, _, by in stored if "of-" in name} == {str(working.person["id"])}

    # The form comes last, as it came first for who is quick.
    await publish(client, "shan_tea", LATE, "agri", XFORM)
    late = [each for each in outcomes[0][0].edits() if each[0]["_id"].endswith("late")]
    assert (
        await judge_what_awaited_forms(
            client.app.state["storage"], client.app.state["journal"], client.app.state["library"]
        )
        > 0
    )
    run = Run("after")
    for document, line in late:
        document["_id"] = "after-late"
        await ingest.receive(DATABASE, [(document, line)], bringer)
    expected = {each[:2] for each in (await run.state(client))[0]}, (await run.state(client))[1]
    assert expected[1] == {("run-late", rev(2, "a"), "misfit_answers")}
    for run, _ in outcomes:
        stored, waiting = await run.state(client)
        assert {each[:2] for each in stored if each[0] == "run-late"} == expected[0]
        assert {each for each in waiting if each[0] == "run-late"} == expected[1]
        if way == "peer":
            # Whoever brought it, and whether its seal came before or after it.
            assert {by for name, _, by in stored if "sealed-late" in name} == {str(working.person["id"])}, run.name
    assert await client.app.state["journal"].faults(DATABASE) == []
    assert (
        await judge_what_awaited_forms(
            client.app.state["storage"], client.app.state["journal"], client.app.state["library"]
        )
        == 0
    )


def as_replicated(brought: Brought) -> dict[str, Any]:
    """Return a revision as CouchDB's protocol brings it."""
    document, ancestors = brought
    start = int(document["_rev"].partition("-")[0])
    ids = [each.partition("-")[2] for each in (document["_rev"], *ancestors)]
    return {**document, "_revisions": {"start": start, "ids": ids}}


def test_the_end_of_a_branch_is_the_machines() -> None:
    _, end = Run("x").merged()[-2:]
    assert canonical({"type": end[0]["type"], "resolved": end[0]["resolved"]}) == RESOLVED_TOMBSTONE
