"""Cases from a plain chain: exact truth, chosen censoring, and the bias that it is there to show."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.errors import OptionError
from journeymine.simulate import ChainSample, sample_chain

EXAMPLE = [[0.20, 0.50, 0.00, 0.05, 0.25], [0.10, 0.00, 0.60, 0.00, 0.30], [0.00, 0.15, 0.10, 0.55, 0.20]]
TWO = [[0.0, 0.7, 0.062, 0.238], [0.10, 0.0, 0.65, 0.25]]  # conversion 0.517 / 0.93 = 0.556
IDLE = 30.0
EXACT = 1e-12


def estimate(world: ChainSample, *, settled: bool) -> float:
    """Conversion of the first-order chain; `settled`: only visits that began `IDLE` days before the end."""
    events = world.events.sort_values(["case_id", "timestamp"])
    day = (events["timestamp"] - pd.Timestamp("2026-01-01", tz="UTC")) / pd.Timedelta(days=1)
    following = events.groupby("case_id")["activity"].shift(-1)
    over = day <= world.days - IDLE
    keep = (events["activity"] != "Goal") & (over if settled else over | following.notna())
    counts = pd.crosstab(events["activity"][keep], following[keep].fillna("drop"))
    counts = counts.reindex(columns=["A", "B", "Goal", "drop"], fill_value=0).to_numpy(float)
    shares = counts / counts.sum(axis=1, keepdims=True)
    return float(np.linalg.solve(np.eye(2) - shares[:, :2], shares[:, 2])[0])


def test_truth_of_the_worked_example() -> None:
    truth = sample_chain(EXAMPLE, [1, 0, 0], 10).truth
    assert round(truth.conversion, 6) == 0.340796
    np.testing.assert_allclose(truth.visits.round(6), [1.343284, 0.746269, 0.497512])
    np.testing.assert_allclose(truth.shares, EXAMPLE, atol=EXACT)


def test_complete_logs_show_the_truth() -> None:
    world = sample_chain(
        EXAMPLE, [0.5, 0.3, 0.2], 40_000, 3, days=1e6, customer_sd=0.8, cases_per_customer=3.0
    )
    reached = world.events.loc[world.events["activity"] == "Goal", "case_id"].nunique() / 40_000
    # Cases of a customer go together: the standard error is at most sqrt(3) times the independent one.
    assert abs(reached - world.truth.conversion) < 4 * np.sqrt(3 * 0.25 / 40_000)
    visits = world.events["activity"].value_counts()[["A", "B", "C"]] / 40_000
    np.testing.assert_allclose(visits, world.truth.visits, atol=0.03)


def test_customers_repeat_and_differ() -> None:
    world = sample_chain(TWO, [1, 0], 6000, 1, cases_per_customer=4.0, customer_sd=1.5, days=1e5)
    cases = world.events.drop_duplicates("case_id")
    assert 3.5 < len(cases) / cases["customer_id"].nunique() < 4.5
    done = cases["case_id"].isin(world.events.loc[world.events["activity"] == "Goal", "case_id"])
    by_customer = done.groupby(cases["customer_id"]).agg(["mean", "size"])
    p = done.mean()
    independent = (p * (1 - p) / by_customer["size"]).mean()
    assert by_customer["mean"].var() > 1.3 * independent


@pytest.mark.parametrize("waits", ["exponential", "lognormal"])
@pytest.mark.parametrize("share", [0.2, 0.4])
def test_the_chosen_share_is_open(waits: str, share: float) -> None:
    wait_days = [[1, 2, 8], [6, 1, 12]]
    world = sample_chain(TWO, [1, 0], 4000, 2, wait_days=wait_days, waits=waits, open_share=share)  # type: ignore[arg-type]
    assert world.open_share == pytest.approx(share, abs=0.002)
    events = world.events
    day = (events["timestamp"] - pd.Timestamp("2026-01-01", tz="UTC")) / pd.Timedelta(days=1)
    assert day.max() < world.days
    last = day.groupby(events["case_id"]).max()
    converted = last.index.isin(events.loc[events["activity"] == "Goal", "case_id"])
    assert np.mean(~converted & (last >= world.days - IDLE)) == pytest.approx(share, abs=0.002)
    assert events["case_id"].nunique() == 4000


@pytest.mark.simulation
def test_naive_estimates_are_biased_where_settled_visits_are_not() -> None:
    world = sample_chain(TWO, [1, 0], 20_000, 4, wait_days=[[1, 2, 8], [6, 1, 12]], open_share=0.4)
    assert round(world.truth.conversion, 3) == 0.556
    assert estimate(world, settled=False) > 0.7
    assert estimate(world, settled=True) == pytest.approx(world.truth.conversion, abs=0.02)
    mild = sample_chain(TWO, [1, 0], 20_000, 4, wait_days=[[1, 2, 8], [6, 1, 12]], open_share=0.2)
    assert estimate(mild, settled=False) == pytest.approx(0.64, abs=0.02)
    assert estimate(mild, settled=True) == pytest.approx(mild.truth.conversion, abs=0.02)


@pytest.mark.parametrize("waits", ["exponential", "lognormal"])
def test_waits_stay_below_their_cap_and_near_their_mean(waits: str) -> None:
    world = sample_chain([[0.0, 1.0, 0.0]], [1], 20_000, 5, wait_days=2.0, waits=waits, days=1e6)  # type: ignore[arg-type]
    time = world.events.groupby("case_id")["timestamp"].agg(["min", "max"])
    wait = (time["max"] - time["min"]) / pd.Timedelta(days=1)
    assert 0 < wait.min() <= wait.max() <= 25
    assert wait.mean() == pytest.approx(2.0, abs=0.1)  # the cap at 25 days costs the log-normal one 0.03


def test_same_seed_same_log() -> None:
    a, b = (sample_chain(EXAMPLE, [1, 0, 0], 500, 9, days=60.0) for _ in range(2))
    pd.testing.assert_frame_equal(a.events, b.events)
    assert a.events["timestamp"].is_monotonic_increasing
    assert not a.events.duplicated(["case_id", "timestamp"]).any()


@settings(max_examples=25, deadline=None)
@given(
    weights=st.lists(st.lists(st.floats(0.01, 1.0), min_size=5, max_size=5), min_size=3, max_size=3),
    sd=st.floats(0.0, 2.0),
)
def test_pooled_shares_reproduce_the_conversion(weights: list[list[float]], sd: float) -> None:
    matrix = np.array(weights) / np.sum(weights, axis=1, keepdims=True)
    truth = sample_chain(matrix, [0.2, 0.3, 0.5], 1, customer_sd=sd).truth
    np.testing.assert_allclose(truth.shares.sum(axis=1), 1.0, atol=1e-9)
    h = np.linalg.solve(np.eye(3) - truth.shares[:, :3], truth.shares[:, 3])
    assert [0.2, 0.3, 0.5] @ h == pytest.approx(truth.conversion, abs=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"P": [[0.5, 0.5]]}, "shape"),
        ({"P": [[0.5, 0.6, 0.1]]}, "sum to 1"),
        ({"start": [0.5]}, "start"),
        ({"n": 0}, "n is 0"),
        ({"activities": ["A", "B"]}, "activities"),
        ({"cases_per_customer": 0.5}, "cases_per_customer"),
        ({"open_share": 0.999}, "open_share"),
    ],
)
def test_wrong_arguments_are_refused(change: dict[str, object], message: str) -> None:
    good: dict[str, object] = {"P": [[0.2, 0.5, 0.3]], "start": [1.0], "n": 50}
    with pytest.raises(OptionError, match=message):
        sample_chain(**(good | change))  # type: ignore[arg-type]
