"""What must be true, read from the disks by the checks' own code: none of it is computed by what is under test.

Each function raises Broken with the invariant's number. The graph, winners and digests are computed here once more, in
the plainest way that there is.
"""

import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from server.areas.grants import CATALOG
from sync.contract.reasons import STORED
from sync.revisions.revision_id import revision_id
from tests.simulation.phone import Phone
from tests.simulation.replica import Replica
from tests.simulation.server import Server
from tests.simulation.store import Own

Key = tuple[str, str, str]


class Broken(AssertionError):
    """An invariant does not hold; `number` says which."""

    def __init__(self, number: str, what: str) -> None:
        """Keep the invariant's number."""
        self.number = number
        super().__init__(f"{number}: {what}")


@dataclass(frozen=True, slots=True)
class Made:
    """A revision that somebody honestly made."""

    parent: str | None
    deleted: bool
    content: bytes
    is_machine: bool = False


@dataclass(slots=True)
class Heard:
    """What a server has been told of an enrolment's numbers, by the requests that it answered."""

    numbers: set[int] = field(default_factory=set)
    holding: set[int] = field(default_factory=set)
    exchange: int = 0


def leaves_of(parents: Mapping[str, str | None], held: Mapping[str, bool]) -> list[str]:
    """Return the held revisions that none follows, winner first."""
    followed = {parent for parent in parents.values() if parent is not None}
    leaves = [rev for rev in held if rev not in followed]
    return sorted(leaves, key=lambda rev: (not held[rev], int(rev.split("-")[0]), rev.split("-")[1]), reverse=True)


def shown(server: Server) -> dict[tuple[str, str], list[str]]:
    """Return the leaves that a server shows, by database and document, winner first."""
    rows = server.reader.execute("SELECT database, doc_id, leaves FROM documents")
    return {(row["database"], row["doc_id"]): row["leaves"].split(" ") for row in rows}


def check_disk(server: Server, made: Mapping[Key, Made]) -> None:
    """Check that what is committed agrees with itself: sequences, leaves, winners, counts, digests, bodies, ids."""
    parents: dict[tuple[str, str], dict[str, str | None]] = defaultdict(dict)
    held: dict[tuple[str, str], dict[str, bool]] = defaultdict(dict)
    reader = server.reader
    reader.execute("BEGIN")
    try:
        for row in reader.execute(
            "SELECT r.*, b.content FROM revisions r LEFT JOIN bodies b USING (database, doc_id, rev)"
        ):
            key = (row["database"], row["doc_id"])
            parents[key][row["rev"]] = row["parent"]
            if row["fingerprint"] is not None:
                held[key][row["rev"]] = bool(row["deleted"])
                _check_body(server, row, made)
        entries: dict[str, list[str]] = defaultdict(list)
        last: dict[tuple[str, str], int] = {}
        for row in reader.execute("SELECT database, seq, doc_id FROM entries ORDER BY database, seq"):
            entries[row["database"]].append(row["doc_id"])
            if row["seq"] != len(entries[row["database"]]):
                raise Broken("I7", f"{server.name} {row['database']} skips from {len(entries[row['database']]) - 1}")
            last[row["database"], row["doc_id"]] = row["seq"]
        sums: dict[str, int] = defaultdict(int)
        counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for row in reader.execute("SELECT * FROM documents"):
            key = (row["database"], row["doc_id"])
            leaves = leaves_of(parents[key], held[key])
            if (row["winner"], row["leaves"].split(" ")) != (leaves[0], leaves):
                raise Broken("I4", f"{server.name} shows {key} with {row['leaves']}, not {leaves}")
            if row["seq"] != last.get(key):
                raise Broken("I7", f"{server.name} shows {key} at {row['seq']}, its last entry is {last.get(key)}")
            counts[row["database"]][held[key][leaves[0]]] += 1
            if not held[key][leaves[0]] and not row["doc_id"].startswith(("seal:", "_design/")):
                sums[row["database"]] += mark(row["doc_id"], leaves[0])
        for row in reader.execute("SELECT * FROM databases"):
            name = row["name"]
            if row["seq"] != len(entries[name]):
                raise Broken("I7", f"{server.name} {name} says {row['seq']} and has {len(entries[name])} entries")
            if row["digest"] != f"{sums[name] % 2**128:032x}" or [row["documents"], row["deleted"]] != counts[name]:
                raise Broken("digest", f"{server.name} {name}: sums or counts are not those of its documents")
    finally:
        reader.execute("COMMIT")


