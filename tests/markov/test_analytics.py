"""All absorbing quantities: R clickstream's numbers, closed forms, one by one draws, and how they are shown."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest

from journeymine.errors import OptionError
from journeymine.markov.absorbing import derivative
from journeymine.markov.analytics import GoalValue, chain_outcomes
from journeymine.markov.estimation import ChainModel
from journeymine.markov.fit import fit_chain
from journeymine.markov.lists import count_lists
from journeymine.markov.outcomes import START
from journeymine.markov.passage_outcomes import committor_outcomes, passage_outcomes

if TYPE_CHECKING:
    from journeymine.counts.chain import ChainCounts

EXACT = 1e-9
"""Rounding, and the leak of 1e-12 a move."""
FOUR_DIGITS = 5.1e-5
"""clickstream's numbers are printed to four digits."""
CLICKSTREAM = [
    "h,c,c,p,c,h,c,p,p,c,p,p,o",
    "i,c,i,c,c,c,d",
    "h,i,c,i,c,p,c,c,p,c,c,i,d",
    "c,c,p,c,d",
    "h,c,c,p,p,c,p,p,p,i,p,o",
    "i,h,c,c,p,p,c,p,c,d",
]
"""The six sequences of R clickstream's vignette; d (deferred) and o (ordered) absorb."""
HOSTILE = '<b>"NA"\n🛒'
N_DRAWS = 200


def clickstream() -> ChainCounts:
    """Orders are the goal, deferring is dropping out."""
    paths = [[x for x in path.split(",") if x != "d"] for path in CLICKSTREAM]
    return count_lists(paths, goal="o")[0]


