"""The graph: examples that teach, and properties over random trees, truncations and orders of arrival."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sync.revisions.admission import MAX_LEAVES, DocumentState, Offer, decide
from sync.revisions.graph import Graph
from sync.revisions.growing_graph import GrowingGraph
from sync.revisions.revision_id import rank


@dataclass(frozen=True, slots=True)
class Arrival:
    """A revision as one replica sends it: with as much of its line as that replica knows."""

    rev: str
    ancestors: tuple[str, ...]
    deleted: bool
    merged: tuple[str, ...] = ()


@st.composite
def trees(draw: st.DrawFn) -> list[Arrival]:
    """Draw all revisions of a random tree, each with its whole line."""
    made: list[Arrival] = []
    for number in range(draw(st.integers(1, 12))):
        parent = draw(st.none() | st.sampled_from(made)) if made else None
        line = (parent.rev, *parent.ancestors) if parent else ()
        others = sorted({one.rev for one in made} - set(line))
        merged = draw(st.lists(st.sampled_from(others), max_size=3, unique=True)) if others else []
        made.append(Arrival(f"{len(line) + 1}-{number:032x}", line, draw(st.booleans()), tuple(merged)))
    return made


@st.composite
def arrivals(draw: st.DrawFn) -> list[Arrival]:
    """Draw what arrives of a tree: every revision at least once, in any order, with lines cut anywhere."""
    tree = draw(trees())
    sent = tree + draw(st.lists(st.sampled_from(tree), max_size=8))
    cut = [replace(one, ancestors=one.ancestors[: draw(st.integers(0, len(one.ancestors)))]) for one in sent]
    return draw(st.permutations(cut))


def graph_of(arrived: Sequence[Arrival]) -> Graph:
    graph = Graph()
    for one in arrived:
        if one.rev in graph.held:
            graph = graph.naming(one.rev, one.ancestors)
        else:
            graph = graph.adding(one.rev, one.ancestors, deleted=one.deleted, merged=one.merged)
    return graph


@given(arrivals(), st.randoms(use_true_random=False))
def test_i4_the_same_paths_in_any_order_give_the_same_graph(arrived: list[Arrival], random: Random) -> None:
    shuffled = list(arrived)
    random.shuffle(shuffled)
    one, other = graph_of(arrived), graph_of(shuffled)
    assert one == other
    assert one.leaves() == other.leaves()
    assert one.counting_leaves() == other.counting_leaves()


@given(arrivals())
def test_i3_the_same_paths_twice_equal_once(arrived: list[Arrival]) -> None:
    once, twice = graph_of(arrived), graph_of(arrived + arrived)
    assert once == twice


@given(trees(), st.data())
def test_i4_leaves_are_what_no_revision_follows_once_whole_lines_have_arrived(
    tree: list[Arrival], data: st.DataObject
) -> None:
    graph = graph_of(data.draw(st.permutations(tree)))
    followed = {ancestor for one in tree for ancestor in one.ancestors}
    expected = [one for one in tree if one.rev not in followed]
    assert set(graph.leaves()) == {one.rev for one in expected}
    assert graph.winner() == max(expected, key=lambda one: rank(one.rev, deleted=one.deleted)).rev
    assert all(graph.ancestors(one.rev) == one.ancestors for one in tree)


@given(arrivals())
def test_a_leaf_is_always_held_and_winner_first(arrived: list[Arrival]) -> None:
    graph = graph_of(arrived)
    leaves = graph.leaves()
    assert leaves
    assert all(leaf in graph.held for leaf in leaves)
    ranks = [rank(leaf, deleted=graph.held[leaf]) for leaf in leaves]
    assert ranks == sorted(ranks, reverse=True)


@given(trees(), st.data())
def test_i4_leaves_count_alike_however_whole_lines_arrive(tree: list[Arrival], data: st.DataObject) -> None:
    graph = graph_of(data.draw(st.permutations(tree)))
    edges = {one.rev: {*one.ancestors[:1], *one.merged} for one in tree}
    reaches = {one.rev: {one.rev} for one in tree}
    for one in tree:
        # Parents and what is merged were made before: they know already all that they reach.
        for edge in edges[one.rev]:
            reaches[one.rev] |= reaches[edge]
    assert all(graph.reached([one.rev]) == reaches[one.rev] for one in tree)
    leaves = graph.leaves()
    live = [leaf for leaf in leaves if not graph.held[leaf]]
    resolved = data.draw(st.sets(st.sampled_from(leaves)))
    asked = {leaf for leaf in leaves if graph.held[leaf] and not any(leaf in reaches[each] for each in live)}
    assert graph.counting_leaves(resolved) == tuple(leaf for leaf in leaves if leaf in live or leaf in asked - resolved)
    # What is merged says nothing of leaves: other replicas, who know only parents, have the same ones and the winner.
    assert replace(graph, merged={}).leaves() == leaves


@given(trees(), st.data())
def test_a_merge_of_everything_leaves_nothing_else_that_counts_but_what_lives(
    tree: list[Arrival], data: st.DataObject
) -> None:
    graph = graph_of(tree)
    winner, *others = graph.leaves()
    merge = Arrival(f"99-{'a' * 32}", (winner,), False, tuple(others))
    merged = graph.adding(merge.rev, merge.ancestors, deleted=False, merged=merge.merged)
    live = [leaf for leaf in others if not graph.held[leaf]]
    assert merged.counting_leaves() == (merge.rev, *live)
    for leaf in live:
        merged = merged.adding(f"98-{leaf[-32:]}", (leaf,), deleted=True)
    resolved = [leaf for leaf in merged.leaves() if leaf.startswith("98-")]
    assert merged.counting_leaves(resolved) == (merge.rev,)


def test_a_graph_is_a_value_that_adding_does_not_change() -> None:
    empty = Graph()
    one = empty.adding("1-a", (), deleted=False)
    one.adding("2-b", ("1-a",), deleted=False)
    assert (empty.leaves(), empty.winner()) == ((), None)
    assert one.leaves() == ("1-a",)


def test_a_path_does_not_change_a_parent_that_is_known() -> None:
    graph = Graph().adding("2-b", ("1-a",), deleted=False)
    assert graph.naming("2-b", ("1-f",)).parents["2-b"] == "1-a"


def test_a_circle_of_forged_edges_ends() -> None:
    graph = Graph({"2-a": "2-b", "2-b": "2-a"}, {"2-a": False, "2-b": False})
    assert graph.ancestors("2-a") == ("2-b", "2-a")
    assert graph.leaves() == ()
    assert graph.reached(["2-a"]) == {"2-a", "2-b"}
    looped = Graph({"2-a": None}, {"2-a": False}, {"2-a": ("2-a", "3-c"), "3-c": ("2-a",)})
    assert looped.reached(["2-a"]) == {"2-a", "3-c"}


@given(arrivals(), st.integers(0, 12))
def test_a_graph_that_grows_in_place_says_what_new_ones_say(arrived: list[Arrival], before: int) -> None:
    graph = graph_of(arrived[:before])
    growing = GrowingGraph(graph)
    for one in arrived[before:]:
        known, leaves = dict(graph.parents), graph.leaves()
        if one.rev in graph.held:
            graph = graph.naming(one.rev, one.ancestors)
            news = growing.name(one.rev, one.ancestors)
            assert news.ends_leaf is (leaves != graph.leaves())
        else:
            graph = graph.adding(one.rev, one.ancestors, deleted=one.deleted, merged=one.merged)
            news = growing.add(one.rev, one.ancestors, deleted=one.deleted, merged=one.merged)
        assert Graph(growing.parents, growing.held, growing.merged) == graph
        assert growing.leaves() == graph.leaves()
        assert growing.counting_leaves() == graph.counting_leaves()
        assert (growing.leaf_count, growing.highest) == (graph.leaf_count, graph.highest)
        assert all(growing.is_leaf(each) is (each in graph.leaves()) for each in graph.parents)
        assert {*news.named} == graph.parents.keys() - known.keys() - {one.rev}
        filled = {each for each in known if known[each] is None and graph.parents[each] is not None}
        assert {*news.filled} - {one.rev} == filled - {one.rev}


@given(st.integers(1, 3), st.lists(st.tuples(st.integers(0, 60), st.booleans()), min_size=40, max_size=60))
def test_an_edit_is_a_leaf_too_many_only_where_counting_all_says_so(roots: int, drawn: list[tuple[int, bool]]) -> None:
    here = DocumentState(GrowingGraph(Graph()), {}, {})
    made: list[tuple[str, tuple[str, ...]]] = []
    for number, (position, deleted) in enumerate(drawn):
        line = () if number < roots else (made[position % len(made)][0], *made[position % len(made)][1])
        offer = Offer("a", f"{len(line) + 1}-{number:032x}", line, deleted, b"print")
        before = len(here.graph.counting_leaves())
        after = len(here.graph.adding(offer.rev, line, deleted=deleted).counting_leaves())
        is_too_many = after > MAX_LEAVES and after > before
        assert (decide(offer, here).reason == "too_many_leaves") is is_too_many
        made.append((offer.rev, line))
        assert isinstance(here.graph, GrowingGraph)
        here.graph.add(offer.rev, line, deleted=deleted)
        here = DocumentState(here.graph, {**here.fingerprints, offer.rev: b"print"}, {})
