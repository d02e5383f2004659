"""The checkpoint of a replication on the peer's side, which only this server writes.

So it shows what became of the peer: one that is not what was last written there comes from a backup, or belongs to a
database that was made anew. The peer then lacks what it had confirmed since, and nothing that this server remembers of
it holds. Such a checkpoint is never written over: each write names the revision that it replaces.
"""

from collections.abc import Mapping
from typing import Any

from server.peers.remote_database import RemoteDatabase

_SAYS = ("_rev", "session_id", "source_last_seq")


class CheckpointMoved(Exception):
    """Another checkpoint stands at the peer than was last written there."""


class PeerCheckpoint:
    """One `_local` document at the peer, and what stood there when it was last read or written."""

    def __init__(self, at: RemoteDatabase, name: str) -> None:
        """Read nothing yet."""
        self._at = at
        self._name = name
        self._stood: Mapping[str, Any] | None = None

    async def read(self) -> Mapping[str, Any] | None:
        """Return what stands there, from now on what is expected to stand there; None where nothing does."""
        self._stood = await self._at.local(self._name)
        return self._stood

    async def confirm(self) -> None:
        """Return when what stands there is what is expected; raise CheckpointMoved."""
        stands = await self._at.local(self._name)
        if _says(stands) != _says(self._stood):
            raise CheckpointMoved

    async def write(self, content: Mapping[str, Any]) -> None:
        """Write over what is expected to stand there; raise CheckpointMoved where something else does."""
        over = (self._stood or {}).get("_rev")
        written = await self._at.put_local(self._name, content, over)
        if written is None:
            raise CheckpointMoved
        self._stood = {**content, "_rev": written}


def _says(checkpoint: Mapping[str, Any] | None) -> tuple[Any, ...] | None:
    return None if checkpoint is None else tuple(checkpoint.get(name) for name in _SAYS)
