"""Random documents that conflict: edits perturb one base, servers close branches, managers decide and take back."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from sync.merging.field_diff import changes
from sync.merging.merge import Combined, is_machine_merge, is_resolved_tombstone
from tests.sync.merge_world import SHAPE, Story

BASE: Mapping[str, Any] = {
    "crop": "ngô",
    "area": "1.0",
    "phone": None,
    "members": "4",
    "remarks": "first",
    "consent": "yes",
    "crops": ["maize", "rice"],
    "losses": None,
    "rights": ["own"],
    "house": {"roof": "tin"},
    "plots": [{"_rid": "a", "crop": "ngô", "area": "1"}, {"_rid": "b", "crop": "lúa", "trees": [{"_rid": "t"}]}],
    "unknown": {"kept": ["verbatim"]},
}
ABSENT = object()
VALUES: Mapping[str, list[Any]] = {
    "crop": ["lúa", "chè", None],
    "area": ["1.2", "0.8", "1.0"],
    "phone": ["0912", "0913", ABSENT],
    "members": ["5", "6", None],
    "remarks": ["first, second", "first\nthird", "other"],
    "consent": ["no", "yes"],
    "place": ["21.1 103.2 0 5", "21.2 103.2 0 9"],
    "crops": [["rice"], ["maize", "rice", "tea"], ["tea"], ["none"], None, ABSENT],
    "losses": [["frost"], ["none"], ["frost", "pest"]],
    "rights": [["own", "rent"], ["rent"]],
    "house": [{"roof": "tin", "walls": "wood"}, {"roof": "palm"}, {}, ABSENT],
    "unknown": [{"kept": []}, "other"],
}


@st.composite
def answers(draw: st.DrawFn, before: Mapping[str, Any]) -> dict[str, Any]:
    """Draw answers that differ from `before` in a few places."""
    after = dict(before)
    for name in draw(st.lists(st.sampled_from([*VALUES, "plots", "plots"]), min_size=1, max_size=3)):
        rows = after.get("plots", [])
        value = draw(plots(rows if is_rows(rows) else [])) if name == "plots" else draw(st.sampled_from(VALUES[name]))
        if value is ABSENT:
            after.pop(name, None)
        else:
            after[name] = value
    return after


def is_rows(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) and "_rid" in row for row in value)


@st.composite
def plots(draw: st.DrawFn, before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Draw the rows of a repeat after one change: a cell, a tree, a row more or less, another order."""
    rows = [dict(row) for row in before]
    match draw(st.sampled_from(["cell", "cell", "tree", "add", "remove", "turn"])):
        case "cell" if rows:
            draw(st.sampled_from(rows))["area"] = draw(st.sampled_from(["2", "3", None]))
        case "tree" if rows:
            row = draw(st.sampled_from(rows))
            row["trees"] = [{"_rid": "t", "height": draw(st.sampled_from(["4", "5"]))}, {"_rid": "u"}]
        case "add":
            free = sorted(set("cdef") - {row["_rid"] for row in rows})
            if free:
                new = {"_rid": draw(st.sampled_from(free)), "crop": draw(st.sampled_from(["chè", "ngô"]))}
                rows.insert(draw(st.integers(0, len(rows))), new)
        case "remove" if rows:
            rows.remove(draw(st.sampled_from(rows)))
        case "turn":
            rows.reverse()
    return rows


@st.composite
def stories(draw: st.DrawFn, *, max_edits: int = 9, with_merges: bool = True, with_deletions: bool = True) -> Story:
    """Draw a document with all its revisions: people edit and delete at any revision, followers close, managers decide.

    A follower or manager need not see everything: each works on what it holds, a part closed under ancestors.
    """
    story = Story()
    story.first(BASE)
    acts = ["edit", "edit", "edit"] + (["delete"] if with_deletions else [])
    acts += ["close", "close", "decide", "undo"] if with_merges else []
    for _ in range(draw(st.integers(1, max_edits))):
        act(draw, story, draw(st.sampled_from(acts)))
    return story


def act(draw: st.DrawFn, story: Story, what: str) -> None:
    """Let one person or machine do something, if there is anything to do."""
    seen = draw(views(story)) if what in {"close", "decide", "undo"} else []
    match what:
        case "edit":
            parent = draw(st.sampled_from([rev for rev in story.revisions if editable(story, rev)]))
            before = story.revisions[parent].content
            after = draw(answers(before.get("answers", BASE)))  # type: ignore[arg-type]
            content = {"type": "record", "form": "plot", "form_version": "1", "media": {}, "answers": after}
            story.add(parent, content, saved=True)
        case "delete":
            story.delete(draw(st.sampled_from([rev for rev in story.revisions if editable(story, rev)])))
        case "close":
            story.close(seen)
        case "decide":
            decide(draw, story, story.combined(seen))
        case "undo":
            undo(draw, story, seen)


def editable(story: Story, rev: str) -> bool:
    return not is_resolved_tombstone(story.revisions[rev])


@st.composite
def views(draw: st.DrawFn, story: Story) -> list[str]:
    """Draw what one server holds: some revisions, and all that they reach."""
    tips = draw(st.lists(st.sampled_from(list(story.revisions)), min_size=1, max_size=4))
    reached = story.graph.reached(tips)
    return [rev for rev in story.revisions if rev in reached]


def decide(draw: st.DrawFn, story: Story, combined: Combined) -> None:
    """A manager decides an open question, confirming what stands or taking a candidate's value where it is plain."""
    if combined.is_deleted or not combined.open:
        return
    path = draw(st.sampled_from(sorted(combined.open)))
    if path == "" and draw(st.booleans()):
        story.delete(combined.winner, decided=[""])
        return
    content: dict[str, Any] = {**combined.content, "decided": [path]}
    name = path.removeprefix("/answers/")
    if name in VALUES and "/" not in name:
        candidate = draw(st.sampled_from(combined.fields[path].candidates))
        answers = dict(content["answers"])
        answers.pop(name, None)
        if not (candidate.value is True or str(candidate.value).startswith("Absent")):
            answers[name] = candidate.value
        content["answers"] = answers
    story.add(combined.winner, content)


def undo(draw: st.DrawFn, story: Story, seen: list[str]) -> None:
    """A manager takes a decision back."""
    decisions = [rev for rev in seen if story.revisions[rev].content.get("decided")]
    combined = story.combined(seen)
    if not decisions or (combined.is_deleted and not story.revisions[combined.winner].content.get("decided")):
        return
    decision = draw(st.sampled_from(decisions))
    story.undo(combined.winner, decision, seen)


def human_edits(story: Story) -> list[str]:
    document = story.document()
    return [
        rev
        for rev, revision in story.revisions.items()
        if not is_resolved_tombstone(revision) and not is_machine_merge(document, rev)
    ]


def edited(story: Story, rev: str) -> dict[str, Any]:
    """Return the fields in which a revision differs from its parent, found without the engine's history."""
    revision = story.revisions[rev]
    if revision.deleted:
        return {}
    parent = None if revision.parent is None else story.revisions[revision.parent]
    while parent is not None and parent.deleted:
        parent = None if parent.parent is None else story.revisions[parent.parent]
    before = {} if parent is None else parent.content
    found: dict[str, Any] = changes(before, revision.content, SHAPE)
    return found
