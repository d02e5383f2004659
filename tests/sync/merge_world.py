"""A small world for merge tests: one document, written edit by edit, and forms without a library."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.merging.field_diff import FieldSchema, FieldShape, Path
from sync.merging.merge import Checked, Closing, Combined, Document, Revision, WaitingMerge, close, combine, taken_back
from sync.revisions.canonical import canonical
from sync.revisions.graph import Graph
from sync.revisions.revision_id import merged_of, revision_id

DOC = "0193a1b2-0000-7000-8000-000000000001"
FORM, VERSION = "plot", "1"

SHAPE = FieldSchema(
    FORM,
    VERSION,
    {
        "/crop": FieldShape(),
        "/area": FieldShape(type="decimal"),
        "/phone": FieldShape(),
        "/members": FieldShape(type="integer", merge="max"),
        "/since": FieldShape(type="date", merge="min"),
        "/remarks": FieldShape(merge="append"),
        "/consent": FieldShape(type="select_one", merge="ask"),
        "/place": FieldShape(type="geopoint"),
        "/outline": FieldShape(type="geoshape"),
        "/needs": FieldShape(type="rank"),
        "/photo": FieldShape(type="image"),
        "/yield": FieldShape(is_calculated=True),
        "/crops": FieldShape("choices", "select_multiple", choices=("maize", "rice", "tea", "none")),
        "/losses": FieldShape(
            "choices", "select_multiple", choices=("frost", "pest", "none"), exclusive=frozenset({"none"})
        ),
        "/rights": FieldShape("choices", "select_multiple", choices=("own", "rent"), merge="ask"),
        "/house": FieldShape("group"),
        "/house/roof": FieldShape(),
        "/house/walls": FieldShape(),
        "/plots": FieldShape("repeat"),
        "/plots/crop": FieldShape(),
        "/plots/area": FieldShape(type="decimal"),
        "/plots/trees": FieldShape("repeat"),
        "/plots/trees/height": FieldShape(),
    },
)


def _nothing_broken(answers: Mapping[str, Any]) -> Checked:
    return Checked(answers)


@dataclass(slots=True)
class PlainForms:
    """Forms by (form, version); versions are as new as their place in the list; lifting and checking are plugged in."""

    shapes: Sequence[FieldSchema] = (SHAPE,)
    lifting: Callable[[Mapping[str, Any], str, str], Mapping[str, Any] | None] | None = None
    checking: Callable[[Mapping[str, Any]], Checked] = _nothing_broken
    renamed: Mapping[Path, Path] = field(default_factory=dict)

    def shape(self, form: str, version: str) -> FieldSchema | None:
        return next((each for each in self.shapes if (each.form, each.version) == (form, version)), None)

    def newest(self, form: str, versions: Collection[str]) -> str:
        order = [each.version for each in self.shapes if each.form == form]
        return max(versions, key=order.index)

    def lift(
        self, form: str, answers: Mapping[str, Any], from_version: str, to_version: str
    ) -> Mapping[str, Any] | None:
        return self.lifting(answers, from_version, to_version) if self.lifting else answers

    def lifted_path(self, form: str, path: Path, from_version: str, to_version: str) -> Path:
        return self.renamed.get(path, path)

    def check(self, form: str, version: str, answers: Mapping[str, Any]) -> Checked:
        return self.checking(answers)


@dataclass(slots=True)
class Story:
    """One document, told revision by revision; a server's view of it is `document()`."""

    forms: PlainForms = field(default_factory=PlainForms)
    doc_id: str = DOC
    graph: Graph = field(default_factory=Graph)
    revisions: dict[str, Revision] = field(default_factory=dict)
    saves: int = 0

    def first(self, answers: Mapping[str, Any] | None = None, **members: Any) -> str:
        """Add the first revision of a person with these answers; return its id."""
        return self.add(None, self._content(answers or {}, members), saved=True)

    def edit(self, parent: str, answers: Mapping[str, Any] | None = None, **members: Any) -> str:
        """Add a person's revision: its parent's content with these answers (None of a key in `drop` goes)."""
        before = self.revisions[parent].content
        said = {name: value for name, value in before.items() if name not in {"merged", "open", "decided", "undoes"}}
        drop = members.pop("drop", ())
        merged_answers = {**before.get("answers", {}), **(answers or {})}  # type: ignore[dict-item]
        content = {**said, **members, "answers": {k: v for k, v in merged_answers.items() if k not in drop}}
        return self.add(parent, content, saved=True)

    def decide(self, parent: str, paths: Iterable[Path], answers: Mapping[str, Any] | None = None) -> str:
        """Add a manager's decision about these fields."""
        before = self.revisions[parent].content
        said = {name: value for name, value in before.items() if name not in {"saved", "merged", "open", "undoes"}}
        answers = {**before.get("answers", {}), **(answers or {})}  # type: ignore[dict-item]
        return self.add(parent, {**said, "answers": answers, "decided": sorted(paths)})

    def undo(self, parent: str, decision: str, revs: Collection[str] | None = None) -> str:
        """Add the taking back of a decision by a manager who holds these revisions."""
        standing = taken_back(self.document(revs), [decision], self.forms)
        assert not isinstance(standing, WaitingMerge), standing
        return self.add(parent, {**standing.content, "undoes": [decision]})

    def delete(self, parent: str, **content: Any) -> str:
        """Add a person's deletion."""
        return self.add(parent, {"type": "record", **content}, deleted=True, saved=True)

    def revive(self, tombstone: str, answers: Mapping[str, Any], **members: Any) -> str:
        """Add a person's revision that makes a deleted record anew with just these answers."""
        return self.add(tombstone, self._content(answers, members), saved=True)

    def add(self, parent: str | None, content: Mapping[str, Any], *, deleted: bool = False, saved: bool = False) -> str:
        """Add a revision; return its id."""
        if saved:
            self.saves += 1
            content = {**content, "saved": {"by": "enrolment", "number": str(self.saves), "at": "2026-11-21"}}
        data = canonical(content)
        rev = revision_id(self.doc_id, deleted=deleted, parent=parent, content=data)
        self.revisions[rev] = Revision(rev, parent, deleted, content)
        line = () if parent is None else (parent,)
        self.graph = self.graph.adding(rev, line, deleted=deleted, merged=merged_of(data))
        return rev

    def document(self, revs: Collection[str] | None = None) -> Document:
        """Return what a server that holds these revisions (all of them) knows."""
        if revs is None:
            return Document(self.doc_id, self.graph, self.revisions)
        graph = Graph()
        for rev in revs:
            revision = self.revisions[rev]
            line = () if revision.parent is None else (revision.parent,)
            merged = merged_of(canonical(revision.content))
            graph = graph.adding(rev, line, deleted=revision.deleted, merged=merged)
        return Document(self.doc_id, graph, {rev: self.revisions[rev] for rev in revs})

    def lacking(self, *revs: str) -> Document:
        """Return what a server knows that has heard of these revisions only by name."""
        held = {rev: deleted for rev, deleted in self.graph.held.items() if rev not in revs}
        graph = Graph(self.graph.parents, held, self.graph.merged)
        return Document(self.doc_id, graph, {rev: self.revisions[rev] for rev in held})

    def combined(self, revs: Collection[str] | None = None) -> Combined:
        """Return what a server with these revisions makes of them."""
        combined = combine(self.document(revs), self.forms)
        assert not isinstance(combined, WaitingMerge), combined
        return combined

    def close(self, revs: Collection[str] | None = None) -> Closing | None:
        """Close the branches as the follower does on a server with these revisions; return what was written."""
        closing = close(self.document(revs), self.forms)
        assert not isinstance(closing, WaitingMerge), closing
        if closing is not None:
            for new in closing.revisions:
                assert self.add(new.parent, new.content, deleted=new.deleted) == new.rev
        return closing

    def merge(self) -> str:
        """Close the branches; return the machine merge."""
        closing = self.close()
        assert closing is not None
        assert closing.merge is not None
        return closing.merge.rev

    def combined_winner(self) -> str:
        """Return the greatest leaf."""
        winner = self.graph.winner()
        assert winner is not None
        return winner

    def _content(self, answers: Mapping[str, Any], members: Mapping[str, Any]) -> dict[str, Any]:
        return {"type": "record", "form": FORM, "form_version": VERSION, "answers": answers, "media": {}, **members}


def answers_of(combined: Combined) -> Any:
    return combined.content["answers"]


def rows(**cells: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return rows of a repeat by their ids, in this order."""
    return [{"_rid": rid, **values} for rid, values in cells.items()]
