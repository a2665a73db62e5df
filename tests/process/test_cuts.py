"""Cuts of small graphs whose answer is known, and projections that lose no count."""

from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.process.cuts import Cut, Flow, find_cut, split


def flow_of(*traces):
    names = sorted({name for trace in traces for name in trace})
    at = {name: i for i, name in enumerate(names)}
    follows = np.zeros((len(names), len(names)), np.int64)
    starts, ends = np.zeros((2, len(names)), np.int64)
    for trace in traces:
        starts[at[trace[0]]] += 1
        ends[at[trace[-1]]] += 1
        for a, b in pairwise(trace):
            follows[at[a], at[b]] += 1
    return Flow(tuple(range(len(names))), follows, starts, ends)


def cut_of(*traces):
    cut = find_cut(flow_of(*traces))
    names = sorted({name for trace in traces for name in trace})
    return None if cut is None else (cut.operator, ["".join(names[i] for i in group) for group in cut.groups])


@pytest.mark.parametrize(
    ("traces", "expected"),
    [
        (["ab", "c"], ("exclusive", ["ab", "c"])),
        (["abc"], ("sequence", ["a", "b", "c"])),
        (["abd", "acd"], ("sequence", ["a", "bc", "d"])),
        (["bca", "cba"], ("sequence", ["bc", "a"])),
        (["ab", "ba"], ("parallel", ["a", "b"])),
        (["abc", "acb", "cab"], ("parallel", ["ab", "c"])),
        (["aba"], ("loop", ["a", "b"])),
        (["abcab", "abdab"], ("loop", ["ab", "c", "d"])),
        # d comes back to an activity that is no start: part of the body.
        (["abcab", "abdb"], ("loop", ["abd", "c"])),
        (["abc", "bca"], None),
        (["abab"], None),
    ],
)
def test_each_operator_is_recognised(traces, expected):
    assert cut_of(*traces) == expected


@pytest.mark.parametrize(
    ("traces", "expected"),
    [
        # Both may be skipped on their own.
        (["abc", "c", "ac", "bc"], ["a", "b", "c"]),
        # b never happens without a, or a without b: one option.
        (["abc", "c"], ["ab", "c"]),
        (["abc", "c", "ac"], ["ab", "c"]),
        (["abc", "c", "bc"], ["ab", "c"]),
        # A block joined to the left is no longer there for the one to the right.
        (["abc", "acd", "cd", "c"], ["ab", "c", "d"]),
    ],
)
def test_sequence_cuts_are_strict(traces, expected):
    assert cut_of(*traces) == ("sequence", expected)


def test_a_parallel_block_needs_a_start_and_an_end():
    follows = np.ones((3, 3), np.int64) - np.eye(3, dtype=np.int64)
    flow = Flow((0, 1, 2), follows, np.array([1, 0, 1]), np.array([1, 1, 1]))
    assert find_cut(flow) == Cut("parallel", [[0, 1], [2]])


@pytest.mark.parametrize(
    ("traces", "why"),
    [
        (["abcab", "cab", "ab", "ba"], "c is a start itself"),
        (["acb", "adb", "acbecb"], "e goes to c, no start"),
    ],
)
def test_what_leads_back_elsewhere_is_no_loop_of_its_own(traces, why):
    cut = cut_of(*traces)
    assert cut is None or cut[0] != "loop", why


def test_sequence_projection_counts_skips_starts_and_ends():
    flow = flow_of("abd", "ad", "bd", "d", "a", "abd")
    parts = split(flow, Cut("sequence", [[0], [1], [2]]))
    assert [part.n_empty for part in parts] == [2, 3, 1]
    assert [part.starts.tolist() for part in parts] == [[4], [3], [5]]
    assert [part.ends.tolist() for part in parts] == [[4], [3], [5]]


def test_loop_projection_counts_rounds():
    flow = flow_of("abcab", "ab", "abcabcab")
    body, back = split(flow, Cut("loop", [[0, 1], [2]]))
    assert (body.starts.tolist(), body.ends.tolist()) == ([6, 0], [0, 6])
    assert (back.starts.tolist(), back.ends.tolist(), back.n_empty) == ([3], [3], 0)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("abcdef", min_size=1, max_size=7), min_size=1, max_size=8))
def test_cuts_partition_and_sequences_keep_every_case(traces):
    flow = flow_of(*traces)
    cut = find_cut(flow) if len(flow.codes) > 1 else None
    if cut is None:
        return
    assert sorted(chain.from_iterable(cut.groups)) == list(range(len(flow.codes)))
    parts = split(flow, cut)
    for part in parts:
        # Flow is kept: what comes in goes out.
        into, out = part.follows.sum(axis=0) + part.starts, part.follows.sum(axis=1) + part.ends
        if cut.operator != "parallel":
            assert into.tolist() == out.tolist()
        if cut.operator == "sequence":
            assert part.starts.sum() + part.n_empty == len(traces)
