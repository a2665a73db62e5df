"""Sequences of watched visits: counted by hand, and moves that are those of the chain."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import numpy as np
import pandas as pd
import pytest

import journeymine as jm
from journeymine.counting.sequences import count_sequences
from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.sequences import OPEN, SequenceCounts
from journeymine.markov.lists import chain_of_sequences

BEGIN = dt.datetime(2026, 1, 1)


def log_of(rows: list[tuple[str, str, float]], **options: Any) -> jm.EventLog:
    """Rows are (case, activity, day)."""
    events = pd.DataFrame(
        [(case, name, BEGIN + dt.timedelta(days=day)) for case, name, day in rows],
        columns=["case", "activity", "time"],
    )
    events["order"] = range(len(events))
    log = jm.read_log(events, case_id="case", activity="activity", timestamp="time", order="order", threads=1)
    return log.journeys(**({"goal": "G", "idle": "10d"} | options))


def sequences_of(log: jm.EventLog) -> SequenceCounts:
    assert log.found is not None
    return count_sequences(log.engine, log.canonical, log.found, log._visits, log.count_chain())


def listed(found: SequenceCounts) -> list[tuple[str, int, int]]:
    """(states, last, n) of each sequence; a state that follows is named by its number."""
    names = "".join(found.states)
    return [
        ("".join(names[c] for c in found.code[a:b]), int(last), int(n))
        for a, b, last, n in zip(found.begin[:-1], found.begin[1:], found.last, found.n, strict=True)
    ]


def test_sequences_by_hand() -> None:
    rows = [
        ("1", "A", 0.0), ("1", "B", 1.0), ("1", "G", 2.0), ("1", "A", 3.0),  # A B then the goal
        ("2", "A", 0.0), ("2", "B", 1.0), ("2", "G", 2.0),  # the same
        ("3", "B", 0.0),  # dropped
        ("4", "G", 0.0),  # starts with the goal
        ("5", "A", 29.0), ("5", "B", 31.0),  # B is not watched for ten days
        ("6", "B", 35.0),  # nothing watched
        ("7", "B", 40.0),
    ]  # fmt: skip
    found = sequences_of(log_of(rows))
    total: dict[tuple[str, int], int] = {}
    for path, last, n in listed(found):
        total[path, last] = total.get((path, last), 0) + n
    assert total == {("AB", GOAL): 2, ("B", DROP): 1, ("", GOAL): 1, ("A", 1): 1}


def test_a_state_that_nobody_followed_ends_its_sequence() -> None:
    rows = [("1", "A", 0.0), ("1", "X", 29.0), ("2", "A", 1.0), ("2", "G", 2.0), ("3", "A", 35.0)]
    found = sequences_of(log_of(rows))
    assert found.states == ("A",)
    assert sorted(listed(found)) == [("A", OPEN, 1), ("A", GOAL, 1)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("by_silence", [False, True])
def test_moves_are_those_of_the_chain(seed: int, by_silence: bool) -> None:
    rng = random.Random(seed)
    rows = []
    for case in range(200):
        day = rng.uniform(0, 60)
        for _ in range(rng.randint(1, 8)):
            rows.append((f"c{case}", rng.choice("ABCDG"), day))
            day += rng.expovariate(0.3)
    options: dict[str, Any] = {"goal": ["G"], "end": "D" if seed % 2 else None}
    if by_silence:
        options["segments"] = "activity"
    log = log_of(rows, **options)
    counted, found = log.count_chain(), sequences_of(log)
    again = chain_of_sequences(found)
    width = counted.n_states + 2

    def moves(chain: Any) -> list[tuple[int, ...]]:
        column = chain.source * width + chain.column(chain.target)
        kept = sorted(zip(chain.unit, chain.cell, column, chain.n, strict=True))
        return [tuple(int(v) for v in row) for row in kept]

    assert found.states == counted.states
    assert moves(again) == moves(counted)


def test_taking_some_sequences() -> None:
    rows = [("1", "A", 0.0), ("1", "B", 1.0), ("2", "B", 0.0), ("2", "G", 1.0), ("3", "A", 40.0)]
    found = sequences_of(log_of(rows))
    some = found.take(np.array([path != "B" for path, _, _ in listed(found)]))
    assert listed(some) == [row for row in listed(found) if row[0] != "B"]
    assert listed(found.take(np.ones(found.n_sequences, bool))) == listed(found)
