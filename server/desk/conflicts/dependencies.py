"""Dependencies of the desk's handlers: pages, decisions, relocation, and many decisions at once."""

from litestar.di import NamedDependency, Provide

from server.areas.areas import Areas
from server.desk.conflicts.batch import Batches
from server.desk.conflicts.deciding import Decisions
from server.desk.conflicts.page import Pages
from server.desk.relocation.relocating import Moving
from server.forms.library import FormLibrary
from server.journal.journal import Journal
from server.platform.clock import Clock
from server.platform.db.engine import Storage


def provide_pages(
    storage: NamedDependency[Storage],
    journal: NamedDependency[Journal],
    library: NamedDependency[FormLibrary],
    areas: NamedDependency[Areas],
    clock: NamedDependency[Clock],
) -> Pages:
    """Return what pages are made by."""
    return Pages(storage, journal, library, areas, clock)


def provide_decisions(
    storage: NamedDependency[Storage],
    journal: NamedDependency[Journal],
    pages: NamedDependency[Pages],
    clock: NamedDependency[Clock],
) -> Decisions:
    """Return what conflicts are decided through."""
    return Decisions(storage, journal, pages, clock)


def provide_moving(
    storage: NamedDependency[Storage],
    journal: NamedDependency[Journal],
    pages: NamedDependency[Pages],
    decisions: NamedDependency[Decisions],
    clock: NamedDependency[Clock],
) -> Moving:
    """Return what a record's place is settled through."""
    return Moving(storage, journal, pages, decisions, clock)


def provide_batches(
    storage: NamedDependency[Storage],
    journal: NamedDependency[Journal],
    library: NamedDependency[FormLibrary],
    decisions: NamedDependency[Decisions],
    clock: NamedDependency[Clock],
) -> Batches:
    """Return what many conflicts are decided through."""
    return Batches(storage, journal, library, decisions, clock)


PROVIDED = {
    "pages": Provide(provide_pages, sync_to_thread=False),
    "decisions": Provide(provide_decisions, sync_to_thread=False),
    "moving": Provide(provide_moving, sync_to_thread=False),
    "batches": Provide(provide_batches, sync_to_thread=False),
}
