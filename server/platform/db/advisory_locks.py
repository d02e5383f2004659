"""Every advisory lock that servers on one PostgreSQL take, each with a number of its own.

Two that share a number wait for each other: the followers' lead is held for as long as a server lives. So no other
module writes a number, and what takes a lock asks for an `AdvisoryLock`.
"""

from enum import IntEnum, unique


@unique
class AdvisoryLock(IntEnum):
    """Things to lock; each value is PostgreSQL's key. Servers of different releases share them: none ever changes."""

    #: Held by the server whose followers work.
    FOLLOWERS = 0x4E75_6F6E_6701
    #: Held by the server that exchanges with peers.
    PEERS = 0x4E75_6F6E_6702
    #: Held by a process while it migrates.
    MIGRATION = 0x4E75_6F6E_6703
