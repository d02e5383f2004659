"""The numbers of an enrolment's saves, as a set of closed ranges: `1-41,43`.

A phone counts its saves, so the set of what arrived is nearly always one range and stays one short text in the
enrolment's row however many records it brings.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import Self


@dataclass(frozen=True, slots=True)
class Numbers:
    """An immutable set of positive integers; `ranges` are disjoint, ascending and not adjacent."""

    ranges: tuple[tuple[int, int], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the set that `str()` wrote."""
        pairs = []
        for part in filter(None, text.split(",")):
            first, _, last = part.partition("-")
            pairs.append((int(first), int(last or first)))
        return cls(tuple(pairs))

    @classmethod
    def of(cls, numbers: Iterable[int]) -> Self:
        """Return the set of `numbers`, given in any order and with repeats."""
        return cls._joined((number, number) for number in numbers)

    @classmethod
    def _joined(cls, pairs: Iterable[tuple[int, int]]) -> Self:
        joined: list[tuple[int, int]] = []
        for first, last in sorted(pairs):
            if joined and first <= joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], max(joined[-1][1], last))
            else:
                joined.append((first, last))
        return cls(tuple(joined))

    def __or__(self, other: "Numbers") -> Self:
        """Return what either holds."""
        return self._joined((*self.ranges, *other.ranges))

    def __contains__(self, number: int) -> bool:
        """Tell whether `number` is in the set."""
        before = bisect_right(self.ranges, number, key=itemgetter(0))
        return before > 0 and number <= self.ranges[before - 1][1]

    def __str__(self) -> str:
        """Return the set as text, empty for the empty set."""
        return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in self.ranges)

    @property
    def highest(self) -> int:
        """Return the greatest number, 0 for the empty set."""
        return self.ranges[-1][1] if self.ranges else 0

    @property
    def unbroken(self) -> int:
        """Return the number up to which the set holds every number from 1 on; 0 where it lacks 1."""
        return self.ranges[0][1] if self.ranges and self.ranges[0][0] == 1 else 0

    def first(self, ranges: int) -> Self:
        """Return the lowest of the set, in that many ranges at most."""
        return type(self)(self.ranges[:ranges])

    def missing(self) -> Self:
        """Return every number from 1 to the highest that is not in the set."""
        gaps = []
        following = 1
        for first, last in self.ranges:
            if first > following:
                gaps.append((following, first - 1))
            following = last + 1
        return type(self)(tuple(gaps))

    def within(self, other: "Numbers") -> Self:
        """Return what both hold."""
        return self.minus(type(self)(self.minus(other).ranges))

    def minus(self, other: "Numbers") -> Self:
        """Return what this set holds and `other` does not."""
        left: list[tuple[int, int]] = []
        position = 0
        for first, last in self.ranges:
            start = first
            while position < len(other.ranges) and other.ranges[position][0] <= last:
                other_first, other_last = other.ranges[position]
                if start < other_first:
                    left.append((start, other_first - 1))
                start = max(start, other_last + 1)
                if other_last > last:
                    # It may reach into the next range of this set as well.
                    break
                position += 1
            if start <= last:
                left.append((start, last))
        return type(self)(tuple(left))