def mark(doc_id: str, rev: str) -> int:
    """Return what a live document adds to a digest."""
    return int.from_bytes(hashlib.sha256(f"{doc_id}\n{rev}".encode()).digest()[:16], "big")


def _check_body(server: Server, row: sqlite3.Row, made: Mapping[Key, Made]) -> None:
    name = f"{server.name} {row['database']} {row['doc_id']} {row['rev']}"
    if row["content"] is None:
        raise Broken("I2", f"{name} has no body")
    known = made.get((row["database"], row["doc_id"], row["rev"]))
    if known is not None and (known.content, known.deleted) != (row["content"], bool(row["deleted"])):
        raise Broken("I2", f"{name} says something else than was written")
    if known is not None and row["parent"] not in (known.parent, None):
        raise Broken("I4", f"{name} hangs on {row['parent']}, not on {known.parent}")
    if row["enrolment"] is not None and not row["doc_id"].startswith("seal:"):
        check_id(server, row)


def check_id(server: Server, row: sqlite3.Row) -> None:
    """Check that a revision has the id of what it says (I1)."""
    proper = revision_id(row["doc_id"], deleted=bool(row["deleted"]), parent=row["parent"], content=row["content"])
    if proper != row["rev"]:
        raise Broken("I1", f"{server.name} {row['doc_id']} {row['rev']} does not have the id of what it says")


def check_promises(server: Server, made: Mapping[Key, Made]) -> None:
    """Check that every revision which the server acknowledged is durable there as it was written (I2)."""
    kept = {
        (row[0], row[1], row[2], row[3])
        for row in server.reader.execute("SELECT database, doc_id, rev, content FROM bodies")
    }
    kept |= {
        (row[0], row[1], row[2], row[3])
        for row in server.reader.execute("SELECT database, doc_id, rev, content FROM quarantine")
    }
    for key in sorted(server.promised):
        if (*key, made[key].content) not in kept:
            raise Broken("I2", f"{server.name} acknowledged {' '.join(key)} and does not have it")


def check_winners(server: Server, highest: Mapping[tuple[str, str], int]) -> None:
    """Check that no forged generation wins: every winner's is one that somebody honestly reached."""
    for key, leaves in shown(server).items():
        if key in highest and int(leaves[0].split("-")[0]) > highest[key]:
            raise Broken("forged", f"{server.name} lets {leaves[0]} win {key}")


def check_kept(phone: Phone, before: Mapping[str, Own]) -> set[Key]:
    """Check that a phone has dropped nothing of its own but what a server has taken for good (I2); return that."""
    rows, dropped = phone.rows, set[Key]()
    for rev in sorted(before.keys() - rows.revisions.keys()):
        own = before[rev]
        if not any(
            receipt.outcome in STORED and own.number <= rows.server(name).safe for name, receipt in own.receipts
        ):
            raise Broken("I2", f"{phone.name} dropped {rev} of its own")
        dropped.add((own.database, own.doc_id, rev))
    return dropped


def check_phone(phone: Phone, server: Server) -> None:
    """Check that a phone holds everything up to its checkpoints of this server (I7)."""
    state = phone.rows.servers.get(server.name)
    if state is None:
        return
    for database, since in sorted(state.since.items()):
        seq = position(server, database, since)
        if seq is None:
            continue
        rows = server.reader.execute(
            "SELECT doc_id, winner, deleted FROM documents WHERE database = ? AND seq <= ?", (database, seq)
        )
        for row in rows:
            if row["doc_id"].startswith("seal:"):
                continue
            held = state.documents.get((database, row["doc_id"]))
            is_there = held is not None and (held.rev, held.deleted) == (row["winner"], bool(row["deleted"]))
            if not is_there and not (row["deleted"] and (held is None or held.deleted)):
                said = held.rev if held else "nothing"
                raise Broken(
                    "I7",
                    f"{phone.name} read {server.name} {database} up to {since} and has {said} of {row['doc_id']}, "
                    f"not {row['winner']}",
                )


