"""The cases that are tried at each door: every member and what can be done to it, from the contract."""

from collections.abc import Iterable
from typing import Any

from server.ingest.policy import verdict
from server.journal.model import NewRevision, Origin
from sync.contract.members import DOORS, MEMBERS, UNKNOWN, Door
from sync.contract.roles import RIGHTS, ROLES, Role
from tests.builders import Client
from tests.server.couchdb_door import record, rev, revision
from tests.server.published_forms import publish
from tests.server.sync_door import ANSWERS, DATABASE, FORM, VERSION, XFORM

ACTS = ("introduce", "change", "remove", "repeat", "delete")
OF_DESKS = {"record": "018f5c3e-0000-7000-8000-000000000009", "rev": rev(1, "stays")}
OTHER_FORM, LATER = "shan_tea_2", "2026112102"
PHOTO = {"cay.jpg": {"sha256": "0" * 64, "bytes": "1", "type": "image/jpeg"}}
#: Two values of each member; `colour` is in no table.
VALUES: dict[str, tuple[Any, Any]] = {
    "type": ("record", "record"),
    "form": (FORM, OTHER_FORM),
    "form_version": (VERSION, LATER),
    "answers": (ANSWERS, {**ANSWERS, "trees": "14"}),
    "media": ({}, PHOTO),
    "of": ("018f5c3e-0000-7000-8000-000000000007", "018f5c3e-0000-7000-8000-000000000008"),
    "saved": ({"by": "somebody", "number": "1"}, {"by": "somebody", "number": "2"}),
    "merged": ([rev(1, "one")], [rev(1, "two")]),
    "open": ({"/answers/trees": [rev(1, "one")]}, {}),
    "resolved": (True, False),
    "forwarded": (["a", rev(1, "one")], ["b", rev(1, "one")]),
    "decided": (["/answers/trees"], ["/answers/village"]),
    "undoes": ([rev(1, "one")], [rev(1, "two")]),
    "comment": ("vì thế", "vì khác"),
    "same_as": (OF_DESKS, {**OF_DESKS, "rev": rev(2, "stays")}),
    "took": (rev(1, "one"), rev(1, "two")),
    "erased": (True, "true"),
    "colour": ("xanh", "đỏ"),
}
#: Without these a record is none, or of no form.
NEEDED = ("type", "form", "form_version", "answers")
WORKERS: dict[str, tuple[Role, ...]] = {
    "worker": ("field_worker",),
    "worker who decides": ("field_worker", "data_manager", "supervisor"),
    "worker who administers": ("field_worker", "administrator"),
}
#: Every role that records nothing, alone, and none at all.
OTHERS: tuple[tuple[Role, ...], ...] = (
    (),
    *((role,) for role in ROLES if "capture" not in RIGHTS[role].actions),
)


def acts_on(member: str) -> tuple[str, ...]:
    """Return what can be done to a member so that a record is left."""
    if member == "type":
        return ("repeat", "delete")
    return tuple(act for act in ACTS if act != "remove" or member not in NEEDED)


def content(member: str, act: str) -> dict[str, Any]:
    """Return what somebody writes who does this to a member."""
    old, new = VALUES[member]
    said = {"introduce": {member: new}, "change": {member: new}, "repeat": {member: old}}.get(act, {})
    return {name: value for name, value in record(trees="13").items() if name != member} | said


def reason_for(member: str, door: Door) -> str | None:
    """Return the reason that the policy gives a door's writer who may not write a member."""
    return verdict("servers_member" if member in MEMBERS else "unknown_member", door)


def allowed(member: str, act: str, door: Door) -> bool:
    """Whether the tables let a door's writer do this."""
    row = MEMBERS.get(member, UNKNOWN)
    if act == "repeat" or not row.writers.isdisjoint(DOORS[door]) or reason_for(member, door) is None:
        return True
    if act == "remove":
        return row.kind in ("revision", "foreign")
    return act == "delete" and row.kind != "lasting"


class Tried:
    """The records of one door, one for each member and act, each with what stands before."""

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.cases = {f"{name}-{member}-{act}": (member, act) for member in VALUES for act in acts_on(member)}
        self.parents: dict[str, str] = {}

    async def arrange(self) -> None:
        await publish(self.client, OTHER_FORM, VERSION, "agri", XFORM)
        await publish(self.client, FORM, LATER, "agri", XFORM)
        new = []
        for doc_id, (member, act) in self.cases.items():
            before = {key: value for key, value in record().items() if key != member}
            before |= {} if act == "introduce" else {member: VALUES[member][0]}
            new.append(NewRevision.following(doc_id, before, None))
            self.parents[doc_id] = new[-1].rev
        await self.client.app.state["journal"].write(DATABASE, new, Origin())

    def documents(self, acts: Iterable[str] = ACTS) -> list[dict[str, Any]]:
        """Return the edits, as a library writes them that has read what stands."""
        return [
            {"_id": doc_id, "_rev": self.parents[doc_id], **self._said(member, act)}
            for doc_id, (member, act) in self.cases.items()
            if act in acts
        ]

    def revisions(self) -> list[dict[str, Any]]:
        """Return the edits as a replica brings them."""
        return [
            revision(each["_id"], rev(2, each["_id"]), each["_rev"], **{k: each[k] for k in each if k[1:] not in HEAD})
            | ({"_deleted": True} if each.get("_deleted") else {})
            for each in self.documents()
        ]

    @staticmethod
    def _said(member: str, act: str) -> dict[str, Any]:
        return {"_deleted": True} if act == "delete" else content(member, act)

    async def check(self, door: Door) -> int:
        """Compare what came of each with the table; return how many were tried."""
        reasons = {one.doc_id: one.reason for one in await self.client.app.state["journal"].quarantined(DATABASE)}
        expected = {
            doc_id: reason_for(member, door)
            for doc_id, (member, act) in self.cases.items()
            if not allowed(member, act, door)
        }
        assert {doc_id: reason for doc_id, reason in reasons.items() if doc_id in self.cases} == expected
        for doc_id in self.cases.keys() - expected.keys():
            stands = await self.client.app.state["journal"].document(DATABASE, doc_id)
            assert stands is not None
            assert stands.rev.startswith("2-"), doc_id
        return len(self.cases)


HEAD = ("id", "rev", "deleted")
