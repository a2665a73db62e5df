"""Random trees of the rediscoverable class, and cases played out from them."""

from collections import Counter

import pytest

from journeymine.errors import OptionError
from journeymine.process.replay import count_accepted
from journeymine.process.tree import SILENT, can_be_empty, normalised, parse_tree
from journeymine.simulate.process_trees import play_out, random_tree


def edges_of(tree):
    """Activities with which words of a tree can start, and end."""
    if not tree.children:
        own = set() if tree.activity is None else {tree.activity}
        return own, own
    if tree.operator == "loop":
        return edges_of(tree.children[0])
    parts = [edges_of(child) for child in tree.children]
    if tree.operator != "sequence":
        return set().union(*(p[0] for p in parts)), set().union(*(p[1] for p in parts))
    starts, ends = set(), set()
    for child, part in zip(tree.children, parts, strict=True):
        starts |= part[0]
        if not can_be_empty(child):
            break
    for child, part in zip(tree.children[::-1], parts[::-1], strict=True):
        ends |= part[1]
        if not can_be_empty(child):
            break
    return starts, ends


def check_class(tree):
    if tree.operator == "loop":
        do, redo = tree.children
        starts, ends = edges_of(do)
        assert not starts & ends
        assert not can_be_empty(do)
        assert not can_be_empty(redo)
    if tree.operator == "parallel":
        assert not any(can_be_empty(child) for child in tree.children)
    if tree.operator == "sequence":
        assert not can_be_empty(tree)
    for child in tree.children:
        if child != SILENT:
            check_class(child)


@pytest.mark.parametrize("n", [1, 2, 3, 8, 20])
def test_trees_are_of_the_class(n):
    for seed in range(25):
        tree = random_tree(n, seed)
        assert sorted(tree.activities) == sorted(f"a{i + 1}" for i in range(n))
        assert not can_be_empty(tree)
        assert normalised(parse_tree(str(tree))) == normalised(tree)
        check_class(tree)


def test_all_operators_appear():
    text = " ".join(str(random_tree(12, seed)) for seed in range(20))
    assert all(sign in text for sign in ("->(", "X(", "+(", "*(", "tau"))


def test_the_seed_decides():
    tree = random_tree(10, 3)
    assert tree == random_tree(10, 3)
    assert tree != random_tree(10, 4)
    assert play_out(tree, 50, 1, noise=0.3) == play_out(tree, 50, 1, noise=0.3)
    assert play_out(tree, 50, 1) != play_out(tree, 50, 2)


def test_without_noise_all_cases_fit_and_with_it_about_its_share_is_disturbed():
    tree = random_tree(12, 1)
    assert count_accepted(tree, play_out(tree, 500, 1)) == 500
    # A disturbance may leave a case that fits by chance.
    assert 0.6 * 150 < 500 - count_accepted(tree, play_out(tree, 500, 1, noise=0.3)) < 190


def test_choices_and_interleavings_are_equally_likely():
    n = 6000
    seen = Counter(play_out(parse_tree("X( 'a', 'b', +( 'c', ->( 'd', 'e' ) ) )"), n, 1))
    assert abs(seen["a",] / n - 1 / 3) < 0.03
    for word in ("cde", "dce", "dec"):
        assert abs(seen[tuple(word)] / n - 1 / 9) < 0.03


def test_loops_go_round_again_with_probability_three_tenths():
    seen = Counter(len(case) for case in play_out(parse_tree("*( 'a', 'b' )"), 6000, 1))
    assert abs(seen[1] / 6000 - 0.7) < 0.03
    assert abs(seen[3] / 6000 - 0.21) < 0.03


@pytest.mark.parametrize(("n_cases", "noise"), [(-1, 0), (1, 1.5), (1, float("nan"))])
def test_impossible_settings(n_cases, noise):
    with pytest.raises(OptionError):
        play_out(random_tree(2), n_cases, noise=noise)
    with pytest.raises(OptionError):
        random_tree(0)
