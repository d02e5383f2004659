"""A form's schema is what its XForm says: kinds, types, labels in each language, choices and marks."""

from pathlib import Path

import pytest

from server.forms.conversion.expressions import is_once
from server.forms.schema import FormSchema, Language, NotAForm, language_code
from server.forms.xml_input import XmlRefused

SCHEMA = FormSchema.parse((Path(__file__).parents[1] / "vectors" / "forms" / "every_type.xml").read_bytes())


def test_every_question_has_the_type_that_its_bind_and_control_give_it() -> None:
    assert {field.path: field.type for field in SCHEMA.leaves() if field.path.count("/") == 1} == {
        "/name": "text",
        "/Tên_gọi": "text",
        "/members": "integer",
        "/area": "decimal",
        "/visited": "date",
        "/milked_at": "time",
        "/seen_at": "dateTime",
        "/house": "geopoint",
        "/path": "geotrace",
        "/outline": "geoshape",
        "/main_crop": "select_one",
        "/village": "select_one",
        "/crops": "select_multiple",
        "/needs": "rank",
        "/agreed": "trigger",
        "/photo": "image",
        "/voice": "audio",
        "/total": "decimal",
        "/token": "text",
    }
    assert SCHEMA.by_path["/place/inner/note_text"].type == "note"


def test_groups_and_repeats_nest_as_they_do_in_the_instance() -> None:
    kinds = {field.path: field.kind for field in SCHEMA.walk() if field.kind != "leaf"}
    assert kinds == {
        "/place": "group",
        "/place/inner": "group",
        "/plot": "repeat",
        "/plot/tree": "repeat",
        "/meta": "group",
    }


def test_the_default_language_leads() -> None:
    assert SCHEMA.languages == (Language("vi", "Tiếng Việt (vi)"), Language("en", "English (en)"))


def test_a_label_is_told_in_the_language_asked_for_else_in_another_else_by_name() -> None:
    name = SCHEMA.by_path["/name"]
    assert (name.label("vi"), name.label("en"), name.label("fr")) == ("Tên", "Name", "Tên")
    assert SCHEMA.by_path["/plot/_rid"].label("vi") == "_rid"


def test_an_answer_shown_inside_a_label_is_an_ellipsis_and_sounds_are_no_text() -> None:
    assert SCHEMA.by_path["/crops"].label("vi") == "Cây của …"


def test_choices_have_labels_whether_they_stand_in_a_list_or_in_the_question() -> None:
    crops, main_crop = SCHEMA.by_path["/crops"], SCHEMA.by_path["/main_crop"]
    assert [choice.value for choice in crops.choices] == ["rice", "maize"]
    assert (crops.choice_label("rice", "en"), crops.choice_label("rice", "vi")) == ("Rice", "Lúa")
    assert main_crop.choice_label("maize", "vi") == "Ngô"
    assert main_crop.choice_label("of an older list", "vi") == "of an older list"
    assert (SCHEMA.by_path["/village"].list_file, SCHEMA.list_files) == ("villages.csv", ("villages.csv",))


def test_marks_say_what_is_required_sensitive_merged_renamed_and_computed() -> None:
    by_path = SCHEMA.by_path
    assert (by_path["/name"].is_required, by_path["/name"].merge) == (True, "ask")
    assert (by_path["/Tên_gọi"].is_sensitive, by_path["/area"].is_sensitive) == (True, False)
    assert (by_path["/members"].merge, by_path["/area"].was) == ("max", "acreage")
    assert (by_path["/total"].is_calculated, by_path["/total"].is_once) == (True, False)
    assert (by_path["/token"].is_calculated, by_path["/token"].is_once) == (False, True)
    assert [field.path for field in SCHEMA.leaves() if field.is_asked][:2] == ["/name", "/Tên_gọi"]


@pytest.mark.parametrize(
    ("expression", "wrapped"),
    [
        ("once(uuid())", True),
        (" once( concat(now(), ')') ) ", True),
        ("once(uuid()) + 1", False),
        ("concat(once(uuid()), 'x')", False),
        ("once(a) + once(b)", False),
        ("onceupon(a)", False),
        ("uuid()", False),
    ],
)
def test_only_a_whole_once_is_computed_at_first_and_kept(expression: str, wrapped: bool) -> None:
    assert is_once(expression) is wrapped


def test_a_language_s_code_is_in_its_name() -> None:
    assert [language_code(name) for name in ("Tiếng Việt (vi)", "Hmoob (hmn-VN) ", "English", "vi")] == [
        "vi",
        "hmn-VN",
        "English",
        "vi",
    ]


def test_what_the_phone_records_by_itself_is_known_and_sensitive_where_it_tells_more_than_times() -> None:
    def parsed(audit: str) -> FormSchema:
        return FormSchema.parse(
            f"""<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
            xmlns:odk="http://www.opendatakit.org/xforms"><h:head><model><instance><data id="a" version="1">
            <talk/><row><said/></row><kept/><meta><audit/></meta></data></instance>
            <bind nodeset="/data/talk" type="binary"/>
            <odk:recordaudio ref="/data/talk" event="odk-instance-load"/><bind nodeset="/data/row/said" type="binary"/>
            <odk:recordaudio ref="/data/row/said" event="odk-instance-load"/><bind nodeset="/data/kept" type="binary"/>
            <bind nodeset="/data/meta/audit" type="binary" {audit}/></model></h:head>
            <h:body><group ref="/data/row"><repeat nodeset="/data/row"/></group></h:body></h:html>"""
        )

    times = parsed("")
    recorded = {field.path: field.recorded for field in times.leaves() if field.recorded}
    assert recorded == {"/talk": "sound", "/meta/audit": "log"}
    assert [field.path for field in times.leaves() if field.is_sensitive] == ["/talk"]
    for more in ('odk:location-priority="balanced"', 'odk:track-changes="true"'):
        assert parsed(more).by_path["/meta/audit"].is_sensitive
    assert not parsed('odk:track-changes="false"').by_path["/meta/audit"].is_sensitive


@pytest.mark.parametrize("xml", ["<html/>", "<x xmlns='http://www.w3.org/2002/xforms'><model/></x>"])
def test_other_xml_is_no_form(xml: str) -> None:
    with pytest.raises(NotAForm):
        FormSchema.parse(xml)


@pytest.mark.parametrize("xml", ["", "<a>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"])
def test_xml_that_must_not_be_read_is_refused(xml: str) -> None:
    with pytest.raises(XmlRefused):
        FormSchema.parse(xml)
