"""The fitted chain: hand-counted logs, identities with the log itself, and what must never break it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import journeymine as jm
from journeymine.counts.chain import DROP, GOAL, ChainCounts
from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.markov.fit import fit_chain

if TYPE_CHECKING:
    from collections.abc import Iterable

EXACT = 1e-9
"""Rounding, and the leak of 1e-12 a move."""
BEGIN = dt.datetime(2026, 1, 1)


def frame(cases: dict[str, str], *, owner: dict[str, str] | None = None, hours: float = 1.0) -> pd.DataFrame:
    """Cases as strings of one-letter activities, an hour apart; all begin at once."""
    rows = [
        (case, (owner or {}).get(case, case), letter, BEGIN + dt.timedelta(hours=hours * at))
        for case, path in cases.items()
        for at, letter in enumerate(path)
    ]
    return pd.DataFrame(rows, columns=["case", "customer", "activity", "time"])


def log_of(events: pd.DataFrame, *, idle: str = "30d", order_only: bool = False, **roles: Any) -> jm.EventLog:
    roles = {"order" if order_only else "timestamp": "time"} | roles
    return jm.read_log(
        events, case_id="case", customer_id="customer", activity="activity", threads=1, **roles
    )


def chain_of(cases: dict[str, str], **options: Any) -> Any:
    events = frame(cases)
    # A last event long after, so that every journey is over.
    late = pd.DataFrame(
        {"case": ["zz"], "customer": ["zz"], "activity": ["z"], "time": [BEGIN + dt.timedelta(days=90)]}
    )
    events["order"] = range(len(events))
    log = log_of(pd.concat([events, late.assign(order=len(events))]), where="activity <> 'z'")
    return log.journeys("G", idle="1h").fit_markov(n_draws=50, **options)


def converted(chain: Any) -> dict[str, float]:
    """Conversion with its interval; it is available."""
    found: dict[str, float] | None = chain.conversion()
    assert found is not None
    return found


# ---------------------------------------------------------------------------------------------- counted by hand


CASES = {"1": "ABG", "2": "ABABG", "3": "AB", "4": "A", "5": "BAAG", "6": "ABGAB", "7": "G", "8": "BB"}
"""Before the goal: 1 A>B B>G; 2 A>B B>A A>B B>G; 3 A>B B.; 4 A.; 5 B>A A>A A>G; 6 A>B B>G; 7 nothing; 8 B>B B."""


def test_moves_counted_by_hand() -> None:
    chain = chain_of(CASES)
    assert chain.states == ("A", "B")
    assert chain.columns == ("A", "B", "(goal)", "(dropped)")
    counted = {(r.source, r.target): r.n for r in chain.to_frame().itertuples()}
    assert counted == {
        ("A", "A"): 1,
        ("A", "B"): 5,
        ("A", "(goal)"): 1,
        ("A", "(dropped)"): 1,
        ("B", "A"): 2,
        ("B", "B"): 1,
        ("B", "(goal)"): 3,
        ("B", "(dropped)"): 2,
    }
    np.testing.assert_allclose(chain.matrix.loc["A"], [1 / 8, 5 / 8, 1 / 8, 1 / 8])
    np.testing.assert_allclose(chain.matrix.sum(axis=1), 1.0)
    np.testing.assert_allclose(chain.point.start, [5 / 8, 2 / 8])
    assert chain.point.start_at_goal == 1 / 8
    assert converted(chain)["estimate"] == pytest.approx(5 / 8, abs=EXACT)
    assert converted(chain)["n"] == 8
    np.testing.assert_allclose(chain.visit.estimate, [8 / 8, 8 / 8], atol=EXACT)


def test_hand_counted_waits_and_events() -> None:
    """Waits of an hour a move: the time to the goal is the number of events before it."""
    chain = chain_of({"1": "ABG", "2": "AAG", "3": "AG", "4": "A"})
    assert float(chain.events.estimate) * 3600 == pytest.approx(float(chain.seconds.estimate), rel=EXACT)


def test_attempts_counted_by_hand() -> None:
    """P fails more and more often; a third visit and later ones share a state."""
    cases = {"1": "PPPPG", "2": "PPG", "3": "PPP", "4": "PG", "5": "QPQPG", "6": "Q"}
    chain = chain_of(cases, attempts=3)
    assert chain.states == ("P #1", "P #2", "P #3+", "Q #1", "Q #2")
    counted = {(r.source, r.target): r.n for r in chain.to_frame().itertuples()}
    assert counted == {
        ("P #1", "P #2"): 3,
        ("P #1", "(goal)"): 1,
        ("P #1", "Q #2"): 1,
        ("P #2", "P #3+"): 2,
        ("P #2", "(goal)"): 2,
        ("P #3+", "P #3+"): 1,
        ("P #3+", "(goal)"): 1,
        ("P #3+", "(dropped)"): 1,
        ("Q #1", "P #1"): 1,
        ("Q #1", "(dropped)"): 1,
        ("Q #2", "P #2"): 1,
    }
    assert converted(chain)["estimate"] == pytest.approx(4 / 6, abs=EXACT)


def test_attempts_see_what_first_order_cannot() -> None:
    """Forbidding the second attempt costs nothing on first-order states, but it does where attempts differ."""
    cases = (
        {f"a{i}": "PG" for i in range(6)}
        | {f"b{i}": "PPG" for i in range(2)}
        | {f"c{i}": "PP" for i in range(8)}
    )
    first, indexed = chain_of(cases), chain_of(cases, attempts=2)
    slope = first.sensitivity().set_index(["source", "target"])["estimate"]
    assert slope["P", "P"] == pytest.approx(0.0, abs=EXACT)
    slope = indexed.sensitivity().set_index(["source", "target"])["estimate"]
    assert slope["P #1", "P #2+"] < -0.5
    assert converted(first)["estimate"] == pytest.approx(0.5, abs=EXACT)
    assert converted(indexed)["estimate"] == pytest.approx(0.5, abs=EXACT)


def test_the_attempt_number_begins_at_the_start_activity() -> None:
    events = frame({"1": "PSPG", "2": "SPPG", "3": "P"})
    log = log_of(events.assign(order=range(len(events)))).journeys("G", start="S", idle="30d")
    counts = log.count_chain(attempts=2)
    assert counts.n_starts == 2
    assert counts.states == () or "P #1" in counts.states
    # Everything began within a day of the end: nothing was watched for 30 days, unless no journey is open.
    assert counts.n_visits == 5


# -------------------------------------------------------------------------------------------------- identities


def counted(cases: dict[str, str]) -> ChainCounts:
    """The counts of a log in which nothing is open, by plain Python."""
    moves: Counter[tuple[int, str, str]] = Counter()
    starts: Counter[tuple[int, str]] = Counter()
    for at, case in enumerate(sorted(cases)):
        before, goal, _ = cases[case].partition("G")
        path = [*before, "goal" if goal else "drop"]
        starts[at, path[0]] += 1
        moves.update((at, a, b) for a, b in pairwise(path))
    states = sorted({a for _, a, _ in moves})
    place = {name: i for i, name in enumerate(states)} | {"goal": GOAL, "drop": DROP}
    unit, source, target = (
        (list(column) for column in zip(*sorted(moves), strict=True)) if moves else ([], [], [])
    )
    start_unit, first = zip(*sorted(starts), strict=True)

    def ints(values: Iterable[int]) -> np.ndarray:
        return np.array(list(values), dtype=np.int64)

    return ChainCounts(
        states=tuple(states),
        activity=np.arange(len(states)),
        unit=ints(unit),
        cell=ints(0 for _ in unit),
        source=ints(place[name] for name in source),
        target=ints(place[name] for name in target),
        n=ints(moves[key] for key in sorted(moves)),
        wait_us=np.zeros(len(moves)),
        start_unit=ints(start_unit),
        start_cell=ints(0 for _ in start_unit),
        start_state=ints(place[name] for name in first),
        start_n=ints(starts[key] for key in sorted(starts)),
        cells=((),),
        cell_customers=ints([len(cases)]),
        n_units=len(cases),
    )


LOGS = st.dictionaries(
    st.integers(0, 40).map(str), st.text("ABCG", min_size=1, max_size=7), min_size=1, max_size=12
)


@given(LOGS)
@settings(max_examples=40, deadline=None)
def test_conversion_equals_the_converted_share(cases: dict[str, str]) -> None:
    """When nothing is open the chain reproduces the log: an identity of the maximum-likelihood chain."""
    chain = fit_chain(counted(cases), n_draws=20, timed=False)
    share = sum("G" in path for path in cases.values()) / len(cases)
    found = chain.conversion()
    assert found is not None
    assert found["estimate"] == pytest.approx(share, abs=EXACT)
    assert 0 <= found["lower"] <= found["upper"] <= 1
    visited = Counter("".join(path.split("G")[0] for path in cases.values()))
    np.testing.assert_allclose(
        chain.visit.estimate, [visited[name] / len(cases) for name in chain.states], atol=EXACT
    )
    np.testing.assert_allclose(chain.point.moves.sum(axis=1), 1.0, atol=1e-12)


@given(LOGS)
@settings(max_examples=6, deadline=None)
def test_the_engine_counts_like_plain_python(cases: dict[str, str]) -> None:
    cases = cases | {"goal": "AG"}
    events = frame(cases)
    log = log_of(events.assign(order=range(len(events))), order_only=True).journeys("G")
    ours, plain = log.count_chain(), counted(cases)
    assert log.end_states is not None
    assert log.end_states.n[2] == 0
    assert ours.states == plain.states
    for names in (("unit", "source", "target", "n"), ("start_unit", "start_state", "start_n")):
        a, b = (
            sorted(zip(*(getattr(c, name).tolist() for name in names), strict=True)) for c in (ours, plain)
        )
        assert a == b


def test_clickstream_reference() -> None:
    """Six sequences of R's clickstream: absorption, steps, and observed end shares."""
    sequences = ["hccpchcppcppo", "icicccd", "hicicpccpccid", "ccpcd", "hccppcpppipo", "ihccppcpcd"]
    chain = chain_of({str(i): path.replace("o", "G") for i, path in enumerate(sequences)})
    full = chain.point.moves
    order = [chain.states.index(name) for name in "chipd"]
    # "d" is absorbing there; here it is a state from which journeys drop out.
    np.testing.assert_allclose(
        chain.point.solved.hit[order], [0.3482, 0.3413, 0.3139, 0.4636, 0.0], atol=5e-5
    )
    assert full[chain.states.index("d"), -1] == 1.0
    steps = (
        chain.point.solved.fundamental.sum(axis=1)
        - chain.point.solved.fundamental[:, chain.states.index("d")]
    )
    np.testing.assert_allclose(steps[order[:4]], [8.5350, 9.5188, 8.4543, 8.5213], atol=5e-5)
    assert converted(chain)["estimate"] == pytest.approx(2 / 6, abs=EXACT)


