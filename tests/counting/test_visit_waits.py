"""Waits of visits counted by the engine, against a plain-Python walk over the events."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import journeymine as jm
from journeymine.counting import chain as counting_chain
from journeymine.counting.visit_waits import count_visit_waits
from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.sequences import OPEN
from journeymine.counts.visit_waits import BINS_PER_OCTAVE, JOURNEY
from journeymine.errors import NotEnoughDataError, OptionError

if TYPE_CHECKING:
    from journeymine.counts.visit_waits import VisitWaits

HOUR = 3_600_000_000
BEGIN = pd.Timestamp("2026-03-01", tz="UTC")
ROLES = {"case_id": "case", "customer_id": "customer", "activity": "activity", "timestamp": "time"}
NAMES = ("A", 'B "quoted"', "<b>C</b>\n", "NA", "Quit", "🎯 Goal")
IDLE_HOURS = 50


def random_frame(seed: int, n: int = 60) -> pd.DataFrame:
    """Cases of customers with ties, long waits and every kind of end."""
    rng = np.random.default_rng(seed)
    rows = []
    for case in range(n):
        hour = float(rng.integers(0, 400))
        for _ in range(int(rng.integers(1, 8))):
            name = NAMES[int(rng.choice(6, p=[0.25, 0.25, 0.2, 0.1, 0.1, 0.1]))]
            rows.append((f"case {case}", f"customer {case % 17}", name, BEGIN + pd.Timedelta(hours=hour)))
            hour += float(rng.choice([0.0, 0.25, 3.0, 20.0, 49.0, 70.0, 120.0]))
    frame = pd.DataFrame(rows, columns=list(ROLES.values()))
    frame["place"] = range(len(frame))
    return frame


def counted(log: jm.EventLog) -> VisitWaits:
    assert log.found is not None
    return count_visit_waits(log.engine, log.canonical, log.found, log._visits, log.count_chain())


def bin_of(wait: int) -> int:
    return math.floor(BINS_PER_OCTAVE * math.log2(wait + 1))


def oracle(
    frame: pd.DataFrame, *, end: bool, by_case: bool = True
) -> dict[tuple[str, str, str, int], list[int]]:
    """Waits by (customer, source, target, bin), walked event by event."""
    us = (frame["time"] - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(microseconds=1)
    last, idle = int(us.max()), IDLE_HOURS * HOUR
    found: dict[tuple[str, str, str, int], list[int]] = defaultdict(list)
    for _, events in (
        frame.assign(us=us).sort_values(["us", "place"]).groupby("case" if by_case else "customer")
    ):
        path = [(str(a), int(t)) for a, t in zip(events["activity"], events["us"], strict=True)]
        customer = str(events["customer"].iloc[0])
        goal = next((i for i, (a, _) in enumerate(path) if a == NAMES[5]), None)
        ended = end and goal is None and path[-1][0] == "Quit"
        visits = path[: len(path) - (ended and len(path) > 1)] if goal is None else path[:goal]
        for i, (name, time) in enumerate(visits):
            if i + 1 < len(visits) or goal is not None:
                target, wait = path[i + 1][0], path[i + 1][1] - time
            elif ended:
                target, wait = "(drop)", path[-1][1] - time
            elif last - time >= idle:
                target, wait = "(drop)", idle
            else:
                target, wait = "(open)", last - time
            found[customer, name, target, bin_of(wait)].append(wait)
        start = path[0][1]
        if goal is not None:
            target, wait = "(goal)", path[goal][1] - start
        elif ended:
            target, wait = "(drop)", path[-1][1] - start
        elif last - path[-1][1] >= idle:
            target, wait = "(drop)", path[-1][1] + idle - start
        else:
            target, wait = "(open)", last - start
        found[customer, "(journey)", target, bin_of(wait)].append(wait)
    return {(c, s, "(goal)" if t == NAMES[5] else t, b): w for (c, s, t, b), w in found.items()}


def named(waits: VisitWaits) -> dict[tuple[str, str, int], tuple[int, int, int, int]]:
    """Entries by names: n, sum, smallest and largest wait."""
    ends = {GOAL: "(goal)", DROP: "(drop)", OPEN: "(open)"}
    names = {**dict(enumerate(waits.states)), **ends}
    sources = {**dict(enumerate(waits.states)), JOURNEY: "(journey)"}
    values = np.stack([waits.n, waits.wait_us, waits.low_us, waits.high_us], axis=1).tolist()
    keys = zip(waits.source.tolist(), waits.target.tolist(), waits.bin.tolist(), strict=True)
    return {(sources[s], names[t], b): tuple(v) for (s, t, b), v in zip(keys, values, strict=True)}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("end", [False, True])
def test_waits_counted_by_hand(seed: int, *, end: bool) -> None:
    frame = random_frame(seed)
    log = jm.read_log(frame.sample(frac=1, random_state=seed), order="place", **ROLES, threads=1)
    waits = counted(log.journeys(NAMES[5], end="Quit" if end else None, idle=f"{IDLE_HOURS}h"))
    expected = oracle(frame, end=end)
    assert waits.n_unknown == 0
    pooled: dict[tuple[str, str, int], list[int]] = defaultdict(list)
    for (_, source, target, bin_), values in expected.items():
        pooled[source, target, bin_] += values
    assert named(waits) == {key: (len(w), sum(w), min(w), max(w)) for key, w in pooled.items()}
    customers = sorted(set(frame["customer"]))
    entries = list(named(waits))
    rows = {
        (customers[u], *entries[e]): n
        for u, e, n in zip(
            waits.row_unit.tolist(), waits.row_entry.tolist(), waits.row_n.tolist(), strict=True
        )
    }
    assert rows == {key: len(w) for key, w in expected.items()}


def test_what_the_chain_follows_is_the_same() -> None:
    """Watched visits have the same moves and the same mean waits as in the chain."""
    log = jm.read_log(random_frame(9), order="place", **ROLES, threads=1).journeys(
        NAMES[5], idle=f"{IDLE_HOURS}h"
    )
    waits, chain = counted(log), log.count_chain()
    assert waits.states == chain.states
    assert waits.n_visits == chain.n_visits + chain.n_unwatched
    # Long after, nothing is open: every visit is watched, and all moves and their waits are the chain's.
    later = pd.DataFrame(
        [("zz", "zz", "Quit", BEGIN + pd.Timedelta(hours=5000), 10**6)], columns=[*ROLES.values(), "place"]
    )
    frame = pd.concat([random_frame(9), later])
    log = jm.read_log(frame, order="place", **ROLES, threads=1).journeys(NAMES[5], end="Quit", idle="50h")
    waits, chain = counted(log), log.count_chain()
    assert chain.n_unwatched == waits.n_waiting == 0
    moves = defaultdict(lambda: np.zeros(2))
    for source, target, n, wait in zip(chain.source, chain.target, chain.n, chain.wait_us, strict=True):
        moves[source, target] += (n, wait if target != DROP else 0)
    for source, target, n, wait in zip(waits.source, waits.target, waits.n, waits.wait_us, strict=True):
        if source >= 0:
            moves[source, target] -= (n, wait if target != DROP else 0)
    assert not any(difference.any() for difference in moves.values())


def test_customers_cut_by_silence_wait_less_than_it() -> None:
    frame = random_frame(3)
    roles: dict[str, Any] = {k: v for k, v in ROLES.items() if k != "case_id"}
    log = jm.read_log(frame, order="place", **roles, threads=1).journeys(NAMES[5], idle=f"{IDLE_HOURS}h")
    waits = counted(log)
    visits = waits.source >= 0
    assert waits.high_us[visits & (waits.target >= 0)].max() < IDLE_HOURS * HOUR
    assert waits.high_us[visits].max() == IDLE_HOURS * HOUR


def test_rare_activities_share_a_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folded activities share entries; nothing is lost."""
    frame = random_frame(5)
    full = counted(jm.read_log(frame, order="place", **ROLES, threads=1).journeys(NAMES[5], idle="50h"))
    monkeypatch.setattr(counting_chain, "MAX_STATES", 3)
    folded = counted(jm.read_log(frame, order="place", **ROLES, threads=1).journeys(NAMES[5], idle="50h"))
    assert folded.states[-1].startswith("(other, ")
    assert folded.n_states == 3
    assert (folded.n_visits, folded.wait_us.sum()) == (full.n_visits, full.wait_us.sum())
    assert folded.row_n.sum() == full.row_n.sum()
    last = folded.source == 2
    assert folded.n[last].sum() == sum(
        int(full.n[full.source == i].sum()) for i, name in enumerate(full.states) if name not in folded.states
    )


