"""Answers and patterns made to hurt: they cost little, raise nothing, and are judged the same on every server."""

import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.forms.evaluate.compiling import compile_expression
from server.forms.evaluate.patterns import NotAPattern, pattern
from server.forms.evaluate.syntax import NotXPath, parse
from tests.server.test_forms_evaluate import evaluator

#: More than any of this takes on a slow machine, and far less than what it guards against.
SOON_S = 5.0

WRONG_SHAPES: list[Any] = [
    None, "text", [], ["x"], {}, {"a": "b"}, [[["x"]]], [{"_rid": None}], [{"_rid": "r"}, {"_rid": "r"}, "no row"], 12,
    True, [None], {"$extra": {"x": ["y"]}},
]  # fmt: skip


@pytest.mark.parametrize("shape", WRONG_SHAPES, ids=repr)
def test_another_shape_than_the_forms_is_blank_and_stays(shape: Any) -> None:
    names = ("int_a", "multi", "group", "hidden", "row", "meta", "text_a")
    said = evaluator("functions").evaluate(dict.fromkeys(names, shape))
    for name in names:
        if not isinstance(shape, dict | list):
            assert said.answers[name] == shape


json_values = st.recursive(
    st.none() | st.booleans() | st.text(max_size=8) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["_rid", "n", "m", "inner"]), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["int_a", "text_a", "row", "hidden", "one", "shape", "date_a"]), json_values))
def test_no_answers_at_all_raise(answers: dict[str, Any]) -> None:
    evaluator("functions").evaluate(answers)


def test_many_rows_cost_no_more_than_a_bound() -> None:
    rows = [{"_rid": str(number), "n": "7", "inner": [{"_rid": "i", "m": "9"}]} for number in range(4_000)]
    started = time.perf_counter()
    said = evaluator("functions").evaluate({"int_a": "5", "row": rows})
    assert time.perf_counter() - started < SOON_S
    assert len(said.answers["row"]) == 4_000


def test_long_texts_are_matched_and_cut_in_linear_time() -> None:
    started = time.perf_counter()
    evaluator("functions").evaluate({"text_a": "a " * 400_000, "multi": ["maize"] * 100_000, "shape": "1 2;" * 200_000})
    evaluator("functions").evaluate({"int_a": "9" * 400_000, "dec_a": "1e" + "9" * 100_000, "date_a": "2" * 400_000})
    assert time.perf_counter() - started < SOON_S


@pytest.mark.parametrize(
    "evil", ["^(a+)+$", "^(a|aa)*$", "^(a*)*b", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$", "(a?){30}a{30}"]
)
def test_a_pattern_that_backtracks_for_ever_elsewhere_is_matched_at_once(evil: str) -> None:
    started = time.perf_counter()
    pattern(evil).is_in("a" * 5_000 + "!")
    pattern(evil).is_in("x" * 5_000)
    assert time.perf_counter() - started < SOON_S


@pytest.mark.parametrize(
    "text",
    [r"(?=a)", r"(?<!a)b", r"(a)\1", r"\bword\b", "a**", "(", ")", "[b-a]", "[a", "a{2,1}", "*", "a{9999}", "\\"],
)
def test_what_no_automaton_can_do_is_refused(text: str) -> None:
    with pytest.raises(NotAPattern):
        pattern(text)


#: Pieces of patterns that mean the same to Python and to JavaScript.
pieces = st.sampled_from(
    [
        "a",
        "b",
        "[ab]",
        "[^a]",
        ".",
        "(?:a|b)",
        "(ab|b)",
        "a*",
        "b+",
        "a?",
        "(?:ab){2}",
        "[a-c]{1,3}",
        "^",
        "$",
        "x|y",
        r"\d",
        "(a*)*",
    ]
)


@given(st.lists(pieces, max_size=6).map("".join), st.text("abcxy1", max_size=10))
def test_patterns_find_what_backtracking_finds(text: str, answer: str) -> None:
    # Python's $ also matches before a last line feed, which these answers do not have.
    assert pattern(text).is_in(answer) == (re.search(text, answer) is not None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 +",
        "(1",
        "1)",
        "a b",
        "a[",
        "'x",
        "f(,)",
        "/a/",
        "a::b",
        "$x",
        "1 = = 2",
        "(" * 500 + "1" + ")" * 500,
        "@",
        "a//",
    ],
)
def test_what_is_no_xpath_is_refused(text: str) -> None:
    with pytest.raises(NotXPath):
        parse(text)


def test_the_longest_chain_that_is_read_can_also_be_run() -> None:
    run = compile_expression(" + ".join(["1"] * 200)).run
    assert run(None) == 200  # type: ignore[arg-type]  # nothing of the context is looked at


def test_a_huge_expression_is_read_in_linear_time() -> None:
    started = time.perf_counter()
    parse("concat(" + ", ".join(["/data/text_a"] * 3_000) + ")")
    with pytest.raises(NotXPath):
        parse(" + ".join(["1"] * 5_000))
    with pytest.raises(NotXPath):
        parse("a" * 100_000 + " " * 100_000 + "(")
    with pytest.raises(NotXPath):
        parse("(" * 100_000)
    assert time.perf_counter() - started < SOON_S