def position(server: Server, database: str, since: str) -> int | None:
    """Return the sequence of a checkpoint that is of this server's present history, None for any other."""
    digits, _, opaque = since.partition("-")
    row = server.reader.execute(
        "SELECT chain FROM entries WHERE database = ? AND seq = ?", (database, int(digits))
    ).fetchone()
    return int(digits) if row is not None and row["chain"].hex().startswith(opaque) else None


def check_server_checkpoint(source: Server, target: Server, database: str, since: str) -> None:
    """Check that a server has every leaf up to its replication's checkpoint (I7)."""
    seq = position(source, database, since)
    if seq is not None:
        _check_brought(source, target, database, seq)


def check_brought(source: Server, target: Server, database: str) -> None:
    """Check that a server has every leaf of another's feed, to its end (I7)."""
    (seq,) = source.reader.execute("SELECT seq FROM databases WHERE name = ?", (database,)).fetchone()
    _check_brought(source, target, database, int(seq))


def _check_brought(source: Server, target: Server, database: str, seq: int) -> None:
    here = _known(target)
    rows = source.reader.execute(
        "SELECT doc_id, leaves FROM documents WHERE database = ? AND seq <= ?", (database, seq)
    )
    for row in rows:
        for leaf in row["leaves"].split(" "):
            if (database, row["doc_id"], leaf) not in here:
                raise Broken("I7", f"{target.name} read {source.name} up to {seq} without {row['doc_id']} {leaf}")


def check_replica_checkpoint(source: Server, replica: Replica, database: str) -> None:
    """Check that the plain replica has every leaf up to its checkpoint (I7)."""
    since = replica.checkpoints.get(f"{source.name} {replica.name} {database}", "")
    seq = position(source, database, since) if since else None
    if seq is None:
        return
    trees = replica.trees.get(database, {})
    rows = source.reader.execute(
        "SELECT doc_id, leaves FROM documents WHERE database = ? AND seq <= ?", (database, seq)
    )
    for row in rows:
        for leaf in row["leaves"].split(" "):
            if row["doc_id"] not in trees or leaf not in trees[row["doc_id"]].parents:
                raise Broken("I7", f"{replica.name} read {source.name} up to {since} without {row['doc_id']} {leaf}")


def _known(server: Server) -> set[Key]:
    found = {(row[0], row[1], row[2]) for row in server.reader.execute("SELECT database, doc_id, rev FROM revisions")}
    return found | {
        (row[0], row[1], row[2]) for row in server.reader.execute("SELECT database, doc_id, rev FROM quarantine")
    }


def check_numbers(server: Server, enrolment: str, heard: Heard) -> int:
    """Check that exactly the numbers of which nobody told this server are reported (I10); return how many there are."""
    row = server.reader.execute("SELECT gaps, discarded FROM sync_numbers WHERE enrolment = ?", (enrolment,)).fetchone()
    reported = _numbers(row["gaps"]) if row else set()
    # A server that died after its commit has what it never got to say.
    stored = server.reader.execute(
        "SELECT number FROM revisions WHERE enrolment = ?1 AND number IS NOT NULL"
        " UNION SELECT number FROM quarantine WHERE enrolment = ?1 AND number IS NOT NULL",
        (enrolment,),
    )
    told = heard.numbers | heard.holding | {int(one["number"]) for one in stored}
    told |= _numbers(row["discarded"]) if row else set()
    nowhere = set(range(1, max(told, default=0) + 1)) - told
    if reported != nowhere:
        raise Broken("I10", f"{server.name} misses {sorted(reported)} of {enrolment[:6]}, not {sorted(nowhere)}")
    return len(nowhere)


