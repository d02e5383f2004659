"""One record about which people disagree, as the merge engine sees it at one moment: read once, then asked.

A case is a value: what comes into the journal afterwards does not change it. `leaves` say which moment it was; whoever
writes on top of it asks the journal whether they still stand.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from server.forms.answers.engine_forms import MergingForms
from server.forms.answers.recorded import recorded_stems
from server.forms.library import FormLibrary, PublishedForm
from server.journal.journal import Journal
from server.journal.model import NewRevision, StoredRevision
from server.journal.store.document_histories import DocumentHistory
from server.platform.json_reader import aside_where_long
from sync.merging.causal_history import CausalHistory, read
from sync.merging.field_diff import RepeatRows, changes, value_at
from sync.merging.field_schema import ABSENT, FieldSchema, Path, Value, place_of
from sync.merging.merge import (
    Combined,
    Document,
    Revision,
    WaitingMerge,
    combine,
    counting_leaves,
    is_machine_merge,
    is_resolved_tombstone,
)
from sync.merging.resolution import combined, value_before
from sync.revisions.canonical import Json, same
from sync.revisions.revision_id import RevisionId, generation_of, merged_of, order_of

EMPTY_SHAPE = FieldSchema("", "", {})


@dataclass(frozen=True)
class Case:
    """A record's revisions with what the engine makes of them; `published` is the form version that stands."""

    database: str
    whole: DocumentHistory
    document: Document
    forms: MergingForms
    combined: Combined | WaitingMerge
    published: PublishedForm | None
    shape: FieldSchema

    @property
    def record(self) -> str:
        """Return the record's id."""
        return self.whole.doc_id

    @cached_property
    def leaves(self) -> tuple[RevisionId, ...]:
        """Return every leaf, winner first."""
        return self.whole.graph.leaves()

    @property
    def winner(self) -> StoredRevision:
        """Return the revision that stands."""
        return self.whole.revisions[self.leaves[0]]

    @cached_property
    def counting(self) -> tuple[RevisionId, ...]:
        """Return the leaves that say something of their own, the first to stand first."""
        return counting_leaves(self.document)

    @cached_property
    def content(self) -> Mapping[str, Json]:
        """Return what stands, whole; of a deleted record what it last said."""
        if isinstance(self.combined, WaitingMerge) or self.winner.deleted:
            return self.last_said(self.winner.rev)
        return self.combined.content

    @cached_property
    def open(self) -> Mapping[Path, tuple[RevisionId, ...]]:
        """Return the open questions of the engine: the candidates by path."""
        return {} if isinstance(self.combined, WaitingMerge) else self.combined.open

    def last_said(self, rev: RevisionId) -> Mapping[str, Json]:
        """Return a revision's content; of a tombstone that of the nearest ancestor that is alive, if one is here."""
        line = (rev, *self.document.graph.ancestors(rev))
        known = (self.document.revisions[each] for each in line if each in self.document.revisions)
        return next((each.content for each in known if not each.deleted), self.document.revisions[rev].content)

    def known_to_all(self, revs: Iterable[RevisionId]) -> Mapping[str, Json]:
        """Return what the record said in the latest revision here that all of these reach; nothing where none is."""
        reached = [self.document.graph.reached([each]) for each in revs]
        shared = frozenset.intersection(*map(frozenset, reached)) & self.document.revisions.keys() if reached else ()
        latest = max(shared, key=order_of, default=None)
        return {} if latest is None else self.last_said(latest)

    @cached_property
    def rows(self) -> RepeatRows:
        """Return what reads the rows of contents of the record: a page asks for thousands of fields of them."""
        return RepeatRows()

    @cached_property
    def history(self) -> CausalHistory | WaitingMerge:
        """Return the edits as the engine has them."""
        return read(self.document, self.forms)

    def value(self, path: Path, rev: RevisionId | None = None) -> Value:
        """Return what stands in a field, or what a revision says there, in the words of the version that stands."""
        return value_at(self.content if rev is None else self.last_said(rev), path, self.shape, self.rows)

    def base(self, path: Path, candidates: Collection[RevisionId]) -> Value:
        """Return what a field was in the nearest revision here that all candidates knew; ABSENT if there is none."""
        return ABSENT if isinstance(self.history, WaitingMerge) else value_before(self.history, path, candidates)

    def row_kept(self, path: Path) -> Value:
        """Return a row that is asked about as it is when it stays: with what all edits say of its cells.

        ABSENT where nothing is known of it, and of what is no row of the answers.
        """
        if not path.startswith("/answers/") or place_of(path, self.shape).role != "row":
            return ABSENT
        stands = self.value(path)
        history = self.history
        if stands is not ABSENT or isinstance(history, WaitingMerge):
            return stands
        # As if nobody had taken it out: then its cells come together like those of any other row.
        edits = [
            replace(edit, changes={at: value for at, value in edit.changes.items() if (at, value) != (path, ABSENT)})
            for edit in history.edits
        ]
        return value_at(combined(replace(history, edits=edits), self.forms).content, path, self.shape)

    def changed_by(self, rev: RevisionId) -> dict[Path, tuple[Value, Value]]:
        """Return the fields that a revision changed, with what they said before and after; not what forms compute."""
        revision = self.document.revisions[rev]
        if revision.deleted:
            return {}
        parent = revision.parent
        before: Mapping[str, Json] = {} if parent not in self.document.revisions else self.last_said(str(parent))
        found = changes(before, revision.content, self.shape)
        return {
            path: (
                value_at(before, path, self.shape, self.rows),
                value_at(revision.content, path, self.shape, self.rows),
            )
            for path in sorted(found)
            if not place_of(path, self.shape).shape.is_calculated and not self.is_recorded_file(path)
        }

    @cached_property
    def _recorded(self) -> frozenset[str]:
        """What the names of the files begin with that phones made by themselves, in any revision."""
        contents = (revision.content for revision in self.document.revisions.values())
        return recorded_stems(self.published.schema, contents) if self.published is not None else frozenset()

    def is_recorded_file(self, path: Path) -> bool:
        """Say whether a path is that of a file which a phone made by itself, as a log of filling the form."""
        _, _, name = path.rpartition("/media/")
        return path == f"/media/{name}" and name.partition(".")[0] in self._recorded

    def says(self, rev: RevisionId, member: str) -> list[str]:
        """Return a list that a revision says of itself; one that only repeats its parent's says nothing."""
        revision = self.document.revisions[rev]
        parent = self.document.revisions.get(revision.parent or "")
        said = revision.content.get(member)
        if not isinstance(said, list) or (parent is not None and same(parent.content.get(member), said)):
            return []
        return [each for each in said if isinstance(each, str)]

    def message(self, path: Path) -> dict[str, str]:
        """Return the form's message for the constraint at a path, by language; empty where it has none."""
        if self.published is None:
            return {}
        evaluator = self.published.evaluator
        codes = [language.code for language in self.published.schema.languages]
        return {code: message for code in codes if (message := evaluator.message(path, code)) is not None}

    def is_merge(self, rev: RevisionId) -> bool:
        """Whether a machine brought others together in this revision."""
        return is_machine_merge(self.document, rev)

    def is_resolved(self, rev: RevisionId) -> bool:
        """Whether a machine closed a branch with this revision."""
        return is_resolved_tombstone(self.document.revisions[rev])

    def reaches(self, rev: RevisionId, other: RevisionId) -> bool:
        """Whether whoever wrote `rev` knew `other`."""
        return other in self.document.graph.reached([rev])

    def in_order(self) -> list[StoredRevision]:
        """Return every revision that is here, in the order of arrival."""
        return sorted(
            self.whole.revisions.values(), key=lambda each: (each.received_at, generation_of(each.rev), each.rev)
        )


