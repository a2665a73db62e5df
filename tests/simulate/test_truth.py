"""The truth has three witnesses: plain forward recursion, a large simulation, worlds without a fault."""

from __future__ import annotations

import numpy as np
import pytest

from journeymine.simulate import FAULTS, shop
from journeymine.simulate import states as st
from journeymine.simulate.kernel import GROUPS, Kernel, make_kernel
from journeymine.simulate.settings import ShopSettings
from journeymine.simulate.starts import Starts, draw_starts
from journeymine.simulate.truth import conversion, goal_probability, true_effects
from journeymine.simulate.walk import walk

NEGLIGIBLE = 1e-13  # mass that the forward recursion no longer follows
SOLVED = 1e-7  # what all of it adds up to, generously
ROUNDED = 1e-11  # truth is given with twelve decimals
STANDARD_ERRORS = 4.0
REPEATS = 10
SETTINGS = ShopSettings(n_customers=6000, seed=5)


@pytest.fixture(scope="module")
def starts() -> Starts:
    return draw_starts(SETTINGS, np.random.default_rng(5))


def forward(kernel: Kernel, group: int, state: int, day: int, incident: tuple[int, int]) -> float:
    """Follow one journey forward, day by day and step by step: mass[day][state]."""
    mass = {day: {state: 1.0}}
    arrived = 0.0
    while mass:
        today = min(mass)
        waiting = mass.pop(today)
        phase = int(incident[0] <= today < incident[1])
        while waiting:
            i, p = waiting.popitem()
            if p < NEGLIGIBLE:
                continue
            if i == st.ORDER:
                arrived += p
                continue
            p *= 1 - kernel.drop[phase, group, i]
            for j in np.flatnonzero(kernel.moves[group, i]):
                for lag in np.flatnonzero(kernel.lags[i, j]):
                    part = p * kernel.moves[group, i, j] * kernel.lags[i, j, lag]
                    where = waiting if lag == 0 else mass.setdefault(today + int(lag), {})
                    where[int(j)] = where.get(int(j), 0.0) + part
    return arrived


@pytest.mark.parametrize(
    ("group", "key", "day"), [(0, "basket", 38), (17, "quote_requested", 43), (29, "payment_1", 55)]
)
def test_backward_recursion_equals_following_a_journey_forward(group: int, key: str, day: int) -> None:
    kernel = make_kernel(FAULTS)
    incident = SETTINGS.incident
    exact = goal_probability(kernel, incident)[day, group, st.CODE[key]]
    assert forward(kernel, group, st.CODE[key], day, incident) == pytest.approx(exact, abs=SOLVED)


def test_after_the_incident_every_day_is_the_same() -> None:
    h = goal_probability(make_kernel(FAULTS), SETTINGS.incident)
    sound = goal_probability(make_kernel([f for f in FAULTS if f != "payment_incident"]), SETTINGS.incident)
    assert h.shape == (SETTINGS.incident[1] + 1, len(GROUPS), st.N_BEFORE)
    np.testing.assert_allclose(h[-1], sound[-1], atol=ROUNDED)
    np.testing.assert_allclose(sound, np.broadcast_to(sound[-1], sound.shape), atol=ROUNDED)
    assert (h[SETTINGS.incident[0]] < sound[SETTINGS.incident[0]]).all()


def simulated(kernel: Kernel, starts: Starts, seed: int) -> tuple[float, float]:
    """Share of journeys that reach the goal when the same starts run ten times, and its standard error."""
    many = Starts(*(np.tile(a, REPEATS) for a in (starts.customer, starts.day, starts.group, starts.source)))
    reached = walk(kernel, many, SETTINGS, np.random.default_rng(seed)).reached
    return float(reached.mean()), float(np.sqrt(reached.mean() * (1 - reached.mean()) / len(reached)))


@pytest.mark.simulation
@pytest.mark.parametrize("repaired", ["none", *FAULTS[:-1], "everything"])
def test_truth_equals_a_large_simulation(starts: Starts, repaired: str) -> None:
    on = () if repaired == "everything" else [f for f in FAULTS if f != repaired]
    kernel = make_kernel(on)
    share, error = simulated(kernel, starts, seed=17)
    assert abs(share - conversion(kernel, starts, SETTINGS.incident)) < STANDARD_ERRORS * error


@pytest.mark.simulation
@pytest.mark.parametrize("activity", ["Payment", "Product page"])
def test_truth_of_saving_a_fifth_equals_a_large_simulation(starts: Starts, activity: str) -> None:
    kernel = make_kernel(FAULTS).save(activity, 0.2)
    share, error = simulated(kernel, starts, seed=23)
    truth = true_effects(SETTINGS, starts).set_index(["kind", "activity"])
    expected = truth["base"].iloc[0] + truth.loc[("save_20", activity), "effect"]
    assert abs(share - expected) < STANDARD_ERRORS * error


@pytest.mark.parametrize("name", FAULTS)
def test_turning_a_fault_off_removes_exactly_its_effect(name: str) -> None:
    with_it = shop(1500, seed=3).truth.set_index("fault")
    if name == "summer_campaign":  # its repair leaves the starts as they are
        assert with_it.loc[name, "effect"] == 0.0
        return
    without = shop(1500, seed=3, faults=[f for f in FAULTS if f != name]).truth.set_index("fault")
    assert name not in without.index
    repaired = with_it.loc["none", "base"] + with_it.loc[name, "effect"]
    assert without.loc["none", "base"] == pytest.approx(repaired, abs=ROUNDED)


def test_sizes_are_those_of_the_documentation() -> None:
    for seed in (0, 1, 2026):
        truth = shop(6000, seed=seed).truth.set_index("fault")["effect"]
        assert 0.025 < truth["mobile_sign_in"] < 0.04
        assert 0.009 < truth["payment_incident"] < 0.02
        assert truth["payment_incident"] > truth[["declined_loop", "call_centre_rupture"]].max()
        assert (truth[list(FAULTS[:-1])] > 0.004).all()


def test_table_names_place_and_period_of_each_repair() -> None:
    frame = shop(300, seed=1).truth
    assert frame.columns.tolist() == [
        "fault", "fix_id", "kind", "activity", "column", "value",
        "period_start", "period_end", "effect", "base",
    ]  # fmt: skip
    rows = frame.set_index("fault")
    assert rows.loc["mobile_sign_in", ["activity", "column", "value"]].tolist() == [
        "Account sign-in",
        "platform",
        "mobile",
    ]
    assert str(rows.loc["payment_incident", "period_start"]) == "2026-02-18 00:00:00+00:00"
    assert str(rows.loc["payment_incident", "period_end"]) == "2026-03-08 00:00:00+00:00"
    saved = frame[frame["kind"] == "save_20"]
    assert set(saved["activity"]) == {s.activity for s in st.BEFORE_GOAL.values()}
    assert (saved["effect"] > 0).all()
    assert frame["base"].notna().sum() == 1


def test_null_world_has_no_fault_rows() -> None:
    truth = shop(300, seed=1, null=True).truth
    assert set(truth["kind"]) == {"base", "save_20"}
    same = shop(300, seed=1, faults=()).truth
    assert truth.equals(same)
