"""The merge engine over published forms: what is read before, lifting between versions, computing anew."""

from server.forms.answers.engine_forms import MergingForms
from server.forms.contents import XFORM_TYPE, Content, keep
from server.forms.library import FormLibrary
from server.forms.tables import form_versions
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from sync.merging.merge import Combined, Document, WaitingMerge, combine
from sync.revisions.graph import Graph
from tests.sync.merge_world import Story

LIST = b"name,label,price\ntea,Tea,3\nrice,Rice,2\n"


def plot(version: str, binds: str, nodes: str) -> bytes:
    return f"""<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml">
    <h:head><h:title>Plot</h:title><model>
    <instance><data id="plot" version="{version}">{nodes}</data></instance>
    <instance id="crops" src="jr://file-csv/crops.csv"/>{binds}</model></h:head>
    <h:body><input ref="/data/area"/><input ref="/data/size"/></h:body></h:html>""".encode()


FIRST = plot("1", '<bind nodeset="/data/size" type="decimal"/>', "<size/><crop/><trees/>")
SECOND = plot(
    "2",
    '<bind nodeset="/data/area" type="decimal" was="size" constraint=". &lt; 10 or ../crop = \'tea\'"/>'
    '<bind nodeset="/data/worth" type="string" calculate="/data/area * 2"/>',
    "<area/><crop/><trees/><worth/>",
)
THIRD = plot("3", "", "<area/><crop/><trees/><worth/>")


async def publish(storage: Storage, clock: Clock, version: str, xform: bytes) -> None:
    form, crops = Content.of(xform, XFORM_TYPE), Content.of(LIST, "text/csv")
    async with storage.write() as connection:
        await keep(connection, [form, crops])
        await connection.execute(
            form_versions.insert().values(
                form="plot",
                version=version,
                project="agri",
                titles={},
                languages=["vi"],
                xform=form.sha256,
                source=form.sha256,
                lists={"crops.csv": crops.sha256},
                points=[],
                status="live",
                loaded_in_browser=True,
                published_at=clock(),
            )
        )


async def combined(storage: Storage, story: Story) -> Combined | WaitingMerge:
    document = story.document()
    return combine(document, await MergingForms.over(FormLibrary(storage), [document]))


async def test_fields_are_computed_anew_and_broken_constraints_asked(storage: Storage, clock: Clock) -> None:
    await publish(storage, clock, "2", SECOND)
    story = Story()
    r1 = story.first({"area": "5", "crop": "tea", "worth": "10"}, form_version="2")
    story.edit(r1, {"area": "30", "worth": "60"})
    crop = story.edit(r1, {"crop": "rice"})
    together = await combined(storage, story)
    assert isinstance(together, Combined)
    assert together.content["answers"] == {"area": "30", "crop": "rice", "worth": "60"}
    # The one enlarged a tea garden, the other found rice there: each was right alone.
    assert set(together.open) == {"/answers/area"}
    assert together.fields["/answers/area"].cause == "constraint"
    assert crop not in together.open["/answers/area"]


async def test_edits_under_two_versions_meet_in_the_newest(storage: Storage, clock: Clock) -> None:
    await publish(storage, clock, "1", FIRST)
    await publish(storage, clock, "2", SECOND)
    story = Story()
    r1 = story.first({"size": "1", "crop": "tea"}, form_version="1")
    story.edit(r1, {"size": "2"})
    newer = story.edit(r1, {"area": "1", "crop": "rice", "worth": "2"}, form_version="2", drop=["size"])
    together = await combined(storage, story)
    assert isinstance(together, Combined)
    assert together.content["form_version"] == "2"
    assert together.content["answers"] == {"area": "2", "crop": "rice", "worth": "4"}
    assert together.open == {}
    assert together.fields["/answers/crop"].source == newer


async def test_a_decision_is_found_again_under_the_fields_new_name(storage: Storage, clock: Clock) -> None:
    await publish(storage, clock, "1", FIRST)
    await publish(storage, clock, "2", SECOND)
    story = Story()
    r1 = story.first({"size": "1"}, form_version="1")
    a, _ = story.edit(r1, {"size": "2"}), story.edit(r1, {"size": "3"})
    decision = story.decide(a, ["/answers/size"])
    story.edit(r1, {"area": "4"}, form_version="2", drop=["size"])
    together = await combined(storage, story)
    assert isinstance(together, Combined)
    assert together.fields["/answers/area"].candidates[0].rev == decision
    assert together.content["answers"] == {"area": "2", "worth": "4"}


async def test_a_version_that_is_not_here_is_waited_for_and_found_when_it_comes(storage: Storage, clock: Clock) -> None:
    await publish(storage, clock, "1", FIRST)
    story = Story()
    r1 = story.first({"size": "1"}, form_version="1")
    story.edit(r1, {"size": "2"})
    story.edit(r1, {"area": "1", "crop": "rice"}, form_version="3", drop=["size"])
    document, library = story.document(), FormLibrary(storage)
    assert combine(document, await MergingForms.over(library, [document])) == WaitingMerge("form_version", ("plot/3",))
    await publish(storage, clock, "2", SECOND)
    await publish(storage, clock, "3", THIRD)
    together = combine(document, await MergingForms.over(library, [document]))
    assert isinstance(together, Combined)
    # What was renamed between is known from the version that nobody here used.
    assert together.content["answers"] == {"area": "2", "crop": "rice"}


async def test_documents_that_name_no_form_need_none(storage: Storage) -> None:
    written = Document("note", Graph(), {}).following(None, {"type": "note", "text": "a"})
    document = written.document
    together = combine(document, await MergingForms.over(FormLibrary(storage), [document]))
    assert isinstance(together, Combined)
    assert together.content == written.revision.content


async def test_calculations_read_the_lists_that_came_with_the_version(storage: Storage, clock: Clock) -> None:
    bind = '<bind nodeset="/data/worth" calculate="instance(\'crops\')/root/item[name = current()/../crop]/price"/>'
    await publish(storage, clock, "1", plot("1", bind, "<crop/><worth/>"))
    published = await FormLibrary(storage).get("plot", "1")
    assert published is not None
    assert published.evaluator.evaluate({"crop": "rice", "worth": None}).answers["worth"] == "2"
