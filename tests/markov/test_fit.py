"""Chains of lists and logs: what users pass in, and what they read off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import journeymine as jm
from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.markov.chain import END_COLUMN, MarkovChain
from journeymine.markov.priors import Prior

EXACT = 1e-9
"""Rounding, and the leak of 1e-12 a move."""
CLICKSTREAM = (
    "h,c,c,p,c,h,c,p,p,c,p,p,o", "i,c,i,c,c,c,d", "h,i,c,i,c,p,c,c,p,c,c,i,d", "c,c,p,c,d",
    "h,c,c,p,p,c,p,p,p,i,p,o", "i,h,c,c,p,p,c,p,c,d",
)  # fmt: skip
"""Six sequences of the R package clickstream (Scholz 2016)."""
JOURNEYS = st.lists(st.lists(st.sampled_from("ABCG"), min_size=1, max_size=6), min_size=1, max_size=12)


def sequences(*texts: str) -> list[list[str]]:
    return [text.split(",") for text in texts]


def fit(lists: Any, goal: Any = None, **options: Any) -> MarkovChain:
    return MarkovChain.from_sequences(lists, goal, **({"n_draws": 100} | options))


@pytest.mark.parametrize(
    ("goal", "absorbed"),
    [
        ("d", {"c": 0.6518, "h": 0.6587, "i": 0.6861, "p": 0.5364}),
        ("o", {"c": 0.3482, "h": 0.3413, "i": 0.3139, "p": 0.4636}),
    ],
)
def test_clickstream_is_absorbed_as_published(goal: str, absorbed: dict[str, float]) -> None:
    chain = fit(sequences(*CLICKSTREAM), goal)
    for state, share in absorbed.items():
        found = chain.conversion(state)
        assert found is not None
        assert found["estimate"] == pytest.approx(share, abs=5e-5)
    whole = chain.conversion()
    assert whole is not None
    # Of the six, four end in d and two in o.
    assert whole["estimate"] == pytest.approx({"d": 4 / 6, "o": 2 / 6}[goal], abs=EXACT)


def test_clickstream_steps_to_the_end() -> None:
    """Expected steps to absorption; an end that is a state of its own takes one more, so both ends are goals here."""
    chain = fit(sequences(*CLICKSTREAM), ["d", "o"])
    steps = dict(zip(chain.states, chain.outcomes.of_state["remaining_steps"].estimate.tolist(), strict=True))
    assert steps == pytest.approx({"c": 8.5350, "h": 9.5188, "i": 8.4543, "p": 8.5213}, abs=5e-5)


def test_clickstream_counts() -> None:
    frame = fit(sequences(*CLICKSTREAM), ["d", "o"]).to_frame()
    counted = {(r.source, r.target): r.n for r in frame.itertuples()}
    assert counted[("c", "p")] == 10
    assert counted[("p", "p")] == 6
    assert counted[("p", "(goal)")] == 2
    assert sum(counted.values()) == 54


@given(JOURNEYS, st.booleans())
@settings(max_examples=40, deadline=None)
def test_rows_sum_to_one_and_conversion_is_what_happened(journeys: list[list[str]], with_goal: bool) -> None:
    """The chain of a log reproduces its conversion exactly: an identity of maximum likelihood."""
    goal = "G" if with_goal and any("G" in path for path in journeys) else None
    if all(path[0] == "G" for path in journeys) and goal:
        return
    chain = fit(journeys, goal, n_draws=20)
    assert chain.matrix.sum(axis=1).to_numpy() == pytest.approx(1.0, abs=EXACT)
    if goal is None:
        assert chain.conversion() is None
        assert chain.matrix.columns.tolist() == [*chain.states, END_COLUMN]
    else:
        found = chain.conversion()
        assert found is not None
        share = sum("G" in path for path in journeys) / len(journeys)
        assert found["estimate"] == pytest.approx(share, abs=EXACT)
        assert found["lower"] <= found["estimate"] <= found["upper"]


def test_customers_decide_how_sure_the_numbers_are() -> None:
    lists = sequences(*["a,g"] * 30, *["a"] * 30)
    alone = fit(lists, "g", n_draws=400).to_frame()
    shared = fit(lists, "g", customers=[i // 10 for i in range(60)], n_draws=400).to_frame()
    assert alone["estimate"].tolist() == shared["estimate"].tolist()
    width = [(frame["upper"] - frame["lower"]).max() for frame in (alone, shared)]
    assert width[1] > 2 * width[0]


def test_intervals_of_a_whole_row_are_wider() -> None:
    lists = sequences(*["a,b,g"] * 20, *["a,c,g"] * 15, *["a"] * 25)
    chain = fit(lists, "g")
    single, row = chain.to_frame(), chain.to_frame(simultaneous=True)
    assert single["estimate"].tolist() == row["estimate"].tolist()
    three = (single["source"] == "a").to_numpy()
    assert (row["upper"] - row["lower"] > single["upper"] - single["lower"])[three].all()
    # b and c lead to one place only: there is nothing to hold at once.
    assert (row["lower"] == single["lower"])[~three].all()


# ---------------------------------------------------------------------------------------------- memory and prior


def test_order_zero_has_one_row_for_all() -> None:
    lists = sequences("a,b,g", "a,a", "b,g")
    chain = fit(lists, "g", order=0)
    # Six departures: to a 1, to b 1, to the goal 2, out 1 ... counted over all sources.
    assert chain.matrix.loc["a"].tolist() == pytest.approx([1 / 5, 1 / 5, 2 / 5, 1 / 5], abs=EXACT)
    assert chain.matrix.loc["a"].tolist() == chain.matrix.loc["b"].tolist()
    frame = chain.to_frame()
    assert frame["estimate"].to_numpy() == pytest.approx(
        [chain.matrix.loc[r.source, r.target] for r in frame.itertuples()]
    )
    assert (frame["lower"] <= frame["estimate"]).all()
    assert (frame["estimate"] <= frame["upper"]).all()


def test_order_two_knows_where_a_journey_came_from() -> None:
    lists = sequences(*["x,m,g"] * 40, *["y,m"] * 40)
    one, two = fit(lists, "g"), fit(lists, "g", order=2)
    assert one.matrix.loc["m", "(goal)"] == 0.5
    assert "m after x" in two.states
    assert two.matrix.loc["m after x", "(goal)"] == 1.0
    assert two.matrix.loc["m after y", "(dropped)"] == 1.0
    # Both reproduce the conversion of the log.
    for chain in (one, two):
        found = chain.conversion()
        assert found is not None
        assert found["estimate"] == pytest.approx(0.5, abs=EXACT)


def test_auto_finds_the_memory_and_says_why() -> None:
    lists = sequences(*["x,m,g"] * 60, *["y,m"] * 60, *["x,m"] * 5, *["y,m,g"] * 5)
    chain = fit(lists, "g", order="auto")
    assert chain.order_choice.order == 2
    assert "m after x" in chain.states
    assert chain.order_choice.sentence.startswith("Order 2: ")
    assert chain.order_table.set_index("order")["chosen"].tolist() == [False, False, True, False, False]


def test_variable_memory_looks_back_where_it_helps() -> None:
    lists = sequences(*["x,m,n,g"] * 60, *["y,m,n"] * 60)
    chain = fit(lists, "g", order="variable")
    assert any("after" in state for state in chain.states)
    assert len(chain.states) < len(fit(lists, "g", order=3).states) + 2


def test_attempts_of_lists() -> None:
    chain = fit(sequences("p,p,p,g", "p"), "g", attempts=2)
    assert chain.states == ("p #1", "p #2+")
    assert chain.matrix.loc["p #2+", "p #2+"] == 0.5


def test_prior_is_added_to_what_may_occur() -> None:
    lists = sequences("a,b,g", "a,a", "b,g")
    chain = fit(lists, "g", prior=1.0)
    # From a: a 1, b 1, out 1, each one more; from b: the goal twice, its only exit.
    assert chain.matrix.loc["a"].tolist() == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3], abs=EXACT)
    assert chain.matrix.loc["b", "(goal)"] == 1.0
    wide = fit(lists, "g", prior=Prior(1.0, allowed=(("b", "(dropped)"),)))
    assert wide.matrix.loc["b"].tolist() == pytest.approx([0, 0, 3 / 4, 1 / 4], abs=EXACT)
    frame = wide.to_frame().set_index(["source", "target"])
    row = frame.loc[("b", "(dropped)")]
    assert row["n"] == 0
    assert 0 < row["lower"] < row["estimate"] < row["upper"] < 1


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"order": "first"}, "order is 'first', expected a whole number.*order=\"auto\""),
        ({"order": -1}, "order is -1"),
        ({"order": 1.5}, "order is 1.5"),
        ({"order": 0, "attempts": 2}, "order is 0 and states are to remember more"),
        ({"attempts": 0}, "attempts is 0"),
        ({"prior": -1.0}, "prior is -1.0, expected a number from 0"),
        ({"prior": Prior(0.5, forbidden=(("a", "g"),))}, "forbidden holds 'g'"),
    ],
)
def test_options_that_cannot_be_used(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(OptionError, match="(?s)" + problem):
        fit(sequences("a,b,g", "a"), "g", **options)


# ---------------------------------------------------------------------------------------------- what is read off


def worked_example() -> MarkovChain:
    """A log whose moves are those of the worked example Visit, Form, Pay, as counts."""
    rng = np.random.default_rng(0)
    rows = {
        "Visit": [0.2, 0.5, 0, 0.05, 0.25],
        "Form": [0.1, 0, 0.6, 0, 0.3],
        "Pay": [0, 0.15, 0.1, 0.55, 0.2],
    }
    names = ["Visit", "Form", "Pay", "Conv", ""]
    lists = []
    for _ in range(3000):
        path = ["Visit"]
        while path[-1] in rows:
            path.append(names[rng.choice(5, p=rows[path[-1]])])
        lists.append([name for name in path if name])
    return fit(lists, "Conv", n_draws=200)


def test_what_is_read_off_agrees_with_itself() -> None:
    chain = worked_example()
    slope = chain.sensitivity().set_index(["source", "target"])["estimate"]
    elastic = chain.elasticity().set_index(["source", "target"])["estimate"]
    share = chain.to_frame().set_index(["source", "target"])["estimate"]
    whole = chain.conversion()
    assert whole is not None
    assert elastic.to_numpy() == pytest.approx((slope * share / whole["estimate"]).to_numpy())
    assert abs(slope[("Pay", "Pay")]) < EXACT
    given_goal = chain.given_goal().set_index(["source", "target"])["estimate"]
    assert given_goal.groupby(level=0).sum().to_numpy() == pytest.approx(1.0, abs=1e-6)
    reach = chain.reach("Pay").of_state["reach"].estimate
    assert reach[chain.states.index("Pay")] == 1.0
    to_goal = chain.committor("(dropped)", "(goal)").of_state["committor"].estimate
    assert to_goal == pytest.approx(chain.hit.estimate, abs=1e-9)
    assert chain.outcomes.of_state["drop_out"].estimate == pytest.approx(1 - chain.hit.estimate, abs=1e-9)


def test_the_chain_in_words() -> None:
    text = repr(worked_example())
    assert text.startswith("MarkovChain of 3 states and 11 edges")
    assert "First-order property" in text
    assert "Stationarity" in text
    assert len(text.splitlines()) <= 12
    assert text.splitlines()[-1].startswith("Next: .matrix")


def test_lists_have_no_times_and_no_segments() -> None:
    chain = fit(sequences("a,g", "a"), "g")
    for ask in (lambda: chain.time_to_goal("7d"), chain.sojourns, chain.occupation):
        with pytest.raises(NotEnoughDataError, match="no times"):
            ask()
    with pytest.raises(OptionError, match="column is 'plan', expected a segment"):
        chain.segments("plan")


def test_a_log_and_its_lists_give_the_same_chain() -> None:
    import pandas as pd

    rng = np.random.default_rng(1)
    lists = [["abcg"[i] for i in rng.integers(0, 4, size=rng.integers(1, 8))] for _ in range(200)]
    events = pd.DataFrame(
        [(case, name, at) for case, path in enumerate(lists) for at, name in enumerate(path)],
        columns=["case", "activity", "order"],
    )
    log = jm.read_log(events, case_id="case", activity="activity", order="order", threads=1)
    for options in ({}, {"order": 2}, {"attempts": 2}, {"order": 0}, {"order": "auto"}, {"prior": 0.5}):
        of_log = log.journeys("g").fit_markov(n_draws=50, **options)  # type: ignore[arg-type]
        of_lists = fit(lists, "g", **options)
        assert of_log.matrix.equals(of_lists.matrix)
        assert of_log.to_frame()["n"].tolist() == of_lists.to_frame()["n"].tolist()
        assert of_log.order_choice.order == of_lists.order_choice.order


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"n_draws": 0}, "n_draws is 0, expected a whole number from 2"),
        ({"seed": "x"}, "seed is 'x', expected a whole number from 0"),
        ({"seed": -1}, "seed is -1"),
        ({"customers": ["a", None]}, "customers holds a missing value"),
        ({"customers": ["a", float("nan")]}, "customers holds a missing value"),
    ],
)
def test_draws_seeds_and_customers_that_cannot_be_used(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(OptionError, match=problem):
        fit(sequences("a,b,g", "a"), "g", **options)


@pytest.mark.parametrize("goal", [3, [3], np.int64(3), "3", ["3"]])
def test_whole_numbers_are_names(goal: Any) -> None:
    chain = fit([[1, 2, 3], [1]], goal)
    assert chain.states == ("1", "2")
    assert chain.matrix.loc["2", "(goal)"] == 1.0


def test_activities_may_be_called_like_the_ends() -> None:
    chain = fit([["x", "(goal)", "paid"], ["x"]], "paid")
    assert chain.matrix.columns.tolist() == ["(goal)", "x", "((goal))", "(dropped)"]
    assert chain.matrix.loc["(goal)", "((goal))"] == 1.0
    pairs = list(zip(chain.to_frame()["source"], chain.to_frame()["target"], strict=True))
    assert pairs == [("(goal)", "((goal))"), ("x", "(goal)"), ("x", "(dropped)")]


def test_conversion_is_asked_from_states_only() -> None:
    with pytest.raises(OptionError, match=r"source holds '\(goal\)', which is not a state"):
        fit(sequences("a,g", "a"), "g").conversion("(goal)")


def test_without_a_goal_nothing_converts_and_nothing_drops_out() -> None:
    chain = fit(sequences("a,b", "a"))
    assert set(chain.outcomes.to_frame()["quantity"]) == {"visits", "remaining_steps", "remaining_seconds"}


def test_states_that_remember_are_not_told_to_remember() -> None:
    lists = sequences(*["x,m,g"] * 60, *["y,m"] * 60)
    assert "First-order property" in repr(fit(lists, "g"))
    assert "First-order property" not in repr(fit(lists, "g", order=2))
