"""The merge rule by examples: the one that explains it, and one for each row of the table of what is merged."""

from typing import Any

import pytest

from sync.merging.merge import Revision, is_machine_merge, is_resolved_tombstone
from tests.sync.merge_world import FORM, VERSION, Story, answers_of


def test_the_worked_example() -> None:
    """Two phones, a hub and a province, a manager, and a phone that comes late."""
    story = Story()
    r1 = story.first({"crop": "ngô", "area": "1.0"})
    r2a = story.edit(r1, {"area": "1.2"})
    r2b = story.edit(r1, {"crop": "lúa"})
    r3b = story.edit(r2b, {"area": "0.8"})

    combined = story.combined()
    assert [each.rev for each in combined.fields["/answers/crop"].candidates] == [r2b]
    assert {each.rev for each in combined.fields["/answers/area"].candidates} == {r2a, r3b}
    assert combined.winner == r3b

    elsewhere = Story(graph=story.graph, revisions=dict(story.revisions))
    merge = story.merge()
    assert elsewhere.merge() == merge
    revision = story.revisions[merge]
    assert revision.parent == r3b
    assert revision.content["merged"] == [r2a]
    assert revision.content["answers"] == {"crop": "lúa", "area": "0.8"}
    assert revision.content["open"] == {"/answers/area": sorted([r2a, r3b])}
    assert is_machine_merge(story.document(), merge)
    assert sum(is_resolved_tombstone(each) for each in story.revisions.values()) == 1

    decision = story.decide(merge, ["/answers/area"], {"area": "1.2"})
    assert story.combined().open == {}
    assert answers_of(story.combined()) == {"crop": "lúa", "area": "1.2"}

    late = Story(graph=story.graph, revisions=dict(story.revisions))
    r3a = story.edit(r2a, {"phone": "0912"})
    combined = story.combined()
    assert answers_of(combined) == {"crop": "lúa", "area": "1.2", "phone": "0912"}
    assert combined.open == {}
    assert story.revisions[story.merge()].content.get("open") is None
    assert r3a in combined.leaves

    r3a = late.edit(r2a, {"area": "1.3"})
    combined = late.combined()
    assert combined.open == {"/answers/area": tuple(sorted([decision, r3a]))}
    assert answers_of(combined)["area"] == "1.2"
    assert late.combined().fields["/answers/area"].candidates[0].is_decision


def test_who_makes_a_deleted_record_anew_has_said_everything_anew() -> None:
    """What stood there before the deletion doesn't come back into questions that were left out."""
    story = Story()
    r1 = story.first({"crop": "ngô", "crops": ["maize", "rice"], "phone": "0912"})
    again = story.edit(story.delete(r1), {"crop": "lúa", "crops": ["rice"]}, form=FORM, form_version=VERSION)
    story.edit(r1, {"area": "2"})
    combined = story.combined()
    assert answers_of(combined) == {"crop": "lúa", "crops": ["rice"], "area": "2"}
    story.edit(again, drop=["crops"])
    assert "crops" not in answers_of(story.combined())


@pytest.mark.parametrize(("one", "other", "is_asked"), [(1, True, True), (1, 1.0, False)])
def test_a_truth_value_is_no_number_and_a_number_is_one_however_it_is_written(
    one: Any, other: Any, is_asked: bool
) -> None:
    story = Story()
    first = story.first({"unknown": "x"})
    sides = [story.edit(first, {"unknown": {"is": value}}) for value in (one, other)]
    assert story.combined().open == ({"/answers/unknown": tuple(sorted(sides))} if is_asked else {})


@pytest.mark.parametrize(("said", "is_machines"), [(True, True), (1, False)])
def test_a_deletion_is_a_machines_only_in_the_machines_own_words(said: Any, is_machines: bool) -> None:
    tombstone = Revision("2-" + "a" * 32, "1-" + "b" * 32, True, {"type": "record", "resolved": said})
    assert is_resolved_tombstone(tombstone) == is_machines
