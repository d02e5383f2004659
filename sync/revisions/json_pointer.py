"""Field paths: JSON Pointers (RFC 6901) as text, and the one place that takes them apart and puts them together."""

from collections.abc import Iterable
from typing import TypeAlias

#: `""` is the whole document; every further step stands behind a `/`.
Pointer: TypeAlias = str


def escape(name: str) -> str:
    """Return a member's name as a step of a pointer."""
    return name.replace("~", "~0").replace("/", "~1") if "~" in name or "/" in name else name


def unescape(step: str) -> str:
    """Return the member's name that a step of a pointer stands for."""
    return step.replace("~1", "/").replace("~0", "~") if "~" in step else step


def pointer_to(names: Iterable[str | int]) -> Pointer:
    """Return the pointer that goes by these names and positions."""
    return "".join(f"/{escape(str(name))}" for name in names)


def tokens_of(pointer: Pointer) -> list[str]:
    """Return the names and positions that a pointer goes by; of the whole document none."""
    return [unescape(step) for step in pointer.split("/")[1:]]


def split_last(pointer: Pointer) -> tuple[Pointer, str]:
    """Return the pointer to what is around, and the last name; of the whole document `""` twice."""
    around, _, step = pointer.rpartition("/")
    return around, unescape(step)
