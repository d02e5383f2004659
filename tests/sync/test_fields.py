"""Fields: what paths name, what differs between contents, contents with other fields."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings

from sync.merging.field_diff import ABSENT, changes, field_at, flatten, of_record, patch, place_of, unflatten, value_at
from sync.revisions.canonical import same
from sync.revisions.json_pointer import escape, unescape
from tests.sync.merge_strategies import BASE, answers
from tests.sync.merge_world import SHAPE


def content(given: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"type": "record", "answers": given, **members}


@pytest.mark.parametrize(
    ("path", "role", "question", "rows"),
    [
        ("", "document", "", ()),
        ("/of", "atom", "/of", ()),
        ("/answers", "group", "/answers", ()),
        ("/answers/area", "atom", "/answers/area", ()),
        ("/answers/house", "group", "/answers/house", ()),
        ("/answers/house/roof", "atom", "/answers/house/roof", ()),
        ("/answers/crops", "choices", "/answers/crops", ()),
        ("/answers/crops/tea", "choice", "/answers/crops", ()),
        ("/answers/plots", "order", "/answers/plots", ()),
        ("/answers/plots/a", "row", "/answers/plots/a", ()),
        ("/answers/plots/a/area", "atom", "/answers/plots/a/area", ("/answers/plots/a",)),
        ("/answers/plots/a/trees", "order", "/answers/plots/a/trees", ("/answers/plots/a",)),
        ("/answers/plots/a/trees/t", "row", "/answers/plots/a/trees/t", ("/answers/plots/a",)),
        (
            "/answers/plots/a/trees/t/height",
            "atom",
            "/answers/plots/a/trees/t/height",
            ("/answers/plots/a", "/answers/plots/a/trees/t"),
        ),
        ("/answers/unknown", "atom", "/answers/unknown", ()),
        ("/answers/unknown/deep/er", "atom", "/answers/unknown/deep/er", ()),
        ("/answers/$extra/old", "atom", "/answers/$extra/old", ()),
        ("/media/a.jpg", "atom", "/media/a.jpg", ()),
    ],
)
def test_a_path_names_a_place(path: str, role: str, question: str, rows: tuple[str, ...]) -> None:
    place = place_of(path, SHAPE)
    assert (place.role, place.question, place.rows) == (role, question, rows)
    assert place_of(path, SHAPE) == place


def test_names_are_escaped_as_in_json_pointers() -> None:
    assert escape("a/b~c") == "a~1b~0c"
    assert unescape("a~1b~0c") == "a/b~c"
    odd = content({"a/b": "1", "crops": ["x/y"], "plots": [{"_rid": "r/1", "area": "2"}]})
    flat = flatten(odd, SHAPE)
    assert flat["/answers/a~1b"] == "1"
    assert flat["/answers/crops/x~1y"] is True
    assert flat["/answers/plots/r~11/area"] == "2"
    assert value_at(odd, "/answers/plots/r~11/area", SHAPE) == "2"
    assert unflatten(flat, SHAPE) == odd


@settings(deadline=None)
@given(answers(BASE), answers(BASE))
def test_what_differs_put_into_the_one_gives_the_other(one: dict[str, Any], other: dict[str, Any]) -> None:
    before, after = content(one, media={}), content(other)
    kept = deepcopy(before)
    patched = patch(before, changes(before, after, SHAPE), SHAPE)
    assert before == kept
    assert changes(patched, after, SHAPE) == {}
    assert flatten(unflatten(flatten(after, SHAPE), SHAPE), SHAPE) == flatten(after, SHAPE)


@settings(deadline=None)
@given(answers(BASE))
def test_every_field_that_is_there_is_found_at_its_path(given: dict[str, Any]) -> None:
    whole = content(given)
    for path, value in flatten(whole, SHAPE).items():
        if place_of(path, SHAPE).role != "order":
            assert field_at(whole, path, SHAPE) == value
        assert value_at(whole, path, SHAPE) is not ABSENT


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"area": "1"}, {"area": "1"}, {}),
        ({"area": "1"}, {"area": None}, {"/area": None}),
        ({"area": "1"}, {}, {"/area": ABSENT}),
        ({"crops": ["tea", "rice"]}, {"crops": ["rice", "tea"]}, {}),
        ({"crops": ["tea"]}, {"crops": ["rice"]}, {"/crops": None, "/crops/tea": ABSENT, "/crops/rice": True}),
        ({"crops": None}, {}, {"/crops": ABSENT}),
        ({}, {"crops": None}, {"/crops": None}),
        ({"crops": ["tea"]}, {"crops": "odd"}, {"/crops": "odd", "/crops/tea": ABSENT}),
        ({"crops": "odd"}, {"crops": None}, {"/crops": None}),
        ({"crops": None}, {"crops": ["tea", "tea"]}, {"/crops": ["tea", "tea"]}),
        ({}, {"house": {}}, {"/house": {}}),
        ({"house": {"roof": "tin"}}, {}, {"/house": ABSENT, "/house/roof": ABSENT}),
        ({"house": {"roof": "tin"}}, {"house": "odd"}, {"/house": "odd", "/house/roof": ABSENT}),
        ({"house": "odd"}, {"house": {"roof": "tin"}}, {"/house": {}, "/house/roof": "tin"}),
        ({"plots": [{"_rid": "a"}, {"_rid": "b"}]}, {"plots": [{"_rid": "b"}]}, {"/plots/a": ABSENT}),
        ({"plots": [{"_rid": "a"}]}, {"plots": []}, {"/plots/a": ABSENT}),
        ({"plots": [{"_rid": "a"}]}, {}, {"/plots/a": ABSENT}),
        ({}, {"plots": []}, {}),
        ({"plots": []}, {}, {}),
        ({}, {"plots": [{"_rid": "a", "area": "1"}]}, {"/plots/a": True, "/plots/a/area": "1", "/plots": ["a"]}),
        ({"plots": [{"_rid": "a"}]}, {"plots": [{"crop": "x"}]}, {"/plots": [{"crop": "x"}], "/plots/a": ABSENT}),
        ({"plots": [{"_rid": "a"}]}, {"plots": "odd"}, {"/plots": "odd", "/plots/a": ABSENT}),
        ({"plots": "odd"}, {"plots": [{"_rid": "a"}]}, {"/plots": ["a"], "/plots/a": True}),
        ({"plots": "odd"}, {"plots": []}, {"/plots": ABSENT}),
        ({}, {"plots": [{"_rid": "a"}, {"_rid": "a"}]}, {"/plots": [{"_rid": "a"}, {"_rid": "a"}]}),
        ({"odd": {"a": "1"}}, {"odd": {"a": "2"}}, {"/odd": {"a": "2"}}),
        ({"odd": {"a": [1]}}, {"odd": {"a": [True]}}, {"/odd": {"a": [True]}}),
        ({"odd": 1}, {"odd": 1.0}, {}),
        ({"plots": [{"_rid": "a", "odd": 0}]}, {"plots": [{"_rid": "a", "odd": False}]}, {"/plots/a/odd": False}),
    ],
)
def test_contents_differ_field_by_field(before: Any, after: Any, expected: dict[str, Any]) -> None:
    found = changes(content(before), content(after), SHAPE)
    assert same(found, {f"/answers{path}": value for path, value in expected.items()})
    assert changes(patch(content(before), found, SHAPE), content(after), SHAPE) == {}


def test_what_a_revision_says_of_itself_is_no_field() -> None:
    said = {"form": "plot", "form_version": "1", "saved": {"by": "a"}, "open": {}, "decided": [], "merged": ["1-a"]}
    assert changes(content({}), content({}, **said), SHAPE) == {}
    assert changes(content({}, **said), content({}), SHAPE) == {}
    assert changes(content({}, of="a"), content({}), SHAPE) == {"/of": ABSENT}
    assert of_record(content({}, **said)) == content({}, form="plot", form_version="1")


def test_what_a_form_does_not_know_in_a_row_is_one_field_of_that_row() -> None:
    place = place_of("/answers/plots/a/unknown", SHAPE)
    assert (place.role, place.rows) == ("atom", ("/answers/plots/a",))


def test_no_rows_are_no_list() -> None:
    assert field_at(content({"plots": []}), "/answers/plots", SHAPE) is ABSENT


def test_rows_that_are_new_are_told() -> None:
    made: list[str] = []
    changes(content({}), content({"plots": [{"_rid": "a", "trees": [{"_rid": "t"}]}]}), SHAPE, made=made)
    assert made == ["/answers/plots/a", "/answers/plots/a/trees/t"]


@pytest.mark.parametrize(
    ("before", "values", "after"),
    [
        ({}, {"/crops": ["tea", "maize"]}, {"crops": ["maize", "tea"]}),
        # What has not the form's shape is not emptied by taking from it what it never held.
        ({"crops": "odd"}, {"/crops/tea": ABSENT}, {"crops": "odd"}),
        ({"house": "odd"}, {"/house/roof": ABSENT}, {"house": "odd"}),
        ({"crops": ["tea"]}, {"/crops": None, "/crops/tea": ABSENT}, {"crops": None}),
        ({"crops": ["tea"]}, {"/crops/tea": ABSENT}, {"crops": None}),
        ({}, {"/crops/tea": ABSENT}, {}),
        ({}, {"/crops/zz": True, "/crops/tea": True, "/crops/aa": True}, {"crops": ["tea", "aa", "zz"]}),
        ({"crops": ["tea"]}, {"/crops": ABSENT}, {"crops": ["tea"]}),
        ({"crops": ["tea"]}, {"/crops": "odd"}, {"crops": "odd"}),
        ({}, {"/plots/a": {"area": "1"}}, {"plots": [{"_rid": "a", "area": "1"}]}),
        ({}, {"/plots/a/area": "1"}, {}),
        ({"plots": []}, {"/plots/a/area": "1"}, {}),
        ({"plots": [{"_rid": "a"}]}, {"/plots/c": True, "/plots/b": True}, {"plots": [*"abc"]}),
        ({"plots": [{"_rid": "a"}, {"_rid": "b"}]}, {"/plots": ["b", "x", "a"]}, {"plots": ["b", "a"]}),
        ({"plots": [{"_rid": "a"}]}, {"/plots/a": ABSENT, "/plots": []}, {}),
        ({"plots": [{"_rid": "a"}]}, {"/plots": [{"odd": "row"}]}, {"plots": [{"odd": "row"}]}),
        ({"plots": [{"_rid": "a"}]}, {"/plots": "odd"}, {"plots": "odd"}),
        ({"plots": "odd"}, {"/plots/a": True}, {"plots": ["a"]}),
        ({"house": {"roof": "tin"}}, {"/house": ABSENT}, {"house": {"roof": "tin"}}),
        ({"house": {"roof": "tin"}}, {"/house": ABSENT, "/house/roof": ABSENT}, {}),
        ({"house": {"roof": "tin"}}, {"/house/roof": ABSENT}, {"house": {}}),
        ({}, {"/house/roof": ABSENT}, {}),
        ({"house": {"roof": "tin"}}, {"/house": "odd"}, {"house": "odd"}),
        ({"house": "odd"}, {"/house/roof": "tin"}, {"house": {"roof": "tin"}}),
        # A pointer may leave a tilde unescaped; it names the same field.
        ({}, {"/a~0b": "1", "/a~b": "2"}, {"a~b": "2"}),
    ],
)
def test_a_content_takes_fields_and_keeps_the_rest(before: Any, values: dict[str, Any], after: dict[str, Any]) -> None:
    patched: Any = patch(content(before), {f"/answers{path}": value for path, value in values.items()}, SHAPE)
    rows = after.get("plots")
    if isinstance(rows, list) and rows and isinstance(rows[0], str):
        after = {"plots": [{"_rid": row_id} for row_id in rows]}
    assert patched["answers"] == after


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", True),
        ("/answers/crops", ["tea"]),
        ("/answers/crops/tea", True),
        ("/answers/crops/rice", ABSENT),
        ("/answers/plots", ["a"]),
        ("/answers/plots/a", {"_rid": "a", "area": "1"}),
        ("/answers/plots/b", ABSENT),
        ("/answers/plots/b/area", ABSENT),
        ("/answers/losses", "odd"),
        ("/answers/losses/none", ABSENT),
        ("/answers/area/deeper", ABSENT),
        ("/media/a.jpg", ABSENT),
    ],
)
def test_a_value_is_shown_as_people_know_it(path: str, expected: Any) -> None:
    whole = content({"crops": ["tea"], "plots": [{"_rid": "a", "area": "1"}], "losses": "odd", "area": "1"})
    assert value_at(whole, path, SHAPE) == expected


def test_what_has_not_the_forms_shape_is_shown_whole() -> None:
    odd = content({"plots": [{"crop": "x"}], "house": "odd"})
    assert value_at(odd, "/answers/plots", SHAPE) == [{"crop": "x"}]
    assert value_at(odd, "/answers/plots/a", SHAPE) is ABSENT
    assert field_at(odd, "/answers/house", SHAPE) == "odd"
    assert field_at(content({}), "/answers/house", SHAPE) is ABSENT
    assert field_at(content({}), "/answers/plots/a", SHAPE) is ABSENT
    assert field_at(content({}), "/answers/crops", SHAPE) is ABSENT
