"""Verdicts do not depend on the order of arrival, on SQLite and PostgreSQL alike."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal import rejudging
from server.journal.journal import Journal
from server.journal.model import NewRevision, Origin, Overstep
from server.journal.store import batch, write
from server.journal.store.statements import Statements
from sync.revisions import admission
from sync.revisions.admission import MAX_GENERATION_JUMP, MAX_LEAVES
from sync.revisions.canonical import Json
from sync.revisions.revision_id import RESOLVED_TOMBSTONE
from tests.contracts.building import AREA, SOMEBODY, outcomes

#: More edits than a generation may jump, twice over.
EDITS = 2 * MAX_GENERATION_JUMP + 300


@pytest.fixture(scope="module")
def line() -> list[NewRevision]:
    """Return one record's edits, the oldest first; each names what it edits and no more."""
    made: list[NewRevision] = []
    for number in range(EDITS):
        content: dict[str, Json] = {"type": "record", "answers": {"crop": str(number)}}
        made.append(NewRevision.following("a", content, made[-1].rev if made else None))
    return made


@pytest.mark.slow
async def test_a_long_history_whose_end_comes_first_is_let_in_by_its_ancestors(
    journal: Journal, line: list[NewRevision]
) -> None:
    leaf, middle, beginning = line[-1:], line[1200:-1], line[:1200]
    assert outcomes(await journal.write(AREA, leaf, SOMEBODY)) == ["quarantined: forged_generation"]
    assert {one.outcome for one in await journal.write(AREA, middle, SOMEBODY)} == {"quarantined"}
    assert {one.outcome for one in await journal.write(AREA, beginning, SOMEBODY)} == {"stored"}
    assert await journal.quarantined(AREA) == []
    document = await journal.document(AREA, "a")
    assert document is not None
    assert document.rev == line[-1].rev
    assert len(await journal.history(AREA, "a")) == EDITS
    # Again: everything is known by now.
    assert set(outcomes(await journal.write(AREA, leaf, SOMEBODY))) == {"duplicate"}
    assert await journal.faults(AREA) == []


async def test_an_edit_of_what_waited_comes_in_with_it_and_keeps_whose_it_is(
    journal: Journal, line: list[NewRevision]
) -> None:
    somebody_else = Origin("another")
    late, edit_of_it = line[1500], line[1501]
    assert outcomes(await journal.write(AREA, [late], SOMEBODY)) == ["quarantined: forged_generation"]
    assert outcomes(await journal.write(AREA, [edit_of_it], somebody_else)) == ["quarantined: forged_generation"]
    await journal.write(AREA, line[:1500], SOMEBODY)
    assert await journal.quarantined(AREA) == []
    by = {one.rev: one.person for one in await journal.history(AREA, "a")}
    assert by[late.rev] == SOMEBODY.person
    assert by[edit_of_it.rev] == "another"


async def test_a_forged_generation_that_nothing_leads_to_waits_for_a_person(
    journal: Journal, line: list[NewRevision]
) -> None:
    await journal.write(AREA, line[:1], SOMEBODY)
    assert outcomes(await journal.write(AREA, [line[-1]], SOMEBODY)) == ["quarantined: forged_generation"]
    await journal.write(AREA, line[1:100], SOMEBODY)
    assert [one.rev for one in await journal.quarantined(AREA)] == [line[-1].rev]


async def test_what_stays_forged_is_not_looked_at_closely_by_each_further_write(
    journal: Journal, line: list[NewRevision], monkeypatch: pytest.MonkeyPatch
) -> None:
    await journal.write(AREA, line[:1], SOMEBODY)
    await journal.write(AREA, [*line[1500:1800:2], *line[2000:2100]], SOMEBODY)
    looks: list[str] = []

    def decide(offer: admission.Offer, here: admission.DocumentState) -> admission.Decision:
        looks.append(offer.rev)
        return admission.decide(offer, here)

    monkeypatch.setattr(batch, "decide", decide)
    assert outcomes(await journal.write(AREA, line[1:2], SOMEBODY)) == ["stored"]
    assert looks == [line[1].rev]


def only(said: dict[str, Json], parent: NewRevision | None = None, **held: str) -> NewRevision:
    """Return an edit; `quarantine` and `door`: what a door said of it that knew nothing of its parent."""
    made = NewRevision.following("a", {"type": "record", **said}, parent.rev if parent else None)
    line = (parent.rev, *parent.ancestors) if parent else ()
    made = replace(made, ancestors=line, quarantine=held.get("besides"))
    return made.overstepping(held.get("reason"), "peer")


