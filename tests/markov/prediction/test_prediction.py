"""Predictions of journeys under way: closed forms, exact worlds, and what users may pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import journeymine as jm
from journeymine.counting.visit_waits import count_visit_waits
from journeymine.counts.memory import Memory, StateKeys
from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.markov.estimation import ChainModel
from journeymine.markov.lists import count_lists
from journeymine.markov.memory.memory import attempt_numbers, past_states, sequence_memory
from journeymine.markov.prediction.forecasts import forecast
from journeymine.markov.prediction.outlooks import Outlooks
from journeymine.markov.prediction.prediction import Prediction, Predictor, predict
from journeymine.markov.prediction.prefix_states import PrefixStates
from journeymine.markov.prediction.recalibration import learn_recalibration
from journeymine.markov.timing.semi_kernel import estimate_kernel
from journeymine.markov.timing.time_to_goal import time_to_goal
from journeymine.simulate import sample_chain

EXACT = 1e-9
LEAKED = 1e-8
"""The leak of 1e-12 a move, times the moves that are still to come."""
SAME = 1e-6
"""Two ways through the same renewal equations."""
DAY_US = 86_400_000_000
LISTS = [
    *[["visit", "form", "pay", "paid"]] * 30,
    *[["visit", "visit", "form"]] * 25,
    *[["visit", "form", "visit"]] * 15,
    *[["form", "pay", "form", "pay", "paid"]] * 20,
    *[["paid"]] * 10,
]
GOAL = "paid"


def of_lists(lists: list[list[str]] = LISTS, **options: Any) -> Predictor:
    counts, journeys = count_lists(lists, goal=GOAL)
    table = forecast(ChainModel(counts), timed=False, n_draws=200, **options)

    def learn() -> Any:
        return learn_recalibration(journeys, table.conversion.estimate[: table.n_states])

    return Predictor(PrefixStates(counts.states, goal=(GOAL,)), counts.states, table, learn=learn)


def of_memory(lists: list[list[str]], memory: Memory) -> Predictor:
    plain, journeys = count_lists(lists, goal=GOAL)
    counts = sequence_memory(journeys, memory)
    keys = StateKeys(memory, plain.states)
    key = np.unique(keys.of(past_states(journeys, memory.depth), attempt_numbers(journeys)[0]))
    assert keys.names(key) == counts.states
    states = PrefixStates(plain.states, goal=(GOAL,), memory=memory, key=key)
    table = forecast(ChainModel(counts), group=keys.state(key), timed=False, n_draws=50)
    return Predictor(states, counts.states, table)


def one(predictor: Predictor, prefix: list[str], *options: Any, **more: Any) -> Prediction:
    found = predict(predictor, prefix, *options, **more)
    assert isinstance(found, Prediction)
    return found


def many(predictor: Predictor, prefixes: Any, *options: Any, **more: Any) -> pd.DataFrame:
    found = predict(predictor, prefixes, *options, **more)
    assert isinstance(found, pd.DataFrame)
    return found


def value(number: Any) -> float:
    assert number is not None
    return float(number["estimate"])


# ------------------------------------------------------------------------------------------------ closed forms


def oracle(lists: list[list[str]]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """States, moves and starts counted one by one."""
    paths = [path[: path.index(GOAL)] if GOAL in path else path for path in lists]
    states = sorted({name for path in paths for name in path})
    k = len(states)
    moves, start = np.zeros((k, k + 2)), np.zeros(k + 1)
    for path, whole in zip(paths, lists, strict=True):
        places = [states.index(name) for name in path]
        start[places[0] if places else k] += 1
        ends = k if GOAL in whole else k + 1
        for a, b in zip(places, [*places[1:], ends][: len(places)], strict=True):
            moves[a, b] += 1
    return states, moves / moves.sum(axis=1, keepdims=True), start / start.sum()


def test_predictions_are_those_of_the_linear_equations() -> None:
    states, moves, start = oracle(LISTS)
    k = len(states)
    predictor = of_lists()
    hit = np.linalg.solve(np.eye(k) - moves[:, :k], moves[:, k])
    # Given the goal, the chain moves with the h-transform; every move of it is an event.
    tilted = moves[:, :k] * hit / hit[:, None]
    events = np.linalg.solve(np.eye(k) - tilted, np.ones(k))
    for i, name in enumerate(states):
        found = one(predictor, [name])
        assert value(found.conversion) == pytest.approx(hit[i], abs=LEAKED)
        assert value(found.dropped) == pytest.approx(1 - hit[i], abs=LEAKED)
        assert value(found.remaining_events) == pytest.approx(events[i], abs=LEAKED)
        assert found.remaining_days is None
        steps = dict(zip(found.next["step"], found.next["estimate"], strict=True))
        names = [*states, "(goal)", "(dropped)"]
        assert steps == pytest.approx(
            {names[j]: moves[i, j] for j in range(k + 2) if moves[i, j] > 0}, abs=EXACT
        )
        assert (np.diff(found.next["estimate"]) <= 0).all()
        assert (found.next["lower"] <= found.next["estimate"]).all()
        assert (found.next["upper"] >= found.next["estimate"]).all()
    begun = one(predictor, [])
    assert begun.state == "(start)"
    assert value(begun.conversion) == pytest.approx(start[:k] @ hit + start[k], abs=LEAKED)
    wins = start[:k] @ (hit * (events + 1)) + start[k]
    assert value(begun.remaining_events) == pytest.approx(wins / value(begun.conversion), abs=LEAKED)
    assert dict(zip(begun.next["step"], begun.next["estimate"], strict=True))["(goal)"] == pytest.approx(
        start[k]
    )


def test_a_journey_with_the_goal_has_converted() -> None:
    predictor = of_lists()
    for prefix in (["paid"], ["visit", "paid", "visit"], ["paid", "form"]):
        found = one(predictor, prefix)
        assert found.conversion == {"estimate": 1.0, "lower": 1.0, "upper": 1.0, "n": 0}
        assert value(found.dropped) == 0.0
        assert found.state == "(goal)"
        assert len(found.next) == 0
        assert found.remaining_events is None
    frame = many(predictor, [["paid"], ["visit"]])
    assert frame["conversion"].iloc[0] == 1.0
    assert frame["next"].iloc[0] is None


@given(
    st.lists(st.lists(st.sampled_from(["visit", "form", "pay", "paid"]), max_size=6), min_size=1, max_size=20)
)
@settings(max_examples=40, deadline=None)
def test_many_are_one_by_one_and_a_frame_is_the_same(prefixes: list[list[str]]) -> None:
    predictor = PREDICTOR
    frame = many(predictor, prefixes)
    assert len(frame) == len(prefixes)
    for row, prefix in zip(frame.itertuples(), prefixes, strict=True):
        found = one(predictor, prefix)
        assert row.conversion == value(found.conversion)
        assert row.lower == (found.conversion or {})["lower"]
        assert row.next == (found.next["step"].iloc[0] if len(found.next) else None)
    # Every row of the table, one place at a time: the slow way to the same states.
    states = predictor.states
    assert np.array_equal(states.find(prefixes), states.rows(states.read(prefixes)))
    full = [i for i, prefix in enumerate(prefixes) if prefix]
    if full:
        long = pd.DataFrame(
            [(i, name) for i in full for name in prefixes[i]], columns=["prefix_id", "activity"]
        )
        same = many(predictor, long)
        pd.testing.assert_frame_equal(same, frame.iloc[full].reset_index(drop=True))


PREDICTOR = of_lists()


def test_a_frame_may_mix_its_prefixes() -> None:
    rows = [("b", "form"), ("a", "visit"), ("b", "pay"), ("a", "form"), ("a", "visit")]
    mixed = many(PREDICTOR, pd.DataFrame(rows, columns=["prefix_id", "activity"]))
    apart = many(PREDICTOR, [["form", "pay"], ["visit", "form", "visit"]])
    pd.testing.assert_frame_equal(mixed, apart)


# ------------------------------------------------------------------------------------------------ what is refused


def test_what_was_never_seen_is_told() -> None:
    with pytest.raises(OptionError, match="'vist' was never seen") as error:
        predict(PREDICTOR, ["visit", "vist"])
    assert "did you mean 'visit'?" in str(error.value)
    with pytest.raises(OptionError, match=r"'<b>' was never seen by the chain \(prefix 1\)"):
        predict(PREDICTOR, [["visit"], ["<b>"]])
    with pytest.raises(OptionError, match="'x' was never seen"):
        predict(PREDICTOR, pd.DataFrame({"prefix_id": [1, 1], "activity": ["visit", "x"]}))
    found = one(PREDICTOR, ["visit", "x", "form", "x"], unknown="last_known")
    assert found.state == "form"
    assert found.unknown == ("x",)
    frame = many(PREDICTOR, [["form", "x"], ["x"], ["visit"]], unknown="last_known")
    assert frame.attrs["n_unknown"] == 2
    plain = many(PREDICTOR, [["form"], [], ["visit"]])
    assert frame["conversion"].tolist() == plain["conversion"].tolist()


@pytest.mark.parametrize(
    ("prefix", "options"),
    [
        ("visit", {}),
        (None, {}),
        ({"visit": 1}, {}),
        ([["visit"], "form"], {}),
        ([["visit"], 3], {}),
        ([[["visit"]]], {}),
        ([["visit"], [{}]], {}),
        (["visit"], {"unknown": "drop"}),
        (pd.DataFrame({"prefix_id": [1], "step": ["visit"]}), {}),
        (pd.DataFrame({"prefix_id": [None, 1], "activity": ["visit", "form"]}), {}),
    ],
)
def test_other_shapes_are_refused(prefix: Any, options: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        predict(PREDICTOR, prefix, **options)


def test_a_chain_without_times_knows_no_horizon() -> None:
    for options in ({"horizon": "7d"}, {"waited": "1d"}):
        with pytest.raises(NotEnoughDataError, match="how long anything takes"):
            predict(PREDICTOR, ["visit"], **options)
    with pytest.raises(OptionError, match="has no event yet"):
        predict(TIMED, [], waited="1d")
    with pytest.raises(OptionError, match="is the end of a journey"):
        predict(TIMED, ["A"], waited="30d")
    with pytest.raises(OptionError, match="one for each of 2"):
        predict(TIMED, [["A"], ["B"]], waited=["1d"])


def test_names_are_hostile() -> None:
    names = ['<b>"x"</b>', "NA", "a\nb", "🙂", "(goal)", "(dropped)"]
    counts, _ = count_lists([[*names, "paid"], names] * 10, goal="paid")
    predictor = Predictor(
        PrefixStates(counts.states, goal=("paid",)),
        counts.states,
        forecast(ChainModel(counts), timed=False, n_draws=20),
    )
    for name in names:
        assert one(predictor, [name]).state == name
    frame = many(predictor, [[name] for name in names])
    assert np.allclose(frame["conversion"], 0.5)


# ------------------------------------------------------------------------------------------------ memory


def test_states_that_remember_tell_journeys_apart() -> None:
    lists = [["a", "b", "paid"]] * 30 + [["c", "b"]] * 30 + [["a", "b"]] * 10
    predictor = of_memory(lists, Memory(order=2))
    assert value(one(predictor, ["a", "b"]).conversion) == pytest.approx(0.75, abs=LEAKED)
    assert value(one(predictor, ["c", "b"]).conversion) == pytest.approx(0.0, abs=LEAKED)
    # "b" after "b" was never seen: what is known of "b" is all that can be said.
    unseen = one(predictor, ["b", "b"])
    assert unseen.state == "b"
    assert value(unseen.conversion) == pytest.approx(30 / 70, abs=LEAKED)
    assert value(one(predictor, ["a", "paid"]).conversion) == 1.0
    frame = many(predictor, [["a", "b"], ["c", "b"], ["b", "b"], []])
    assert frame["conversion"].tolist() == pytest.approx([0.75, 0.0, 30 / 70, 30 / 70], abs=LEAKED)
    steps = dict(zip(unseen.next["step"], unseen.next["estimate"], strict=True))
    assert steps == pytest.approx({"(goal)": 30 / 70, "(dropped)": 40 / 70})


def test_attempts_are_counted_in_the_prefix() -> None:
    lists = [["pay", "pay", "paid"]] * 20 + [["pay", "pay"]] * 20 + [["pay", "pay", "pay"]] * 20
    predictor = of_memory(lists, Memory(attempts=3))
    found = [value(one(predictor, ["pay"] * n).conversion) for n in (1, 2, 3, 4)]
    assert found == pytest.approx([1 / 3, 1 / 3, 0.0, 0.0], abs=LEAKED)


# ------------------------------------------------------------------------------------------------ time


MATRIX = np.array([[0.0, 0.7, 0.062, 0.238], [0.10, 0.0, 0.65, 0.25]])
WAITS = np.array([[1.0, 2.0, 8.0], [6.0, 1.0, 12.0]])
LONGEST = 25.0


def timed(seed: int = 1, n: int = 4000) -> tuple[Predictor, Any, Any]:
    events = sample_chain(MATRIX, [1, 0], n, seed, wait_days=WAITS, days=2000.0).events
    log = jm.read_log(
        events,
        case_id="case_id",
        customer_id="customer_id",
        activity="activity",
        timestamp="timestamp",
        threads=1,
    ).journeys("Goal", idle="30d")
    assert log.found is not None
    counts = log.count_chain()
    waits = count_visit_waits(log.engine, log.canonical, log.found, log._visits, counts)
    table = forecast(ChainModel(counts), n_draws=200)
    outlooks = Outlooks(estimate_kernel(waits, counts), counts)
    return (
        Predictor(PrefixStates(counts.states, goal=("Goal",)), counts.states, table, outlooks),
        waits,
        counts,
    )


TIMED, WAITS_OF, COUNTS = timed()


def below(mean: np.ndarray, time: float) -> np.ndarray:
    """Distribution function of the waits of the world: exponential, cut at 25 days."""
    return -np.expm1(-np.minimum(time, LONGEST) / mean) / -np.expm1(-LONGEST / mean)


@pytest.mark.parametrize("days", [0, 2, 9])
def test_silence_changes_what_is_to_be_expected_as_bayes_says(days: int) -> None:
    """The truth, in closed form, lies in the interval; the point is near it."""
    k = 2
    hit = np.linalg.solve(np.eye(k) - MATRIX[:, :k], MATRIX[:, k])
    left = np.column_stack([MATRIX[:, : k + 1] * (1 - below(WAITS, days)), MATRIX[:, k + 1]])
    left /= left.sum(axis=1, keepdims=True)
    truth = left @ np.append(hit, [1.0, 0.0])
    for i, name in enumerate("AB"):
        found = one(TIMED, [name], waited=f"{days}d" if days else None)
        assert found.conversion is not None
        assert found.conversion["lower"] <= truth[i] <= found.conversion["upper"]
        assert found.conversion["upper"] - found.conversion["lower"] < 0.1
        steps = dict(zip(found.next["step"], found.next["estimate"], strict=True))
        assert steps["(dropped)"] == pytest.approx(left[i, k + 1], abs=0.05)
        assert sum(steps.values()) == pytest.approx(1.0, abs=EXACT)


def test_a_horizon_agrees_with_the_time_to_the_goal() -> None:
    for name in ("A", "B"):
        for days in (3, 7, 40):
            found = one(TIMED, [name], f"{days}d")
            other = time_to_goal(WAITS_OF, COUNTS, days * DAY_US, source=name)
            assert found.conversion_within is not None
            assert value(found.conversion_within) == pytest.approx(other.estimate, abs=SAME)
            # Another route to the same variance: the interval's bounds agree to a hundredth of its width.
            width = other.upper - other.lower
            assert found.conversion_within["lower"] == pytest.approx(other.lower, abs=width / 20)
            assert found.conversion_within["upper"] == pytest.approx(other.upper, abs=width / 20)
            assert value(found.dropped_within) == pytest.approx(float(other.drop.estimate[-1]), abs=SAME)
            parts = (found.conversion_within, found.dropped_within, found.open)
            assert sum(value(part) for part in parts) == pytest.approx(1.0, abs=EXACT)
    begun = one(TIMED, [], "7d")
    start = time_to_goal(WAITS_OF, COUNTS, 7 * DAY_US)
    assert value(begun.conversion_within) == pytest.approx(start.estimate, abs=EXACT)
    assert value(one(TIMED, ["Goal"], "7d").conversion_within) == 1.0


def test_horizon_after_a_silence_against_simulated_journeys() -> None:
    """P(goal within 7 days | silent for 4) by following many walks of the estimated world itself."""
    rng = np.random.default_rng(5)
    n, waited, horizon = 200_000, 4.0, 7.0
    state, clock, alive = np.zeros(n, int), np.zeros(n), np.ones(n, bool)
    reached = np.zeros(n)
    first = True
    while alive.any():
        move = (rng.random(n)[:, None] > MATRIX[state].cumsum(axis=1)).sum(axis=1)
        target = np.minimum(move, 3)
        mean = WAITS[state, np.minimum(target, 2)]
        wait = -mean * np.log1p(-rng.random(n) * -np.expm1(-LONGEST / mean))
        if first:
            # Only walks that are silent for so long: the others are not journeys of this kind.
            alive &= (target == 3) | (wait > waited)
            base = alive.copy()
            clock = np.where(target == 3, 0.0, wait - waited)
            first = False
        else:
            clock = clock + np.where(target == 3, 0.0, wait)
        done = alive & (target == 2) & (clock <= horizon)
        reached[done] = 1
        alive &= (target < 2) & (clock <= horizon)
        state = np.where(target < 2, target, 0)
    truth = reached[base].mean()
    found = one(TIMED, ["A"], "7d", waited="4d").conversion_within
    assert found is not None
    assert found["lower"] <= truth <= found["upper"]


def test_many_silences_are_near_those_computed_one_by_one() -> None:
    rng = np.random.default_rng(2)
    days = rng.uniform(0.01, 24, 200)
    waited = pd.to_timedelta(days, unit="D").to_numpy()
    prefixes = [["A"] if i % 2 else ["B"] for i in range(200)]
    frame = many(TIMED, prefixes, "7d", waited=waited)
    for i in range(0, 200, 25):
        exact = many(TIMED, [prefixes[i]], "7d", waited=waited[i : i + 1])
        for name in ("conversion", "conversion_within"):
            # Between eighths of octaves of silence the value is read off linearly.
            assert frame[name].iloc[i] == pytest.approx(exact[name].iloc[0], abs=0.01)
    assert (frame["within_lower"] <= frame["conversion_within"]).all()
    assert (frame["conversion_within"] <= frame["conversion"] + EXACT).all()
    # A day is a day, however it is written.
    pd.testing.assert_frame_equal(
        many(TIMED, [["A"], ["B"]], "7d", waited="1d"),
        many(TIMED, [["A"], ["B"]], "7d", waited=["24h", "1440min"]),
    )


def test_remaining_time_is_the_mean_of_those_who_convert() -> None:
    """Means of the kept waits, solved by hand: T_i h_i = sum of p_ij (m_ij h_j + T_j h_j)."""
    k = 2
    cut = np.array(
        [[m - LONGEST * np.exp(-LONGEST / m) / -np.expm1(-LONGEST / m) for m in row] for row in WAITS]
    )
    hit = np.linalg.solve(np.eye(k) - MATRIX[:, :k], MATRIX[:, k])
    ahead = np.append(hit, 1.0)
    total = np.linalg.solve(np.eye(k) - MATRIX[:, :k], (MATRIX[:, : k + 1] * cut * ahead).sum(axis=1))
    for i, name in enumerate("AB"):
        found = one(TIMED, [name]).remaining_days
        assert found is not None
        assert found["lower"] <= total[i] / hit[i] <= found["upper"]


# ------------------------------------------------------------------------------------------------ recalibration


def test_recalibration_repairs_what_states_do_not_show() -> None:
    """Two kinds of customers: visits of those who come back convert more than the chain says."""
    lists = [["a"] * 6 + ["b", "paid"]] * 30 + [["a"]] * 60 + [["b"]] * 20 + [["a", "b", "b", "paid"]] * 30
    predictor = of_lists(lists)
    plain, line = (many(predictor, [["a"], ["b"], [], ["paid"]], recalibrate=flag) for flag in (False, True))
    visits = {name: sum(path.count(name) for path in lists) for name in "ab"}
    wins = {name: sum(path.count(name) for path in lists if "paid" in path) for name in "ab"}
    expected = sum(visits[name] * line["conversion"].iloc[i] for i, name in enumerate("ab"))
    assert expected == pytest.approx(sum(wins.values()), rel=1e-3)
    assert (
        abs(sum(visits[n] * plain["conversion"].iloc[i] for i, n in enumerate("ab")) - sum(wins.values()))
        > 10
    )
    # Of journeys that begin, and of those that are over, nothing changes.
    assert line["conversion"].tolist()[2:] == plain["conversion"].tolist()[2:]
    assert value(one(predictor, ["a"], recalibrate=True).conversion) == line["conversion"].iloc[0]
    assert predictor.recalibration is predictor.recalibration


# ------------------------------------------------------------------------------------------------ what users see


def test_a_prediction_shows_itself() -> None:
    found = one(TIMED, ["A", "B"], "7d", waited="2d")
    text = repr(found)
    assert len(text.splitlines()) <= 12
    assert text.splitlines()[-1].startswith("Next: ")
    frame = found.to_frame()
    assert frame.columns.tolist() == ["quantity", "estimate", "lower", "upper", "n"]
    assert {"conversion", "conversion_within", "open", "next: (goal)"} <= set(frame["quantity"])
    assert (frame["lower"] <= frame["estimate"]).all()
    assert (frame["estimate"] <= frame["upper"]).all()
    assert found.horizon == "7d"
    assert found.waited == "2d"


def test_predictions_of_a_fitted_chain() -> None:
    chain = jm.MarkovChain.from_sequences(LISTS, goal=GOAL, n_draws=100)
    found = chain.predict(["visit"])
    expected = value(one(PREDICTOR, ["visit"]).conversion)
    assert value(found.conversion) == pytest.approx(expected, abs=EXACT)
    assert chain.predict([["visit"], []])["conversion"].iloc[0] == pytest.approx(expected, abs=EXACT)
