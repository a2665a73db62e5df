"""Funnels of a log: counts against plain loops, estimates against lifelines, errors, lists, luck."""

from __future__ import annotations

import warnings
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.funnel_oracle import ABC, HOUR, START, Case, Walk, World, closed_walks, open_walks, worlds

from journeymine.analyses.funnel import funnel
from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.reading import read_log

if TYPE_CHECKING:
    from journeymine.log import EventLog
    from journeymine.paths.funnel import Funnel

STEPS = st.lists(st.lists(st.sampled_from(ABC), min_size=1, max_size=2, unique=True), min_size=1, max_size=4)
WINDOWS = st.sampled_from([None, None, 1, 6, 24])
FEW = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


def build(
    world: World, steps: list[list[str]], within: int | None, walks: list[Walk], *, closed: bool
) -> Funnel | None:
    log, window = world.log(), f"{within}h" if within else None
    if not {name for step in steps for name in step} <= set(log.activities):
        return None
    if not walks:
        with pytest.raises(NotEnoughDataError, match="no journey has"):
            funnel(log, steps, window, closed=closed)
        return None
    return funnel(log, steps, window, closed=closed)


def cases(found: Funnel, step: int, outcome: str) -> list[str]:
    return found.journeys(step, outcome)["case_id"].tolist()


def names(walks: list[Walk]) -> list[str]:
    return sorted(walk.case for walk in walks)


@given(worlds(), STEPS, WINDOWS)
@FEW
def test_a_closed_funnel_counts_what_a_loop_counts(
    world: World, steps: list[list[str]], within: int | None
) -> None:
    within = within if world.timed else None
    k, walks = len(steps), closed_walks(world, steps, within)
    found = build(world, steps, within, walks, closed=True)
    if found is None:
        return
    assert found.counts.n_entered == len(walks)
    for i in range(k):
        here = [walk for walk in walks if walk.times[i] is not None]
        assert cases(found, i + 1, "reached") == names(here)
        if i == k - 1:
            assert (found.n_lost[i], found.n_open[i], found.n_skipped[i]) == (0, 0, 0)
            continue
        on = [walk for walk in here if walk.times[i + 1] is not None]
        stuck = [walk for walk in here if not walk.later[i]]
        skipped = [w for w in here if w.later[i] and w not in on]
        lost, still_open = ([w for w in stuck if w.settled is settled] for settled in (True, False))
        assert (found.n[i], found.n_skipped[i]) == (len(here), len(skipped))
        assert (found.n_lost[i], found.n_open[i]) == (len(lost), len(still_open))
        assert cases(found, i + 1, "on") == names(on)
        assert cases(found, i + 1, "skipped") == names(skipped)
        assert cases(found, i + 1, "lost") == names(lost)
        assert cases(found, i + 1, "open") == names(still_open)
        waits = [w.times[i + 1] - w.times[i] for w in on]
        if world.timed and waits and all(w.settled for w in walks):
            assert found.wait_s is not None
            assert found.wait_s.estimate[i + 1] == median(waits) * 3600
    check_estimates(found, walks)


@given(worlds(), STEPS, WINDOWS)
@FEW
def test_an_open_funnel_counts_what_a_loop_counts(
    world: World, steps: list[list[str]], within: int | None
) -> None:
    within = within if world.timed else None
    walks = open_walks(world, steps, within)
    found = build(world, steps, within, walks, closed=False)
    if found is None:
        return
    assert found.counts.n_entered == len(walks)
    for i in range(len(steps)):
        there = [walk for walk in walks if walk.times[i] is not None]
        others = [walk for walk in walks if walk.times[i] is None]
        lost, still_open = ([w for w in others if w.settled is settled] for settled in (True, False))
        assert (found.n[i], found.n_lost[i], found.n_open[i]) == (len(there), len(lost), len(still_open))
        assert cases(found, i + 1, "reached") == names(there)
        assert cases(found, i + 1, "lost") == names(lost)
        assert cases(found, i + 1, "open") == names(still_open)
    check_estimates(found, walks)


