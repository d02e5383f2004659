"""Answers that move between versions of a form, and what the merge engine is told of forms."""

from collections.abc import Sequence
from typing import Any

import pytest

from server.forms.answers.lifting import VersionPath
from server.forms.answers.merge_schema import shape_of
from server.forms.schema import FormSchema, exclusive_choices
from sync.merging.field_schema import place_of


def form(version: str, questions: Sequence[str | tuple[str, str]], **marks: str) -> FormSchema:
    """Return a version of questions like "group/name" and "rows*/name"; marks are binds' attributes by path."""
    instance: dict[str, Any] = {}
    binds: dict[str, str] = {}
    controls: list[str] = []
    for entry in questions:
        name, control = entry if isinstance(entry, tuple) else (entry, "input")
        here, path = instance, "/data"
        for step in name.split("/"):
            path += "/" + step.removesuffix("*")
            here = here.setdefault(step.removesuffix("*"), {})
            if step.endswith("*"):
                controls.append(f'<repeat nodeset="{path}"/>')
            binds[path] = marks.get(path.removeprefix("/data/").replace("/", "_"), "")
        items = "<item><value>a</value></item><item><value>none</value></item>" if control == "select" else ""
        controls.append(f'<{control} ref="{path}">{items}</{control}>')
    bound = "".join(f'<bind nodeset="{path}" {mark}/>' for path, mark in binds.items())
    return FormSchema.parse(
        '<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"><h:head><model>'
        f'<instance><data id="plot" version="{version}">{_xml(instance)}</data></instance>{bound}</model>'
        f"</h:head><h:body>{''.join(controls)}</h:body></h:html>"
    )


def _xml(node: dict[str, Any]) -> str:
    return "".join(f"<{name}>{_xml(inner)}</{name}>" for name, inner in node.items())


def test_a_renamed_question_keeps_its_answer_through_all_versions_between() -> None:
    versions = [
        form("1", ["size", "house/roof"]),
        form("2", ["area", "house/roof"], area='was="size"'),
        # The mark that an author left in place says nothing new.
        form("3", ["area_m2", "house/roof"], area_m2='was="area"', house_roof='was="cover"'),
    ]
    assert VersionPath(versions[:2]).lift({"size": "2"}) == {"area": "2"}
    assert VersionPath(versions).lift({"size": "2"}) == {"area_m2": "2"}
    assert VersionPath(versions[::-1]).lift({"area_m2": "2"}) == {"size": "2"}
    assert VersionPath(versions).path("/answers/size") == "/answers/area_m2"
    assert VersionPath(versions).path("/media/a.jpg") == "/media/a.jpg"


def test_groups_and_rows_are_renamed_with_what_is_in_them() -> None:
    one = form("1", ["house/roof", "plots*/_rid", "plots*/crop", "plots*/old"])
    marks = {"home": 'was="house"', "fields": 'was="plots"', "fields_plant": 'was="crop"'}
    two = form("2", ["home/roof", "fields*/_rid", "fields*/plant"], **marks)
    way = VersionPath([one, two])
    answers = {"house": {"roof": "tin"}, "plots": [{"_rid": "r", "crop": "tea", "old": "x"}]}
    assert way.lift(answers) == {
        "home": {"roof": "tin"},
        "fields": [{"_rid": "r", "plant": "tea", "$extra": {"old": ["x"]}}],
    }
    assert way.path("/answers/plots/r/crop") == "/answers/fields/r/plant"
    assert way.path("/answers/plots/r") == "/answers/fields/r"
    assert way.path("/answers/plots/r/old") == "/answers/fields/r/$extra/old"
    assert way.path("/answers/unknown/deep") == "/answers/unknown/deep"


def test_what_is_gone_is_carried_as_the_phone_carries_what_it_does_not_know() -> None:
    one = form("1", ["gone", ("many", "select"), "house/roof", "plots*/crop", "kept"])
    two = form("2", ["kept", "new"])
    answers = {
        "gone": "x",
        "many": ["a", "b"],
        "house": {"roof": "tin", "$extra": {"deep": [None]}},
        "plots": [{"_rid": "r", "crop": None}],
        "kept": None,
        "unknown": "stays",
        "$extra": {"gone": ["earlier"]},
    }
    assert VersionPath([one, two]).lift(answers) == {
        "kept": None,
        "unknown": "stays",
        "$extra": {
            "gone": ["earlier", "x"],
            "many": ["a b"],
            "house": [{"deep": [None], "roof": ["tin"]}],
            "plots": [{"_rid": ["r"], "crop": [None]}],
        },
    }


