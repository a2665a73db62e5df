"""Escaping edges: by hand, against the definition on the enumerated language, against pm4py on real logs."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.process.test_tree import language, trees

from journeymine.process.precision import escaping_edges
from journeymine.process.tree import parse_tree

TREES = st.integers(1, 3).flatmap(lambda n: trees("abc"[:n]))
WORDS = st.lists(st.tuples(st.text("abcz", max_size=2), st.integers(1, 5)), min_size=1, max_size=6)


def by_definition(tree, variants):
    """Every beginning of every case, what the language allows after it, and what came after it in the log."""
    n, seen = Counter(), {}
    for path, count in variants:
        for length in range(len(path)):
            n[path[:length]] += count
            seen.setdefault(path[:length], set()).add(path[length])
    words = language(tree, 6)
    allowed = escaping = 0
    for prefix, count in n.items():
        known = tuple(name for name in prefix if name in tree.activities)
        after = {w[len(known)] for w in words if w[: len(known)] == known and len(w) > len(known)}
        allowed += count * len(after)
        escaping += count * len(after - seen[prefix])
    return 1 - escaping / allowed if allowed else 1.0


def test_by_hand():
    tree = parse_tree("->( 'a', X( 'b', 'c', 'd' ), *( 'e', tau ) )")
    log = [(("a", "b", "e"), 3), (("a", "c", "e", "e"), 1)]
    # "": a of a, 4 times; "a": b, c of b, c, d, 4 times; "ab": e, 3 times; "ac": e; "ace": e.
    assert escaping_edges(tree, log) == 1 - 4 / (4 + 12 + 3 + 1 + 1)


@settings(max_examples=60, deadline=None)
@given(TREES, WORDS)
def test_equals_the_definition(tree, words):
    variants = [(tuple(word), n) for word, n in words]
    assert escaping_edges(tree, variants) == pytest.approx(by_definition(tree, variants), abs=1e-12)


def test_an_empty_log_or_model_allows_nothing_that_was_not_seen():
    assert escaping_edges(parse_tree("'a'"), []) == 1.0
    assert escaping_edges(parse_tree("tau"), [(("a",), 3)]) == 1.0


def test_order_of_variants_does_not_matter():
    tree = parse_tree("*( tau, X( 'a', 'b', 'c' ) )")
    variants = [(("a", "b"), 3), (("b",), 2), (("c", "a", "a"), 1)]
    assert escaping_edges(tree, variants) == escaping_edges(tree, variants[::-1])


def test_more_freedom_is_less_precise():
    log = [(("a", "b", "c"), 10)]
    exact, parallel, flower = (
        escaping_edges(parse_tree(text), log)
        for text in ("->( 'a', 'b', 'c' )", "+( 'a', 'b', 'c' )", "*( tau, X( 'a', 'b', 'c' ) )")
    )
    assert exact == 1.0
    assert np.all(np.diff([exact, parallel, flower]) < 0)
