"""Attempts that are merged: nothing is lost, and what tells nothing apart is not told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import journeymine as jm
from journeymine.analyses.fix_evidence import sequences_of
from journeymine.counts.attempts import (
    attempt_numbers,
    merge_like_attempts,
    merge_rare_attempts,
    with_attempts,
)
from journeymine.markov.lists import chain_of_sequences

if TYPE_CHECKING:
    from journeymine.counts.chain import ChainCounts


def simulated(n: int, *, memory: bool, seed: int = 0) -> jm.EventLog:
    """A payment that is tried again and again; with memory, each failure makes leaving likelier."""
    rng = np.random.default_rng(seed)
    events = []
    for case in range(n):
        at = pd.Timestamp("2026-01-01") + pd.Timedelta(hours=case)
        path = ["form"]
        for attempt in range(12):
            path.append("pay")
            if rng.random() < 0.5:
                path.append("done")
                break
            path.append("error")
            if rng.random() < (min(0.15 + 0.25 * attempt, 0.9) if memory else 0.3):
                break
        events += [(f"c{case}", name, at + pd.Timedelta(minutes=i)) for i, name in enumerate(path)]
    frame = pd.DataFrame(events, columns=["case_id", "activity", "timestamp"])
    log = jm.read_log(frame, case_id="case_id", activity="activity", timestamp="timestamp")
    return log.journeys("done", idle="2d")


def matrix(counts: ChainCounts) -> np.ndarray:
    moves = np.zeros((counts.n_states, counts.n_states + 2))
    np.add.at(moves, (counts.source, counts.column(counts.target)), counts.n)
    return moves


def collapsed(counts: ChainCounts, n: int) -> np.ndarray:
    """Moves between activities."""
    assert counts.base is not None
    moves, columns = np.zeros((n, n + 2)), np.append(counts.base, [n, n + 1])
    np.add.at(moves, (counts.base[counts.source], columns[counts.column(counts.target)]), counts.n)
    return moves


def test_merging_keeps_every_move_start_and_wait() -> None:
    log = simulated(600, memory=True)
    chain, counts = log.count_chain(), log.count_chain(4)
    for merged in (merge_rare_attempts(counts, chain), merge_like_attempts(counts, chain)):
        np.testing.assert_array_equal(collapsed(merged, chain.n_states), matrix(chain))
        assert merged.start_n.sum() == chain.start_n.sum()
        assert merged.wait_us.sum() == pytest.approx(chain.wait_us.sum())
        assert merged.n_states <= counts.n_states


def test_rare_attempts_join_the_one_before() -> None:
    log = simulated(600, memory=False)
    chain, counts = log.count_chain(), log.count_chain(4)
    visits = dict(zip(counts.states, matrix(counts).sum(axis=1).tolist(), strict=True))
    few = merge_rare_attempts(counts, chain, fewest=int(visits["pay #3"]) + 1)
    assert [name for name in few.states if name.startswith("pay")] == ["pay #1", "pay #2+"]
    assert matrix(few).sum(axis=1)[few.states.index("pay #2+")] == sum(
        n for name, n in visits.items() if name in ("pay #2", "pay #3", "pay #4+")
    )
    assert "form" in few.states
    assert merge_rare_attempts(counts, chain, fewest=1, most=4).n_states == 4


def test_attempts_stay_where_they_tell_what_comes_next() -> None:
    for memory, expected in ((True, 2), (False, 1)):
        log = simulated(2500, memory=memory)
        chain = log.count_chain()
        counts = merge_rare_attempts(log.count_chain(4), chain)
        merged = merge_like_attempts(counts, chain)
        errors = [name for name in merged.states if name.startswith("error")]
        assert (len(errors) >= 2) == (expected == 2)
        # Payments succeed for half at every attempt, whatever came before.
        assert [name for name in merged.states if name.startswith("pay")] == ["pay"]
        kept = merge_like_attempts(counts, chain, keep={chain.states.index("pay")})
        assert sum(name.startswith("pay") for name in kept.states) > 1


def test_journeys_carry_the_attempts_of_the_chain() -> None:
    log = simulated(400, memory=True)
    chain = log.count_chain()
    counts = merge_rare_attempts(log.count_chain(4), chain, fewest=10)
    sequences = sequences_of(log)
    told = with_attempts(sequences, counts)
    np.testing.assert_array_equal(matrix(chain_of_sequences(told)), matrix(counts))
    number = attempt_numbers(sequences)
    for i in range(sequences.n_sequences):
        own = sequences.code[sequences.begin[i] : sequences.begin[i + 1]].tolist()
        expected = [own[: j + 1].count(code) for j, code in enumerate(own)]
        assert number[sequences.begin[i] : sequences.begin[i + 1]].tolist() == expected


def test_a_log_without_visits_has_no_attempts() -> None:
    frame = pd.DataFrame({"case_id": ["a"], "activity": ["done"], "timestamp": [pd.Timestamp("2026-01-01")]})
    log = jm.read_log(frame, case_id="case_id", activity="activity", timestamp="timestamp").journeys(
        "done", idle="1d"
    )
    assert merge_rare_attempts(log.count_chain(4), log.count_chain()).n_states == 0
