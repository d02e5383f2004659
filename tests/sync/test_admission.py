"""The table of decisions, row by row where the journal's contract does not already tell it."""

from dataclasses import replace

from sync.revisions.admission import MAX_LEAVES, RESOLVED, Decision, DocumentState, Offer, decide, resolved_among
from sync.revisions.canonical import canonical
from sync.revisions.graph import Graph
from sync.revisions.revision_id import RESOLVED_TOMBSTONE, fingerprint, merged_of, revision_id

CONTENT = b'{"type":"record"}'
PRINT = fingerprint(CONTENT, deleted=False)


def first() -> Offer:
    return Offer("a", revision_id("a", deleted=False, parent=None, content=CONTENT), (), False, PRINT)


def knowing(offer: Offer) -> DocumentState:
    graph = Graph().adding(offer.rev, offer.ancestors, deleted=offer.deleted)
    return DocumentState(graph, {offer.rev: offer.fingerprint})


def test_a_new_revision_is_stored() -> None:
    assert decide(first(), DocumentState()) == Decision("stored", is_new=True)


def test_a_known_revision_is_a_duplicate_even_when_the_door_would_now_hold_it_back() -> None:
    held_back = replace(first(), quarantine="unknown_form")
    assert decide(held_back, knowing(first())) == Decision("duplicate")


def test_a_wrong_id_is_refused_before_anything_else_is_asked() -> None:
    wrong = replace(first(), rev="1-" + "0" * 32, has_own_id=False, quarantine="unknown_form")
    assert decide(wrong, DocumentState()) == Decision("refused", "id_mismatch")
    assert decide(replace(wrong, has_own_id=True), DocumentState()).outcome == "quarantined"


def test_the_flag_is_part_of_what_a_revision_says() -> None:
    assert fingerprint(CONTENT, deleted=True) != fingerprint(CONTENT, deleted=False)


def test_a_path_that_skips_a_generation_is_malformed() -> None:
    skipping = replace(first(), rev="5-" + "0" * 32, ancestors=("4-" + "0" * 32, "2-" + "0" * 32))
    assert decide(skipping, DocumentState()) == Decision("refused", "malformed")


def test_a_truncated_repeat_contradicts_nothing() -> None:
    whole = Offer("a", "3-" + "c" * 32, ("2-" + "b" * 32,), False, PRINT)
    assert decide(replace(whole, ancestors=()), knowing(whole)) == Decision("duplicate")
    assert decide(whole, knowing(replace(whole, ancestors=()))) == Decision("duplicate")


def test_resolved_tombstones_do_not_count_against_the_limit_and_human_ones_do() -> None:
    graph = Graph().adding("1-" + "0" * 32, (), deleted=False)
    prints = {}
    for number in range(2 * MAX_LEAVES):
        rev = f"2-{number:032x}"
        graph = graph.adding(rev, ("1-" + "0" * 32,), deleted=True)
        prints[rev] = fingerprint(RESOLVED_TOMBSTONE if number % 2 else CONTENT, deleted=True)
    assert len(graph.counting_leaves(resolved_among(prints))) == MAX_LEAVES


def test_what_a_merge_took_in_does_not_count_against_the_limit() -> None:
    """A machine's merge of many deletions makes room, and may itself always come in."""
    root = "1-" + "0" * 32
    graph = Graph().adding(root, (), deleted=False).adding("2-" + "f" * 32, (root,), deleted=False)
    prints = {root: PRINT, "2-" + "f" * 32: PRINT}
    for number in range(MAX_LEAVES - 1):
        graph = graph.adding(f"2-{number:032x}", (root,), deleted=True)
        prints[f"2-{number:032x}"] = fingerprint(CONTENT, deleted=True)
    here = DocumentState(graph, prints)
    one_more = Offer("a", "2-" + "e" * 32, (root,), False, PRINT)
    assert decide(one_more, here) == Decision("quarantined", "too_many_leaves", is_new=True)
    content = canonical({"type": "record", "merged": [leaf for leaf in graph.leaves() if graph.held[leaf]]})
    merge = Offer(
        "a",
        "3-" + "a" * 32,
        ("2-" + "f" * 32, root),
        False,
        fingerprint(content, deleted=False),
        merged=merged_of(content),
    )
    assert decide(merge, here).outcome == "stored"
    merged = here.graph.adding(merge.rev, merge.ancestors, deleted=False, merged=merged_of(content))
    assert merged.counting_leaves() == (merge.rev,)
    assert decide(one_more, here.at(merged)).outcome == "stored"


def test_a_machine_may_close_a_merge_that_another_server_has_continued() -> None:
    """Two servers merge alone; a third, which has both merges, closes the one that the other goes on from meanwhile."""
    root, one, other, merge = "1-" + "0" * 32, "2-" + "a" * 32, "2-" + "b" * 32, "3-" + "c" * 32
    graph = Graph().adding(root, (), deleted=False)
    graph = graph.adding(one, (root,), deleted=False).adding(other, (root,), deleted=False)
    graph = graph.adding(merge, (other, root), deleted=False, merged=[one])
    prints = dict.fromkeys((root, one, other, merge), PRINT)
    closing = Offer("a", "4-" + "d" * 32, (merge, other, root), True, RESOLVED)
    alone = DocumentState(graph, prints, merges={merge})
    assert decide(closing, alone) == Decision("quarantined", "waits_for_merge", is_new=True)
    continued = graph.adding("4-" + "e" * 32, (merge, other, root), deleted=False)
    here = DocumentState(continued, {**prints, "4-" + "e" * 32: PRINT}, merges={merge})
    assert decide(closing, here).outcome == "stored"
    # A late path may show that its parent had reached what it merged: from then on it looks like an edit.
    assert decide(closing, replace(here, merges=set())).outcome == "stored"