def test_time_to_goal_against_the_log() -> None:
    """A chain without memory, fully observed: mean time of converted journeys."""
    world = jm.simulate.sample_chain(
        [[0.2, 0.5, 0.1, 0.2], [0.3, 0.1, 0.5, 0.1]],
        [0.7, 0.3],
        4000,
        1,
        wait_days=[[1.0, 3.0, 5.0], [2.0, 1.0, 4.0]],
        days=5000.0,
    )
    log = jm.read_log(
        world.events, case_id="case_id", customer_id="customer_id", activity="activity", timestamp="timestamp"
    )
    chain = log.journeys("Goal", idle="30d").fit_markov(n_draws=200)
    spans = world.events.groupby("case_id").agg(
        last=("timestamp", "max"),
        first=("timestamp", "min"),
        n=("activity", "size"),
        end=("activity", lambda a: "Goal" in set(a)),
    )
    done = spans[spans["end"]]
    seconds = (done["last"] - done["first"]).dt.total_seconds()
    for found, seen in ((chain.seconds, seconds), (chain.events, done["n"] - 1)):
        error = seen.std() / np.sqrt(len(seen))
        assert abs(float(found.estimate) - seen.mean()) < 3 * error
        assert float(found.lower) < seen.mean() < float(found.upper)


def test_open_journeys_do_not_bias() -> None:
    """Every observed move, with drops only after silence, gives 0.72 and more; watched visits give 0.556."""
    world = jm.simulate.sample_chain(
        [[0.0, 0.7, 0.062, 0.238], [0.10, 0.0, 0.65, 0.25]],
        [1, 0],
        12_000,
        3,
        wait_days=[[1, 2, 8], [6, 1, 12]],
        open_share=0.4,
    )
    log = jm.read_log(
        world.events, case_id="case_id", customer_id="customer_id", activity="activity", timestamp="timestamp"
    ).journeys("Goal", idle="30d")
    assert log.end_states is not None
    assert log.end_states.n[2] / 12_000 == pytest.approx(0.4, abs=0.01)
    chain = log.fit_markov(n_draws=100)
    assert chain.counts.n_unwatched > 1000
    assert converted(chain)["estimate"] == pytest.approx(world.truth.conversion, abs=0.025)
    assert converted(chain)["lower"] < world.truth.conversion < converted(chain)["upper"]


