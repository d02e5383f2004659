"""One document's revisions as the merge reads them: who knew what, and which fields each edit changed.

What an edit edits are the fields that differ from its parent's and those in `decided`; machine merges edit nothing, so
what stands in them counts only as what later edits are compared with.

Knowledge is a bit mask: every edit is a bit, and a revision knows what it reaches over parents and `merged`. Edits
before the last revision that everybody knew, and before which nothing was ever concurrent, cannot matter any more: that
revision is the *base*, and histories cost by their branches, not by their length.

Versions of a form differ in their fields, so all contents are lifted to one version first. Where there is no way to
it, the answers as a whole are one field, `/answers`. An undone decision is taken out: it edits nothing, and neither
does the undo at those fields. An edit whose parent's body is not here is compared with the nearest ancestor that is,
and says so (`lacks_parent`).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sync.canonical import Json, same
from sync.document import (
    Content,
    Document,
    Forms,
    Revision,
    Waiting,
    counting_leaves,
    is_machine_merge,
    is_resolved_tombstone,
    version_of,
)
from sync.fields import changes, field_at, flatten, place_of, value_at
from sync.revision import RevisionId, generation_of
from sync.shape import ABSENT, Path, Shape, Value

ANSWERS = "/answers"


@dataclass(slots=True)
class Edit:
    """What one edit changed: `bit` is its own, `knows` all that it reaches, itself included.

    `covers` are paths below which it has said everything: what it does not hold there it says is absent.
    """

    rev: RevisionId
    bit: int
    knows: int
    is_deletion: bool
    content: Content | None
    before: Content | None
    changes: dict[Path, Value] = field(default_factory=dict)
    decided: frozenset[Path] = frozenset()
    covers: tuple[Path, ...] = ()
    lacks_parent: bool = False
    #: What the later of two edits has more of: (generation, hash).
    rank: tuple[int, str] = field(init=False)

    def __post_init__(self) -> None:
        generation, _, digest = self.rev.partition("-")
        self.rank = (int(generation), digest)


@dataclass(frozen=True, slots=True)
class History:
    """A document's edits since its base, in the fields of one form version."""

    document: Document
    form: str
    version: str
    shape: Shape
    leaves: tuple[RevisionId, ...]
    knows: Mapping[RevisionId, int]
    base: RevisionId | None
    base_content: Content
    edits: Sequence[Edit]
    content_of: Callable[[RevisionId], Content | None]


NO_SHAPE = Shape("", "", {})


def read(document: Document, forms: Forms, leaves: tuple[RevisionId, ...] | None = None) -> History | Waiting:
    """Return what was edited, by whom, knowing what; every field in the newest version among the leaves.

    `leaves` are those that count, where the caller knows them already.
    """
    leaves = counting_leaves(document) if leaves is None else leaves
    bodiless = [leaf for leaf in leaves if leaf not in document.revisions]
    if bodiless or not leaves:
        return Waiting("inputs", tuple(sorted(bodiless)))
    return _Reader(document, forms, leaves).history()


