"""How much a link bears: the size of the next batch, learnt from what became of those before."""

from dataclasses import dataclass, field

from server.peers.model import Direction

#: A batch begins with so many revisions, and grows as long as the link carries it: every one costs both sides a
#: checkpoint, and a link that is slow gets no more than it bears.
BATCH, MOST = 100, 800
#: After so many batches of the greatest size that went well, a greater one is tried: links become better too.
PATIENCE = 16


@dataclass(slots=True)
class Pace:
    """The size of the next batch; it outlives the replication that failed, or its successor would fail alike."""

    size: int = BATCH
    _most: int = MOST
    _borne: int = 0

    def went_well(self) -> None:
        """Take more the next time, up to what was too much."""
        self._borne += 1
        if self.size >= self._most and self._borne >= PATIENCE:
            self._most, self._borne = min(MOST, self._most * 2), 0
        self.size = min(self._most, self.size * 2)

    def was_too_much(self) -> None:
        """Take half the next time."""
        self.size = self._most = max(1, self.size // 2)
        self._borne = 0


@dataclass(slots=True)
class Paces:
    """The paces of everything that goes between this server and one peer."""

    _of: dict[tuple[str, Direction], Pace] = field(default_factory=dict)

    def of(self, database: str, direction: Direction) -> Pace:
        """Return the pace of one database in one direction."""
        return self._of.setdefault((database, direction), Pace())
