"""How much a link bears: the size of the next batch, learnt from what became of those before."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from server.peers.model import Direction
from sync.revisions.canonical import Json

#: A batch begins with so many revisions, and grows as long as the link carries it: every one costs both sides a
#: checkpoint, and a link that is slow gets no more than it bears.
BATCH, MOST = 100, 800
#: After so many batches of the greatest size that went well, a greater one is tried: links become better too.
PATIENCE = 16


@dataclass(slots=True)
class Portion:
    """How many at once: ever more while that goes well, half when it was too much."""

    size: int = BATCH
    _most: int = MOST
    _borne: int = 0

    def went_well(self) -> None:
        """Take more the next time, up to what was too much."""
        self._borne += 1
        if self.size >= self._most and self._borne >= PATIENCE:
            self._most, self._borne = min(MOST, self._most * 2), 0
        self.size = min(self._most, self.size * 2)

    def was_too_much(self, of: int | None = None) -> None:
        """Take half the next time: of `of`, where it was fewer than that."""
        self.size = self._most = max(1, min(self.size, of or self.size) // 2)
        self._borne = 0

    def written(self) -> dict[str, Json]:
        """Return what was learnt, as it is written down."""
        return {"size": self.size, "most": self._most}

    def recall(self, written: Json) -> None:
        """Go on from what was written down; what is nothing of the kind says nothing."""
        if isinstance(written, Mapping):
            size, most = written.get("size"), written.get("most")
            if isinstance(size, int) and isinstance(most, int) and 1 <= size <= most <= MOST:
                self.size, self._most = size, most


@dataclass(slots=True)
class BatchSize(Portion):
    """The size of the next batch; it outlives the replication that failed, or its successor would fail alike.

    `answer` is how many revisions one answer holds: the longer documents are, the fewer.
    """

    answer: Portion = field(default_factory=Portion)
    _is_learnt: bool = False

    def written(self) -> dict[str, Json]:
        """Return what was learnt, as it is written down."""
        return {**Portion.written(self), "answer": self.answer.written()}

    def recall(self, written: Json) -> None:
        """Go on from what was written down, where nothing newer was learnt in this process."""
        if not self._is_learnt and isinstance(written, Mapping):
            Portion.recall(self, written)
            self.answer.recall(written.get("answer"))
        self._is_learnt = True


@dataclass(slots=True)
class Paces:
    """The paces of everything that goes between this server and one peer."""

    _of: dict[tuple[str, Direction], BatchSize] = field(default_factory=dict)

    def of(self, database: str, direction: Direction) -> BatchSize:
        """Return the pace of one database in one direction."""
        return self._of.setdefault((database, direction), BatchSize())