def _numbers(text: str) -> set[int]:
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def check_alike(servers: Sequence[Server], replica: Replica, made: Mapping[Key, Made]) -> None:
    """Check that all show the same leaves, those that the revisions themselves say."""
    first: dict[tuple[str, str], list[str]] | None = None
    for server in servers:
        here = {key: leaves for key, leaves in shown(server).items() if key[0] != CATALOG}
        if first is None:
            first = here
        for key in sorted({*here, *first}):
            if here.get(key) != first.get(key):
                raise Broken("I4", f"at rest {server.name} shows {here.get(key)} of {key}, another {first.get(key)}")
    assert first is not None
    edges = _named(servers, made)
    for key, paths in replica.told.items():
        edges[key] |= paths
    flags: dict[tuple[str, str], dict[str, bool]] = defaultdict(dict)
    present = {key for server in servers for key in _held(server)}
    for (database, doc_id, rev), one in made.items():
        if (database, doc_id, rev) in present:
            edges[database, doc_id][rev] = one.parent
            flags[database, doc_id][rev] = one.deleted
    for key, leaves in first.items():
        if key[1].startswith("seal:"):
            continue
        proper = leaves_of(edges[key], flags[key])
        if leaves != proper:
            raise Broken("I4", f"at rest {key} has the leaves {leaves}, its revisions say {proper}")
        tree = replica.trees.get(key[0], {}).get(key[1])
        shows = tree.leaves() if tree is not None else []
        # Who takes leaves and cut lines may not hear of an edge that becomes known when both its ends have come, and
        # may know one that it has never told.
        followed = {*edges[key].values(), *(tree.parents.values() if tree is not None else ())}
        if (set(leaves) ^ set(shows)) - followed:
            raise Broken("I4", f"at rest {replica.name} shows {shows} of {key}, not {leaves}")


def _named(servers: Sequence[Server], made: Mapping[Key, Made]) -> dict[tuple[str, str], dict[str, str | None]]:
    """Return the parents of revisions that no server holds and that a path has told: each must be the true one."""
    edges: dict[tuple[str, str], dict[str, str | None]] = defaultdict(dict)
    for server in servers:
        for database, doc_id, rev, parent in server.reader.execute(
            "SELECT database, doc_id, rev, parent FROM revisions WHERE fingerprint IS NULL AND parent IS NOT NULL"
        ):
            known = made.get((database, doc_id, rev))
            if known is not None and known.parent != parent:
                raise Broken("I4", f"{server.name} hangs {database} {doc_id} {rev} on {parent}, not on {known.parent}")
            edges[database, doc_id][rev] = parent
    return edges


def _held(server: Server) -> set[Key]:
    rows = server.reader.execute("SELECT database, doc_id, rev FROM revisions WHERE fingerprint IS NOT NULL")
    return {(row[0], row[1], row[2]) for row in rows}


def check_reachable(server: Server, edits: Iterable[Key]) -> None:
    """Check that every edit is in a leaf's line: part of the result, or of a branch of an open conflict (I5)."""
    parents = {
        (row[0], row[1], row[2]): row[3]
        for row in server.reader.execute("SELECT database, doc_id, rev, parent FROM revisions")
    }
    reached: set[Key] = set()
    for (database, doc_id), leaves in shown(server).items():
        for leaf in leaves:
            rev: str | None = leaf
            while rev is not None and (database, doc_id, rev) not in reached:
                reached.add((database, doc_id, rev))
                rev = parents.get((database, doc_id, rev))
    for key in edits:
        if key not in reached:
            raise Broken("I5", f"{' '.join(key)} is in no line of {server.name}")


def check_copy(phone: Phone, server: Server, carried: set[str]) -> None:
    """Check that a phone at rest shows exactly what the server has for it, content included (I4, I9)."""
    state = phone.rows.servers[server.name]
    wanted = {
        (row["database"], row["doc_id"]): (row["winner"], row["content"])
        for row in server.reader.execute(
            "SELECT d.*, b.content FROM documents d JOIN bodies b ON b.database = d.database AND b.doc_id = d.doc_id"
            " AND b.rev = d.winner WHERE NOT d.deleted"
        )
        if row["database"] in carried and not row["doc_id"].startswith("seal:")
    }
    has = {key: (held.rev, held.content) for key, held in state.documents.items() if not held.deleted}
    if strangers := sorted({key[0] for key in has} - carried):
        raise Broken("I9", f"{phone.name} still shows {strangers} of {server.name}")
    if has != wanted:
        wrong = sorted(key for key in {*has, *wanted} if has.get(key) != wanted.get(key))
        raise Broken("I4", f"{phone.name} at rest with {server.name} differs in {wrong[:3]}")
    if phone.broken:
        raise Broken("digest", f"{phone.name} could not mend {phone.broken}")
