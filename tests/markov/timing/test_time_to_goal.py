"""When the goal is reached: closed forms, known truth, bootstrap, and real logs beside the plain incidence."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import journeymine as jm
from journeymine.counting.visit_waits import count_visit_waits
from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.markov.timing.renewal import grid_of
from journeymine.markov.timing.semi_kernel import estimate_kernel
from journeymine.markov.timing.time_to_goal import TimeToGoal, time_to_goal
from journeymine.markov.timing.timed_chain import TimedChain, origin_of
from journeymine.simulate import sample_chain
from journeymine.uncertainty import bootstrap_weights, wilson

if TYPE_CHECKING:
    from pathlib import Path

    from journeymine.counts.chain import ChainCounts
    from journeymine.counts.visit_waits import VisitWaits

DAY = 86_400_000_000
EXACT = 1e-9
DERIVATIVE = 2e-5
"""Central differences with weights of 1 +- 1e-4; entries are at their means, curves are read off between times."""
IN_THE_END = 1e-6
"""Journeys of the demo that take longer than three years, and rounding."""
BINS = 0.003
"""What a bin of a thirty-second of an octave holds of a thousand journeys, and how it is spread."""
TWO = [[0.0, 0.7, 0.062, 0.238], [0.10, 0.0, 0.65, 0.25]]
SLOW = [[1.0, 2.0, 8.0], [6.0, 1.0, 12.0]]
ROLES = {"case_id": "case_id", "customer_id": "customer_id", "activity": "activity", "timestamp": "timestamp"}


def counted(log: jm.EventLog) -> tuple[VisitWaits, ChainCounts]:
    assert log.found is not None
    chain = log.count_chain()
    return count_visit_waits(log.engine, log.canonical, log.found, log._visits, chain), chain


def goal_times(log: jm.EventLog) -> tuple[np.ndarray, np.ndarray]:
    """Days until each journey ended or was last seen, and how: 1 goal, 2 over, 0 open.

    Journeys that may have been under way when the log begins are left out, as the chain leaves out their starts.
    """
    found = log.found
    assert found is not None
    assert found.idle.us is not None
    assert log.canonical.last_us is not None
    rows = log.engine.fetch(
        f"""SELECT j.state, j.has_ended, j.last_us, s.time_us AS begin_us, COALESCE(g.time_us, 0) AS goal_us
            FROM {found.table} AS j
            JOIN {log.canonical.events} AS s ON s.case_key = j.case_key AND s.position = j.start_position
            LEFT JOIN {log.canonical.events} AS g ON g.case_key = j.case_key AND g.position = j.goal_position
            WHERE j.state IS NOT NULL ORDER BY j.customer_id, begin_us"""
    )
    state = rows["state"]
    assert log.canonical.first_us is not None
    if log.count_chain().n_truncated:
        seen = rows["begin_us"] >= log.canonical.first_us + found.idle.us
        rows = {name: column[seen] for name, column in rows.items()}
        state = state[seen]
    over = rows["last_us"] + np.where(rows["has_ended"], 0, found.idle.us)
    until = np.select([state == 0, state == 1], [rows["goal_us"], over], log.canonical.last_us)
    return (until - rows["begin_us"]) / DAY, np.select([state == 0, state == 1], [1, 2], 0)


def plain_incidence(log: jm.EventLog, days: list[float]) -> list[float]:
    """Cumulative incidence of the goal over journeys, without any chain: lifelines' Aalen and Johansen."""
    import warnings

    from lifelines import AalenJohansenFitter

    time, how = goal_times(log)
    with warnings.catch_warnings():
        # Tied times are shifted by a hair, and it says so.
        warnings.simplefilter("ignore")
        fitted = AalenJohansenFitter(calculate_variance=False, seed=1).fit(time, how, event_of_interest=1)
    curve = fitted.cumulative_density_.iloc[:, 0]
    return [float(curve[curve.index <= d + 1e-6].iloc[-1]) for d in days]


