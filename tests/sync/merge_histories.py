"""Wilder documents than those of `merge_strategies`: what anybody may write, and servers that don't hold all of it.

Besides edits, deletions and merges there are revivals, confirmations of any field, undos as the desk writes them and as
nobody should, marks that are put again, photos and `of`, a second form version with and without a way to it, contents
that have not the form's shape, and documents that lack bodies, edges or the beginning.
"""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from sync.merging.document import Document, is_machine_merge
from sync.merging.field_diff import FieldSchema, FieldShape
from sync.merging.merge import Checked, Combined, WaitingMerge, combine, is_resolved_tombstone
from sync.revisions.graph import Graph
from tests.sync.merge_strategies import ABSENT, BASE, act, answers
from tests.sync.merge_world import FORM, SHAPE, PlainForms, Story

ODD: Mapping[str, list[Any]] = {
    "crops": ["odd", [], ["tea", "maize"], ["rice", "maize"]],
    "plots": ["odd", [], [{"_rid": "a", "trees": []}], ABSENT],
    "house": ["odd"],
    "area": ["large", "1.0"],
    "since": ["2020-02-28", "2020-03-01", "yesterday", None],
    "visited": [
        "2024-02-29T23:30:00-02:00",
        "2024-03-01T01:00:00Z",
        "2024-03-01T08:29:00+07:00",
        "2024-03-01T01:00:00",
    ],
    "$extra": [{"old": "1"}, {"old": "2", "older": "3"}, "odd"],
    "yield": ["1", "2"],
}
PATHS = [
    "",
    "/answers",
    "/answers/crop",
    "/answers/area",
    "/answers/crops",
    "/answers/crops/tea",
    "/answers/rights",
    "/answers/house/roof",
    "/answers/plots",
    "/answers/plots/a",
    "/answers/plots/a/area",
    "/answers/plots/b",
    "/answers/plots/b/trees/t",
    "/of",
    "/media/a.jpg",
]
TWO = FieldSchema(
    FORM,
    "2",
    {
        **{path: field for path, field in SHAPE.fields.items() if path not in {"/area", "/phone"}},
        "/area_m2": FieldShape(type="decimal", was="area"),
        "/phone": FieldShape(merge="append"),
        "/visited": FieldShape(type="dateTime", merge="max"),
    },
)
ONE = FieldSchema(FORM, "1", {**SHAPE.fields, "/visited": FieldShape(type="dateTime", merge="max")})


def lifting(given: Mapping[str, Any], from_version: str, to_version: str) -> Mapping[str, Any] | None:
    """Rename the area; a large one has no way."""
    names = {"area": "area_m2"} if to_version == "2" else {"area_m2": "area"}
    lifted = {names.get(name, name): value for name, value in given.items()}
    return None if "large" in lifted.values() else lifted


def checking(given: Mapping[str, Any]) -> Checked:
    """Find a constraint broken that two fields break together, and count the rows."""
    broken = {"/answers/members"} if given.get("crop") == "lúa" and given.get("consent") == "no" else set()
    broken |= {"/answers/crops"} if given.get("crop") == given.get("phone") else set()
    rows = given.get("plots")
    return Checked({**given, "yield": str(len(rows) if isinstance(rows, list) else 0)}, frozenset(broken))


def forms() -> PlainForms:
    return PlainForms((ONE, TWO), lifting, checking, renamed={"/answers/area": "/answers/area_m2"})


@st.composite
def histories(draw: st.DrawFn, *, most: int = 8) -> Story:
    """Draw a document with all its revisions."""
    story = Story(forms=forms())
    story.first({**BASE, **draw(odd_answers())} if draw(st.integers(0, 3)) == 0 else BASE)
    kinds = ["edit", "edit", "wild", "wild", "revive", "delete", "confirm", "close", "close", "decide"]
    kinds += ["undo", "undo", "undo badly", "repeat"]
    for _ in range(draw(st.integers(1, most))):
        what = draw(st.sampled_from(kinds))
        {"wild": wild, "revive": revive, "confirm": confirm, "undo badly": undo_badly, "repeat": repeat}.get(
            what, lambda draw, story, what=what: act(draw, story, what)
        )(draw, story)
    return story


@st.composite
def documents(draw: st.DrawFn, *, most: int = 8) -> tuple[Story, Document]:
    """Draw a document and what a server holds of it that may lack bodies."""
    story = draw(histories(most=most))
    inner = sorted(set(story.graph.held) - set(story.graph.leaves()))
    if not inner or draw(st.booleans()):
        return story, story.document()
    lacking = draw(st.lists(st.sampled_from(inner), max_size=3, unique=True))
    return story, without(story, lacking, is_cut=draw(st.booleans()))