def test_a_calculated_field_that_is_gone_is_gone() -> None:
    one = form("1", ["sum", "kept"], sum='calculate="1 + 1"')
    assert VersionPath([one, form("2", ["kept"])]).lift({"sum": "2", "kept": "a"}) == {"kept": "a"}


@pytest.mark.parametrize(
    ("here", "there", "answer", "expected"),
    [
        ('type="string"', 'type="int"', "12", {"q": "12"}),
        ('type="string"', 'type="int"', "twelve", None),
        ('type="string"', 'type="int"', None, {"q": None}),
        ('type="int"', 'type="string"', "12", {"q": "12"}),
        ('type="string"', 'type="string" calculate="1"', "12", {"q": "12"}),
    ],
)
def test_an_answer_changes_type_where_it_types_there(here: str, there: str, answer: Any, expected: Any) -> None:
    assert VersionPath([form("1", ["q"], q=here), form("2", ["q"], q=there)]).lift({"q": answer}) == expected


def test_one_choice_becomes_several_and_several_only_alone_become_one() -> None:
    one, several = form("1", [("q", "select1")]), form("2", [("q", "select")])
    assert VersionPath([one, several]).lift({"q": "a"}) == {"q": ["a"]}
    assert VersionPath([several, one]).lift({"q": ["a"]}) == {"q": "a"}
    assert VersionPath([several, one]).lift({"q": ["a", "b"]}) is None


def test_there_is_no_way_from_a_question_to_a_group() -> None:
    assert VersionPath([form("1", ["q"]), form("2", ["q/inner"])]).lift({"q": "a"}) is None


def test_what_has_not_the_forms_shape_is_left_as_it_is() -> None:
    one, two = form("1", ["house/roof", "plots*/crop"]), form("2", ["house/roof", "plots*/crop"])
    answers = {"house": "odd", "plots": ["odd"]}
    assert VersionPath([one, two]).lift(answers) == answers
    assert VersionPath([one, two]).lift({"plots": "odd"}) == {"plots": "odd"}


def test_a_shape_tells_the_engine_what_a_question_is() -> None:
    schema = form(
        "1",
        ["area", ("crops", "select"), "total", "once", "plots*/_rid", "plots*/crop", "consent", "odd"],
        area='type="decimal" merge="max"',
        crops='type="string" constraint="not(selected(., \'none\') and count-selected(.) &gt; 1)"',
        total='type="string" calculate="1 + 1"',
        once='type="string" calculate="once(uuid())"',
        consent='type="string" merge="ask"',
        odd='type="string" merge="whatever"',
    )
    shape = shape_of(schema)
    assert shape_of(schema) is shape
    assert shape.fields["/area"].merge == "max"
    assert shape.fields["/area"].type == "decimal"
    assert shape.fields["/crops"].choices == ("a", "none")
    assert shape.fields["/crops"].exclusive == {"none"}
    assert shape.fields["/total"].is_calculated
    assert not shape.fields["/once"].is_calculated
    assert shape.fields["/consent"].merge == "ask"
    assert shape.fields["/odd"].merge is None
    assert "/plots/_rid" not in shape.fields
    assert place_of("/answers/crops/none", shape).role == "choice"
    assert place_of("/answers/plots/r/crop", shape).rows == ("/answers/plots/r",)


@pytest.mark.parametrize(
    ("constraint", "codes"),
    [
        ("not(selected(., 'none') and count-selected(.) > 1)", ("none",)),
        ('not( count-selected( . ) >= 2 and selected(.,"khong") )', ("khong",)),
        (
            "not(selected(., 'none') and count-selected(.) > 1) and not(selected(., 'other') and count-selected(.)>1)",
            ("none", "other"),
        ),
        ("count-selected(.) < 4", ()),
        ("selected(., 'none')", ()),
    ],
)
def test_a_choice_stands_alone_where_the_constraint_says_so(constraint: str, codes: tuple[str, ...]) -> None:
    assert exclusive_choices(constraint) == codes


@pytest.mark.parametrize("extra", ["abc", ["a"], 7, {"gone": "abc"}, {"gone": {"a": "1"}}])
def test_what_no_version_can_have_written_has_no_way(extra: Any) -> None:
    """A person may have let in anything; taken apart into letters it would be lost."""
    way = VersionPath([form("1", ["crop", "gone"]), form("2", ["crop"])])
    assert way.lift({"crop": "a", "gone": "b", "$extra": extra}) is None
    nested = VersionPath([form("1", ["crop", "part/gone"]), form("2", ["crop"])])
    assert nested.lift({"crop": "a", "part": {"gone": "b", "$extra": extra}}) is None
