"""Regular expressions of forms, matched in time linear in the answer, whatever the pattern.

The phone runs JavaScript's, which may take for ever on a pattern like ^(a+)+$; there a person waits for their own
answer, here one answer would stop a server for everybody. So patterns become automata (K. Thompson, "Regular expression
search algorithm", 1968), whose sets of states are kept as they are met. What automata cannot do is refused when a form
is published: backreferences, looking ahead or back, and word boundaries.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

MAX_STATES = 1_000
MAX_DEPTH = 32
MAX_KNOWN = 2_000
LAST = "\uffff"


class NotAPattern(ValueError):
    """The text is no pattern, or one that needs more than an automaton."""


@dataclass(frozen=True, slots=True)
class Letters:
    """One letter out of ranges, or out of none of them."""

    ranges: tuple[tuple[str, str], ...]
    is_negated: bool = False

    def has(self, letter: str) -> bool:
        """Say whether the letter is one of these."""
        return any(first <= letter <= last for first, last in self.ranges) != self.is_negated


@dataclass(frozen=True, slots=True)
class Sequence:
    """Parts one after another."""

    parts: tuple["Part", ...]


@dataclass(frozen=True, slots=True)
class Alternation:
    """One of several parts."""

    parts: tuple["Part", ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """A part, at least and at most so many times (None: any number)."""

    part: "Part"
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Anchor:
    """The beginning of the text, or its end."""

    is_start: bool


Part = Letters | Sequence | Alternation | Repeated | Anchor

_DIGITS = (("0", "9"),)
_WORD = (("0", "9"), ("A", "Z"), ("_", "_"), ("a", "z"))
_SPACE = (
    ("\t", "\r"), (" ", " "), ("\u00a0", "\u00a0"), ("\u1680", "\u1680"), ("\u2000", "\u200a"),
    ("\u2028", "\u2029"), ("\u202f", "\u202f"), ("\u205f", "\u205f"), ("\u3000", "\u3000"), ("\ufeff", "\ufeff"),
)  # fmt: skip
_CLASSES = {"d": _DIGITS, "w": _WORD, "s": _SPACE}
_ENDS_OF_LINE = (("\n", "\n"), ("\r", "\r"), ("\u2028", "\u2029"))
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "v": "\v", "f": "\f", "0": "\0"}


@lru_cache(maxsize=512)
def pattern(text: str) -> "Pattern":
    """Return the automaton of a pattern, in JavaScript's notation; raise `NotAPattern`."""
    return Pattern(_PatternReader(text).parse())


@dataclass(slots=True)
class _StateSet:
    """A set of states that was met: where letters lead from it, and whether the text may end here."""

    states: frozenset[int]
    is_found: bool
    is_found_at_end: bool
    following: dict[str, "_StateSet"] = field(default_factory=dict)


