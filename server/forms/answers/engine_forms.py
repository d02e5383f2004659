"""Answers to the merge engine's questions about forms, from the published versions.

The engine cannot wait for a storage, so whatever the versions of some documents need is read before: their forms, the
versions published between them, their choice lists. A version that is not here is not made up: the engine then says
that it waits. Versions never change, so that shapes and ways are kept for the life of a library.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from server.forms.answers.lifting import VersionPath
from server.forms.answers.merge_schema import shape_of
from server.forms.library import FormLibrary, PublishedForm
from sync.merging.document import Checked, Content, Document
from sync.merging.field_schema import FieldSchema, Path

Version = tuple[str, str]


@dataclass(slots=True)
class _Kept:
    """Facts computed from a library's versions; orders have the versions of a form as they were published."""

    published: dict[Version, PublishedForm] = field(default_factory=dict)
    orders: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ways: dict[tuple[str, str, str], VersionPath] = field(default_factory=dict)


_KEPT: WeakKeyDictionary[FormLibrary, _Kept] = WeakKeyDictionary()


class MergingForms:
    """The `Forms` of the merge engine for some documents, all that they need read before."""

    def __init__(self, kept: _Kept) -> None:
        """Take what is known; `over` makes one."""
        self._kept = kept

    @classmethod
    async def over(cls, library: FormLibrary, documents: Iterable[Document]) -> "MergingForms":
        """Return the forms for these documents, reading what is not known yet of the versions that they name."""
        kept = _KEPT.setdefault(library, _Kept())
        needed: dict[str, set[str]] = {}
        for document in documents:
            for revision in document.revisions.values():
                form, version = revision.content.get("form"), revision.content.get("form_version")
                if isinstance(form, str) and isinstance(version, str):
                    needed.setdefault(form, set()).add(version)
        for form, versions in needed.items():
            await _read(library, kept, form, versions)
        return cls(kept)

    def shape(self, form: str, version: str) -> FieldSchema | None:
        """Return the shape of a version; None where it is not here."""
        published = self._kept.published.get((form, version))
        return None if published is None else shape_of(published.schema)

    def newest(self, form: str, versions: Collection[str]) -> str:
        """Return the one of these versions that was published last."""
        return max(versions, key=self._kept.orders[form].index)

    def lift(self, form: str, answers: Content, from_version: str, to_version: str) -> Content | None:
        """Return the answers as the other version holds them; None where there is no way between."""
        return self._way(form, from_version, to_version).lift(answers)

    def lifted_path(self, form: str, path: Path, from_version: str, to_version: str) -> Path:
        """Return what a field is called in the other version."""
        return self._way(form, from_version, to_version).path(path)

    def check(self, form: str, version: str, answers: Content) -> Checked:
        """Return the answers with calculated fields computed anew, and which constraints they break."""
        evaluated = self._kept.published[form, version].evaluator.evaluate(answers)
        return Checked(evaluated.answers, frozenset(evaluated.broken), evaluated.irrelevant)

    def _way(self, form: str, from_version: str, to_version: str) -> VersionPath:
        way = self._kept.ways.get((form, from_version, to_version))
        if way is None:
            order = self._kept.orders[form]
            first, last = order.index(from_version), order.index(to_version)
            between = order[first : last + 1] if first < last else order[last : first + 1][::-1]
            way = VersionPath([self._kept.published[form, version].schema for version in between])
            self._kept.ways[form, from_version, to_version] = way
        return way


async def _read(library: FormLibrary, kept: _Kept, form: str, versions: Collection[str]) -> None:
    """Read these versions of a form; where there are several also those between, which tell what was renamed."""
    known = kept.orders.get(form, ())
    if any(version not in known for version in versions):
        known = await library.versions(form)
        kept.orders[form] = known
    here = sorted(known.index(version) for version in versions if version in known)
    for version in known[here[0] : here[-1] + 1] if here else ():
        if (form, version) not in kept.published:
            published = await library.get(form, version)
            if published is not None:
                kept.published[form, version] = published