OF_DESKS: dict[str, Json] = {"same_as": {"id": "b"}}


@pytest.mark.parametrize(
    ("members", "reason"),
    [(OF_DESKS, "servers_only"), ({"colour": "red"}, "unknown_member"), ({"erased": True}, "servers_only")],
)
async def test_what_repeats_its_parent_comes_in_whichever_of_the_two_comes_first(
    journal: Journal, members: dict[str, Json], reason: str
) -> None:
    said = only(members)
    repeated = only({**members, "answers": {"crop": "tea"}}, said, reason=reason)
    edit_of_it = only({**members, "answers": {"crop": "rice"}}, repeated, reason=reason)
    assert outcomes(await journal.write(AREA, [repeated], SOMEBODY)) == [f"quarantined: {reason}"]
    await journal.write(AREA, [edit_of_it], Origin("another"))
    await journal.write(AREA, [said], Origin("desk"))
    assert await journal.quarantined(AREA) == []
    by = {one.rev: one.person for one in await journal.history(AREA, "a")}
    assert by == {said.rev: "desk", repeated.rev: SOMEBODY.person, edit_of_it.rev: "another"}
    assert await journal.faults(AREA) == []


async def test_what_says_more_than_its_parent_waits_for_a_person_whichever_comes_first(journal: Journal) -> None:
    first = only({})
    more = only(OF_DESKS, first, reason="servers_only")
    await journal.write(AREA, [more], SOMEBODY)
    await journal.write(AREA, [first], SOMEBODY)
    assert [(one.rev, one.reason) for one in await journal.quarantined(AREA)] == [(more.rev, "servers_only")]


async def test_what_a_door_found_besides_holds_back_what_may_be_said(journal: Journal) -> None:
    said = only(OF_DESKS)
    misfit = only({**OF_DESKS, "answers": {"trees": "many"}}, said, reason="servers_only", besides="misfit_answers")
    await journal.write(AREA, [misfit], SOMEBODY)
    await journal.write(AREA, [said], Origin("desk"))
    assert [(one.rev, one.reason) for one in await journal.quarantined(AREA)] == [(misfit.rev, "misfit_answers")]
    # In one batch, too.
    await journal.write(AREA, [replace(misfit, doc_id="b"), replace(said, doc_id="b")], SOMEBODY)
    assert [one.reason for one in await journal.quarantined(AREA, "b")] == ["misfit_answers"]


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_leaf_too_many_comes_in_whether_the_end_of_a_branch_comes_before_it_or_after(
    journal: Journal, is_first: bool
) -> None:
    first = only({})
    branches = [only({"answers": {"crop": str(number)}}, first) for number in range(MAX_LEAVES)]
    merge = only({"merged": [branches[1].rev]}, branches[0])
    end = replace(
        NewRevision.with_body("a", RESOLVED_TOMBSTONE, branches[1].rev, deleted=True),
        ancestors=(branches[1].rev, first.rev),
    )
    late = only({"answers": {"crop": "late"}}, first)
    following = only({"answers": {"crop": "later"}}, late)
    await journal.write(AREA, [first, *branches], SOMEBODY)
    order = [[merge, end], [late, following]] if is_first else [[late, following], [merge, end]]
    for part in order:
        await journal.write(AREA, part, SOMEBODY)
    assert await journal.quarantined(AREA) == []
    assert len(await journal.history(AREA, "a")) == MAX_LEAVES + 5
    assert await journal.faults(AREA) == []


async def test_bodies_of_what_waits_are_read_only_where_something_has_changed_for_them(
    journal: Journal, line: list[NewRevision], monkeypatch: pytest.MonkeyPatch
) -> None:
    await journal.write(AREA, line[:1], SOMEBODY)
    held = [replace(one, quarantine="servers_only", overstep=Overstep("peer")) for one in line[10:900:2]]
    await journal.write(AREA, [*held, *line[1500:1800:2], *line[2000:2100]], SOMEBODY)
    read: list[str] = []

    async def read_bodies(
        connection: AsyncConnection, sql: Statements, database: str, some: Sequence[rejudging.Waiting]
    ) -> None:
        read.extend(one.revision.rev for one in some if not one.is_read)
        await rejudging.read_bodies(connection, sql, database, some)

    monkeypatch.setattr(write, "read_bodies", read_bodies)
    await journal.write(AREA, line[1:9], SOMEBODY)
    assert read == []
    await journal.write(AREA, line[9:10], SOMEBODY)
    assert read == [line[10].rev]
