"""The state of a record under review, computed from its winner and the set of its decisions.

A decision is a document that nobody edits; it names one exact revision and the decisions that its author knew
(`follows`). Nothing here depends on the order in which decisions arrive, on a clock or on who computes it: two servers
and a phone that hold the same documents see the same state. Of decisions made without knowing of each other the
strictest holds (reject, return, approve), and all of them are shown.

What is published is the approved revision until the next approval: a return, a rejection or a newer edit does not
take it away. An approval beside which a stricter decision on the same revision stands, made without knowing it, never
held and publishes nothing (I8). Who may approve is computed here too: nobody approves work of which they are an author.

The TypeScript twin is `pwa/src/domain/review.ts`; both pass `tests/vectors/review.json`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

from sync.revisions.revision_id import order_of_any

Verdict = Literal["approved", "returned", "rejected"]
State = Literal["received", "amended", "approved", "returned", "rejected"]

#: Greater is stricter.
STRICTNESS: dict[str, int] = {"approved": 0, "returned": 1, "rejected": 2}


@dataclass(frozen=True, slots=True)
class ReviewDecision:
    """One review document: `verdict` on exactly the revision `rev`, made knowing the decisions in `follows`."""

    id: str
    rev: str
    verdict: Verdict
    by: str
    follows: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AuthoredRevision:
    """A revision as far as authorship goes: `parents` are its parent and what it merged, `person` who sent it."""

    rev: str
    parents: tuple[str, ...]
    person: str | None


@dataclass(frozen=True, slots=True)
class Review:
    """Where a record stands.

    `standing` are the decisions on the winner that no later decision on it answers, the one that holds first.
    `is_corrected` says that the winner answers a return. `published` is the approved revision that is in force.
    """

    state: State
    standing: tuple[ReviewDecision, ...]
    is_corrected: bool
    published: str | None


#: Where nearly every record stands: nobody has decided about it.
UNDECIDED = Review("received", (), False, None)


def decision_of(document_id: str, content: Mapping[str, object]) -> ReviewDecision | None:
    """Return the decision that a review document states, None when it is not a usable one."""
    rev, verdict, by, follows = (content.get(key) for key in ("rev", "decision", "by", "follows"))
    if content.get("type") != "review" or not isinstance(rev, str) or not isinstance(by, str):
        return None
    if verdict not in get_args(Verdict):
        return None
    known = follows if isinstance(follows, list) else []
    follows_ids = frozenset(each for each in known if isinstance(each, str))
    return ReviewDecision(document_id, rev, cast(Verdict, verdict), by, follows_ids)


def review(winner: str, decisions: Iterable[ReviewDecision]) -> Review:
    """Return where a record whose winner is `winner` stands under `decisions`, in whatever order they come."""
    known = _DecisionSet(decisions)
    if not known.every:
        return UNDECIDED
    standing = known.unanswered(each for each in known.every.values() if each.rev == winner)
    standing.sort(key=lambda each: (STRICTNESS[each.verdict], each.id), reverse=True)
    last = known.unanswered(known.approvals_in_force())
    published = max((each.rev for each in last), key=order_of_any, default=None)
    if standing:
        return Review(standing[0].verdict, tuple(standing), False, published)
    is_corrected = any(each.verdict == "returned" for each in known.unanswered(known.every.values()))
    return Review("received" if published is None else "amended", (), is_corrected, published)


def approved_revisions(decisions: Iterable[ReviewDecision]) -> frozenset[str]:
    """Return every revision that an approval in force names: what `authors` are counted from."""
    return frozenset(each.rev for each in _DecisionSet(decisions).approvals_in_force())


def authors(winner: str, edits: Iterable[AuthoredRevision], approved: Iterable[str]) -> frozenset[str]:
    """Return who edited or decided between the approved revisions and `winner`: none of them may approve it."""
    graph = {edit.rev: edit for edit in edits}
    since = _reached([winner], graph) - _reached(approved, graph)
    return frozenset(person for rev in since if rev in graph and (person := graph[rev].person) is not None)


class _DecisionSet:
    """A set of decisions with what each of them knew, over `follows` and through."""

    def __init__(self, decisions: Iterable[ReviewDecision]) -> None:
        self.every = {decision.id: decision for decision in decisions}
        self._knew = {each: self._behind(each) for each in self.every}

    def unanswered(self, among: Iterable[ReviewDecision]) -> list[ReviewDecision]:
        """Return those of `among` that no other of them answers."""
        each_of = list(among)
        return [each for each in each_of if not any(self._answers(other, each) for other in each_of)]

    def approvals_in_force(self) -> list[ReviewDecision]:
        """Return the approvals beside which no stricter decision on the same revision stands."""
        approvals = [each for each in self.every.values() if each.verdict == "approved"]
        return [each for each in approvals if not any(self._opposes(other, each) for other in self.every.values())]

    def _opposes(self, other: ReviewDecision, approval: ReviewDecision) -> bool:
        return (
            other.rev == approval.rev
            and other.verdict != "approved"
            and not self._answers(approval, other)
            and not self._answers(other, approval)
        )

    def _answers(self, later: ReviewDecision, earlier: ReviewDecision) -> bool:
        # A circle of `follows` (only a forger writes one) answers nothing: its decisions stand beside each other.
        return earlier.id in self._knew[later.id] and later.id not in self._knew[earlier.id]

    def _behind(self, decision: str) -> frozenset[str]:
        seen: set[str] = set()
        ahead = [decision]
        while ahead:
            for each in self.every[ahead.pop()].follows:
                if each in self.every and each not in seen:
                    seen.add(each)
                    ahead.append(each)
        return frozenset(seen)


def _reached(revs: Iterable[str], graph: Mapping[str, AuthoredRevision]) -> set[str]:
    seen: set[str] = set()
    ahead = list(revs)
    while ahead:
        rev = ahead.pop()
        if rev not in seen:
            seen.add(rev)
            ahead.extend(graph[rev].parents if rev in graph else ())
    return seen
