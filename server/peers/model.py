"""A peer, and which databases go between it and this server."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Literal, get_args

from server.areas.grants import CATALOG

Direction = Literal["push", "pull"]
Directions = Literal["both", "push", "pull"]
Mode = Literal["continuous", "once"]
#: `province`: the server that this hub is of, which alone writes people, grants, areas and catalog.
Kind = Literal["replica", "province"]
#: `token`: a one-minute token of this server's own key, for a CouchDB that knows the key.
Auth = Literal["none", "password", "token"]

DIRECTIONS: tuple[Directions, ...] = get_args(Directions)
MODES: tuple[Mode, ...] = get_args(Mode)
AUTHS: tuple[Auth, ...] = get_args(Auth)


@dataclass(frozen=True, slots=True)
class Peer:
    """Another server; `scopes` are names of databases in which `*` stands for anything."""

    id: str
    name: str
    url: str
    kind: Kind
    direction: Directions
    mode: Mode
    auth: Auth
    username: str | None
    scopes: tuple[str, ...]
    created_at: datetime
    sync_asked_at: datetime | None = None

    @property
    def author(self) -> str:
        """Return the author of this peer's revisions that have no seal."""
        return f"peer:{self.name}"

    @property
    def ways(self) -> tuple[Direction, ...]:
        """Return the directions in which anything goes between the two."""
        return tuple(way for way in get_args(Direction) if self.direction in ("both", way))

    def databases(self, direction: Direction, present: Iterable[str]) -> tuple[str, ...]:
        """Return those of the databases that are present which go in this direction, catalog first."""
        if self.direction not in ("both", direction):
            return ()
        wanted = [name for name in present if any(fnmatchcase(name, pattern) for pattern in self.scopes)]
        # Only the province writes the catalog: a hub takes it from there, and nobody else's is taken.
        is_catalogued = (direction == "pull") == (self.kind == "province")
        named = [name for name in wanted if name != CATALOG]
        return (*([CATALOG] if is_catalogued and (CATALOG in wanted or self.kind == "province") else []), *named)
