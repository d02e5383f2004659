"""One document's revisions as the merge reads them: who knew what, and which fields each edit changed.

Machine merges edit nothing, so what stands in them counts only as what later edits are compared with; what an edit
edits `sync.merging.edits` says.

Knowledge is a bit mask: every edit is a bit, and a revision knows what it reaches over parents and `merged`. Edits up
to the last revision that everybody knew, where they are one plain line, cannot matter any more: that revision is the
*base*, and what it holds is what they say together. So histories cost by their branches, not by their length. It is a
shortcut and nothing else: `read` gives the same values and questions without it, which a property holds.

Versions of a form differ in their fields, so all contents are lifted to one version first. Where there is no way to
it, the answers as a whole are one field, `/answers`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sync.merging.choice_questions import say_whole_lists
from sync.merging.covering_edits import CoveringEdits
from sync.merging.document import (
    Content,
    Document,
    Forms,
    Revision,
    WaitingMerge,
    counting_leaves,
    is_machine_merge,
    is_resolved_tombstone,
    version_of,
)
from sync.merging.edits import ANSWERS, Edit, EditReader, RevisionMetadata
from sync.merging.field_diff import RepeatRows
from sync.merging.field_schema import FieldPlace, FieldSchema, Path, place_of
from sync.merging.patching import without_empty_repeats
from sync.revisions.revision_id import RevisionId, order_of

__all__ = ["ANSWERS", "CausalHistory", "Edit", "read"]


@dataclass(frozen=True, slots=True)
class CausalHistory:
    """A document's edits since its base, in the fields of one form version.

    `rows` reads rows of these contents, each list once; `places` has what some paths name. `rewritten` are lists of
    choices that were only written anew, or by decisions that are taken back. `whole` gives the history without a base.
    """

    document: Document
    form: str
    version: str
    shape: FieldSchema
    leaves: tuple[RevisionId, ...]
    knows: Mapping[RevisionId, int]
    base: RevisionId | None
    base_content: Content
    edits: Sequence[Edit]
    content_of: Callable[[RevisionId], Content | None]
    rows: RepeatRows
    places: dict[Path, FieldPlace]
    covering: CoveringEdits
    rewritten: tuple[Path, ...]
    whole: "Callable[[], CausalHistory]"


NO_SHAPE = FieldSchema("", "", {})


def read(
    document: Document, forms: Forms, leaves: tuple[RevisionId, ...] | None = None, *, has_base: bool = True
) -> CausalHistory | WaitingMerge:
    """Return what was edited, by whom, knowing what; every field in the newest version among the leaves.

    `leaves` are those that count, where the caller knows them already. Without `has_base` all edits are in it.
    """
    leaves = counting_leaves(document) if leaves is None else leaves
    bodiless = [leaf for leaf in leaves if leaf not in document.revisions]
    if bodiless or not leaves:
        return WaitingMerge("inputs", tuple(sorted(bodiless)))
    return _HistoryReader(document, forms, leaves).history(has_base=has_base)


class _HistoryReader:
    """Reads one document; holds what several steps look up."""

    def __init__(self, document: Document, forms: Forms, leaves: tuple[RevisionId, ...]) -> None:
        self.document = document
        self.revisions = document.revisions
        self.words = RevisionMetadata(document)
        self.forms = forms
        self.leaves = leaves
        self.form = self.version = ""
        self.shape = NO_SHAPE
        self.lifted: dict[RevisionId, Content | None] = {}

    def history(self, *, has_base: bool) -> CausalHistory | WaitingMerge:
        graph = self.document.graph
        reached = graph.reached(self.leaves)
        merges = {rev for rev in graph.merged if rev in reached and rev in self.revisions and self._is_merge(rev)}
        if missing := sorted({rev for merge in merges for rev in self._inputs(merge) if rev not in self.revisions}):
            return WaitingMerge("inputs", tuple(missing))
        ordered = sorted(reached, key=order_of)
        revisions = self.revisions
        edits = [
            rev
            for rev in ordered
            if rev in revisions and rev not in merges and not is_resolved_tombstone(revisions[rev])
        ]
        bits = {rev: 1 << position for position, rev in enumerate(edits)}
        knows = self._knowledge(ordered, bits)
        if unknown := self._choose_version(edits):
            return WaitingMerge("form_version", unknown)
        undone = self.words.undone(edits, knows)
        base = self._base(bits, knows, undone, merges) if has_base else None
        return self._history(bits, knows, undone, base)

    def _history(
        self,
        bits: Mapping[RevisionId, int],
        knows: Mapping[RevisionId, int],
        undone: Collection[RevisionId],
        base: RevisionId | None,
    ) -> CausalHistory:
        reader = EditReader(self.words, self.forms, self.shape, self._content, undone)
        after = [rev for rev in bits if base is None or not bits[rev] & knows[base]]
        read = [reader.edit(rev, bits[rev], knows[rev]) for rev in after if rev not in undone]
        content = without_empty_repeats((None if base is None else self._content(base)) or {}, self.shape)
        places: dict[Path, FieldPlace] = {}
        taken_back = [reader.edit(rev, bits[rev], knows[rev]) for rev in after if rev in undone] if undone else []
        rewritten = {path for edit in (*read, *taken_back) for path in edit.reordered}
        for edit in taken_back:
            rewritten.update(path for path in edit.changes if place_of(path, self.shape).role == "choices")
        covering = CoveringEdits(read, self.shape, reader.rows)
        covering.spread(read, content, places)
        say_whole_lists(read, content, self.shape, reader.rows)
        return CausalHistory(
            document=self.document,
            form=self.form,
            version=self.version,
            shape=self.shape,
            leaves=self.leaves,
            knows=knows,
            base=base,
            base_content=content,
            edits=read,
            content_of=self._content,
            rows=reader.rows,
            places=places,
            covering=covering,
            rewritten=tuple(sorted(rewritten)),
            whole=lambda: self._history(bits, knows, undone, None),
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
        """Return what a living revision says in the chosen version; None where there is no way."""
        if rev not in self.lifted:
            self.lifted[rev] = self._lift(self.revisions[rev])
        return self.lifted[rev]

    def _lift(self, revision: Revision) -> Content | None:
        form, version = version_of(revision.content)
        content = revision.content
        if (form, version) == (self.form, self.version):
            return content
        answers = content.get("answers", {})
        if form != self.form or not isinstance(answers, Mapping):
            return None
        lifted = self.forms.lift(form, answers, version, self.version)
        return None if lifted is None else {**content, "answers": lifted}

    def _base(
        self,
        bits: Mapping[RevisionId, int],
        knows: Mapping[RevisionId, int],
        undone: Collection[RevisionId],
        merges: Collection[RevisionId],
    ) -> RevisionId | None:
        """Return the greatest revision that every later edit knows, up to which all is one plain line of edits."""
        winner = self.leaves[0]
        line = (winner, *self.document.graph.ancestors(winner))
        # What takes something back, and what machines made, need not say what the edits before it come to.
        oldest = next((at for at in range(len(line) - 1, -1, -1) if not self._is_plain(line[at], merges)), -1)
        apart = ~sum(bits.get(rev, 0) for rev in line) | sum(bits.get(rev, 0) for rev in undone)
        everybody = -1
        for leaf in self.leaves:
            everybody &= knows[leaf]
        for rev in line[oldest + 1 :]:
            bit = bits.get(rev, 0) & everybody
            if not bit or knows[rev] & apart or self.revisions[rev].deleted or self._content(rev) is None:
                continue
            if all(knows[other] & bit for other, theirs in bits.items() if not theirs & knows[rev]):
                return rev
        return None

    def _is_plain(self, rev: RevisionId, merges: Collection[RevisionId]) -> bool:
        return rev not in merges and not (rev in self.revisions and "undoes" in self.revisions[rev].content)
