"""In which order followers take the feed, from what each declares, and the drawing of it in `docs/architecture.md`."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from server.journal.followers.follower import Declared

P = TypeVar("P", bound=Declared)


def in_order(projections: Sequence[P]) -> list[P]:
    """Return them as they are given, but each after those that it reads.

    Raises ValueError for one that reads itself by a circle, or a projection that is not among them.
    """
    waiting, ordered = [*projections], list[P]()
    while waiting:
        done = {each.name for each in ordered}
        following = next((each for each in waiting if done.issuperset(each.after)), None)
        if following is None:
            raise ValueError(f"no order for {', '.join(each.name for each in waiting)}")
        waiting.remove(following)
        ordered.append(following)
    return ordered


def mermaid(projections: Iterable[Declared]) -> str:
    """Return the graph in Mermaid: who reads whose work, and what is written back into the journal."""
    lines = ["flowchart LR", "  journal[(journal)]"]
    for each in projections:
        lines += [f"  {before} --> {each.name}" for before in each.after or ("journal",)]
        if each.writes_back:
            lines.append(f"  {each.name} -- {', '.join(each.writes_back)} --> journal")
    return "\n".join(lines)