async def open_case(journal: Journal, library: FormLibrary, database: str, record: str) -> Case | None:
    """Return a record's case; None where there is no such record, or it was erased."""
    found = await cases_of(journal, library, database, [record])
    return found.get(record)


async def cases_of(journal: Journal, library: FormLibrary, database: str, records: list[str]) -> dict[str, Case]:
    """Return the cases of those records that are here, by id."""
    asked = [each for each in records if ":" not in each and not each.startswith("_")]
    wholes = await journal.whole(database, asked)
    here = {name: each for name, each in wholes.items() if each.revisions}
    documents = {name: await aside_where_long(each.size, each.as_document) for name, each in here.items()}
    forms = await MergingForms.over(library, documents.values())
    cases: dict[str, Case] = {}
    for name, document in documents.items():
        case = await _case(library, database, wholes[name], document, forms)
        if case is not None:
            cases[name] = case
    return cases


async def _case(
    library: FormLibrary, database: str, whole: DocumentHistory, document: Document, forms: MergingForms
) -> Case | None:
    together = await aside_where_long(whole.size, partial(combine, document, forms))
    winner = document.revisions[whole.graph.leaves()[0]]
    if winner.content.get("erased") is True:
        return None
    line = (winner.rev, *whole.graph.ancestors(winner.rev))
    alive = (document.revisions[each] for each in line if each in document.revisions)
    content: Mapping[str, Any] = next((each.content for each in alive if not each.deleted), {})
    if not isinstance(together, WaitingMerge) and not winner.deleted:
        content = together.content
    form, version = str(content.get("form", "")), str(content.get("form_version", ""))
    published = await library.get(form, version)
    return Case(
        database=database,
        whole=whole,
        document=document,
        forms=forms,
        combined=together,
        published=published,
        shape=forms.shape(form, version) or EMPTY_SHAPE,
    )


def extended(document: Document, following: Iterable[NewRevision]) -> Document:
    """Return the document as it is with revisions that follow, in order, parents first."""
    graph, revisions = document.graph, dict(document.revisions)
    for each in following:
        content = json.loads(each.content)
        parent = each.ancestors[0] if each.ancestors else None
        graph = graph.adding(each.rev, each.ancestors, deleted=each.deleted, merged=merged_of(each.content))
        revisions[each.rev] = Revision(each.rev, parent, each.deleted, content)
    return Document(document.doc_id, graph, revisions)