# ----------------------------------------------------------------------------------------------- must not break


def counts_of(
    moves: list[tuple[int, int, int]], starts: list[tuple[int, int]], n_units: int = 1
) -> ChainCounts:
    """Counts of one unit and cell from (source, target, n) and (state, n)."""
    source, target, n = (np.array(column, dtype=np.int64) for column in zip(*moves, strict=True))
    state, begun = (np.array(column, dtype=np.int64) for column in zip(*starts, strict=True))
    k = int(source.max()) + 1
    zero, none = np.zeros(len(n), np.int64), np.zeros(len(begun), np.int64)
    return ChainCounts(
        states=tuple(f"s{i}" for i in range(k)),
        activity=np.arange(k),
        unit=zero,
        cell=zero,
        source=source,
        target=target,
        n=n,
        wait_us=np.ones(len(n)),
        start_unit=none,
        start_cell=none,
        start_state=state,
        start_n=begun,
        cells=((),),
        cell_customers=np.array([n_units]),
        n_units=n_units,
    )


def test_a_closed_loop_without_exit() -> None:
    """States that only lead to each other: no exit was ever watched. No crash, no conversion, finite numbers."""
    chain = fit_chain(counts_of([(0, 1, 5), (0, DROP, 5), (1, 2, 9), (2, 1, 9)], [(0, 10)]), n_draws=20)
    assert converted(chain)["estimate"] == pytest.approx(0.0, abs=EXACT)
    assert np.isfinite(chain.visit.estimate).all()
    assert np.isnan(float(chain.events.estimate))