class _Reader:
    """Reads one document; holds what several steps look up."""

    def __init__(self, document: Document, forms: Forms, leaves: tuple[RevisionId, ...]) -> None:
        self.document = document
        self.revisions = document.revisions
        self.forms = forms
        self.leaves = leaves
        self.form = self.version = ""
        self.shape = NO_SHAPE
        self.lifted: dict[RevisionId, Content | None] = {}

    def history(self) -> History | Waiting:
        graph = self.document.graph
        reached = graph.reached(self.leaves)
        merges = {rev for rev in graph.merged if rev in reached and rev in self.revisions and self._is_merge(rev)}
        if missing := sorted({rev for merge in merges for rev in self._inputs(merge) if rev not in self.revisions}):
            return Waiting("inputs", tuple(missing))
        ordered = sorted(reached, key=lambda rev: (generation_of(rev), rev))
        revisions = self.revisions
        edits = [
            rev
            for rev in ordered
            if rev in revisions and rev not in merges and not is_resolved_tombstone(revisions[rev])
        ]
        bits = {rev: 1 << position for position, rev in enumerate(edits)}
        knows = self._knowledge(ordered, bits)
        if unknown := self._choose_version(edits):
            return Waiting("form_version", unknown)
        undone = self._undone(edits, bits, knows)
        base = self._base(bits, knows, undone)
        after = [rev for rev in edits if base is None or not bits[rev] & knows[base]]
        read = [self._edit(rev, bits[rev], knows[rev], undone) for rev in after if rev not in undone]
        content = None if base is None else self._content(base)
        _cover(read, content or {}, self.shape)
        return History(
            document=self.document,
            form=self.form,
            version=self.version,
            shape=self.shape,
            leaves=self.leaves,
            knows=knows,
            base=base,
            base_content={} if content is None else content,
            edits=read,
            content_of=self._content,
        )

    def _is_merge(self, rev: RevisionId) -> bool:
        return is_machine_merge(self.document, rev)

    def _inputs(self, merge: RevisionId) -> Iterable[RevisionId]:
        parent = self.revisions[merge].parent
        return (*self.document.graph.merged[merge], *(() if parent is None else (parent,)))

    def _knowledge(self, ordered: Sequence[RevisionId], bits: Mapping[RevisionId, int]) -> dict[RevisionId, int]:
        """Return which edits each revision reaches; they come by generation."""
        graph = self.document.graph
        knows = dict.fromkeys(ordered, 0)
        is_late = has_changed = True
        # What a revision reaches has lower generations, so that one round does, unless a forger wrote otherwise.
        while is_late and has_changed:
            is_late = has_changed = False
            seen: set[RevisionId] = set()
            for rev in ordered:
                mask = bits.get(rev, 0) | knows[rev]
                parent = graph.parents.get(rev)
                for edge in (*graph.merged.get(rev, ()), *(() if parent is None else (parent,))):
                    mask |= knows[edge]
                    is_late = is_late or edge not in seen
                has_changed = has_changed or mask != knows[rev]
                knows[rev] = mask
                seen.add(rev)
        return knows

    def _choose_version(self, edits: Sequence[RevisionId]) -> tuple[str, ...]:
        """Settle in which version fields are named; return the versions that are needed and not here."""
        named = {version_of(self.revisions[rev].content) for rev in edits if not self.revisions[rev].deleted}
        live = [self.revisions[leaf].content for leaf in self.leaves if not self.revisions[leaf].deleted]
        named |= {version_of(leaf) for leaf in live}
        unknown = sorted(
            f"{form}/{version}" for form, version in named if form and self.forms.shape(form, version) is None
        )
        if unknown:
            return tuple(unknown)
        self.form, self.version = version_of((live or [self.revisions[self.leaves[0]].content])[0])
        versions = {version for form, version in map(version_of, live) if form == self.form}
        if len(versions) > 1:
            self.version = self.forms.newest(self.form, versions)
        self.shape = (self.forms.shape(self.form, self.version) if self.form else None) or NO_SHAPE
        return ()

    def _content(self, rev: RevisionId) -> Content | None:
        """Return a revision's content in the chosen version, nothing of a tombstone; None where there is no way."""
        if rev not in self.lifted:
            self.lifted[rev] = self._lift(self.revisions[rev])
        return self.lifted[rev]

    def _lift(self, revision: Revision) -> Content | None:
        if revision.deleted:
            return {}
        form, version = version_of(revision.content)
        content = revision.content
        if (form, version) == (self.form, self.version):
            return content
        answers = content.get("answers", {})
        if form != self.form or not isinstance(answers, Mapping):
            return None
        lifted = self.forms.lift(form, answers, version, self.version)
        return None if lifted is None else {**content, "answers": lifted}

    def _undone(
        self, edits: Sequence[RevisionId], bits: Mapping[RevisionId, int], knows: Mapping[RevisionId, int]
    ) -> frozenset[RevisionId]:
        """Return the decisions that stand in the `undoes` of an edit which knew them and stands itself."""
        undone: set[RevisionId] = set()
        undoing = [rev for rev in edits if "undoes" in self.revisions[rev].content]
        # Later ones first: an undo may be undone.
        for rev in sorted(undoing, key=lambda rev: (knows[rev].bit_count(), rev), reverse=True):
            if rev in undone:
                continue
            for named in _strings(self._said(rev, "undoes")):
                known = self.revisions.get(named)
                is_known = named != rev and bits.get(named, 0) & knows[rev]
                if is_known and known is not None and self._may_be_taken_back(known):
                    undone.add(named)
        return frozenset(undone)

    def _may_be_taken_back(self, revision: Revision) -> bool:
        """Whether `undoes` may name it: a worker's own answer is corrected, never taken back."""
        content = revision.content
        return bool(content.get("decided") or content.get("undoes") or self._said(revision.rev, "forwarded"))

    def _said(self, rev: RevisionId, member: str) -> Json:
        """Return a member that a revision says itself: one that only repeats its parent's says nothing."""
        said = self.revisions[rev].content.get(member)
        before = self._ancestor(rev)
        return None if before is not None and same(self.revisions[before].content.get(member), said) else said

    def _ancestor(self, rev: RevisionId) -> RevisionId | None:
        """Return the parent, or where its body is not here the nearest ancestor whose body is."""
        graph, parent = self.document.graph, self.document.graph.parents.get(rev)
        if parent is None or parent in self.revisions:
            return parent
        return next((each for each in graph.ancestors(rev) if each in self.revisions), None)

    def _base(
        self, bits: Mapping[RevisionId, int], knows: Mapping[RevisionId, int], undone: Collection[RevisionId]
    ) -> RevisionId | None:
        """Return the greatest revision that every later edit knows, and before which nothing was concurrent."""
        winner = self.leaves[0]
        undone_bits = sum(bits[rev] for rev in undone)
        line = (winner, *self.document.graph.ancestors(winner))
        of_line = sum(bits.get(rev, 0) for rev in line)
        for rev in line:
            bit = bits.get(rev, 0)
            known = knows[rev]
            if (
                bit
                and not known & (undone_bits | ~of_line)
                and all(knows[other] & bit for other, theirs in bits.items() if not theirs & known)
                and self._content(rev) is not None
            ):
                return rev
        return None

    def _edit(self, rev: RevisionId, bit: int, known: int, undone: Collection[RevisionId]) -> Edit:
        revision = self.revisions[rev]
        ancestor = self._ancestor(rev)
        undoes = [each for each in _strings(self._said(rev, "undoes")) if each in undone] if undone else []
        while ancestor is not None and ancestor in undoes and self.revisions[ancestor].deleted:
            # Taking a deletion back is no new beginning: what was deleted is what the undo is compared with.
            ancestor = self._ancestor(ancestor)
        content = self._content(rev)
        before = None if ancestor is None else self._content(ancestor)
        made: list[Path] = []
        parent = self.document.graph.parents.get(rev)
        lacks_parent = parent not in self.revisions and (parent is not None or generation_of(rev) > 1)
        edit = Edit(rev, bit, known, revision.deleted, content, before, lacks_parent=lacks_parent)
        if revision.deleted:
            edit.changes[""] = ABSENT
            edit.decided = frozenset({""}) & frozenset(self._decided(rev, ancestor, edit))
            return edit
        if content is None:
            self._edit_without_way(edit, ancestor)
        else:
            edit.changes = changes({} if before is None else before, content, self.shape, made)
            if before is None and ancestor is not None:
                edit.changes[ANSWERS] = content.get("answers", ABSENT)
        if ancestor is not None and self.revisions[ancestor].deleted:
            edit.changes[""] = True
            made.append("")
        edit.decided = frozenset(self._decided(rev, ancestor, edit))
        held = revision.content if content is None else content
        for path in edit.decided:
            value = held.get("answers", ABSENT) if path == ANSWERS else field_at(held, path, self.shape)
            edit.changes.setdefault(path, value)
        edit.covers = tuple(made) + tuple(
            path for path in edit.decided if path == ANSWERS or place_of(path, self.shape).role == "choices"
        )
        for decision in undoes:
            self._leave_out(edit, decision)
        return edit

    def _edit_without_way(self, edit: Edit, ancestor: RevisionId | None) -> None:
        """Note an edit whose answers the chosen version cannot hold: of them it edits the whole."""
        content = self.revisions[edit.rev].content
        before = {} if ancestor is None else self.revisions[ancestor].content
        edit.changes = changes(_but_answers(before), _but_answers(content), self.shape)
        if not same(before.get("answers"), content.get("answers")):
            edit.changes[ANSWERS] = content.get("answers", ABSENT)

    def _decided(self, rev: RevisionId, ancestor: RevisionId | None, edit: Edit) -> list[Path]:
        content = self.revisions[rev].content
        if "decided" not in content:
            return []
        paths = _strings(content["decided"])
        form, version = version_of(self.revisions[rev].content)
        if form == self.form and version != self.version:
            paths = [self.forms.lifted_path(form, path, version, self.version) for path in paths]
        if edit.content is None:
            paths = [ANSWERS if path.startswith(ANSWERS + "/") else path for path in paths]
        if self._said(rev, "decided") is None:
            # Repeated: it is about what was decided before, unless just that was decided anew.
            paths = [path for path in paths if path in edit.changes]
        return paths

    def _leave_out(self, edit: Edit, decision: RevisionId) -> None:
        """Take out of an undo what only gives back the fields of the decision that it takes back."""
        undone = self._edit(decision, 0, 0, ())
        below = tuple(path + "/" for path in undone.decided if path)
        for path in list(edit.changes):
            if path not in edit.decided and (path in undone.changes or path.startswith(below)):
                del edit.changes[path]


def _cover(edits: Sequence[Edit], base: Content, shape: Shape) -> None:
    """Complete the edits that have said everything below some path by what they knew of and left out or kept."""
    covering = [edit for edit in edits if edit.covers and edit.content is not None]
    is_in_base = any(value_at(base, path, shape) is not ABSENT for edit in covering for path in edit.covers)
    before = set(flatten(base, shape)) if is_in_base else set()
    changed = [(edit, tuple(edit.changes)) for edit in edits] if covering else []
    for edit in covering:
        below = tuple(path + "/" for path in edit.covers)
        known = before.union(*(paths for other, paths in changed if edit.knows & other.bit))
        for path in known.union(*(paths for _, paths in changed)):
            if path.startswith(below) and path not in edit.changes:
                value = field_at(edit.content or {}, path, shape)
                if value is not ABSENT or path in known:
                    edit.changes[path] = value


def _but_answers(content: Content) -> dict[str, Json]:
    return {name: value for name, value in content.items() if name != "answers"}


def _strings(value: Json) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