def check_estimates(found: Funnel, walks: list[Walk]) -> None:
    """Inside [0, 1], monotone where closed, inside their intervals; the plain shares where nothing is open."""
    share = found.reached
    assert (share.lower <= share.estimate + 1e-12).all()
    assert (share.estimate <= share.upper + 1e-12).all()
    assert ((share.estimate > -1e-12) & (share.estimate < 1 + 1e-12)).all()
    # Those still open are never counted as lost, nor as gone on.
    n = len(walks)
    assert (found.n / n <= share.estimate + 1e-9).all() or found.counts.slice_us > 1
    if found.counts.closed:
        assert (np.diff(share.estimate) <= 1e-12).all()
        assert (
            found.n == found.n_skipped + found.n_lost + found.n_open + np.append(found.n[1:], found.n[-1])
        ).all()
        loss = found.loss.estimate[:-1]
        assert np.all((loss[~np.isnan(loss)] > -1e-9) & (loss[~np.isnan(loss)] < 1 + 1e-9))
    if all(walk.settled for walk in walks):
        assert share.estimate == pytest.approx(found.n / n, abs=1e-12)
        if found.counts.closed and len(found.n) > 1 and found.n[0]:
            gone = found.n_lost[:-1] / np.maximum(found.n[:-1], 1)
            known = found.n[:-1] > 0
            assert found.loss.estimate[:-1][known] == pytest.approx(gone[known], abs=1e-9)


def log_of(paths: dict[str, str], *, goal: str | None = None, **roles: Any) -> EventLog:
    """Journeys as "a0 b3": activities with their hours."""
    rows = [(case, e[0], START + int(e[1:]) * HOUR) for case, path in paths.items() for e in path.split()]
    table = pa.table({"case": [r[0] for r in rows], "what": [r[1] for r in rows], "at": [r[2] for r in rows]})
    log = read_log(table, case_id="case", activity="what", timestamp="at", time_unit="us", threads=1, **roles)
    return log.journeys(goal, idle="10h")


PATHS = {
    "1": "a0 b1 c2", "2": "a0 b4", "3": "a0", "4": "a0 c3", "5": "b0 a1 b3 c90", "6": "a95 b96", "7": "a99", "8": "c5",
}  # fmt: skip


def test_by_hand() -> None:
    found = funnel(log_of(PATHS), ["a", "b", "c"])
    assert found.to_frame()[["step", "n", "n_skipped", "n_lost", "n_open"]].to_numpy().tolist() == [
        ["a", 7, 1, 1, 1], ["b", 4, 0, 1, 1], ["c", 2, 0, 0, 0],
    ]  # fmt: skip
    # Step b: "7" is lost sight of at once; of the six others four get there, one by one, and two end later.
    assert found.to_frame()["estimate"].tolist()[:2] == [1.0, pytest.approx(4 / 6)]
    entered = found.entered.at()
    assert entered is not None
    assert (entered["estimate"], entered["n"]) == (7 / 8, 8)
    assert found.journeys(1, "skipped").to_dict("records") == [{"case_id": "4", "customer_id": "4"}]
    assert found.journeys(1, "open")["case_id"].tolist() == ["7"]


def test_the_window_holds_its_last_moment_and_nothing_after() -> None:
    found = funnel(log_of(PATHS), ["a", "b", "c"], within="2h")
    assert found.n.tolist() == [7, 3, 1]
    assert found.journeys(2)["case_id"].tolist() == ["1", "5", "6"]
    assert funnel(log_of(PATHS), ["a", "b", "c"], within=timedelta(hours=2)).n.tolist() == [7, 3, 1]
    # "7" entered at the end of observation: within the window it may still go on.
    assert found.journeys(1, "open")["case_id"].tolist() == ["7"]


def test_who_was_at_the_end_before_is_not_lost() -> None:
    """c comes before b: at b, the journey has taken another way."""
    paths = {"1": "a0 c1 b2", "2": "a0 b1 c2", "3": "a0 b1", "4": "c0 a1 b2", "5": "z90"}
    found = funnel(log_of(paths), ["a", "b", "c"])
    assert (found.n.tolist(), found.n_skipped.tolist(), found.n_lost.tolist()) == (
        [4, 4, 1],
        [0, 1, 0],
        [0, 2, 0],
    )
    assert found.journeys(2, "skipped")["case_id"].tolist() == ["1"]
    assert found.loss.estimate[1] == 0.5


def test_alternatives_make_one_step() -> None:
    assert funnel(log_of(PATHS), [["a", "b"], "c"]).n.tolist() == [7, 3]


def test_the_goal_does_not_close_a_journey() -> None:
    """More may come until it was silent for long: a goal is no reason to count what follows as lost."""
    log = log_of({"1": "a0 g1 b2", "2": "a90 g91", "3": "a0 z95"}, goal="g")
    found = funnel(log, ["a", "b"])
    assert (found.n.tolist(), found.n_lost.tolist(), found.n_open.tolist()) == ([3, 1], [0, 0], [2, 0])