def log_of(
    cases: list[tuple[str, list[tuple[str, float]]]], *, idle: str = "30d", **roles: Any
) -> jm.EventLog:
    """Cases as (customer, [(activity, day)]); a last event long after, so that every journey is over."""
    begin = pd.Timestamp("2026-01-01", tz="UTC")
    rows = [
        (f"{i}", customer, activity, begin + pd.Timedelta(days=day))
        for i, (customer, path) in enumerate(cases)
        for activity, day in path
    ]
    rows.append(("last", "last", "Late", begin + pd.Timedelta(days=500)))
    frame = pd.DataFrame(rows, columns=list(ROLES))
    return jm.read_log(frame, **(ROLES | roles), threads=1).journeys("Goal", idle=idle, start="A")


@pytest.fixture(scope="module")
def demo() -> jm.EventLog:
    from pathlib import Path

    config = Path(jm.demo_config_path())
    return jm.log_from_spec(jm.read_spec(config), config.parent)


@pytest.fixture(scope="module")
def demo_counts(demo: jm.EventLog) -> tuple[VisitWaits, ChainCounts]:
    return counted(demo)


# ----------------------------------------------------------------------------------------------- closed forms


def test_one_move_is_a_plain_share() -> None:
    """Everybody goes from A to the goal or is lost: the share within a week, and Wilson's interval."""
    rng = np.random.default_rng(3)
    days = rng.exponential(6.0, 200).clip(max=29.0)
    reached = rng.random(200) < 0.6
    log = log_of(
        [
            (f"c{i}", [("A", 0.0), *([("Goal", d)] if r else [])])
            for i, (d, r) in enumerate(zip(days, reached, strict=True))
        ]
    )
    waits, chain = counted(log)
    for horizon in (1, 7, 20):
        found = time_to_goal(waits, chain, horizon * DAY)
        won = int((reached & (days <= horizon)).sum())
        # Waits that share a bin are spread over it.
        assert found.estimate == pytest.approx(won / 200, abs=0.006)
        low, high = wilson(found.estimate * 200, 200)
        assert (found.lower, found.upper) == (
            pytest.approx(float(low), abs=0.004),
            pytest.approx(float(high), abs=0.004),
        )
    assert found.n == 200
    median = np.sort(days[reached])[int(reached.sum() / 2)]
    assert float(found.median_s.estimate) / 86_400 == pytest.approx(median, rel=0.05)


def test_dates_as_times_are_exact() -> None:
    """A day a move, and the goal on the third day or the fourth: what happens on a day counts on that day."""
    cases = [("a", [("A", 0.0), ("B", 1.0), ("Goal", 3.0)]), ("b", [("A", 0.0), ("B", 1.0), ("Goal", 4.0)])]
    waits, chain = counted(log_of(cases * 10))
    found = {days: time_to_goal(waits, chain, days * DAY).estimate for days in (1, 2, 3, 4, 5)}
    assert found == pytest.approx({1: 0.0, 2: 0.0, 3: 0.5, 4: 1.0, 5: 1.0}, abs=1e-7)


def test_journeys_that_start_with_the_goal() -> None:
    log = log_of([("a", [("A", 0.0), ("Goal", 10.0)]), ("b", [("Goal", 0.0)]), ("c", [("Goal", 0.0)])])
    assert log.found is not None
    log = log.journeys("Goal", idle="30d", start=["A", "Goal"])
    waits, chain = counted(log)
    curve = time_to_goal(waits, chain, 20 * DAY).to_frame().set_index("time_days")["estimate"]
    assert curve[0.0] == pytest.approx(2 / 3)
    assert curve[curve.index < 10].max() == pytest.approx(2 / 3)
    assert curve[curve.index >= 10.0].min() == pytest.approx(1.0)