def without(story: Story, lacking: list[str], *, is_cut: bool = False) -> Document:
    """Return what a server holds that knows these revisions by name, and of some not even what they followed."""
    graph = story.graph
    held = {rev: deleted for rev, deleted in graph.held.items() if rev not in lacking}
    merged = {rev: named for rev, named in graph.merged.items() if rev not in lacking}
    parents = {rev: None if is_cut and rev in lacking[:1] else parent for rev, parent in graph.parents.items()}
    return Document(story.doc_id, Graph(parents, held, merged), {rev: story.revisions[rev] for rev in held})


@st.composite
def odd_answers(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(sorted(ODD)), min_size=1, max_size=2, unique=True))
    values = {name: draw(st.sampled_from(ODD[name])) for name in names}
    return {name: value for name, value in values.items() if value is not ABSENT}


def wild(draw: st.DrawFn, story: Story) -> None:
    """Somebody edits: other members than answers, an odd answer, perhaps in the other version, on any revision."""
    parent = draw(st.sampled_from([rev for rev in story.revisions if not story.revisions[rev].deleted]))
    story.add(parent, changed(draw, story, parent), saved=True)


def changed(draw: st.DrawFn, story: Story, parent: str) -> dict[str, Any]:
    before = story.revisions[parent].content
    content: dict[str, Any] = {
        name: value for name, value in before.items() if name not in {"saved", "merged", "open", "decided", "undoes"}
    }
    given = content.get("answers", {})
    match draw(st.sampled_from(["answers", "odd", "of", "media", "version", "nothing"])):
        case "answers":
            given = draw(answers(given))
        case "odd":
            given = {**given, **draw(odd_answers())}
        case "of":
            content["of"] = draw(st.sampled_from(["a", "b"]))
        case "media":
            content["media"] = {draw(st.sampled_from(["a.jpg", "b.jpg"])): {"sha256": draw(st.sampled_from("xy"))}}
        case "version":
            version = "1" if content.get("form_version") == "2" else "2"
            if draw(st.booleans()):
                given = lifting(given, str(content.get("form_version")), version) or {"crop": "chè"}
            content["form_version"] = version
    return {**content, "answers": given}


def revive(draw: st.DrawFn, story: Story) -> None:
    """Somebody goes on from a deletion with what the record said before, or with part of it."""
    dead = [rev for rev in story.revisions if story.revisions[rev].deleted]
    if not dead:
        return
    gone = draw(st.sampled_from(dead))
    alive = [rev for rev in story.graph.ancestors(gone) if not story.revisions[rev].deleted]
    story.add(gone, changed(draw, story, alive[0]), saved=True)


def confirm(draw: st.DrawFn, story: Story) -> None:
    """A manager decides any field, by what stands in some revision or otherwise."""
    parent = draw(st.sampled_from([rev for rev in story.revisions if not story.revisions[rev].deleted]))
    decided = draw(st.lists(st.sampled_from(PATHS), min_size=1, max_size=2, unique=True))
    story.add(parent, {**changed(draw, story, parent), "decided": decided})


def undo_badly(draw: st.DrawFn, story: Story) -> None:
    """Somebody names any revision as taken back, and says what they like beside it."""
    parent = draw(st.sampled_from([rev for rev in story.revisions if not is_resolved_tombstone(story.revisions[rev])]))
    named = draw(st.lists(st.sampled_from(sorted(story.revisions)), min_size=1, max_size=2, unique=True))
    at = parent if not story.revisions[parent].deleted else story.graph.ancestors(parent)[0]
    story.add(parent, {**changed(draw, story, at), "undoes": named})


def repeat(draw: st.DrawFn, story: Story) -> None:
    """Somebody gets a revision through a foreign door, changes something, and puts all of it back."""
    marked = [
        rev
        for rev in story.revisions
        if not story.revisions[rev].deleted
        and any(name in story.revisions[rev].content for name in ("decided", "undoes", "merged"))
    ]
    if not marked:
        return
    parent = draw(st.sampled_from(marked))
    said = story.revisions[parent].content
    again = {name: said[name] for name in ("saved", "decided", "undoes", "merged", "open") if name in said}
    story.add(parent, {**changed(draw, story, parent), **again})


def stands(story: Story, document: Document) -> Combined | None:
    """Return what the engine makes of a document; None where it waits."""
    combined = combine(document, story.forms)
    return None if isinstance(combined, WaitingMerge) else combined


def merges_of(story: Story) -> list[str]:
    return [rev for rev in story.revisions if is_machine_merge(story.document(), rev)]