def shop(seed: int = 0, n: int = 400) -> ChainCounts:
    """Customers with two journeys each through three states, a second a move for whom it goes on."""
    rng = np.random.default_rng(seed)
    rows = np.array([[0.2, 0.5, 0, 0.05, 0.25], [0.1, 0, 0.6, 0, 0.3], [0, 0.15, 0.1, 0.55, 0.2]])
    paths = []
    for _ in range(n):
        path, state = [], 0
        while state < 3:
            path.append(("visit", "form", HOSTILE)[state])
            state = int(np.searchsorted(rows[state].cumsum(), rng.random(), side="right"))
        paths.append([*path, "G"] if state == 3 else path)
    counts, _ = count_lists(paths, goal="G", customers=[str(i // 2) for i in range(n)])
    return dataclasses.replace(counts, wait_us=np.where(counts.target == -1, 0.0, counts.n * 1e6))


def test_clickstream_absorption_and_steps() -> None:
    states, _ = chain_outcomes(ChainModel(clickstream()), n_draws=N_DRAWS, timed=False)
    assert states.states == ("c", "h", "i", "p")
    conversion, steps = states.of_state["conversion"], states.of_state["remaining_steps"]
    np.testing.assert_allclose(conversion.estimate, [0.3482, 0.3413, 0.3139, 0.4636], atol=FOUR_DIGITS)
    np.testing.assert_allclose(
        states.of_state["drop_out"].estimate, [0.6518, 0.6587, 0.6861, 0.5364], atol=FOUR_DIGITS
    )
    np.testing.assert_allclose(steps.estimate, [8.5350, 9.5188, 8.4543, 8.5213], atol=FOUR_DIGITS)
    assert conversion.n.tolist() == [25, 5, 7, 17]
    # Implied by the starts h 3, i 2, c 1: the observed ends of six journeys.
    assert float(states.of_start["conversion"].estimate) == pytest.approx(2 / 6, abs=EXACT)
    assert float(states.of_start["remaining_steps"].estimate) == pytest.approx(54 / 6, abs=EXACT)


def test_of_the_chain_itself() -> None:
    """Conversion, visits, events and slopes are those of `fit_chain`, draw for draw."""
    counts = shop()
    states, edges = chain_outcomes(ChainModel(counts), n_draws=N_DRAWS, seed=4)
    chain = fit_chain(counts, n_draws=N_DRAWS, seed=4)
    for ours, theirs in (
        (states.of_start["conversion"], chain.converted),
        (states.of_state["conversion"], chain.hit),
        (states.of_state["visits"], chain.visit),
        (states.of_start["steps_to_goal"], chain.events),
        (states.of_start["seconds_to_goal"], chain.seconds),
        (edges.of_edge["slope"], chain.slope),
    ):
        for field in ("estimate", "lower", "upper"):
            np.testing.assert_array_equal(getattr(ours, field), getattr(theirs, field))


def test_identities() -> None:
    counts = shop()
    model = ChainModel(counts)
    states, edges = chain_outcomes(model, value=12.5, n_draws=N_DRAWS)
    s, whole = {k: v.estimate for k, v in states.of_state.items()}, states.of_start
    point = model.point()
    close = {"rtol": 1e-8}
    np.testing.assert_allclose(s["conversion"] + s["drop_out"], 1.0)
    np.testing.assert_allclose(s["remaining_value"], 12.5 * s["conversion"])
    np.testing.assert_allclose(s["visits"].sum(), whole["remaining_steps"].estimate, **close)
    # Visits of the journeys that convert are as many as their steps to the goal.
    np.testing.assert_allclose(s["visits_given_goal"].sum(), whole["steps_to_goal"].estimate, **close)
    # A second a move to wherever it goes on: seconds to the goal are steps; dropping out takes none.
    np.testing.assert_allclose(s["seconds_to_goal"], s["steps_to_goal"], **close)
    np.testing.assert_allclose(s["remaining_seconds"], s["remaining_steps"] - s["drop_out"], **close)
    source, column = edges.edges.T
    given = edges.of_edge["given_goal"].estimate
    np.testing.assert_allclose(np.bincount(source, weights=given), 1.0, **close)
    value = np.append(s["conversion"], [1.0, 0.0])
    np.testing.assert_allclose(
        edges.of_edge["change"].estimate, value[column] - s["conversion"][source], **close
    )
    slope = derivative(point.solved, point.moves)[source, column]
    share = point.moves[source, column]
    elastic = edges.of_edge["elasticity"].estimate
    np.testing.assert_allclose(elastic, share / float(point.solved.conversion) * slope, **close)


def test_elasticity_is_a_change_in_per_cent() -> None:
    """One per cent more of an edge, the other exits giving way: the relative change of conversion, numerically."""
    model = ChainModel(shop())
    _, edges = chain_outcomes(model, n_draws=N_DRAWS)
    point = model.point()
    full, start, k = point.moves, point.start, model.k
    step = 1e-6
    for at, (i, j) in enumerate(edges.edges.tolist()):
        moved = full.copy()
        moved[i] = full[i] * (1 - full[i, j] * (1 + step)) / (1 - full[i, j])
        moved[i, j] = full[i, j] * (1 + step)
        after = start @ np.linalg.solve(np.eye(k) - moved[:, :k], moved[:, k])
        before = start @ np.linalg.solve(np.eye(k) - full[:, :k], full[:, k])
        assert edges.of_edge["elasticity"].estimate[at] == pytest.approx(
            (after / before - 1) / step, abs=1e-4
        )


def test_money_is_resampled_with_the_customers() -> None:
    counts = shop()
    model = ChainModel(counts)
    unit = np.arange(counts.n_units)
    rng = np.random.default_rng(1)
    value = GoalValue(unit, rng.gamma(2.0, 50.0, counts.n_units), np.ones(counts.n_units))
    states, _ = chain_outcomes(model, value=value, n_draws=N_DRAWS)
    fixed, _ = chain_outcomes(model, value=float(value.value.mean()), n_draws=N_DRAWS)
    money, plain = (x.of_start["remaining_value"] for x in (states, fixed))
    assert float(money.estimate) == pytest.approx(float(plain.estimate))
    assert money.upper - money.lower > plain.upper - plain.lower
    without, _ = chain_outcomes(model, n_draws=N_DRAWS)
    assert np.isnan(without.of_state["remaining_value"].estimate).all()


def test_points_of_no_return() -> None:
    """Of b nearly everybody converts, of x nobody, of a half: b and x settle it, moves there are turning points."""
    paths = [["a", "b", "G"], ["a", "b"], ["a", "x"], ["a"]]
    counts, _ = count_lists(paths, goal="G", weights=[400, 2, 300, 98])
    states, edges = chain_outcomes(ChainModel(counts), n_draws=N_DRAWS, timed=False)
    settled = states.settled()
    assert settled[["state", "outcome"]].to_numpy().tolist() == [["x", "lost"], ["b", "won"]]
    assert settled["n"].tolist() == [300, 402]
    assert states.settled(won=0.999)["state"].tolist() == ["x"]
    turning = edges.turning_points()
    assert turning[["source", "target"]].to_numpy().tolist() == [["a", "x"], ["a", "b"]]
    assert turning["estimate"].to_numpy() == pytest.approx([-0.5, 400 / 402 - 0.5], abs=EXACT)
    assert len(edges.turning_points(1)) == 1


@pytest.mark.parametrize("bad", [{"won": 0.0}, {"lost": 0.99}, {"won": 1.2}, {"quantity": "hit"}])
def test_thresholds_are_checked(bad: dict[str, object]) -> None:
    states, edges = chain_outcomes(ChainModel(clickstream()), n_draws=N_DRAWS, timed=False)
    with pytest.raises(OptionError):
        states.settled(**bad)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="'hit'"):
        edges.to_frame("hit")


def test_frames_and_texts() -> None:
    states, edges = chain_outcomes(ChainModel(shop()), n_draws=N_DRAWS)
    frame = states.to_frame()
    assert frame.columns.tolist() == ["state", "quantity", "estimate", "lower", "upper", "n"]
    assert len(frame) == len(states.of_start) + 3 * len(states.of_state)
    assert frame["state"].unique().tolist() == [START, *states.states]
    assert HOSTILE in states.states
    known = frame.dropna()
    assert (known["lower"] <= known["estimate"]).all()
    assert (known["estimate"] <= known["upper"]).all()
    assert edges.to_frame("slope").columns.tolist() == ["source", "target", "n", "estimate", "lower", "upper"]
    for text in (repr(states), repr(edges)):
        assert len(text.splitlines()) <= 12
        assert text.splitlines()[-1].startswith("Next: ")


def test_a_goal_nobody_reaches() -> None:
    counts, _ = count_lists([["a", "b"], ["a"]], weights=[3, 5])
    states, edges = chain_outcomes(ChainModel(counts), n_draws=N_DRAWS)
    assert states.of_state["conversion"].estimate.tolist() == [0.0, 0.0]
    assert np.isnan(states.of_state["steps_to_goal"].estimate).all()
    assert np.isnan(edges.of_edge["given_goal"].estimate).all()
    assert np.isnan(edges.of_edge["elasticity"].estimate).all()
    assert set(states.settled()["outcome"]) <= {"lost"}


def test_passages_and_committors() -> None:
    counts = shop()
    model = ChainModel(counts)
    full, start = model.point().moves, model.point().start
    names = list(counts.states)
    form, visit = names.index("form"), names.index("visit")
    found = passage_outcomes(model, ["form", "(dropped)"], n_draws=N_DRAWS)
    reach = found.of_state["reach"]
    assert reach.estimate[form] == 1.0
    steps = found.of_state["steps"]
    assert steps.estimate[form] == steps.upper[form] == 0.0
    goal = passage_outcomes(model, ["(goal)"], n_draws=N_DRAWS)
    states, _ = chain_outcomes(model, n_draws=N_DRAWS)
    for ours, theirs in (("reach", "conversion"), ("steps", "steps_to_goal"), ("seconds", "seconds_to_goal")):
        for one, other in ((goal.of_state, states.of_state), (goal.of_start, states.of_start)):
            np.testing.assert_allclose(one[ours].estimate, other[theirs].estimate, rtol=1e-8)
            np.testing.assert_allclose(one[ours].lower, other[theirs].lower, rtol=1e-6)
    first = committor_outcomes(model, [HOSTILE], ["(goal)"], n_draws=N_DRAWS)
    q = first.of_state["committor"].estimate
    direct = full[visit, model.k] + full[visit, [visit, form]] @ q[[visit, form]]
    assert q[visit] == pytest.approx(direct, abs=EXACT)
    assert float(first.of_start["committor"].estimate) == pytest.approx(float(start @ q), abs=EXACT)
    assert first.settled(quantity="committor", won=0.9, lost=0.3)["outcome"].tolist()
    with pytest.raises(OptionError, match="a and b both hold 'form'"):
        committor_outcomes(model, ["form"], ["form", "visit"])
    with pytest.raises(OptionError, match="targets holds 'Form'"):
        passage_outcomes(model, ["Form"])


def test_a_state_that_never_converts_is_not_sure_of_it() -> None:
    """Of 20 journeys that came to b none converted: up to 16 % might (Wilson), and the move says so."""
    counts, _ = count_lists([["a", "b"], ["a", "g"], ["a"]], "g", weights=[20, 60, 20])
    states, edges = chain_outcomes(ChainModel(counts), n_draws=200, timed=False)
    change = edges.to_frame("change").set_index(["source", "target"])
    row = change.loc[("a", "b")]
    b = states.of_state["conversion"].at(counts.states.index("b"))
    a = states.of_state["conversion"].at(counts.states.index("a"))
    assert a is not None
    assert b is not None
    assert b["upper"] == pytest.approx(0.1611, abs=1e-4)
    assert row["upper"] - row["estimate"] >= b["upper"] - b["estimate"] - 1e-9
    # To the goal, all that is unsure is where the journey stands.
    goal = change.loc[("a", "(goal)")]
    assert goal["lower"] == pytest.approx(1 - a["upper"])
    assert goal["upper"] == pytest.approx(1 - a["lower"])