def test_dropping_out_shows_after_silence() -> None:
    """Two of three are lost at once: it shows after thirty days; an end activity says so when it comes."""
    cases = [("a", [("A", 0.0)]), ("b", [("A", 0.0), ("Quit", 5.0)]), ("c", [("A", 0.0), ("Goal", 1.0)])] * 5
    log = log_of(cases)
    log = log.journeys("Goal", end="Quit", start="A", idle="30d")
    found = time_to_goal(*counted(log), 60 * DAY)
    over = found.to_frame("dropped").set_index("time_days")["estimate"]
    assert over[over.index < 5].max() == pytest.approx(0.0, abs=1e-7)
    assert over[(over.index >= 5) & (over.index < 30)].to_numpy() == pytest.approx(1 / 3)
    assert over[over.index >= 30].to_numpy() == pytest.approx(2 / 3)
    total = sum(found.to_frame(outcome)["estimate"] for outcome in ("goal", "dropped", "under way"))
    np.testing.assert_allclose(total, 1.0)


# --------------------------------------------------------------------------------- in the end, it is the conversion


def test_in_the_end_it_is_the_conversion(
    demo: jm.EventLog, demo_counts: tuple[VisitWaits, ChainCounts]
) -> None:
    chain = demo.fit_markov(n_draws=200)
    late = time_to_goal(*demo_counts, 1100 * DAY)
    conversion = chain.conversion()
    assert conversion is not None
    assert by_chain(late) == pytest.approx(conversion["estimate"], abs=IN_THE_END)
    assert float(late.converted.estimate) == pytest.approx(conversion["estimate"], abs=EXACT)
    assert late.n == conversion["n"]
    # The bootstrap of the chain and the linearised variance: two ways to the same width.
    width, theirs = late.goal.upper[-1] - late.goal.lower[-1], conversion["upper"] - conversion["lower"]
    assert width == pytest.approx(theirs, rel=0.15)
    assert late.warnings
    assert dict(late).keys() == conversion.keys()  # type: ignore[call-overload]


def test_from_a_state(demo: jm.EventLog, demo_counts: tuple[VisitWaits, ChainCounts]) -> None:
    chain = demo.fit_markov(n_draws=50)
    waits, counts = demo_counts
    for place, state in enumerate(chain.states[:4]):
        found = time_to_goal(waits, counts, 1100 * DAY, source=state)
        assert found.estimate == pytest.approx(float(chain.hit.estimate[place]), abs=IN_THE_END)
        assert found.n == int(counts.n[counts.source == place].sum())
        assert found.lower < found.estimate < found.upper


def test_curves_rise_and_results_explain_themselves(demo_counts: tuple[VisitWaits, ChainCounts]) -> None:
    found = time_to_goal(*demo_counts, 7 * DAY)
    frame = found.to_frame()
    assert list(frame) == ["time_days", "estimate", "lower", "upper", "n"]
    assert frame["time_days"].iloc[[0, -1]].tolist() == [0.0, 7.0]
    assert (np.diff(frame["estimate"]) >= 0).all()
    assert ((frame["lower"] <= frame["estimate"]) & (frame["estimate"] <= frame["upper"])).all()
    assert frame.iloc[-1]["estimate"] == found["estimate"] == found.estimate
    # A shorter horizon is a point of the curve of a longer one.
    long = time_to_goal(*demo_counts, 14 * DAY).to_frame().set_index("time_days")
    assert long.loc[7.0, "estimate"] == pytest.approx(found.estimate, abs=2e-4)
    assert long.loc[7.0, "upper"] == pytest.approx(found.upper, abs=2e-4)
    assert repr(found).splitlines()[-1].startswith("Next: ")
    assert len(repr(found).splitlines()) <= 12


# --------------------------------------------------------------------------------------------------- uncertainty


