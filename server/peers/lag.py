"""How much of this server waits to be pushed: counted where it stands, so that it is known while the peer is away."""

from collections.abc import Sequence
from dataclasses import replace

from server.journal.journal import Journal
from server.peers.book import Status


async def with_lag(journal: Journal, statuses: Sequence[Status]) -> list[Status]:
    """Return the statuses as they are kept, those of pushing with what has been written here since."""
    pushed = {one.database for one in statuses if one.direction == "push"}
    standing = {state.name: state for state in await journal.databases(pushed)} if pushed else {}
    found: list[Status] = []
    for one in statuses:
        state = standing.get(one.database) if one.direction == "push" else None
        if state is None:
            found.append(one)
        elif state.since == one.last_seq:
            found.append(replace(one, behind=0))
        else:
            at = await journal.position(one.database, one.last_seq) if one.last_seq else 0
            found.append(replace(one, behind=(await journal.changes(one.database, at, limit=0)).pending))
    return found
