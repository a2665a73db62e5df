"""How good predictions were: scores against plain Python, worlds where the truth is known, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import journeymine as jm
from journeymine.analyses.prediction import (
    evaluate_predictions,
    known_log,
    report_quality,
    score_open_journeys,
)
from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.markov.prediction.prediction_quality import END_MEASURES, NEXT_MEASURES, PredictionQuality
from journeymine.simulate import sample_chain

EXACT = 1e-9
DAY_US = 86_400_000_000
MATRIX = [[0.20, 0.50, 0.00, 0.05, 0.25], [0.10, 0.00, 0.60, 0.00, 0.30], [0.00, 0.15, 0.10, 0.55, 0.20]]


def world(seed: int = 1, n: int = 1500, **options: Any) -> pd.DataFrame:
    settings: dict[str, Any] = {"days": 1500.0, "wait_days": 1.0} | options
    return sample_chain(MATRIX, [1, 0, 0], n, seed, **settings).events


def read(events: pd.DataFrame, **options: Any) -> jm.EventLog:
    log = jm.read_log(
        events,
        case_id="case_id",
        customer_id="customer_id",
        activity="activity",
        timestamp="timestamp",
        threads=1,
    )
    return log.journeys("Goal", idle="30d", **options)


EVENTS = world()
LOG = read(EVENTS)
FOUND = evaluate_predictions(LOG, horizon="3d", n_draws=200)


# ------------------------------------------------------------------------------------------------ against plain Python


def visits_after(events: pd.DataFrame, cut_us: int, horizon_days: float) -> pd.DataFrame:
    """Visits from the cut on that were watched for the horizon: activity, next step, whether the goal came in time."""
    frame = events.sort_values(["case_id", "timestamp"]).reset_index(drop=True)
    frame["next"] = frame.groupby("case_id")["activity"].shift(-1)
    goal = frame[frame["activity"] == "Goal"].groupby("case_id")["timestamp"].min()
    frame["wait"] = frame["case_id"].map(goal) - frame["timestamp"]
    visits = frame[frame["activity"] != "Goal"]
    visits = visits[visits["timestamp"] >= pd.Timestamp(cut_us, unit="us", tz="UTC")]
    return visits.assign(came=(visits["wait"] <= pd.Timedelta(days=horizon_days)).astype(float))


def test_scores_are_those_of_plain_python() -> None:
    visits = visits_after(EVENTS, FOUND.cut_us, 3.0)
    last = EVENTS["timestamp"].max()
    judged = visits[visits["timestamp"] <= last - pd.Timedelta(days=3)]
    assert FOUND.n_judged == len(judged)
    train = known_log(LOG, FOUND.cut_us)
    chain = train.fit_markov(n_draws=50)
    p = chain.predict([[name] for name in "ABC"], "3d")["conversion_within"]
    given = judged["activity"].map(dict(zip("ABC", p, strict=True)))
    assert FOUND.measure("brier") is not None
    assert FOUND.table.loc["chain", "brier"] == pytest.approx(
        ((given - judged["came"]) ** 2).mean(), abs=1e-6
    )
    assert FOUND.predicted == pytest.approx(given.mean(), abs=1e-6)
    assert FOUND.observed.estimate == pytest.approx(judged["came"].mean(), abs=EXACT)
    by_state = judged.groupby("activity")["came"].mean()
    table = FOUND.calibration
    assert table["observed"].tolist() == pytest.approx(sorted(by_state), abs=EXACT)
    assert table["n"].sum() == len(judged)
    # The next step: the likeliest column of the chain of the training period.
    watched = visits[visits["timestamp"] <= last - pd.Timedelta(days=30)]
    matrix = chain.matrix.rename(columns={"(goal)": "Goal"})
    best = {name: matrix.loc[name].idxmax() for name in "ABC"}
    hit = watched["next"].fillna("(dropped)") == watched["activity"].map(best)
    assert FOUND.n_steps == len(watched)
    assert FOUND.table.loc["chain", "next_accuracy"] == pytest.approx(hit.mean(), abs=EXACT)


def test_the_base_rate_is_that_of_the_training_period() -> None:
    before = EVENTS[EVENTS["timestamp"] < pd.Timestamp(FOUND.cut_us, unit="us", tz="UTC")]
    visits = visits_after(before, 0, 3.0)
    end = pd.Timestamp(FOUND.cut_us - 1, unit="us", tz="UTC")
    rate = visits.loc[visits["timestamp"] <= end - pd.Timedelta(days=3), "came"].mean()
    came = float(FOUND.observed.estimate)
    assert FOUND.table.loc["frequency", "brier"] == pytest.approx(
        came * (1 - rate) ** 2 + (1 - came) * rate**2, abs=1e-9
    )
    assert FOUND.table.loc["frequency", "auc"] == 0.5
    assert FOUND.table.loc["frequency", "skill"] == 0.0
    assert np.isnan(FOUND.table.loc["frequency", "slope"])


def test_nothing_after_the_cut_is_learnt_from() -> None:
    """What happens after the cut can be anything: predictions stay the same."""
    changed = EVENTS.copy()
    late = changed["timestamp"] >= pd.Timestamp(FOUND.cut_us, unit="us", tz="UTC")
    swapped = changed.loc[late, "activity"].map({"A": "B", "B": "A", "C": "C", "Goal": "Goal"})
    changed.loc[late, "activity"] = swapped
    cut = pd.Timestamp(FOUND.cut_us, unit="us", tz="UTC").isoformat()
    one, other = (evaluate_predictions(read(e), cut=cut, horizon="3d", n_draws=20) for e in (EVENTS, changed))
    assert one.cut_us == other.cut_us == FOUND.cut_us
    assert set(one.calibration["predicted"].round(12)) == set(other.calibration["predicted"].round(12))
    assert one.table.loc["chain", "brier"] < other.table.loc["chain", "brier"]


# ------------------------------------------------------------------------------------------------ known worlds


def test_predictions_of_a_chain_are_calibrated() -> None:
    for horizon in (None, "7d"):
        found = evaluate_predictions(read(world(5, 6000)), horizon=horizon, n_draws=200)
        slope, large = found.measure("slope"), found.measure("intercept")
        assert slope is not None
        assert large is not None
        assert slope["lower"] < 1 < slope["upper"]
        assert slope["upper"] - slope["lower"] < 0.5
        assert large["lower"] < 0 < large["upper"]
        assert found.verdict == "good"
        assert "can be taken at their word" in found.sentence
        assert found.table.loc["chain", "brier"] < found.table.loc["frequency", "brier"]
        assert found.undecided < 0.05


def test_a_world_that_changes_is_noticed() -> None:
    """After the cut nobody buys as easily as before: predictions are too high."""
    changed = sample_chain(
        [[0.2, 0.5, 0, 0.02, 0.28], [0.1, 0, 0.4, 0, 0.5], [0, 0.1, 0.1, 0.4, 0.4]],
        [1, 0, 0],
        900,
        4,
        days=600.0,
        wait_days=1.0,
    ).events
    changed["timestamp"] += pd.Timedelta(days=1500)
    changed["case_id"] = "later " + changed["case_id"]
    changed["customer_id"] = "later " + changed["customer_id"]
    log = read(pd.concat([EVENTS, changed], ignore_index=True))
    found = evaluate_predictions(log, cut="2030-02-10", n_draws=100)
    assert found.verdict == "too_high"
    assert found.predicted > float(found.observed.upper)
    assert "too high" in found.sentence
    assert found.n_known <= found.n_customers


def test_a_coin_cannot_be_predicted() -> None:
    """States that all lead to the goal alike: there is nothing to tell journeys apart by."""
    same = [[0.25, 0.25, 0.25, 0.25], [0.25, 0.25, 0.25, 0.25]]
    events = sample_chain(same, [0.5, 0.5], 2500, 2, days=1500.0).events
    found = evaluate_predictions(read(events), n_draws=100)
    assert found.verdict == "useless"
    assert "no better than the base rate" in repr(found)


def test_new_customers_only() -> None:
    events = world(6, 3000, cases_per_customer=4.0)
    everybody = evaluate_predictions(read(events), n_draws=50)
    new = evaluate_predictions(read(events), customers="new", n_draws=50)
    assert 0 < everybody.n_known < everybody.n_customers
    assert new.n_known == 0
    assert new.n_customers == everybody.n_customers - everybody.n_known
    assert new.n_judged < everybody.n_judged
    assert new.n_train == everybody.n_train


# ------------------------------------------------------------------------------------------------ edges


def test_activities_never_seen_get_the_base_rate() -> None:
    changed = EVENTS.copy()
    late = changed["timestamp"] >= pd.Timestamp(FOUND.cut_us, unit="us", tz="UTC")
    changed.loc[late & (changed["activity"] == "C"), "activity"] = "<new>"
    cut = pd.Timestamp(FOUND.cut_us, unit="us", tz="UTC").isoformat()
    found = evaluate_predictions(read(changed), cut=cut, horizon="3d", n_draws=20)
    assert found.n_unseen == int((changed.loc[late, "activity"] == "<new>").sum()) - late_unwatched(changed)
    assert np.isfinite(found.table.loc["chain", "log_loss"])
    assert np.isfinite(found.table.loc["chain", "next_log_loss"])


def late_unwatched(events: pd.DataFrame) -> int:
    last = events["timestamp"].max() - pd.Timedelta(days=3)
    return int(((events["activity"] == "<new>") & (events["timestamp"] > last)).sum())


@pytest.mark.parametrize("cut", [0, 1, 1.5, True, "1999-01-01", "2040-01-01"])
def test_a_cut_outside_the_log_is_refused(cut: Any) -> None:
    with pytest.raises(OptionError, match="cut is"):
        evaluate_predictions(LOG, cut=cut)


def test_what_cannot_be_judged_is_refused() -> None:
    order_only = jm.read_log(
        EVENTS.assign(n=range(len(EVENTS))), case_id="case_id", activity="activity", order="n", threads=1
    )
    with pytest.raises(NotEnoughDataError, match="no times"):
        evaluate_predictions(order_only.journeys("Goal"))
    with pytest.raises(NotEnoughDataError, match="no goal"):
        evaluate_predictions(LOG.journeys())
    with pytest.raises(NotEnoughDataError, match="it is not said yet what a journey is"):
        evaluate_predictions(
            jm.read_log(EVENTS, case_id="case_id", activity="activity", timestamp="timestamp")
        )
    with pytest.raises(OptionError, match="customers is"):
        evaluate_predictions(LOG, customers="some")  # type: ignore[arg-type]
    short = read(sample_chain(MATRIX, [1, 0, 0], 600, 3, days=80.0, wait_days=2.0).events)
    with pytest.raises(NotEnoughDataError, match="take longer to end than the log lasts") as error:
        evaluate_predictions(short)
    assert 'horizon="7d"' in str(error.value)
    # The report then judges what can be judged.
    shown = report_quality(short, n_draws=20)
    assert shown is not None
    assert shown.horizon_us is not None
    assert "within" in shown.sentence
    assert report_quality(order_only.journeys("Goal")) is None
    assert report_quality(LOG.journeys()) is None


def test_the_result_shows_itself() -> None:
    assert isinstance(FOUND, PredictionQuality)
    lines = repr(FOUND).splitlines()
    assert len(lines) <= 12
    assert lines[-1] == "Next: .table, .calibration, .to_frame()"
    frame = FOUND.to_frame()
    assert frame.columns.tolist() == ["task", "model", "measure", "estimate", "lower", "upper", "n"]
    assert len(frame) == len(FOUND.models) * (len(END_MEASURES) + len(NEXT_MEASURES))
    known = frame.dropna()
    assert (known["lower"] <= known["estimate"]).all()
    assert (known["estimate"] <= known["upper"]).all()


def test_order_of_rows_seed_and_threads_do_not_matter() -> None:
    shuffled = EVENTS.sample(frac=1, random_state=3).reset_index(drop=True)
    other = evaluate_predictions(read(shuffled), horizon="3d", n_draws=200)
    pd.testing.assert_frame_equal(other.to_frame(), FOUND.to_frame(), check_exact=True)
    pd.testing.assert_frame_equal(other.calibration, FOUND.calibration, check_exact=True)


# ------------------------------------------------------------------------------------------------ open journeys


def test_open_journeys_are_scored_as_their_prefixes_are() -> None:
    events = world(8, 1200, days=120.0, wait_days=4.0)
    log = read(events)
    chain = log.fit_markov(n_draws=50)
    scored = score_open_journeys(log, chain, "7d")
    assert len(scored) == log.end_states.n[2]
    assert scored["conversion_within"].is_monotonic_decreasing
    assert scored.columns[:5].tolist() == [
        "customer_id",
        "case_id",
        "last_activity",
        "n_events",
        "waited_days",
    ]
    row = scored.iloc[3]
    case = events[events["case_id"] == row["case_id"]].sort_values("timestamp")
    assert case["activity"].iloc[-1] == row["last_activity"]
    silent = events["timestamp"].max() - case["timestamp"].iloc[-1]
    assert row["waited_days"] == pytest.approx(silent / pd.Timedelta(days=1))
    alone = chain.predict([case["activity"].tolist()], "7d", waited=[silent.to_pytimedelta()])
    # Many silences at once are read off a grid.
    assert row["conversion"] == pytest.approx(alone["conversion"].iloc[0], abs=0.01)
    shuffled = score_open_journeys(read(events.sample(frac=1, random_state=2)), horizon="7d")
    pd.testing.assert_frame_equal(shuffled, score_open_journeys(log, horizon="7d"))
    none = score_open_journeys(read(EVENTS[EVENTS["case_id"].isin(finished(EVENTS))]), horizon="7d")
    assert none.columns.tolist() == shuffled.columns.tolist()
    assert len(none) == 0


def finished(events: pd.DataFrame) -> set[str]:
    return set(events.loc[events["activity"] == "Goal", "case_id"])