def reweighted(waits: VisitWaits, chain: ChainCounts, weights: np.ndarray) -> tuple[VisitWaits, ChainCounts]:
    """The same customers, each counted more or less often."""
    n = np.bincount(waits.row_entry, waits.row_n * weights[waits.row_unit], minlength=len(waits.n))
    kept = n > 0
    place = np.cumsum(kept) - 1
    rows = kept[waits.row_entry]
    fields: dict[str, Any] = {
        name: getattr(waits, name)[kept] for name in ("source", "target", "bin", "low_us", "high_us")
    }
    new = dataclasses.replace(
        waits, **fields, n=n[kept], wait_us=(waits.mean_us * n)[kept], row_unit=waits.row_unit[rows],
        row_entry=place[waits.row_entry][rows], row_n=(waits.row_n * weights[waits.row_unit])[rows],
    )  # fmt: skip
    moves, starts = chain.n * weights[chain.unit], chain.start_n * weights[chain.start_unit]
    own: dict[str, Any] = {
        name: getattr(chain, name)[moves > 0] for name in ("unit", "cell", "source", "target", "wait_us")
    }
    first: dict[str, Any] = {
        f"start_{name}": getattr(chain, f"start_{name}")[starts > 0] for name in ("unit", "cell", "state")
    }
    return new, dataclasses.replace(chain, **own, **first, n=moves[moves > 0], start_n=starts[starts > 0])


@pytest.fixture(scope="module")
def world() -> jm.EventLog:
    """Two in five journeys are open, customers come back; exits take their time."""
    sampled = sample_chain(TWO, [1, 0], 600, 8, open_share=0.4, wait_days=SLOW, cases_per_customer=3.0)
    return jm.read_log(sampled.events, **ROLES, threads=1).journeys("Goal", idle="30d")


def shares(waits: VisitWaits, chain: ChainCounts, days: float) -> np.ndarray:
    """The share at the goal, over, and at the goal in the end."""
    model = TimedChain(estimate_kernel(waits, chain), chain, origin_of(chain, None))
    curve = model.curve(grid_of(days * DAY))
    at = curve.grid.at_horizon
    return np.array([curve.goal[at], curve.drop[at], float(model.converted)])


@pytest.mark.parametrize("days", [7, 45])
def test_influence_is_the_derivative(world: jm.EventLog, days: int) -> None:
    """Through waits, shares and starts together: counting a customer a little more moves the curve so much."""
    waits, chain = counted(world)
    model = TimedChain(estimate_kernel(waits, chain), chain, origin_of(chain, None))
    curve = model.curve(grid_of(days * DAY))
    goal, drop = model.influence(curve, np.array([curve.grid.at_horizon]))
    influence = np.column_stack([goal, drop, model.influence_in_the_end()])
    np.testing.assert_allclose(influence.sum(axis=0), 0.0, atol=1e-7)
    for unit in (0, 3, 50, 120):
        # Whole numbers, as counts are.
        many, step = np.full(chain.n_units, 100_000), 10 * np.eye(chain.n_units, dtype=int)[unit]
        up, down = (shares(*reweighted(waits, chain, w), days) for w in (many + step, many - step))
        np.testing.assert_allclose(influence[unit], (up - down) / 2e-4, atol=DERIVATIVE)


def test_the_bootstrap_agrees(world: jm.EventLog) -> None:
    """Two hundred resamples of customers, each solved again, spread as the influences say."""
    waits, chain = counted(world)
    weights = next(bootstrap_weights(chain.n_units, 200, 1, chunk=200))
    draws = np.array([shares(*reweighted(waits, chain, w), 30)[0] for w in weights])
    model = TimedChain(estimate_kernel(waits, chain), chain, origin_of(chain, None))
    curve = model.curve(grid_of(30 * DAY))
    goal, _ = model.influence(curve, np.array([curve.grid.at_horizon]))
    # A standard deviation of 200 draws is known to 5 %.
    assert np.sqrt((goal**2).sum()) == pytest.approx(draws.std(), rel=0.15)


