"""Who is in a world: its servers, and between which of them replication runs."""

from collections.abc import Sequence
from itertools import pairwise

#: The first knows the people first, and the plain replica hangs on it. How many there are is the seed's.
SERVERS = ("province", "hub", "centre", "neighbour", "mobile hub")
#: Refusals and quarantines that no manager lets in.
NEVER_ACCEPTED = ("forged_generation", "known_id_other_content")

Link = tuple[str, str]


class LinkBroken(Exception):
    """A replication was cut off."""


def links_between(servers: Sequence[str], *, is_ring: bool) -> tuple[Link, ...]:
    """Return each pair of neighbours, in a line or closed to a ring."""
    line = tuple(pairwise(servers))
    return (*line, (servers[-1], servers[0])) if is_ring and len(servers) > 2 else line


def both_ways(links: Sequence[Link]) -> tuple[Link, ...]:
    """Return the links as directions."""
    return (*links, *((target, source) for source, target in links))


def short(rev: str | None) -> str:
    """Return a revision id as people read it."""
    return rev[: rev.index("-") + 5] if rev else "nothing"
