"""`python -m tests.bench`: measure, and print each figure beside its aim and the peer's.

The peers' figures were measured on two cores like these: PouchDB 9 with CouchDB 3.5, and ODK Central. They are quoted,
not run again. A figure that misses its aim says so. `--million` also measures over a million stored records, which
takes a quarter of an hour to fill. `--heaviest` measures nothing but what others wait for while one request is as heavy
as it may be, and `--heaviest=WORDS` only of requests whose description has these words.
"""

import sys

from tests.bench import (
    closing_rows,
    couchdb_rows,
    day_rows,
    desk_rows,
    first_visit,
    heaviest_rows,
    household_rows,
    merge_rows,
    peer_rows,
    rows,
    stored,
)

#: How much more something may cost over many stored records than over few.
MOST = 1.2
FLAT = f"flat within {MOST}"


def main() -> None:
    """Print the table row by row, as it is measured."""
    say(f"{'':46}{'ours':>22}   {'aim':<22}peer")
    chosen = next((each for each in sys.argv if each.startswith("--heaviest")), None)
    if chosen is not None:
        over_heaviest(chosen.partition("=")[2])
        return
    edge = rows.edge()
    warm, cold, nothing = edge.warm, edge.cold, edge.nothing
    say("ten records up, ten down over EDGE (600 ms, 100/200 kbit/s)")
    row("  on an open connection", f"{warm.seconds:.2f} s", "≤ 1.3 s", "10.7 s", warm.seconds <= 1.3)
    row("  on a new connection (TCP and TLS 1.3)", f"{cold.seconds:.2f} s", "≤ 2.6 s", "", cold.seconds <= 2.6)
    row("  requests", f"{warm.requests}", "1", "16 (ODK: 20 for the ten up)", warm.requests == 1)
    row("  bodies", kilobytes(warm.body_bytes), "≤ 8 KB", "55 KB", warm.body_bytes <= 8000)
    row("  all bytes, with heads and TLS", kilobytes(warm.wire_bytes), "", "", True)
    say("nothing to do over EDGE")
    row("  on an open connection", f"{nothing.seconds:.2f} s", "≤ 0.8 s", "6.5 s", nothing.seconds <= 0.8)
    row("  requests", f"{nothing.requests}", "1", "9", nothing.requests == 1)
    row("  bodies", f"{nothing.body_bytes} B", "≤ 400 B", "12 KB", nothing.body_bytes <= 400)
    over_first_visit()
    over_a_day()
    first = rows.first_sync()
    say(f"first sync of {first.documents} records on loopback")
    row("  time", f"{first.seconds:.2f} s", "≤ 1 s", "2.2 s", first.seconds <= 1)
    row("  bodies", f"{first.body_bytes / 1e6:.2f} MB", "≤ 0.9 MB", "8.1 MB", first.body_bytes <= 900_000)
    row("  requests", f"{first.rounds}", "", "", True)
    load = rows.load()
    say(f"{rows.PHONES} phones × {rows.RECORDS} records, validated, sealed, durable, on loopback")
    rate, memory = load.records_per_s, load.memory_mib
    row("  acknowledged", f"{rate:.0f} records/s", "≥ 5,000/s", "CouchDB 3,183/s, ODK Central 109/s", rate >= 5000)
    row("  server's memory at rest", f"{load.rest_mib:.0f} MiB", "", "", True)
    row("  server's memory at most", f"{memory:.0f} MiB", "≤ 250 MiB", "CouchDB 187, ODK Central 312", memory <= 250)
    row("  until lists show all as well", f"{load.followed_s:.2f} s", "", "", True)
    over_branches()
    over_merges()
    over_the_desk()
    over_households()
    over_couchdb_door()
    over_peers()
    over_heaviest()
    over_stored(stored.SIZES + ((stored.MILLION,) if "--million" in sys.argv else ()))


def over_first_visit() -> None:
    """Print what a phone's first visit takes, in a real browser."""
    visit = first_visit.first_visit()
    say("first visit over EDGE in Chromium, with TLS over HTTP/1.1, from an empty profile")
    if isinstance(visit, str):
        say(f"  not measured: {visit}")
        return
    row("  something to see", f"{visit.painted_s:.1f} s", "≤ 2.5 s", "", visit.painted_s <= 2.5)
    row("  sign-in usable", f"{visit.usable_s:.1f} s", "≤ 9 s", "", visit.usable_s <= 9)
    within = visit.usable_bytes <= 130 * 1024
    row("    all bytes down, with heads and TLS", f"{visit.usable_bytes / 1024:.0f} KiB", "≤ 130 KiB", "", within)
    row("    requests", f"{visit.usable_requests}", "", "", True)
    ready = f"  ready offline with {first_visit.RECORDS} records"
    row(ready, f"{visit.ready_s:.0f} s", "≤ 60 s", "", visit.ready_s <= 60 and visit.opens_offline)
    row("    all bytes down", f"{visit.ready_bytes / 1024:.0f} KiB", "", "", True)
    row("    requests", f"{visit.ready_requests}", "", "", True)