def test_the_truth_is_recovered_with_open_journeys() -> None:
    """A long log tells the truth; the first two months of it, two in five journeys open, must not tell another."""
    long = sample_chain(TWO, [1, 0], 60_000, 1, days=3650.0, wait_days=SLOW)
    short = sample_chain(TWO, [1, 0], 15_000, 2, open_share=0.4, wait_days=SLOW)
    assert short.open_share == pytest.approx(0.4, abs=0.02)
    starts = long.events.groupby("case_id")["timestamp"].min()
    goals = long.events[long.events["activity"] == "Goal"].set_index("case_id")["timestamp"]
    took = (goals - starts).dt.total_seconds() / 86_400
    log = jm.read_log(short.events, **ROLES, threads=1).journeys("Goal", idle="30d")
    waits, chain = counted(log)
    for days in (7, 30):
        truth = (took <= days).mean()
        found = time_to_goal(waits, chain, days * DAY)
        error = (found.upper - found.lower) / 3.92
        assert abs(found.estimate - truth) <= 3 * np.hypot(error, np.sqrt(truth * (1 - truth) / 60_000))
        assert error < 0.01


def test_two_customers_tell_little() -> None:
    """Four visits of two customers are worth two rows at the most, however the waits fall."""
    log = log_of([("a", [("A", 0.0), ("A", 0.0), ("A", 1.0), ("Goal", 2.0)]), ("b", [("A", 0.0)])])
    found = time_to_goal(*counted(log), 7 * DAY)
    assert found.estimate == pytest.approx(0.5, abs=1e-3)
    assert found.lower < 0.1
    assert found.upper > 0.9


def test_rows_in_any_order(world: jm.EventLog) -> None:
    events = world.to_frame()
    events["time"] = pd.to_datetime(events["time_us"], unit="us", utc=True)
    roles = ROLES | {"timestamp": "time"}
    found = [
        time_to_goal(*counted(jm.read_log(part, **roles, threads=1).journeys("Goal", idle="30d")), 30 * DAY)
        for part in (events, events.sample(frac=1.0, random_state=1))
    ]
    pd.testing.assert_frame_equal(found[0].to_frame(), found[1].to_frame(), check_exact=True)


# -------------------------------------------------------------------------------------------------------- errors


def test_errors(demo_counts: tuple[VisitWaits, ChainCounts]) -> None:
    waits, chain = demo_counts
    for wrong in (0, -5, 1.5, True, "7d"):
        with pytest.raises(OptionError, match="horizon is"):
            time_to_goal(waits, chain, wrong)  # type: ignore[arg-type]
    with pytest.raises(NotEnoughDataError, match="no times"):
        time_to_goal(None, chain, DAY)
    with pytest.raises(OptionError, match=r"source 'Baskt' not found[\s\S]*did you mean 'Basket'"):
        time_to_goal(waits, chain, DAY, source="Baskt")
    with pytest.raises(OptionError, match="outcome"):
        time_to_goal(waits, chain, DAY).to_frame("lost")
    found = time_to_goal(waits, chain, DAY)
    with pytest.raises(KeyError):
        found["median"]


def test_logs_without_times() -> None:
    frame = pd.DataFrame(
        {"case_id": ["1", "1"], "customer_id": ["1", "1"], "activity": ["A", "Goal"], "at": [1, 2]}
    )
    log = jm.read_log(
        frame, case_id="case_id", customer_id="customer_id", activity="activity", order="at", threads=1
    )
    with pytest.raises(NotEnoughDataError, match=r"no times[\s\S]*Hint: pass timestamp"):
        counted(log.journeys("Goal"))


def test_without_a_conversion() -> None:
    """Nobody within the horizon, or nobody at all: an interval up from 0, and no median."""
    log = log_of(
        [(f"{i}", [("A", 0.0), ("B", 1.0)]) for i in range(30)] + [("g", [("A", 0.0), ("Goal", 20.0)])]
    )
    early = time_to_goal(*counted(log), 7 * DAY)
    assert early.estimate == pytest.approx(0.0, abs=1e-7)
    assert 0.05 < early.upper < 0.2
    assert float(early.median_s.estimate) / 86_400 == pytest.approx(20.0, rel=0.01)
    log = log_of(
        [(f"{i}", [("A", 0.0), ("B", 1.0)]) for i in range(30)] + [("g", [("Z", 0.0), ("Goal", 20.0)])]
    )
    never = time_to_goal(*counted(log), 7 * DAY)
    assert np.isnan(never.median_s.estimate)
    assert "half of those" not in repr(never)


