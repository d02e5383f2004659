"""Who only reads: a feed followed by its checkpoints alone, with nothing to tell that a page was wrong.

Phones compare digests and replicas compare what both sides have noted; an office that keeps a table up to date from the
feed has neither. What it is told up to its checkpoint must therefore be everything (I7).
"""

from dataclasses import dataclass, field

from tests.simulation.checks import Broken, position
from tests.simulation.province import SCOPES
from tests.simulation.server import Server


@dataclass(slots=True)
class Reader:
    """A table of winners by database and document, and how far each feed has been read."""

    winners: dict[tuple[str, str], str] = field(default_factory=dict)
    checkpoints: dict[str, str] = field(default_factory=dict)

    async def read_on(self, server: Server) -> None:
        """Read every feed to its end, and check that nothing was left out."""
        for database in SCOPES:
            since = self.checkpoints.get(database, "")
            start = await server.journal.position(database, since) if since else 0
            page = await server.journal.changes(database, start)
            self.winners |= {(database, row.doc_id): row.rev for row in page.rows}
            self.checkpoints[database] = page.state.since
            self._check(server, database)

    def _check(self, server: Server, database: str) -> None:
        seq = position(server, database, self.checkpoints[database])
        rows = server.reader.execute(
            "SELECT doc_id, winner FROM documents WHERE database = ? AND seq <= ?", (database, seq)
        )
        for row in rows:
            if self.winners.get((database, row["doc_id"])) != row["winner"]:
                raise Broken("I7", f"who read {server.name} {database} up to {seq} has not heard of {row['winner']}")
