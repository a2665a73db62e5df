"""Exact replay against brute force, against the definition, and against cases played out."""

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.process.test_tree import language, trees

from journeymine.errors import OptionError
from journeymine.process.replay import accepts, count_accepted, loosened
from journeymine.process.tree import parse_tree
from journeymine.simulate.process_trees import play_out, random_tree

TREES = st.integers(1, 4).flatmap(lambda n: trees("abcd"[:n]))


@settings(max_examples=40, deadline=None)
@given(TREES)
def test_replay_equals_the_language_word_by_word(tree):
    longest = 5 if len(tree.activities) > 2 else 6
    words = language(tree, longest)
    names = [*tree.activities, "stranger"] if len(tree.activities) < 3 else tree.activities
    for length in range(longest + 1):
        for word in itertools.product(names, repeat=length):
            assert accepts(tree, word) == (word in words)


@pytest.mark.parametrize("seed", range(12))
def test_what_is_played_out_is_accepted(seed):
    tree = random_tree(4 + 2 * seed, seed)
    assert count_accepted(tree, play_out(tree, 100, seed)) == 100


def test_counts_weigh_the_variants():
    tree = parse_tree("->( 'a', +( 'b', 'c' ) )")
    assert count_accepted(tree, [("a", "b", "c"), ("a", "c", "b"), ("b", "a", "c"), ()], [5, 7, 11, 13]) == 12


def test_rounds_of_a_parallel_block_are_told_apart():
    tree = parse_tree("*( +( 'a', *( 'b', 'c' ) ), tau )")
    assert accepts(tree, "abba")
    assert accepts(tree, "bcabba")
    assert not accepts(tree, "aabb" + "b")
    assert not accepts(tree, "abcba" + "c")


def test_an_activity_twice_is_refused():
    with pytest.raises(OptionError, match="more than once"):
        accepts(parse_tree("->( 'a', X( 'b', 'a' ) )"), ["a"])


def test_long_traces_are_polynomial():
    flower = parse_tree("*( tau, X( 'a', 'b', 'c' ) )")
    rounds = parse_tree("*( +( 'a', 'b', 'c' ), tau )")
    began = time.perf_counter()
    assert accepts(flower, "abccba" * 2000)
    assert accepts(rounds, "abccba" * 200)
    assert not accepts(rounds, "abccba" * 200 + "aa")
    assert time.perf_counter() - began < 2


@settings(max_examples=120, deadline=None)
@given(TREES, st.lists(st.text("abcd", max_size=6), max_size=6))
def test_a_loosened_tree_accepts_what_it_is_shown_and_all_it_did_before(tree, words):
    words = [tuple(name for name in word if name in tree.activities) for word in words]
    looser = loosened(tree, words)
    assert count_accepted(looser, words) == len(words)
    assert sorted(looser.activities) == sorted(tree.activities)
    assert language(tree, 4) <= language(looser, 4)
    if count_accepted(tree, words) == len(words):
        assert looser == tree


def test_loosening_names_strangers():
    with pytest.raises(OptionError, match="not in the tree"):
        loosened(parse_tree("->( 'a', 'b' )"), [("a", "x")])