def test_equals_lifelines_where_journeys_are_open() -> None:
    from lifelines import AalenJohansenFitter

    rng = np.random.default_rng(3)
    rows = []
    for i in range(300):
        at, end = rng.uniform(0, 200), rng.exponential(20)
        rows.append((f"{i}", "a", at))
        if rng.random() < 0.7:
            rows.append((f"{i}", "b", at + end))
    rows = [row for row in rows if row[2] <= 200]
    table = pa.table(
        {
            "case": [r[0] for r in rows],
            "what": [r[1] for r in rows],
            "at": [START + int(r[2] * HOUR) for r in rows],
        }
    )
    log = read_log(table, case_id="case", activity="what", timestamp="at", time_unit="us", threads=1)
    found = funnel(log.journeys(idle="60h"), ["a", "b"])
    frame = pd.DataFrame(rows, columns=["case", "what", "at"]).pivot_table(
        index="case", columns="what", values="at"
    )
    end = max(int(r[2] * HOUR) for r in rows) / HOUR
    left = frame["a"] + 60
    time = np.where(frame["b"].notna(), frame["b"] - frame["a"], np.where(left <= end, 60, end - frame["a"]))
    kind = np.where(frame["b"].notna(), 1, np.where(left <= end, 2, 0))
    assert (kind == 0).sum() > 20
    fitter = AalenJohansenFitter(jitter_level=1e-9, seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = fitter.fit(pd.Series(time), pd.Series(kind), event_of_interest=1)
    assert found.reached.estimate[1] == pytest.approx(float(fitted.cumulative_density_.iloc[-1, 0]), abs=2e-3)
    assert found.n[1] / found.n[0] < found.reached.estimate[1]


def test_rows_in_any_order_and_any_number_of_threads_give_the_same() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "case": rng.integers(0, 300, 3000),
            "what": rng.choice(list("abcdef"), 3000),
            "at": START + rng.integers(0, 500, 3000) * HOUR,
        }
    ).assign(place=range(3000))
    texts = set()
    for seed, threads in ((0, 1), (1, 2), (2, 1)):
        log = read_log(
            frame.sample(frac=1, random_state=seed), case_id="case", activity="what", timestamp="at",
            time_unit="us", order="place", threads=threads,
        )  # fmt: skip
        found = funnel(log.journeys(idle="20h"), ["a", "b", ["c", "d"]], within="100h")
        texts.add(found.to_frame().to_json(double_precision=15))
    assert len(texts) == 1


def test_slices_of_time_hardly_change_the_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    rows = [
        (i, w, at) for i in range(800) for at in [rng.uniform(0, 300)] for w in "ab"[: rng.integers(1, 3)]
    ]
    frame = pd.DataFrame(rows, columns=["case", "what", "at"])
    frame["at"] = START + (
        (frame["at"] + (frame["what"] == "b") * rng.exponential(9, len(frame))) * HOUR
    ).astype(int)
    log = read_log(frame, case_id="case", activity="what", timestamp="at", time_unit="us", threads=1)
    log = log.journeys(idle="40h")
    exact = funnel(log, ["a", "b"], within="30h")
    monkeypatch.setattr("journeymine.counting.funnel.EXACT_CASES", 10)
    sliced = funnel(log, ["a", "b"], within="30h")
    assert sliced.counts.slice_us == 30 * HOUR // 2000
    assert sliced.reached.estimate == pytest.approx(exact.reached.estimate, abs=1e-4)
    assert exact.wait_s is not None
    assert sliced.wait_s is not None
    assert sliced.wait_s.estimate[1] == pytest.approx(exact.wait_s.estimate[1], rel=0.02)


def test_without_times_there_are_counts_and_no_window() -> None:
    table = pa.table({"case": [1, 1, 2], "what": ["a", "b", "a"]})
    log = read_log(table, case_id="case", activity="what", threads=1)
    found = funnel(log, ["a", "b"])
    assert (found.n.tolist(), found.n_open.tolist(), found.wait_s) == ([2, 1], [0, 0], None)
    assert found.reached.estimate.tolist() == [1.0, 0.5]
    with pytest.raises(NotEnoughDataError, match="no times"):
        funnel(log, ["a", "b"], within="3h")


