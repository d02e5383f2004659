"""What stands in the worlds whose phones run the app, beside what is in every world: the seed says which of these."""

from random import Random

#: The first seed of a world whose phones run the app's own code.
APP_FROM = 10_000_000

#: Phones meet the hub one day and the province the next, and the hub takes its own commune's records alone.
BY_TURNS = "by turns"
#: Servers and phones are put back to older states of their disks, and months pass.
RESTORED = "restored"
#: Two people have one phone.
SHARED = "shared"
#: Records have photos, and servers lose some of them.
PHOTOS = "photos"
#: Links of 64 kbit/s, from which people walk away.
SLOW = "slow links"
KINDS = (BY_TURNS, RESTORED, SHARED, PHOTOS, SLOW)


def has_app(seed: int) -> bool:
    """Whether a seed's phones run the app's own code."""
    return seed >= APP_FROM


def kinds_of(seed: int) -> frozenset[str]:
    """Return what stands in a seed's world: each kind in its turn, and any of the others with it."""
    if not has_app(seed):
        return frozenset()
    random = Random(f"kinds {seed}")
    return frozenset({KINDS[seed % len(KINDS)], *(kind for kind in KINDS if random.random() < 0.15)})
