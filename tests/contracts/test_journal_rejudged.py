"""Verdicts do not depend on the order of arrival, on SQLite and PostgreSQL alike."""

import pytest

from server.revisions import batch
from server.revisions.journal import Journal
from server.revisions.model import NewRevision, Origin
from sync import admission
from sync.admission import MAX_GENERATION_JUMP
from sync.canonical import Json
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
    assert outcomes(await journal.write(AREA, [edit_of_it], somebody_else)) == ["quarantined: parent_quarantined"]
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

    def decide(offer: admission.Offer, print_: bytes, here: admission.Standing) -> admission.Decision:
        looks.append(offer.rev)
        return admission.decide(offer, print_, here)

    monkeypatch.setattr(batch, "decide", decide)
    assert outcomes(await journal.write(AREA, line[1:2], SOMEBODY)) == ["stored"]
    assert looks == [line[1].rev]
