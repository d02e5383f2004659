"""A document as its sender wrote it, read once: what the policy and the journal ask of it later stands in fields."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from server.journal.model import ATTACHMENTS
from server.platform.canonical_json import canonical
from sync.contract.documents import type_of
from sync.contract.members import Content, is_restricted
from sync.contract.wire import NUMBER_PATTERN
from sync.revisions.canonical import Json, MalformedJson
from sync.revisions.revision_id import RevisionId

_NUMBER = re.compile(NUMBER_PATTERN)
_ENVELOPE = frozenset({"_id", "_rev", "_deleted"})


@dataclass(frozen=True, slots=True)
class IncomingDocument:
    """A document on its way in; `members` are its own, without `_id`, `_rev` and `_deleted`.

    `content` is all members in canonical form, empty where nobody makes a revision of it. `is_flawed`: none can be
    made.
    """

    doc_id: str
    rev: RevisionId
    members: Content
    deleted: bool = False
    content: bytes = b""
    is_flawed: bool = False

    @property
    def key(self) -> tuple[str, RevisionId]:
        """Return document and revision."""
        return self.doc_id, self.rev

    @property
    def type(self) -> str | None:
        """Return the row of `DOCUMENT_TYPES` that it falls under; None for none."""
        return type_of(self.doc_id, self.members.get("type"), deleted=self.deleted)

    @property
    def restricted(self) -> Content:
        """Return the members that not everybody who captures may write."""
        return {name: value for name, value in self.members.items() if is_restricted(name)}

    @property
    def saver(self) -> str | None:
        """Return the enrolment that it says it was saved under."""
        by = self._saved.get("by")
        return by if isinstance(by, str) else None

    @property
    def number(self) -> str | None:
        """Return the count of its enrolment's saves that it says it is; None where it says no number."""
        number = self._saved.get("number")
        return number if isinstance(number, str) and _NUMBER.fullmatch(number) else None

    @property
    def saved_by_form(self) -> tuple[str, str] | None:
        """Return the form and the version of the record that saved it; None where a person did so themselves."""
        source = self._saved.get("from")
        said = [source.get("form"), source.get("form_version")] if isinstance(source, Mapping) else []
        form, version = said or (None, None)
        return (form, version) if isinstance(form, str) and isinstance(version, str) else None

    @property
    def has_attachments(self) -> bool:
        """Whether files come with it."""
        return bool(self.members.get(ATTACHMENTS))

    @property
    def _saved(self) -> Mapping[str, Json]:
        saved = self.members.get("saved")
        return saved if isinstance(saved, Mapping) else {}


@dataclass(frozen=True, slots=True)
class PushedDocument:
    """A document that a phone pushes into a database; `ancestors` parent first."""

    database: str
    document: IncomingDocument
    ancestors: tuple[RevisionId, ...]


def read_document(
    document: Mapping[str, Json], *, keeps_attachments: bool = False, is_flawed: bool = False
) -> IncomingDocument:
    """Return what a document with `_id` and `_rev` says; marked as flawed where no revision can be made of it.

    With `keeps_attachments` they are a member like any other: such a document is quarantined with them.
    """
    doc_id, rev, deleted = document.get("_id", ""), document.get("_rev", ""), document.get("_deleted", False)
    members: dict[str, Json] = {}
    is_whole = not is_flawed and isinstance(deleted, bool)
    is_whole = is_whole and isinstance(document.get("_id"), str) and isinstance(document.get("_rev"), str)
    for name, value in document.items():
        if not name.startswith("_") or (name == ATTACHMENTS and keeps_attachments and value):
            members[name] = value
        elif name not in _ENVELOPE:
            is_whole = False
    content = b""
    if is_whole:
        try:
            content = canonical(members)
        except MalformedJson:
            is_whole = False
    return IncomingDocument(str(doc_id), str(rev), members, deleted is True, content, is_flawed=not is_whole)
