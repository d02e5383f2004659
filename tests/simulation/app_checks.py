"""What must be true of phones that run the app: of drafts, of whose work it is, of photos, and of what was pruned."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from sync.contract.reasons import STORED
from tests.simulation.app_phone import AppPhone
from tests.simulation.checks import Broken, Key
from tests.simulation.phone import Phone
from tests.simulation.server import Server
from tests.simulation.store import Own


def check_drafts(phone: Phone) -> None:
    """Check that what somebody began to fill is there, whoever else has used the phone meanwhile."""
    if isinstance(phone, AppPhone) and (gone := phone.begun - phone.rows.drafts.keys()):
        raise Broken("drafts", f"{phone.name} has lost the drafts of {sorted(gone)}")


def check_opened(phone: Phone, opened: Mapping[tuple[str, str], set[str]]) -> None:
    """Check that whoever is signed in has nothing of a server but what that one has opened to them (I9)."""
    if not isinstance(phone, AppPhone) or not phone.can_save:
        return
    for name, state in phone.rows.servers.items():
        has = {database for database, _ in state.documents} | state.since.keys()
        if strangers := has - opened.get((name, phone.enrolment), set()):
            raise Broken(
                "I9", f"{phone.name} has {sorted(strangers)} of {name}, which never opened them to {phone.person}"
            )


def check_authors(server: Server, authors: Mapping[str, str]) -> None:
    """Check that nobody's work stands under another's name."""
    for row in server.reader.execute(
        "SELECT r.rev, r.enrolment, r.person, e.person AS whose"
        " FROM revisions r JOIN enrolments e ON e.id = r.enrolment"
    ):
        author = authors.get(row["rev"])
        if author is not None and (row["enrolment"], row["person"]) != (author, row["whose"]):
            raise Broken("author", f"{server.name} has {row['rev']} of {author[:6]} as {row['person']}'s")


def check_promised_files(server: Server) -> None:
    """Check that each photo that a server has said is there is there, whole (I2)."""
    if not server.promised_files:
        return
    here = {row["sha256"] for row in server.reader.execute("SELECT sha256 FROM media")}
    for sha256 in sorted(server.promised_files):
        path = server.files.content_path(sha256)
        if sha256 not in here or not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            raise Broken("I2", f"{server.name} has said that it has the photo {sha256[:8]}, and has not")


def check_delivered(phone: Phone, server: Server) -> None:
    """Check that what a phone shows as delivered is durable at that server, photos with their records too (I2)."""
    if not isinstance(phone, AppPhone):
        return
    shown = {own.rev for own in phone.rows.revisions.values() if _is_delivered(own, server)}
    if shown:
        held = {row[0] for row in server.reader.execute("SELECT rev FROM bodies UNION SELECT rev FROM quarantine")}
        if missing := sorted(shown - held):
            raise Broken("I2", f"{phone.name} shows {missing[0]} as delivered to {server.name}")
    for row in phone.tables["uploads"]:
        if row["sha256"] not in server.lost_files and _is_done(row, server) and not _has(server, row):
            raise Broken("I2", f"{phone.name} shows {row['sha256'][:8]} of {row['record']} as at {server.name}")


def check_photos(phone: Phone, server: Server) -> int:
    """Check that at rest a server has each photo of a person's saves that it has taken (I2); return how many."""
    if not isinstance(phone, AppPhone):
        return 0
    uploads = {(row["sha256"], row["record"]): row for row in phone.tables["uploads"]}
    here = {row["sha256"] for row in phone.tables["blobs"]}
    count = 0
    for row in phone.tables["revisions"]:
        if row["enrolment"] != phone.enrolment:
            continue
        receipt = row["receipts"].get(server.name)
        if receipt is None or receipt["outcome"] not in STORED:
            continue
        for ref in row["content"].get("media", {}).values():
            upload = uploads.get((ref["sha256"], row["id"]))
            if upload is None or ref["sha256"] not in here:
                # Another's, who sends it.
                continue
            if not _has(server, upload):
                what = f"{ref['sha256'][:8]} of {row['id']}"
                raise Broken("photos", f"{server.name} lacks {what}, which {phone.name} has: {upload}")
            count += 1
    return count


def check_pruned(servers: Iterable[Server], pruned: Iterable[Key]) -> None:
    """Check that nothing is needed any more of what phones have dropped."""
    for server in servers:
        held = {tuple(row) for row in server.reader.execute("SELECT database, doc_id, rev FROM bodies")}
        held |= {tuple(row) for row in server.reader.execute("SELECT database, doc_id, rev FROM quarantine")}
        if lost := set(pruned) - held:
            raise Broken("pruned", f"{server.name} needs what phones have dropped: {sorted(lost)[:2]}")


def _is_delivered(own: Own, server: Server) -> bool:
    receipt = own.receipt(server.name)
    return receipt is not None and receipt.outcome != "refused"


def _is_done(upload: Mapping[str, Any], server: Server) -> bool:
    return bool(upload["sites"].get(server.name, {}).get("done"))


def _has(server: Server, upload: Mapping[str, Any]) -> bool:
    found = server.reader.execute(
        "SELECT 1 FROM media JOIN media_links USING (sha256) WHERE sha256 = ? AND record = ?",
        (upload["sha256"], upload["record"]),
    )
    return found.fetchone() is not None