HOSTILE = [
    'it\'s "x"',
    "<b>&amp;</b>",
    "two\nlines",
    "=cmd()",
    "😀",
    "שלום",
    "NA",
    "->",
    "*",
    "'); DROP TABLE x; --",
]


def test_hostile_names() -> None:
    table = pa.table({"case": ["1"] * len(HOSTILE) + ["2"], "what": [*HOSTILE, HOSTILE[0]]})
    log = read_log(table, case_id="case", activity="what", threads=1)
    found = funnel(log, HOSTILE)
    assert found.n.tolist() == [2] + [1] * (len(HOSTILE) - 1)
    assert found.counts.steps == tuple((name,) for name in HOSTILE)
    assert len(repr(found).splitlines()) <= 12 + repr(found).count("two\nlines")


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([], "expected 1 to 20"), ("a", "expected a list"), (["a", []], "none empty"), (["a", "bb"], "not an activity"),
        (["a"] * 21, "expected 1 to 20"), ([1], "expected a text"), ({"a"}, "expected a list"),
    ],
)  # fmt: skip
def test_bad_steps_are_refused(steps: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        funnel(log_of(PATHS), steps)


def test_bad_questions_are_refused() -> None:
    found = funnel(log_of(PATHS), ["a", "b"])
    with pytest.raises(OptionError, match="outcome"):
        found.journeys(1, "gone")
    with pytest.raises(OptionError, match="step is 3"):
        found.journeys(3)
    with pytest.raises(OptionError, match="within"):
        funnel(log_of(PATHS), ["a"], within="soon")


def test_no_table_is_left_behind() -> None:
    log = log_of(PATHS)
    before = log.engine.fetch("SELECT table_name AS n FROM information_schema.tables ORDER BY n")[
        "n"
    ].tolist()
    funnel(log, ["a", "b", "c"])
    with pytest.raises(NotEnoughDataError, match="first step"):
        funnel(log_of({"1": "b0 a1"}).journeys(start="a", idle="1h"), ["b"])
    after = log.engine.fetch("SELECT table_name AS n FROM information_schema.tables ORDER BY n")["n"].tolist()
    assert before == after


def test_the_display_is_short() -> None:
    found = funnel(log_of(PATHS), ["a", "b", "c"] * 6)
    lines = repr(found).splitlines()
    assert lines[0] == "Funnel (closed): 7 of 8 journeys enter"
    assert len(lines) <= 12
    assert lines[-1].startswith("Next: ")


def test_customers_with_many_journeys_make_intervals_wide() -> None:
    table = pd.DataFrame(
        [
            (f"{k}-{i}", f"{k}", what, j)
            for k in range(20)
            for i in range(20)
            for j, what in enumerate("ab"[: 1 + k % 2])
        ],
        columns=["case", "who", "what", "at"],
    )
    alone, clustered = (
        funnel(read_log(table, case_id="case", activity="what", order="at", threads=1, **extra), ["a", "b"])
        for extra in ({}, {"customer_id": "who"})
    )
    assert alone.reached.estimate[1] == clustered.reached.estimate[1] == 0.5
    width = [f.reached.upper[1] - f.reached.lower[1] for f in (alone, clustered)]
    assert width[1] > 3 * width[0]


def test_the_largest_loss_is_clear_only_beyond_chance() -> None:
    paths = {f"x{i}": "a0" for i in range(50)} | {f"y{i}": "a0 b1" for i in range(48)}
    paths |= {f"z{i}": "a0 b1 c2" for i in range(100)} | {"late": "q200"}
    found = funnel(log_of(paths), ["a", "b", "c"])
    assert (found.largest, found.is_clear) == (0, False)
    found = funnel(log_of({k: v for k, v in paths.items() if not k.startswith("y")}), ["a", "b", "c"])
    assert (found.largest, found.is_clear) == (0, True)
    nobody = funnel(log_of({f"z{i}": "a0 b1" for i in range(9)} | {"late": "q200"}), ["a", "b"])
    assert (nobody.largest, nobody.is_clear) == (None, False)


def test_case_of_the_oracle() -> None:
    world = World({"1": Case((("a", 0), ("b", 5)), "x"), "2": Case((("b", 0), ("a", 30)), "y")}, idle=10)
    walks = closed_walks(world, ["a", "b"], 4)
    assert [(w.case, w.times, w.later, w.settled) for w in walks] == [
        ("1", (0, None), (False,), True), ("2", (30, None), (False,), False),
    ]  # fmt: skip
