"""What is still edited on a record that was joined to another lands on the one that stays."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.merging.alias_replay import Forwarded, forward
from sync.merging.merge import NewRev
from tests.sync.merge_world import DOC, PlainForms, Story, answers_of

ALIAS = "0193a1b2-0000-7000-8000-000000000002"


def two(**answers: Any) -> tuple[Story, str, Story, str]:
    """Return a record that stays and one that goes, with their first revisions."""
    stays, goes = Story(), Story(doc_id=ALIAS)
    return stays, stays.first({"crop": "ngô", "area": "1.0", **answers}), goes, goes.first({"crop": "lúa", **answers})


def join(goes: Story, rev: str, at: str) -> str:
    """Say that the record that goes is the one that stays, as that stood at `at`."""
    said = {name: value for name, value in goes.revisions[rev].content.items() if name != "saved"}
    return goes.add(rev, {**said, "same_as": {"record": DOC, "rev": at}})


def forwarded(goes: Story, stays: Story) -> list[Forwarded]:
    """Write what is due into the record that stays; return it."""
    found = forward(goes.document(), stays.document(), PlainForms())
    for each in found:
        write(stays, each.revision)
    return found


def write(story: Story, new: NewRev) -> None:
    assert story.add(new.parent, new.content, deleted=new.deleted) == new.rev


def test_what_was_known_when_the_records_were_joined_stays_where_it_is() -> None:
    stays, at, goes, first = two()
    join(goes, goes.edit(first, {"phone": "0912"}), at)
    assert forwarded(goes, stays) == []


def test_a_late_edit_lands_on_the_record_that_stays_with_what_it_changed_and_nothing_else() -> None:
    stays, at, goes, first = two()
    join(goes, first, at)
    late = goes.edit(first, {"phone": "0912"})
    [found] = forwarded(goes, stays)
    assert (found.edit, found.revision.parent) == (late, at)
    assert found.revision.content["answers"] == {"crop": "ngô", "area": "1.0", "phone": "0912"}
    assert found.revision.content["forwarded"] == [ALIAS, late]
    assert "saved" not in found.revision.content
    assert "same_as" not in found.revision.content


def test_edits_that_follow_each_other_do_so_there_as_well_through_machine_merges_too() -> None:
    stays, at, goes, first = two()
    word = join(goes, first, at)
    one = goes.edit(first, {"phone": "0912"})
    merge = goes.merge()
    two_ = goes.edit(merge, {"phone": "0913"})
    assert goes.revisions[two_].content["same_as"] == goes.revisions[word].content["same_as"]
    found = forwarded(goes, stays)
    assert [each.edit for each in found] == [one, two_]
    assert found[1].revision.parent == found[0].revision.rev
    assert answers_of(stays.combined())["phone"] == "0913"


def test_a_late_edit_meets_what_happened_since_as_any_concurrent_edit_does() -> None:
    stays, at, goes, first = two()
    join(goes, first, at)
    stays.edit(at, {"area": "2.0", "phone": "0900"})
    goes.edit(first, {"phone": "0912", "crop": "chè"})
    forwarded(goes, stays)
    combined = stays.combined()
    assert (answers_of(combined)["area"], answers_of(combined)["crop"]) == ("2.0", "chè")
    assert list(combined.open) == ["/answers/phone"]


def test_a_changed_cell_of_a_row_that_did_not_come_over_brings_its_row_along() -> None:
    stays, at, goes, _ = two()
    rows = [{"_rid": "r1", "crop": "ngô", "area": "1"}]
    with_row = goes.first({"plots": rows})
    join(goes, with_row, at)
    goes.edit(with_row, {"plots": [{**rows[0], "area": "2"}]})
    [found] = forwarded(goes, stays)
    assert found.revision.content["answers"] == {
        "crop": "ngô",
        "area": "1.0",
        "plots": [{"_rid": "r1", "crop": "ngô", "area": "2"}],
    }


def test_an_edit_that_changes_nothing_there_is_not_written_and_the_next_one_goes_on_from_before_it() -> None:
    stays, at, goes, first = two()
    join(goes, first, at)
    same = goes.edit(first, {"area": "1.0"})
    goes.edit(same, {"phone": "0912"})
    [found] = forwarded(goes, stays)
    assert found.revision.parent == at


def test_choices_are_forwarded_one_by_one() -> None:
    stays, at, goes, first = two(crops=["maize", "rice"])
    join(goes, first, at)
    goes.edit(first, {"crops": ["rice", "tea"]})
    stays.edit(at, {"crops": ["maize", "rice", "none"]})
    forwarded(goes, stays)
    assert answers_of(stays.combined())["crops"] == ["rice", "tea", "none"]


def test_nothing_is_forwarded_while_what_the_word_names_is_not_here_nor_once_it_is_taken_back() -> None:
    stays, at, goes, first = two()
    word = join(goes, first, "7-" + "a" * 32)
    goes.edit(first, {"phone": "0912"})
    goes.merge()
    assert forwarded(goes, stays) == []
    stays, at, goes, first = two()
    word = join(goes, first, at)
    alone = {name: value for name, value in goes.revisions[word].content.items() if name != "same_as"}
    goes.edit(goes.add(word, alone), {"phone": "0912"})
    assert forwarded(goes, stays) == []


def test_a_deletion_of_the_record_that_went_is_not_forwarded() -> None:
    stays, at, goes, first = two()
    join(goes, first, at)
    goes.delete(first)
    assert forwarded(goes, stays) == []


def test_what_was_forwarded_can_be_taken_back_where_no_worker_s_own_edit_can() -> None:
    stays, at, goes, first = two()
    join(goes, first, at)
    goes.edit(first, {"area": "9.0"})
    [found] = forwarded(goes, stays)
    own = stays.edit(found.revision.rev, {"phone": "0900"})
    back = stays.add(own, {**stays.revisions[own].content, "undoes": sorted([own, found.revision.rev])})
    answers = answers_of(stays.combined())
    assert (answers["area"], answers["phone"]) == ("1.0", "0900")
    assert stays.combined().winner == back


ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "crop": st.sampled_from(["a", "b"]),
        "area": st.sampled_from(["1", "2", None]),
        "crops": st.lists(st.sampled_from(["maize", "rice", "tea"]), min_size=1, unique=True).map(sorted),
        "house": st.fixed_dictionaries({}, optional={"roof": st.sampled_from(["tin", "leaf"]), "walls": st.just("x")}),
        "plots": st.lists(
            st.fixed_dictionaries({"_rid": st.sampled_from(["r1", "r2"]), "crop": st.sampled_from(["a", "b"])}),
            unique_by=lambda row: row["_rid"],
        ),
    },
)


@given(ANSWERS, ANSWERS, st.lists(ANSWERS, min_size=1, max_size=3))
def test_forwarding_again_writes_nothing_new_and_from_an_equal_record_carries_everything_over(
    here: dict[str, Any], there: dict[str, Any], edits: list[dict[str, Any]]
) -> None:
    stays, goes = Story(), Story(doc_id=ALIAS)
    at, rev = stays.first(here), goes.first(there)
    join(goes, rev, at)
    for answers in edits:
        rev = goes.edit(rev, answers)
    first = forward(goes.document(), stays.document(), PlainForms())
    for each in first:
        write(stays, each.revision)
    assert forward(goes.document(), stays.document(), PlainForms()) == first

    same, other = Story(), Story(doc_id=ALIAS)
    at, rev = same.first(there), other.first(there)
    join(other, rev, at)
    for answers in edits:
        rev = other.edit(rev, answers)
    forwarded(other, same)
    now, then = same.combined().content["answers"], other.revisions[rev].content["answers"]
    assert {**now, "plots": []} == {**then, "plots": []}  # type: ignore[dict-item]
    assert _rows(now) == _rows(then)


def _rows(answers: Any) -> list[Any]:
    return sorted(answers.get("plots", []), key=lambda row: row["_rid"])


@pytest.mark.parametrize("version", [None, ["1"], 1])
def test_an_edit_that_says_no_version_holds_up_nobody_elses(version: Any) -> None:
    stays, at, goes, first = two()
    join(goes, first, at)
    goes.edit(first, {"crop": "chè"}, form_version=version)
    late = goes.edit(first, {"phone": "0912"})
    found = forward(goes.document(), stays.document(), PlainForms(lifting=_raising))
    assert [each.edit for each in found] == [late]


def _raising(*_: Any) -> Any:
    raise AssertionError("there is nothing to lift")