class Pattern:
    """An automaton; `is_in` looks for it anywhere in a text."""

    def __init__(self, part: Part) -> None:
        """Build the states; raise `NotAPattern` where there would be too many."""
        # A state is what it reads (None: nothing, it only leads on) and where it leads; edges bear a flag.
        self._letters: list[Letters | None] = []
        self._edge: list[bool | None] = []
        self._next: list[tuple[int, ...]] = []
        self._accept = self._state(None, ())
        self._begin = self._build(part, self._accept)
        self._later = self._closure([self._begin], is_start=False)
        self._known: dict[frozenset[int], _StateSet] = {}
        self._first = self._met(self._closure([self._begin], is_start=True))
        self._first_is_found_empty = self._accept in self._closure([self._begin], is_start=True, is_end=True)

    def is_in(self, text: str) -> bool:
        """Say whether the pattern is found in a text of UTF-16 units."""
        if not text:
            return self._first_is_found_empty
        at = self._first
        for letter in text:
            if at.is_found:
                return True
            following = at.following.get(letter)
            if following is None:
                following = self._step(at, letter)
            at = following
        return at.is_found or at.is_found_at_end

    def _step(self, at: _StateSet, letter: str) -> _StateSet:
        reached = [
            following
            for state in at.states
            if (letters := self._letters[state]) is not None and letters.has(letter)
            for following in self._next[state]
        ]
        met = self._met(self._closure(reached, is_start=False) | self._later)
        if len(at.following) < MAX_KNOWN:
            at.following[letter] = met
        return met

    def _met(self, states: frozenset[int]) -> _StateSet:
        known = self._known.get(states)
        if known is None:
            if len(self._known) >= MAX_KNOWN:
                # Sets lead to each other, so all are forgotten together.
                for each in self._known.values():
                    each.following.clear()
                self._known.clear()
            at_end = self._closure(states, is_start=False, is_end=True)
            known = self._known[states] = _StateSet(states, self._accept in states, self._accept in at_end)
        return known

    def _closure(self, states: Iterable[int], *, is_start: bool, is_end: bool = False) -> frozenset[int]:
        reached: set[int] = set()
        open_states = list(states)
        while open_states:
            state = open_states.pop()
            if state in reached:
                continue
            reached.add(state)
            edge = self._edge[state]
            if self._letters[state] is None and (edge is None or (is_start if edge else is_end)):
                open_states.extend(self._next[state])
        return frozenset(reached)

    def _state(self, letters: Letters | None, following: tuple[int, ...], edge: bool | None = None) -> int:
        if len(self._next) >= MAX_STATES:
            raise NotAPattern("the pattern is too large")
        self._letters.append(letters)
        self._next.append(following)
        self._edge.append(edge)
        return len(self._next) - 1

    def _build(self, part: Part, following: int) -> int:
        """Return the state that reads `part` and goes on at `following`."""
        match part:
            case Letters():
                return self._state(part, (following,))
            case Anchor(is_start):
                return self._state(None, (following,), is_start)
            case Sequence(parts):
                for each in reversed(parts):
                    following = self._build(each, following)
                return following
            case Alternation(parts):
                return self._state(None, tuple(self._build(each, following) for each in parts))
            case Repeated(inner, least, most):
                return self._repeat(inner, least, most, following)

    def _repeat(self, inner: Part, least: int, most: int | None, following: int) -> int:
        if most is None:
            loop = self._state(None, ())
            self._next[loop] = (self._build(inner, loop), following)
            start = loop
        else:
            start = following
            for _ in range(most - least):
                start = self._state(None, (self._build(inner, start), following))
        for _ in range(least):
            start = self._build(inner, start)
        return start


