"""Declarations of guards, providers of dependencies and handlers, for the API's description.

Each says only what it does itself: a handler's problems are its own and those of all guards and dependencies that it
has, which `description` adds up. Nothing here changes what happens; tests compare every answer with the description.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from weakref import WeakKeyDictionary

from server.errors import KINDS

#: Ways of saying who asks; `description.SCHEMES` explains them.
Scheme = Literal["bearer", "basic"]
#: The problems of a method at a path, whose parameters stand in braces.
Problems = Callable[[str, str], Iterable[str]]
Declaring = TypeVar("Declaring", bound=Callable[..., Any])

_problems: WeakKeyDictionary[Callable[..., Any], list[Problems]] = WeakKeyDictionary()
_schemes: WeakKeyDictionary[Callable[..., Any], tuple[Scheme, ...]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Described:
    """The parts of a handler's description that its signature can't hold, under `described` in its options.

    `body` is the model or dataclass, or the media type of the bytes, that the handler reads itself; `answers` the same
    of what it answers. `headers` are the request headers that must be there with their schemas, `gives` the headers of
    the answer with what they mean.
    """

    body: type | str | None = None
    answers: type | str | None = None
    headers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    gives: Mapping[str, str] = field(default_factory=dict)


def raises(*codes: str) -> Callable[[Declaring], Declaring]:
    """Declare that a guard, a provider or a handler may raise these problems."""
    assert KINDS.keys() >= set(codes), codes
    return raises_by_path(lambda _method, _path: codes)


def raises_by_path(problems: Problems) -> Callable[[Declaring], Declaring]:
    """Declare the problems of a guard that decides by method and path."""

    def declare(what: Declaring) -> Declaring:
        _problems.setdefault(what, []).append(problems)
        return what

    return declare


def signs_in(*schemes: Scheme) -> Callable[[Declaring], Declaring]:
    """Declare that a guard or provider lets in only who says in one of these ways who they are."""

    def declare(what: Declaring) -> Declaring:
        _schemes[what] = schemes
        return raises("not_signed_in")(what)

    return declare


def problems_of(what: Callable[..., Any], method: str, path: str) -> set[str]:
    """Return the problems that `what` declares of itself."""
    return {code for problems in _problems.get(what, ()) for code in problems(method, path)}


def schemes_of(what: Callable[..., Any]) -> tuple[Scheme, ...]:
    """Return the ways of signing in that `what` asks for; none where it lets in everybody."""
    return _schemes.get(what, ())
