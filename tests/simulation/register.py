"""What merging must have kept, by the plainest reading of the revisions: a register for every answer.

Nothing of the engine is asked here. An edit of an answer is a revision by a person or a peer in which the answer is not
what it was in the parent, or that names it in `decided`. At rest each edit is what stands, or a later edit of the same
answer knew it, or it is a candidate in an open question (I5); where several stand open and one of them is a manager's
decision, a decision stands (I6). All servers ask the same questions (I4).
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.simulation import deciding
from tests.simulation.checks import Broken, shown
from tests.simulation.province import ASKED, SCOPES
from tests.simulation.server import Server
from tests.simulation.world import World


@dataclass(frozen=True, slots=True)
class Written:
    """A revision as it stands on a disk; one that is known by name only says nothing and is not `held`."""

    parent: str | None
    deleted: bool
    content: Mapping[str, Any]
    is_machine: bool
    held: bool = True

    def answer(self, name: str) -> Any:
        """Return what it answers, `...` where it says nothing about it."""
        answers = self.content.get("answers")
        return answers.get(name, ...) if isinstance(answers, dict) and not self.deleted else ...


async def check_questions(world: World) -> None:
    """Check that all servers ask the same, that rows say what revisions say, and that no edit is lost in a merge."""
    first: object = None
    for server in world.servers.values():
        asked = {key: of for key, of in (await deciding.questions(server)).items() if of}
        rows: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {}
        for row in server.reader.execute("SELECT database, record, path, cause, candidates FROM open_questions"):
            if row["cause"] != "moved":
                candidates = tuple(sorted(json.loads(row["candidates"])))
                rows.setdefault((row["database"], row["record"]), {})[row["path"]] = candidates
        if rows != asked:
            wrong = sorted(key for key in {*rows, *asked} if rows.get(key) != asked.get(key))[:2]
            both = [(key, rows.get(key), asked.get(key)) for key in wrong]
            raise Broken("I4", f"{server.name} keeps questions that its revisions do not ask: {both}")
        if first is not None and rows != first:
            raise Broken("I4", f"at rest {server.name} asks something else than another server")
        first = rows
        if server.reader.execute("SELECT 1 FROM dead_letters").fetchone() is not None:
            raise Broken("poison", f"{server.name} has set documents aside")
    province = world.servers["province"]
    leaves = shown(province)
    constraints = province.reader.execute("SELECT * FROM open_questions WHERE cause = 'constraint'").fetchall()
    for database in SCOPES:
        for doc_id, revisions in _documents(world, province, database).items():
            asked_here = rows.get((database, doc_id), {})
            world.seen["asked at rest"] += len(asked_here)
            broken = {row["path"] for row in constraints if (row["database"], row["record"]) == (database, doc_id)}
            name = f"{database} {doc_id}"
            corrections = [one for one in revisions.values() if _is_correction(one, revisions)]
            world.seen["merged again"] += len(corrections)
            world.seen["weighed"] += _check_document(name, leaves[database, doc_id], revisions, asked_here, broken)


def _documents(world: World, server: Server, database: str) -> dict[str, dict[str, Written]]:
    found: dict[str, dict[str, Written]] = {}
    for row in server.reader.execute(
        "SELECT r.doc_id, r.rev, r.parent, r.deleted, b.content"
        " FROM revisions r LEFT JOIN bodies b USING (database, doc_id, rev)"
        " WHERE r.database = ? AND r.doc_id NOT LIKE '%:%'",
        (database,),
    ):
        made = world.made.get((database, row["doc_id"], row["rev"]))
        content = json.loads(row["content"] or "{}")
        is_machine = made is not None and made.is_machine
        written = Written(row["parent"], bool(row["deleted"]), content, is_machine, row["content"] is not None)
        found.setdefault(row["doc_id"], {})[row["rev"]] = written
    return found


def _check_document(
    name: str,
    leaves: Sequence[str],
    revisions: Mapping[str, Written],
    asked: Mapping[str, tuple[str, ...]],
    broken: Collection[str],
) -> bool:
    """Check one document; return whether several people's edits were weighed."""
    live = [rev for rev in leaves if not revisions[rev].deleted]
    if len(live) > 1 and "" not in asked:
        raise Broken("rest", f"{name} still has the branches {sorted(live)}")
    if len(live) != 1 or {"", "/answers"} & set(asked):
        # Nobody is there, or all of it is asked about.
        return False
    stands = revisions[live[0]]
    undone = {each for one in revisions.values() for each in one.content.get("undoes", [])}
    knows = {rev: _reached(rev, revisions) for rev in revisions}
    people = {rev: one for rev, one in revisions.items() if one.held and not one.is_machine and rev not in undone}
    # Whatever a deletion or an undo touches is another question.
    if any(one.deleted or "undoes" in one.content for one in people.values()):
        return False
    for answer in ASKED:
        path = f"/answers/{answer}"
        edits = {rev for rev, one in people.items() if _edits(rev, answer, revisions)}
        latest = {rev for rev in edits if not any(rev in knows[other] for other in edits - {rev})}
        for rev in sorted(latest - set(asked.get(path, ()))):
            if people[rev].answer(answer) != stands.answer(answer):
                raise Broken("I5", f"{name}: {rev} answers {answer} with {people[rev].answer(answer)}, and it is gone")
        if set(asked.get(path, ())) - latest and path not in broken:
            raise Broken("I6", f"{name} asks about {answer} what a later edit has settled")
        decisions = {rev for rev in latest if path in people[rev].content.get("decided", [])}
        if decisions and stands.answer(answer) not in [people[rev].answer(answer) for rev in decisions]:
            raise Broken("I6", f"{name}: {answer} was decided and is now {stands.answer(answer)}")
    return any(one.is_machine for one in revisions.values())


def _is_correction(one: Written, revisions: Mapping[str, Written]) -> bool:
    merged = one.content.get("merged", [])
    return one.is_machine and bool(merged) and all(rev in revisions and revisions[rev].is_machine for rev in merged)


def _edits(rev: str, answer: str, revisions: Mapping[str, Written]) -> bool:
    one = revisions[rev]
    parent = revisions.get(one.parent or "")
    # Whose parent is known by name only is compared with the nearest ancestor that is here.
    while parent is not None and not parent.held:
        parent = revisions.get(parent.parent or "")
    before = ... if parent is None else parent.answer(answer)
    repeats = parent is not None and one.content.get("decided") == parent.content.get("decided")
    is_decided = f"/answers/{answer}" in one.content.get("decided", []) and not repeats
    return is_decided or one.answer(answer) != before


def _reached(rev: str, revisions: Mapping[str, Written]) -> set[str]:
    found: set[str] = set()
    ahead = [rev]
    while ahead:
        one = revisions.get(ahead.pop())
        if one is not None:
            edges = [*([one.parent] if one.parent else []), *one.content.get("merged", [])]
            new = [edge for edge in edges if edge not in found]
            found.update(new)
            ahead += new
    return found