class _PatternReader:
    """Reads JavaScript's notation (without the flag u)."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def parse(self) -> Part:
        part = self._choice()
        if self._at < len(self._text):
            raise NotAPattern("a bracket closes that none opened")
        return part

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        letter = self._peek()
        if not letter:
            raise NotAPattern("the pattern ends too early")
        self._at += 1
        return letter

    def _has(self, start: str) -> bool:
        if self._text.startswith(start, self._at):
            self._at += len(start)
            return True
        return False

    def _choice(self) -> Part:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise NotAPattern("nested too deeply")
        parts = [self._sequence()]
        while self._has("|"):
            parts.append(self._sequence())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else Alternation(tuple(parts))

    def _sequence(self) -> Part:
        parts: list[Part] = []
        while self._peek() not in {"", "|", ")"}:
            parts.append(self._quantified(self._atom()))
        return Sequence(tuple(parts))

    def _atom(self) -> Part:
        letter = self._take()
        if letter == "(":
            return self._group()
        if letter == "[":
            return self._class()
        if letter == ".":
            return Letters(_ENDS_OF_LINE, is_negated=True)
        if letter in "^$":
            return Anchor(letter == "^")
        if letter in "*+?":
            raise NotAPattern("nothing to repeat")
        if letter == "\\":
            return self._escape(in_class=False)
        return Letters(((letter, letter),))

    def _group(self) -> Part:
        if self._has("?"):
            if self._has("<") and self._peek() not in {"=", "!"}:
                while self._take() != ">":
                    pass
            elif not self._has(":"):
                raise NotAPattern("looking ahead or back")
        part = self._choice()
        if not self._has(")"):
            raise NotAPattern("a bracket is not closed")
        return part

    def _quantified(self, part: Part) -> Part:
        counts = self._counts()
        if counts is None:
            return part
        if isinstance(part, Anchor):
            raise NotAPattern("nothing to repeat")
        least, most = counts
        if max(least, most or 0) > MAX_STATES or (most is not None and most < least):
            raise NotAPattern("the counts do not fit")
        # Greedy or not makes no difference to whether it is there.
        self._has("?")
        if self._peek() in {"*", "+", "?"} or self._looks_counted():
            raise NotAPattern("nothing to repeat")
        return Repeated(part, least, most)

    def _counts(self) -> tuple[int, int | None] | None:
        if self._has("*"):
            return 0, None
        if self._has("+"):
            return 1, None
        if self._has("?"):
            return 0, 1
        start = self._at
        if self._has("{"):
            least = self._number()
            most = least
            if least is not None and self._has(","):
                most = self._number()
            if least is not None and self._has("}"):
                return least, most
            self._at = start
        return None

    def _looks_counted(self) -> bool:
        start = self._at
        is_counted = self._counts() is not None
        self._at = start
        return is_counted

    def _number(self) -> int | None:
        start = self._at
        while self._peek() and self._peek() in "0123456789" and self._at - start < 6:
            self._at += 1
        return int(self._text[start : self._at]) if self._at > start else None

    def _class(self) -> Letters:
        is_negated = self._has("^")
        ranges: list[tuple[str, str]] = []
        while not self._has("]"):
            first = self._class_atom()
            if _is_one(first) and self._peek() == "-" and self._text[self._at + 1 : self._at + 2] not in {"]", ""}:
                self._take()
                last = self._class_atom()
                if not _is_one(last):
                    ranges += [*first, ("-", "-"), *last]
                elif last[0][0] < first[0][0]:
                    raise NotAPattern("a range runs backwards")
                else:
                    ranges.append((first[0][0], last[0][1]))
                continue
            ranges += first
        return Letters(tuple(ranges), is_negated)

    def _class_atom(self) -> tuple[tuple[str, str], ...]:
        letter = self._take()
        if letter != "\\":
            return ((letter, letter),)
        letters = self._escape(in_class=True)
        return _inverted(letters.ranges) if letters.is_negated else letters.ranges

    def _escape(self, *, in_class: bool) -> Letters:
        letter = self._take()
        if letter.lower() in _CLASSES:
            return Letters(_CLASSES[letter.lower()], is_negated=letter.isupper())
        if letter == "b" and in_class:
            letter = "\b"
        elif letter in "bB" or letter in "123456789" or (letter == "k" and not in_class):
            raise NotAPattern("a word boundary or a backreference")
        elif letter in _CONTROLS:
            letter = _CONTROLS[letter]
        elif letter in "xu":
            letter = self._by_code(letter, 2 if letter == "x" else 4)
        return Letters(((letter, letter),))

    def _by_code(self, letter: str, digits: int) -> str:
        code = self._text[self._at : self._at + digits]
        if len(code) == digits and all(digit in "0123456789abcdefABCDEF" for digit in code):
            self._at += digits
            return chr(int(code, 16))
        return letter


def _is_one(ranges: tuple[tuple[str, str], ...]) -> bool:
    """Say whether these are a single letter."""
    return len(ranges) == 1 and ranges[0][0] == ranges[0][1]


def _inverted(ranges: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Return the letters between sorted ranges."""
    inverted: list[tuple[str, str]] = []
    start = 0
    for first, last in ranges:
        if ord(first) > start:
            inverted.append((chr(start), chr(ord(first) - 1)))
        start = ord(last) + 1
    if start <= ord(LAST):
        inverted.append((chr(start), LAST))
    return tuple(inverted)
