"""What is written in one transaction, where nothing must be written with it: as much as others can wait for.

On SQLite nobody else writes before it ends, on PostgreSQL nobody else into this database.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from server.journal.model import NewRevision
from server.platform.turns import slices

#: Some 900 edits as people make them: the 500 that a CouchDB brings at once are one part.
MOST_WEIGHT = 10_000

Item = TypeVar("Item")


def in_parts(items: Iterable[Item], revision: Callable[[Item], NewRevision]) -> Iterator[list[Item]]:
    """Give items in order, each with its revision, in parts for a transaction each; none where there are none."""
    return slices(items, MOST_WEIGHT, lambda item: revision(item).weight)