def test_everybody_starts_with_the_goal() -> None:
    chain = chain_of({"1": "G", "2": "GA", "3": "G"})
    assert chain.states == ()
    assert converted(chain)["estimate"] == 1.0
    assert converted(chain)["upper"] == 1.0
    assert converted(chain)["lower"] < 1.0
    assert chain.to_frame().empty


def test_journeys_that_start_with_the_goal_take_no_event() -> None:
    """`_given_goal` promises to include them, at no event and no time."""
    chain = chain_of({"1": "G", "2": "GA", "3": "G"})
    assert float(chain.events.estimate) == 0.0
    assert float(chain.seconds.estimate) == 0.0
    half = chain_of({"1": "G", "2": "AG"})
    assert float(half.events.estimate) == pytest.approx(0.5, abs=EXACT)


def test_nobody_reaches_the_goal_before_dropping() -> None:
    counts = counts_of([(0, DROP, 1)] * 8, [(0, 1)] * 8, n_units=8)
    chain = fit_chain(dataclasses.replace(counts, unit=np.arange(8), start_unit=np.arange(8)), n_draws=20)
    found = chain.conversion()
    assert found is not None
    assert found["estimate"] == found["lower"] == 0.0
    assert 0.2 < found["upper"] < 0.5


def test_single_customer_with_many_cases() -> None:
    """One unit says nothing about others: no crash; the interval cannot be narrower than independent rows."""
    chain = fit_chain(counts_of([(0, GOAL, 30), (0, DROP, 70)], [(0, 100)]), n_draws=20)
    found = chain.conversion()
    assert found is not None
    assert found["lower"] < 0.25
    assert found["upper"] > 0.35


