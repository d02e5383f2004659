"""The open questions of a merge and the sources of its fields, as rows: `open_questions` and `provenance`.

Pure: rows are computed from the document, its merge and the approvals, so that computing them again gives the same, and
whatever is settled has no row any more. Two causes are added to those of the engine: a value changed after its record
was approved (`after_approval`), and a form version that is not here yet (`form_version`).
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.forms.library import FormLibrary
from server.journal.store.authors import PEER_PREFIX
from server.journal.store.document_histories import DocumentHistory
from server.read_model.record_tables import path_key
from sync.contract.scope import Scope
from sync.matching.text_normalisation import fold
from sync.merging.merge import Combined
from sync.revisions.revision_id import RevisionId

Row = dict[str, Any]

#: The document itself, as the path of a field.
DOCUMENT = ""
#: The cause of questions about a record that stands in two scopes: `server.projections.relocations`.
MOVED = "moved"
#: The cause of the question about a record whose branches wait for a form version.
FORM_VERSION = "form_version"


@dataclass(frozen=True, slots=True)
class QuestionContext:
    """The parts of a row besides its fields: the record's, people's names, and the revisions that are approved."""

    form: str
    title: str
    names: Mapping[str, str]
    approved: Collection[RevisionId] = ()


async def title_of(content: Mapping[str, Any], library: FormLibrary) -> str:
    """Return what people call a record: its own name, else its form's."""
    answers = content.get("answers")
    meta = answers.get("meta") if isinstance(answers, dict) else None
    named = meta.get("instanceName") if isinstance(meta, dict) else None
    if named:
        return text(named)
    form, version = text(content.get("form", "")), text(content.get("form_version", ""))
    published = await library.get(form, version)
    return published.schema.title if published else form


def question_rows(database: str, whole: DocumentHistory, combined: Combined, context: QuestionContext) -> list[Row]:
    """Return a row for each field that a person must settle."""
    graph = whole.graph
    after = {
        rev
        for rev in {each for candidates in combined.open.values() for each in candidates}
        if any(approved != rev and approved in graph.reached([rev]) for approved in context.approved)
    }
    rows = []
    for path in combined.open:
        outcome = combined.fields[path]
        candidates = [each.rev for each in outcome.candidates]
        cause: str = outcome.cause or "value"
        if cause == "value" and not after.isdisjoint(candidates):
            cause = "after_approval"
        rows.append(_question(database, whole, context, path, cause=cause, candidates=candidates))
    return rows


def waiting_row(database: str, whole: DocumentHistory, context: QuestionContext) -> Row:
    """Return the row of a record whose branches stay open until a form version comes."""
    leaves = [leaf for leaf in whole.graph.leaves() if not whole.graph.held[leaf]]
    return _question(database, whole, context, DOCUMENT, cause=FORM_VERSION, candidates=leaves or whole.graph.leaves())


def provenance_rows(database: str, whole: DocumentHistory, combined: Combined) -> list[Row]:
    """Return a row for each field that was settled without asking and is not simply what the winner's line says."""
    winner = whole.graph.winner()
    line = set() if winner is None else {winner, *whole.graph.ancestors(winner)}
    return [
        {
            "database": database,
            "record": whole.doc_id,
            "path": path_key(path),
            "rev": outcome.source,
            "how": outcome.how,
        }
        for path, outcome in combined.fields.items()
        if outcome.cause is None
        and (outcome.how == "policy" or (outcome.source is not None and outcome.source not in line))
    ]


def authors_of(wholes: Iterable[DocumentHistory]) -> set[str]:
    """Return everyone who wrote something of these documents."""
    return {one.person for whole in wholes for one in whole.revisions.values() if one.person}


def content_of(whole: DocumentHistory, rev: RevisionId | None) -> Mapping[str, Any]:
    """Return what a revision says; nothing where it is not here."""
    stored = whole.revisions.get(rev or "")
    content = {} if stored is None else json.loads(stored.content)
    return content if isinstance(content, dict) else {}


def text(value: object) -> str:
    """Return a value as a table can hold it: a person may have let in anything, and PostgreSQL keeps no NUL."""
    return str(value).replace("\0", "\ufffd")


def _question(
    database: str,
    whole: DocumentHistory,
    context: QuestionContext,
    path: str,
    *,
    cause: str,
    candidates: Sequence[RevisionId],
) -> Row:
    project, unit = Scope.of(database)
    known = [whole.revisions[rev] for rev in candidates if rev in whole.revisions]
    people = sorted({one.person for one in known if one.person and not one.person.startswith(PEER_PREFIX)})
    names = [context.names[person] for person in people if person in context.names]
    return {
        "database": database,
        "record": whole.doc_id,
        "path": path_key(path),
        "cause": cause,
        "candidates": list(candidates),
        "people": people,
        "form": context.form,
        "project": project,
        "unit": unit,
        "title": context.title,
        "since": max(one.received_at for one in known or whole.revisions.values()),
        "folded": fold("\n".join([context.title, *names])),
    }
