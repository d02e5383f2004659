"""What the server would write instead: changes of cells that an author accepts with one click.

A proposal is a pure change of the workbook's rows. It has a key that stays the same from one check to the next, since
rows never move: whoever accepts sends the keys along with the same file, and nothing has to be kept in between.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

HEADER_ROW: Final = 1


@dataclass(frozen=True, slots=True)
class CellChange:
    """One cell that becomes another; in row 1 a column is renamed, and an empty `after` empties the cell."""

    sheet: str
    row: int
    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class FormProposal:
    """Changes that are accepted together; without any, what is accepted is the file itself, read another way."""

    key: str
    changes: tuple[CellChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Which proposals an author has accepted: those with these keys, or all that there are."""

    keys: frozenset[str] = frozenset()
    is_everything: bool = False

    @classmethod
    def of(cls, keys: Collection[str]) -> "Acceptance":
        """Return an acceptance of these keys; "*" among them means all."""
        return cls(frozenset(keys), EVERYTHING in keys)

    def takes(self, proposal: FormProposal) -> bool:
        """Say whether this proposal is accepted."""
        return self.is_everything or proposal.key in self.keys


EVERYTHING: Final = "*"
NOTHING: Final = Acceptance()