def test_folding_above_500_activities() -> None:
    """The rarest share one state, and the chain still reproduces the converted share."""
    paths = {f"c{i}": [f"page {i:03}", "page 000", "G"] if i % 3 else [f"page {i:03}"] for i in range(620)}
    rows = [
        (case, case, name, BEGIN + dt.timedelta(hours=at))
        for case, path in paths.items()
        for at, name in enumerate(path)
    ]
    events = pd.DataFrame(rows, columns=["case", "customer", "activity", "time"])
    log = log_of(events.assign(order=range(len(events))), order_only=True).journeys("G")
    counts = log.count_chain()
    assert counts.n_states == 500
    assert counts.n_folded == 620 - 499
    assert "(other, 121 activities)" in counts.states
    chain = fit_chain(counts, n_draws=2, timed=False)
    assert log.end_states is not None
    assert converted(chain)["estimate"] == pytest.approx(log.end_states.n[0] / 620, abs=1e-8)
    assert "page 000" in counts.states


def test_shuffled_rows_change_nothing() -> None:
    rng = np.random.default_rng(3)
    cases = {f"c{i}": "".join(rng.choice(list("ABC"), 4)) + ("G" if i % 3 else "") for i in range(40)}
    owner = {case: f"o{i % 11}" for i, case in enumerate(cases)}
    events = frame(cases, owner=owner)
    fits = []
    for seed in (None, 1, 2):
        rows = events if seed is None else events.sample(frac=1, random_state=seed)
        fits.append(log_of(rows).journeys("G", idle="1h").fit_markov(n_draws=100, seed=4))
    for other in fits[1:]:
        pd.testing.assert_frame_equal(fits[0].to_frame(), other.to_frame(), check_exact=True)
        assert fits[0].conversion() == other.conversion()
        assert fits[0].seconds.at() == other.seconds.at()


def test_draws_belong_to_the_seed() -> None:
    counts = counts_of([(0, GOAL, 30), (0, DROP, 70)], [(0, 100)])
    counts = dataclasses.replace(
        counts,
        unit=np.arange(2),
        start_unit=np.array([0, 1]),
        start_state=np.array([0, 0]),
        start_n=np.array([40, 60]),
        start_cell=np.zeros(2, np.int64),
        n_units=20,
    )
    a, b, c = (fit_chain(counts, n_draws=200, seed=seed).conversion() for seed in (1, 1, 2))
    assert a == b
    assert a is not None
    assert c is not None
    assert a["estimate"] == c["estimate"]
    assert a["lower"] != c["lower"]


def test_repr_and_frames() -> None:
    chain = chain_of(CASES)
    assert "conversion 0.6250" in repr(chain)
    assert repr(chain).splitlines()[-1].startswith("Next:")
    assert list(chain.to_frame().columns) == ["source", "target", "n", "estimate", "lower", "upper"]
    assert chain.matrix.shape == (2, 4)
    assert (chain.to_frame()["lower"] <= chain.to_frame()["estimate"]).all()
    assert "<pre>" in chain._repr_html_()


def test_hostile_names_are_escaped() -> None:
    events = pd.DataFrame(
        {"case": ["1", "1"], "customer": ["1", "1"], "activity": ["<script>", "G"], "time": [1, 2]}
    )
    chain = log_of(events, order_only=True).journeys("G").fit_markov(n_draws=5)
    assert chain.states == ("<script>",)
    assert "<script>" not in chain._repr_html_()


def test_clear_errors() -> None:
    log = log_of(frame({"1": "AB"}))
    with pytest.raises(NotEnoughDataError, match="what a journey is"):
        log.fit_markov()
    with pytest.raises(NotEnoughDataError, match="no goal"):
        log.journeys(idle="1h").fit_markov()
    with pytest.raises(OptionError, match="attempts"):
        log.journeys("B", idle="1h").fit_markov(attempts=0)


def test_order_only_log_has_no_times() -> None:
    log = log_of(frame({"1": "ABG", "2": "A"}), order_only=True).journeys("G")
    chain = log.fit_markov(n_draws=20)
    assert chain.seconds.at() is None
    assert not chain.timed
    assert float(chain.events.estimate) == pytest.approx(2.0, abs=EXACT)