def over_a_day() -> None:
    """Print what a day's work takes over a link that loses, and over one that also breaks."""
    ours, theirs = day_rows.day()
    say(f"{day_rows.RECORDS} records with a small picture each over 20 kbit/s, 1 s round trip, 10 % lost")
    say("  beside PouchDB 9 with pouchdb-server over the same link in this run")
    for what, mine, other in (
        ("until all is there", ours.losing, theirs.losing),
        ("the same, broken off twice", ours.breaking, theirs.breaking),
    ):
        row(f"  {what}", f"{mine.seconds:.0f} s", "≤ 60 s", f"{other.seconds:.0f} s", mine.seconds <= 60)
        both = f"{mine.up_bytes / 1000:.1f} + {mine.down_bytes / 1000:.1f} KB"
        peer = f"{other.up_bytes / 1000:.1f} + {other.down_bytes / 1000:.1f} KB"
        row("    all bytes up and down", both, "≤ 100 KB", peer, mine.all_bytes <= 100_000)
        row("    requests", f"{mine.requests}", "", f"{other.requests}", True)
    row("    sent twice", f"{ours.twice:.1%}", "≤ 5 %", f"{theirs.twice:.1%}", ours.twice <= 0.05)


def over_branches() -> None:
    """Print what closing branches costs, end to end."""
    say(f"{closing_rows.DOCUMENTS} documents that two people changed at once, merged, asked about and listed")
    for name, measured in (
        ("SQLite", closing_rows.closed_on_sqlite),
        ("PostgreSQL", closing_rows.closed_on_postgresql),
    ):
        closed = measured()
        if isinstance(closed, str):
            say(f"  not measured on {name}: {closed}")
            continue
        rate = closed.documents / closed.closed_s
        row(f"  branches closed on {name}", f"{rate:.0f} documents/s", "≥ 500/s", "", rate >= 500)
        row("    CPU", f"{closed.cpu_s / closed.documents * 1e6:.0f} µs a document", "", "", True)
        row("    until lists show it as well", f"{closed.documents / closed.followed_s:.0f} documents/s", "", "", True)


def over_merges() -> None:
    """Print how fast the engine merges."""
    found = merge_rows.merges()
    say(f"merges in the engine, {merge_rows.ANSWERS} answers and {merge_rows.REPEATS} repeats, CPU of one core")
    rate, refused = found.merges_per_s, "ODK: 116 updates/s with 20 % refused"
    row("  closed", f"{rate:.0f} documents/s", "≥ 3,000/s", refused, rate >= 3000)
    row("  of them a person is asked", f"{found.asked / found.documents:.0%}", "", "", True)
    for leaves, each in merge_rows.MANY_ROWS:
        seconds = merge_rows.many_rows(leaves, each)
        row(
            f"  {leaves} leaves that each add {each:,} rows", f"{seconds * 1000:.0f} ms", "≤ 200 ms", "", seconds <= 0.2
        )


def over_the_desk() -> None:
    """Print what the data manager's queue costs."""
    queue = desk_rows.queue()
    say(f"the desk's queue with {queue.conflicts} open conflicts, over HTTP")
    for what, seconds in (
        ("first page, with counts and groups", queue.first_s),
        ("a later page", queue.later_s),
        ("narrowed by words and kind", queue.narrowed_s),
    ):
        row(f"  {what}", f"{seconds * 1000:.0f} ms", "≤ 150 ms", "", seconds <= 0.15)


def over_households() -> None:
    """Print what finding duplicates costs, and how well it finds them."""
    found = household_rows.found()
    say(f"duplicates among {found.records} made-up households of one area: {found.pairs} pairs shown")
    row("  all at once", f"{found.all_s:.1f} s", "≤ 60 s", "", found.all_s <= 60)
    row("  all through the follower, into SQLite", f"{found.followed_s:.1f} s", "", "", True)
    row("  one that arrives after them", f"{found.arriving_s * 1000:.1f} ms", "≤ 20 ms", "", found.arriving_s <= 0.02)
    row("  shown rightly (precision)", f"{found.precision:.1%}", "", "", True)
    row("  of the true ones, shown (recall)", f"{found.recall:.1%}", "", "", True)


