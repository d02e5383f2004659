"""Edits: the fields that differ from the revision that it was made on, and those that it decided.

It is compared with its parent. Where the parent is a tombstone (a revival), with the nearest living ancestor; where the
parent's body is not here, with the nearest ancestor that is here and was not taken back: then the edit may hold what
others said, and says so (`lacks_parent`). Members of a revision that only repeat the parent's say nothing.

Of some things an edit says everything (`covers`): of a row that it brings, of a row or a list of choices that it
decides, and of answers where there was no way from its parent's form version. Whatever it leaves out there is absent.

An undo takes decisions out and edits nothing. Only where a body is missing between it and such a decision nobody can
compute what it meant to leave; then what it holds counts as with any other edit.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sync.merging.document import Content, Document, Forms, is_machine_merge, is_resolved_tombstone, version_of
from sync.merging.field_diff import RepeatRows, changes, field_at
from sync.merging.field_schema import ABSENT, FieldSchema, Path, Value, place_of
from sync.revisions.canonical import Json, same
from sync.revisions.revision_id import RevisionId, generation_of, order_of

ANSWERS = "/answers"


@dataclass(slots=True)
class Edit:
    """The changes of one edit: `bit` is its own, `knows` all that it reaches, itself included.

    `content` and `before` (what it is compared with) are in the fields of one form version, None where there is no way
    to it. `covers` are paths below which it has said everything; `covered` is what that comes to. `lists` are those of
    choices that it changed or decided, `reordered` those that it only wrote in another order.
    """

    rev: RevisionId
    bit: int
    knows: int
    is_deletion: bool
    content: Content | None
    before: Content | None = None
    is_undo: bool = False
    lacks_parent: bool = False
    changes: dict[Path, Value] = field(default_factory=dict)
    decided: frozenset[Path] = frozenset()
    covers: frozenset[Path] = frozenset()
    covered: dict[Path, Value] = field(default_factory=dict)
    lists: list[Path] = field(default_factory=list)
    reordered: tuple[Path, ...] = ()
    #: What the later of two edits has more of: (generation, hash).
    rank: tuple[int, str] = field(init=False)

    def __post_init__(self) -> None:
        self.rank = order_of(self.rev)

    def value(self, path: Path) -> Value:
        """Return what it says of a field that it changed or covers; True of anything else, which is there."""
        return self.changes[path] if path in self.changes else self.covered.get(path, True)


class RevisionMetadata:
    """The members that a document's revisions say themselves, and which decisions were taken back."""

    def __init__(self, document: Document) -> None:
        """Take a document."""
        self.document = document
        self.revisions = document.revisions

    def own_value(self, rev: RevisionId, member: str) -> Json:
        """Return a member that a revision says itself; None where its parent, if it is here, says the same."""
        said = self.revisions[rev].content.get(member)
        parent = self.revisions.get(self.document.graph.parents.get(rev) or "")
        return None if parent is not None and same(parent.content.get(member), said) else said

    def takes_back(self, rev: RevisionId) -> list[RevisionId]:
        """Return the decisions that a revision takes back: those in its `undoes` that it reaches."""
        named = strings(self.own_value(rev, "undoes")) if "undoes" in self.revisions[rev].content else []
        reached = self.document.graph.reached([rev]) if named else ()
        return [each for each in named if each != rev and each in reached and self._may_be_taken_back(each)]

    def undone(self, edits: Collection[RevisionId], knows: Mapping[RevisionId, int]) -> frozenset[RevisionId]:
        """Return the decisions that are taken back by an edit which is not taken back itself."""
        undone: set[RevisionId] = set()
        undoing = [rev for rev in edits if "undoes" in self.revisions[rev].content]
        # Later ones first: an undo may be undone.
        for rev in sorted(undoing, key=lambda rev: (knows[rev].bit_count(), rev), reverse=True):
            if rev not in undone:
                undone.update(self.takes_back(rev))
        return frozenset(undone)

    def has_all_since(self, rev: RevisionId, decisions: Collection[RevisionId]) -> bool:
        """Whether all is here that came between decisions and a revision that takes them back."""
        graph = self.document.graph
        reached = graph.reached([rev])
        return all(
            each in self.revisions
            for decision in decisions
            for each in reached - (graph.reached([decision]) - {decision})
        )

    def _may_be_taken_back(self, rev: RevisionId) -> bool:
        """Whether `undoes` may name it: a worker's own answer is corrected, never taken back."""
        revision = self.revisions.get(rev)
        if revision is None:
            return True
        if is_resolved_tombstone(revision) or is_machine_merge(self.document, rev):
            return False
        return any(strings(self.own_value(rev, member)) for member in ("decided", "undoes", "forwarded"))


