"""One document's revisions with their bodies, the kinds of them, and what the merge asks of the forms.

Three kinds of revision. A *machine merge* has no `saved`, its id is the hash of what it says, and `merged` names a
revision that its parent doesn't reach. A *resolved tombstone* is the constant body on a branch that a merge took in.
Every other revision is an *edit*, by a person or a peer.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from sync.merging.field_schema import FieldSchema, Path
from sync.revisions.canonical import Json, canonical, same
from sync.revisions.graph import Graph
from sync.revisions.machine_merge import merges_branches
from sync.revisions.revision_id import RevisionId, merged_of, revision_id

Content: TypeAlias = Mapping[str, Json]

RESOLVED: Content = {"type": "record", "resolved": True}


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision with its body, `content` without `_id`, `_rev` and `_deleted`."""

    rev: RevisionId
    parent: RevisionId | None
    deleted: bool
    content: Content


@dataclass(frozen=True, slots=True)
class Document:
    """One document as far as it is here: its graph with `merged` edges, and the revisions whose bodies are here."""

    doc_id: str
    graph: Graph
    revisions: Mapping[RevisionId, Revision]

    def following(self, parent: RevisionId | None, content: Content, *, deleted: bool = False) -> "ProposedRevision":
        """Return a revision that says this after `parent`, and the document as it is with it."""
        data = canonical(content)
        rev = revision_id(self.doc_id, deleted=deleted, parent=parent, content=data)
        line = () if parent is None else (parent,)
        graph = self.graph.adding(rev, line, deleted=deleted, merged=merged_of(data))
        revision = Revision(rev, parent, deleted, content)
        return ProposedRevision(revision, Document(self.doc_id, graph, {**self.revisions, rev: revision}))

    def reached(self, revisions: Collection[RevisionId]) -> "Document":
        """Return the document as it was for who knew these revisions and nothing else."""
        graph = self.graph.only(self.graph.reached(revisions))
        return Document(self.doc_id, graph, {rev: self.revisions[rev] for rev in graph.held if rev in self.revisions})


@dataclass(frozen=True, slots=True)
class ProposedRevision:
    """A revision that somebody may write, and the document as it would be then."""

    revision: Revision
    document: Document


@dataclass(frozen=True, slots=True)
class Checked:
    """Answers with their calculated fields computed anew; paths from the document's root of what is amiss in them."""

    answers: Content
    broken: frozenset[Path] = frozenset()
    irrelevant: frozenset[Path] = frozenset()


class Forms(Protocol):
    """The forms as the engine asks them. Each answer is a pure function of published versions, which never change."""

    def shape(self, form: str, version: str) -> FieldSchema | None:
        """Return the shape of a version; None where it is not here."""

    def newest(self, form: str, versions: Collection[str]) -> str:
        """Return the one of these versions, all of them here, that was published last."""

    def lift(self, form: str, answers: Content, from_version: str, to_version: str) -> Content | None:
        """Return the answers as the other version holds them; None where there is no way between."""

    def lifted_path(self, form: str, path: Path, from_version: str, to_version: str) -> Path:
        """Return what a field is called in the other version."""

    def check(self, form: str, version: str, answers: Content) -> Checked:
        """Return the answers with calculated fields computed anew, and which constraints they break."""


@dataclass(frozen=True, slots=True)
class WaitingMerge:
    """Nothing can be said before something arrives: versions (`form/version`) or revisions that a merge brought in."""

    reason: Literal["form_version", "inputs"]
    names: tuple[str, ...]


def version_of(content: Content) -> tuple[str, str]:
    """Return the form and the version that a content says it answers; two empty strings where it names no form."""
    form, version = content.get("form"), content.get("form_version")
    return (form, version) if form and isinstance(form, str) and isinstance(version, str) else ("", "")


def is_resolved_tombstone(revision: Revision) -> bool:
    """Whether a machine put this on a branch that a merge took in."""
    return revision.deleted and same(revision.content, RESOLVED)


def is_machine_merge(document: Document, rev: RevisionId) -> bool:
    """Whether the follower of some server made this revision of others, and no person said anything with it."""
    revision, graph = document.revisions[rev], document.graph
    content = revision.content
    return not revision.deleted and merges_branches(
        document.doc_id,
        rev,
        revision.parent,
        content,
        merged=graph.merged.get(rev, ()),
        graph=graph,
        body=lambda: canonical(content),
    )


def counting_leaves(document: Document) -> tuple[RevisionId, ...]:
    """Return the leaves that count for merging, winner first."""
    known = document.revisions
    dead = [rev for rev, deleted in document.graph.held.items() if deleted]
    return document.graph.counting_leaves([rev for rev in dead if rev in known and is_resolved_tombstone(known[rev])])
