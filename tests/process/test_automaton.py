"""Reading event by event against the enumerated language, and against exact replay."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.process.test_tree import language, trees

from journeymine.errors import OptionError
from journeymine.process.automaton import Automaton
from journeymine.process.replay import accepts
from journeymine.process.tree import SILENT, Tree, activity, exclusive, parse_tree, sequence
from journeymine.simulate.process_trees import play_out, random_tree

TREES = st.integers(1, 3).flatmap(lambda n: trees("abc"[:n]))


def state_after(machine, word):
    state = machine.start
    for name in word:
        state = machine.step(state, name)
    return state


def enabled(machine, state):
    mask = machine.enabled(state)
    return {name for name, bit in machine.code.items() if mask >> bit & 1}


@settings(max_examples=80, deadline=None)
@given(TREES)
def test_what_can_come_next_is_what_comes_next_in_the_language(tree):
    machine = Automaton(tree)
    # After one event and the next, three leaves are done within three more.
    words = language(tree, 5)
    for length in range(2):
        for prefix in itertools.product(tree.activities, repeat=length):
            following = {word[length] for word in words if word[:length] == prefix and len(word) > length}
            possible = any(word[:length] == prefix for word in words)
            state = state_after(machine, prefix)
            assert (state is not None) == possible
            if state is not None:
                assert enabled(machine, state) == following


@settings(max_examples=60, deadline=None)
@given(TREES)
def test_accepts_equals_the_language(tree):
    machine = Automaton(tree)
    words = language(tree, 4)
    for length in range(5):
        for word in itertools.product(tree.activities, repeat=length):
            assert machine.accepts(word) == (word in words)


@pytest.mark.parametrize("seed", range(8))
def test_accepts_equals_exact_replay_of_large_trees(seed):
    tree = random_tree(5 + 3 * seed, seed)
    machine = Automaton(tree)
    cases = play_out(tree, 30, seed)
    broken = [case[1:] + case[:1] for case in cases] + [case[:-1] for case in cases if case]
    for case in [*cases, *broken]:
        assert machine.accepts(case) == accepts(tree, case)


def test_unknown_activities_are_not_allowed():
    machine = Automaton(parse_tree("->( 'a', 'b' )"))
    assert machine.step(machine.start, "stranger") is None
    assert machine.step(None, "a") is None


def test_an_activity_twice_is_refused_where_it_matters():
    with pytest.raises(OptionError):
        Automaton(parse_tree("+( 'a', X( 'b', 'a' ) )"))


def test_a_deep_tree_is_read():
    tree: Tree = activity("last")
    for i in range(300):
        tree = exclusive(sequence(activity(f"a{i:04d}"), tree), SILENT)
    machine = Automaton(tree)
    word = [f"a{i:04d}" for i in reversed(range(300))]
    assert machine.accepts([*word, "last"])
    assert machine.accepts(word[:200])
    assert not machine.accepts(word[1:])
    assert machine.accepts([])


def test_many_rounds_stay_few_states():
    machine = Automaton(
        parse_tree("*( +( X( 'a', tau ), X( 'b', tau ), X( 'c', tau ), X( 'd', tau ) ), tau )")
    )
    state = state_after(machine, "abcdabdcbadc" * 50)
    assert enabled(machine, state) == set("abcd")
    assert len(machine._root.contents) < 200