def test_activities_without_a_state_are_left_out() -> None:
    """What began too late for anybody to watch where it leads is no state of the chain."""
    rows = [(f"{i}", f"{i}", "A", BEGIN + pd.Timedelta(hours=i)) for i in range(20)]
    rows += [("1", "1", NAMES[5], BEGIN + pd.Timedelta(hours=30))]
    rows += [
        ("x", "x", "New", BEGIN + pd.Timedelta(hours=499)),
        ("19", "19", "New", BEGIN + pd.Timedelta(hours=500)),
    ]
    frame = pd.DataFrame(rows, columns=list(ROLES.values()))
    waits = counted(jm.read_log(frame, **ROLES, threads=1).journeys(NAMES[5], idle="50h"))
    assert waits.states == ("A",)
    # The two visits to it, and the move into it.
    assert waits.n_unknown == 3
    assert waits.n_visits == 19


def test_journeys_under_way_when_the_log_begins() -> None:
    """Their visits count, the time since a start that nobody saw does not."""
    rng = np.random.default_rng(1)
    rows = []
    for case in range(400):
        hour = case * 2.0
        early = case < 100
        for name, wait in (("A", 5.0), ("B", 9.0), (NAMES[5], 0.0))[
            1 if early and rng.random() < 0.8 else 0 :
        ]:
            rows.append((f"{case}", f"{case}", name, BEGIN + pd.Timedelta(hours=hour)))
            hour += wait
    frame = pd.DataFrame(rows, columns=list(ROLES.values()))
    log = jm.read_log(frame, **ROLES, threads=1).journeys(NAMES[5], idle="200h")
    waits, chain = counted(log), log.count_chain()
    assert chain.n_truncated == 100
    assert waits.n[waits.source == JOURNEY].sum() == 400 - 100
    assert waits.n_visits == len(frame) - 400


def test_logs_that_cannot_be_timed() -> None:
    frame = random_frame(1)
    roles: dict[str, Any] = {k: v for k, v in ROLES.items() if k != "timestamp"}
    log = jm.read_log(frame, order="place", **roles, threads=1).journeys(NAMES[5])
    with pytest.raises(NotEnoughDataError, match=r"no times[\s\S]*Hint: pass timestamp"):
        counted(log)
    timed = jm.read_log(frame, order="place", **ROLES, threads=1).journeys(NAMES[5], idle="50h")
    assert timed.found is not None
    with pytest.raises(OptionError, match="attempt numbers"):
        count_visit_waits(
            timed.engine, timed.canonical, timed.found, timed._visits, timed.count_chain(attempts=2)
        )