# ------------------------------------------------------------------------------------------------------ real logs


def both(log: jm.EventLog, days: list[float]) -> list[tuple[TimeToGoal, float]]:
    waits, chain = counted(log)
    ours = [time_to_goal(waits, chain, round(d * DAY)) for d in days]
    return list(zip(ours, plain_incidence(log, days), strict=True))


def by_chain(ours: TimeToGoal) -> float:
    """P(goal within the horizon) by the chain, which knows states and no journeys."""
    return float(ours.goal.estimate[-1])


def agrees(ours: TimeToGoal, plain: float) -> bool:
    """Whether the incidence over journeys is lifelines' own; journeys in a bin are spread over it."""
    assert ours.journeys is not None
    return bool(abs(ours.journeys.estimate[-1] - plain) < BINS)


def test_demo_beside_the_plain_incidence(demo: jm.EventLog) -> None:
    """Nearly first-order: within half a point of what journeys as a whole say."""
    for ours, plain in both(demo, [7.0, 30.0]):
        assert by_chain(ours) == pytest.approx(plain, abs=0.006)
        assert agrees(ours, plain)
        assert not ours.warnings


@pytest.mark.reference
def test_helpdesk_beside_the_plain_incidence(reference_data: Path) -> None:
    """Resolving: 0.5380 against 0.5314 within a week, 0.8954 against 0.9012 within 30 days.

    Closing follows a clock of the ticket and not of its last step: hardly any ticket is closed within 30 days of its
    start (0.0004), where waits that do not know of each other give 0.284. No semi-Markov chain on activities can know;
    the result says so.
    """
    log = jm.read_log(reference_data / "helpdesk" / "Helpdesk_full_italian.xes.gz")
    week, month = both(log.journeys("Resolve ticket"), [7.0, 30.0])
    assert (by_chain(week[0]), week[1]) == (pytest.approx(0.5380, abs=5e-4), pytest.approx(0.5314, abs=5e-4))
    assert (by_chain(month[0]), month[1]) == (
        pytest.approx(0.8954, abs=5e-4),
        pytest.approx(0.9012, abs=5e-4),
    )
    assert agrees(*week)
    assert agrees(*month)
    ((closed, plain),) = both(log.journeys("Closed"), [30.0])
    assert (by_chain(closed), plain) == (pytest.approx(0.284, abs=1e-3), pytest.approx(0.0004, abs=1e-4))
    assert agrees(closed, plain)
    assert closed.estimate == pytest.approx(0.0004, abs=1e-4)
    assert "the chain says 0.28" in repr(closed)
    assert by_chain(time_to_goal(*counted(log.journeys("Closed")), 3650 * DAY)) == pytest.approx(
        0.9975, abs=1e-4
    )


@pytest.mark.reference
def test_sepsis_beside_the_plain_incidence(reference_data: Path) -> None:
    """Release within a week: 0.413 against 0.439, within 30 days 0.635 against 0.634.

    How long patients stay depends on what was before the last step; a thousand of them are too few to be sure of it.
    """
    log = jm.read_log(reference_data / "sepsis" / "Sepsis_Cases-Event_Log.xes.gz").journeys("Release A")
    week, month = both(log, [7.0, 30.0])
    assert (by_chain(week[0]), week[1]) == (pytest.approx(0.4132, abs=5e-4), pytest.approx(0.4390, abs=5e-4))
    assert (by_chain(month[0]), month[1]) == (
        pytest.approx(0.6354, abs=5e-4),
        pytest.approx(0.6343, abs=5e-4),
    )
    assert agrees(*week)
    assert agrees(*month)
    assert not week[0].warnings
    assert not month[0].warnings
