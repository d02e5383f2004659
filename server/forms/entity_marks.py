"""Reads what the binds of a published form say of entities: `server.forms.conversion.entities` writes it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

#: The group that an entity's own questions stand in, below whatever it is about.
HOLDER: Final = "/meta/entity"
#: The mark that says of which form an entity's records are.
FORM_MARK: Final = "entity_form"
FORM_MARKS: Final = (FORM_MARK, "entity_version", "entity_project")
SAVES_MARK: Final = "saves_to"


@dataclass(frozen=True, slots=True)
class Entity:
    """A record of another form that a record of this one makes or changes, where the group at `path` says so."""

    path: str
    form: str
    version: str
    project: str
    #: (pointer here, pointer there) of each answer that goes along.
    saves: tuple[tuple[str, str], ...]


def read_entities(binds: Mapping[str, etree._Element], prefix: str) -> Iterator[Entity]:
    """Give the entities of a form; `prefix` is what stands before the pointers in its paths."""
    saves: dict[str, list[tuple[str, str]]] = {path: [] for path, bind in binds.items() if bind.get(FORM_MARK)}
    for path, bind in binds.items():
        pointer, holder = bind.get(SAVES_MARK), holder_of(path, saves)
        if pointer and holder is not None:
            saves[holder].append((path.removeprefix(prefix), pointer))
    for path, saved in saves.items():
        form, version, project = (binds[path].get(name) or "" for name in FORM_MARKS)
        yield Entity(path.removeprefix(prefix), form, version, project, tuple(saved))


def holder_of(path: str, holders: Mapping[str, object]) -> str | None:
    """Return the entity that an answer goes to: that of the nearest group around it; None where there is none."""
    around = [holder for holder in holders if path.startswith(f"{holder.removesuffix(HOLDER)}/")]
    return max(around, key=len, default=None)
