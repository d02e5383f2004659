"""What happens in a world, how often, and between whom."""

SERVERS = ("province", "hub", "centre")
#: Between which ends replication runs.
LINKS = (("hub", "province"), ("province", "centre"), ("hub", "centre"))
EVENTS = {
    "save": 34,
    "visit": 34,
    "crowd": 7,
    "replicate": 9,
    "late": 4,
    "replica edits": 3,
    "grants change": 3,
    "manager": 3,
    "rogue": 3,
    "back up": 2,
    "restore": 1,
    "evict": 1,
    "lose a row": 1,
    "battery": 2,
    "discard": 2,
    "restart": 1,
}
#: Refusals and quarantines that no manager lets in.
NEVER_ACCEPTED = ("forged_generation", "known_id_other_content")


class LinkBroken(Exception):
    """A replication was cut off."""


def short(rev: str | None) -> str:
    """Return a revision id as people read it."""
    return rev[: rev.index("-") + 5] if rev else "nothing"