class EditReader:
    """Reads the edits of a document in the fields of one form version; `content_of` lifts to it."""

    def __init__(
        self,
        words: RevisionMetadata,
        forms: Forms,
        shape: FieldSchema,
        content_of: Callable[[RevisionId], Content | None],
        undone: Collection[RevisionId],
    ) -> None:
        """Take what is known of the document, and the decisions that are taken back."""
        self.words = words
        self.graph = words.document.graph
        self.revisions = words.revisions
        self.forms = forms
        self.shape = shape
        self.content_of = content_of
        self.undone = undone
        self.rows = RepeatRows()

    def edit(self, rev: RevisionId, bit: int, knows: int) -> Edit:
        """Return what a revision edits."""
        revision = self.revisions[rev]
        content = {} if revision.deleted else self.content_of(rev)
        compared, lacks_parent, is_revival = self._compared(rev)
        if "undoes" in revision.content and (taken := self.words.takes_back(rev)):
            if self.words.has_all_since(rev, taken):
                return Edit(rev, bit, knows, revision.deleted, content, is_undo=True)
            lacks_parent = True
        edit = Edit(rev, bit, knows, revision.deleted, content, lacks_parent=lacks_parent)
        if revision.deleted:
            edit.changes[""] = ABSENT
            edit.decided = frozenset({""} & set(self._marked(edit))) if self._decides(edit) else frozenset()
            return edit
        before = {} if compared is None else self.content_of(compared)
        edit.before = before
        made: list[Path] = []
        reordered: list[Path] = []
        if content is None or before is None:
            self._compare_without_way(edit, compared, made)
        else:
            edit.changes = changes(before, content, self.shape, made=made, reordered=reordered, lists=edit.lists)
        if is_revival:
            edit.changes[""] = True
        edit.reordered = tuple(reordered)
        if made:
            edit.covers |= frozenset(made)
        if lacks_parent:
            # The list that its maker saw is not here: what they took over cannot be told from what they left alone.
            edit.covers |= frozenset(edit.lists)
        if "decided" in revision.content:
            self._decide(edit)
        return edit

    def _compared(self, rev: RevisionId) -> tuple[RevisionId | None, bool, bool]:
        """Return what an edit is compared with, whether a body before it is missing, and whether it is a revival."""
        parent = self.graph.parents.get(rev)
        if parent is None:
            return None, generation_of(rev) > 1, False
        known = self.revisions.get(parent)
        if known is not None and not known.deleted:
            return parent, False, False
        lacks, nearest = False, None
        first = rev
        for each in self.graph.ancestors(rev):
            first, revision = each, self.revisions.get(each)
            if revision is None:
                lacks = True
                continue
            nearest = revision if nearest is None else nearest
            if not revision.deleted and not (lacks and each in self.undone):
                return each, lacks, nearest.deleted
        return None, lacks or generation_of(first) > 1, nearest is not None and nearest.deleted

    def _compare_without_way(self, edit: Edit, compared: RevisionId | None, made: list[Path]) -> None:
        """Note an edit from or to answers that the form version cannot hold: of them it edits the whole."""
        raw = self.revisions[edit.rev].content
        before: Content = {} if compared is None else self.revisions[compared].content
        edit.changes = changes(_but_answers(before), _but_answers(raw), self.shape)
        if edit.content is None:
            if not same(before.get("answers", ABSENT), raw.get("answers", ABSENT)):
                edit.changes[ANSWERS] = raw.get("answers", ABSENT)
            return
        answers = edit.content.get("answers", ABSENT)
        if answers is not ABSENT:
            edit.changes |= changes({}, {"answers": answers}, self.shape, made=made, lists=edit.lists)
        edit.changes[ANSWERS] = answers
        edit.covers |= {ANSWERS}

    def _decide(self, edit: Edit) -> None:
        """Note what an edit decides, be it by confirming what stands.

        Who repeats the parent's `decided` beside a change has not decided; but they had the whole list or row before
        them that was decided, and say what becomes of it.
        """
        held = self.revisions[edit.rev].content if edit.content is None else edit.content
        has_decided = self._decides(edit)
        marked = self._marked(edit)
        if has_decided:
            edit.decided = frozenset(marked)
        for path in marked:
            role = place_of(path, self.shape).role
            value = held.get("answers", ABSENT) if path == ANSWERS else field_at(held, path, self.shape, self.rows)
            says_all = role == "choices" or (role == "row" and value is not ABSENT)
            if has_decided:
                edit.changes.setdefault(path, value)
                says_all = says_all or path == ANSWERS
            elif says_all:
                says_all = _is_touched(path, edit.changes)
            if says_all:
                edit.covers |= {path}
                if role == "choices":
                    edit.lists.append(path)

    def _decides(self, edit: Edit) -> bool:
        """Whether an edit's `decided` is its own word and not its parent's."""
        return self.words.own_value(edit.rev, "decided") is not None

    def _marked(self, edit: Edit) -> list[Path]:
        """Return the fields in an edit's `decided`, by their names in the chosen version."""
        content = self.revisions[edit.rev].content
        form, version = version_of(content)
        marked: list[Path] = []
        for path in strings(content.get("decided")):
            lifted = path
            if form == self.shape.form and version != self.shape.version:
                lifted = self.forms.lifted_path(form, path, version, self.shape.version)
            marked.append(ANSWERS if edit.content is None and lifted.startswith(ANSWERS + "/") else lifted)
        return marked


def _is_touched(path: Path, changed: Collection[Path]) -> bool:
    return path in changed or any(each.startswith(path + "/") for each in changed)


def latest(edits: Sequence[Edit]) -> list[Edit]:
    """Return the edits from which none of the others descends."""
    if len(edits) == 1:
        return list(edits)
    known = 0
    for edit in edits:
        known |= edit.knows & ~edit.bit
    return [edit for edit in edits if not known & edit.bit]


def beside(gone: Sequence[Edit], others: Iterable[Edit]) -> list[Edit]:
    """Return the latest of the others that stand beside deletions: none of these knew them, nor did they know all."""
    known = bits = 0
    for edit in gone:
        known |= edit.knows
        bits |= edit.bit
    return latest([each for each in others if not each.is_deletion and not each.bit & known and bits & ~each.knows])


def joined(edits: Sequence[Edit], others: Iterable[Edit]) -> list[Edit]:
    """Return edits and those of the others that are none of them."""
    bits = {edit.bit for edit in edits}
    return [*edits, *(other for other in others if other.bit not in bits)]


def strings(value: Json) -> list[str]:
    """Return the texts of a list; none of anything else."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _but_answers(content: Content) -> dict[str, Json]:
    return {name: value for name, value in content.items() if name != "answers"}