def over_couchdb_door() -> None:
    """Print what replication by CouchDB's protocol costs, with PouchDB and bare."""
    beside = couchdb_rows.beside()
    ours, theirs = beside.ours, beside.theirs
    say("PouchDB 9, 5,000 × 1.2 KB by /db, and the same with pouchdb-server (in memory, nothing durable) in this run")
    for what, mine, other, quoted in (
        ("push", ours.push_s, theirs.push_s, "CouchDB 3.1 s"),
        ("pull", ours.pull_s, theirs.pull_s, "CouchDB 2.2 s"),
    ):
        ratio = mine / other
        row(f"  {what}", f"{mine:.2f} s ({ratio:.2f})", "≤ 0.8 of the peer's", f"{other:.2f} s, {quoted}", ratio <= 0.8)
    bare = couchdb_rows.bare()
    written, read = bare.written_per_s, bare.read_per_s
    say(f"/db bare, {couchdb_rows.CONNECTIONS} connections, {couchdb_rows.BATCH} documents a request")
    row("  _bulk_docs", f"{written:.0f} documents/s", "≥ 8,000/s", "CouchDB 5,786/s", written >= 8000)
    row("    server's CPU", f"{bare.written_cpu_us:.0f} µs a document", "", "", True)
    brought = couchdb_rows.brought()
    for what, speed in (("scope", brought.scope), ("database that takes anything", brought.plain)):
        row(
            f"  as replicators write, {what}",
            f"{speed.per_s:.0f} documents/s",
            "≥ 8,000/s",
            "CouchDB 6,500/s (not in this run)",
            speed.per_s >= 8000,
        )
        row("    server's CPU", f"{speed.cpu_us:.0f} µs a document", "", "", True)
    row("  _changes with documents, gzip", f"{read:.0f} documents/s", "≥ 15,000/s", "CouchDB 11,126/s", read >= 15_000)
    row("    server's CPU", f"{bare.read_cpu_us:.0f} µs a document", "", "", True)
    row("    bytes on the wire", f"{bare.wire_bytes / bare.read_bytes:.0%}", "", "", True)


def over_peers() -> None:
    """Print what replication between servers costs."""
    found = peer_rows.peering()
    say("two servers of ours, 5,000 records over, and pouchdb-server pulling the same from one of them")
    for what, rate in (("pulled", found.pulled_per_s), ("pushed", found.pushed_per_s)):
        beside = f"pouchdb-server {found.theirs_per_s:.0f}/s" if what == "pulled" else ""
        is_reached = not beside or rate >= found.theirs_per_s
        row(f"  {what}, durable", f"{rate:.0f} records/s", "≥ pouchdb-server's" if beside else "", beside, is_reached)
    row("    CPU of the server that replicates", f"{found.replicating_cpu_us:.0f} µs a record", "", "", True)
    row("    CPU of the other one", f"{found.other_cpu_us:.0f} µs a record", "", "", True)


def over_heaviest(only: str = "") -> None:
    """Print what others wait for while the heaviest request of each route runs."""
    say("while one request runs: /healthz at the 99th percentile, and the slowest exchange of another phone")

    def tell(held: heaviest_rows.Held) -> None:
        is_held = held.health_s > heaviest_rows.HEALTH_S or held.exchange_s > heaviest_rows.EXCHANGE_S
        waits = f"{held.health_s * 1000:.0f} ms, {held.exchange_s:.2f} s"
        took = f"took {held.took_s:.1f} s, followed {held.followed_s:.1f} s"
        said = "" if held.is_done else f", answered {held.status}"
        row(f"  {held.what}", waits, "≤ 250 ms, ≤ 1 s", took + said, held.is_done and not is_held)

    heaviest_rows.heaviest(tell, only)


def over_stored(sizes: tuple[int, ...]) -> None:
    """Print what an exchange and ingest cost over so many stored records, each beside the first of them."""
    first: stored.Stored | None = None
    for each in stored.stored(sizes):
        first = first or each
        say(f"{each.records} records stored (filled at {each.filled_per_s:.0f}/s)")
        cost, rate = each.sync_s / first.sync_s, first.ingested_per_s / each.ingested_per_s
        row("  ten up, ten down on loopback", f"{each.sync_s * 1000:.0f} ms ({cost:.2f})", FLAT, "", cost <= MOST)
        cpu = each.sync_cpu_s / first.sync_cpu_s
        row("    server's CPU", f"{each.sync_cpu_s * 1000:.1f} ms ({cpu:.2f})", FLAT, "", cpu <= MOST)
        peer = "ODK Central 102/s, then 37/s at 300,000"
        row("  ingest", f"{each.ingested_per_s:.0f} records/s ({rate:.2f})", FLAT, peer, rate <= MOST)
        cpu = each.ingest_cpu_us / first.ingest_cpu_us
        row("    server's CPU", f"{each.ingest_cpu_us:.0f} µs a record ({cpu:.2f})", FLAT, "", cpu <= MOST)


def row(what: str, ours: str, aim: str, peer: str, is_reached: bool) -> None:
    """Print one figure."""
    say(f"{what:46}{ours:>22}   {aim:<22}{peer}{'' if is_reached else '   (aim missed)'}")


def kilobytes(count: int) -> str:
    """Return bytes as kilobytes."""
    return f"{count / 1000:.1f} KB"


def say(line: str) -> None:
    """Print a line now."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
