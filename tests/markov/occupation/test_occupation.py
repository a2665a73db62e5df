"""Occupation from stays: closed forms, a plain-Python product, the jackknife, lifelines, and what is refused."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from journeymine.errors import LogSchemaError, NotEnoughDataError, OptionError
from journeymine.markov.occupation.occupation_frame import state_occupation

if TYPE_CHECKING:
    from journeymine.markov.occupation.occupation import StateOccupation

COLUMNS = ["id", "state", "next", "entry", "exit"]
EXACT = 1e-12
RATES = np.array([[-0.5, 0.3, 0.2], [0.1, -0.7, 0.6], [0.0, 0.0, 0.0]])
JACKKNIFE = 0.03
"""The infinitesimal jackknife is the first order of the jackknife: off by some per cent with 60 subjects."""
SIX_SD = 6.0


def occupation(frame: pd.DataFrame, times: Any, start: Any = None) -> StateOccupation:
    return state_occupation(frame, *COLUMNS, times=times, start=start)


def stays(*rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=COLUMNS)


def sampled(
    seed: int, n: int = 60, *, late: bool = False, censored: bool = True, digits: int = 6
) -> pd.DataFrame:
    """Illness and death: a Markov chain in continuous time, seen from 0 or later on, until some time."""
    rng = np.random.default_rng(seed)
    rows = []
    for subject in range(n):
        entry = round(float(rng.uniform(0, 1)), digits) if late and subject % 2 else 0.0
        stop = entry + round(float(rng.uniform(0.5, 5)), digits) if censored else np.inf
        now, state = 0.0, int(rng.random() < 0.3)
        while state != 2 and now < stop:
            after = now + max(round(float(rng.exponential(-1 / RATES[state, state])), digits), 10.0**-digits)
            odds = np.where(np.arange(3) == state, 0, RATES[state]) / -RATES[state, state]
            target = int(rng.choice(3, p=odds))
            if after > entry:
                end = min(after, stop)
                rows.append((subject, state, target if after <= stop else None, max(now, entry), end))
            now, state = after, target
    return stays(*rows)


def product(frame: pd.DataFrame, time: float, initial: dict[Any, float]) -> dict[Any, float]:
    """The product of I + dA, one time of a move after the other."""
    moves = frame[frame["next"].notna() & (frame["next"] != frame["state"])]
    now = dict(initial)
    for u in sorted({t for t in moves["exit"] if t <= time}):
        risk = frame[(frame["entry"] < u) & (frame["exit"] >= u)]["state"].value_counts()
        flows = {}
        for (i, j), n in moves[moves["exit"] == u].groupby(["state", "next"]).size().items():
            flows[i, j] = now.get(i, 0.0) * n / risk[i]
        for (i, j), flow in flows.items():
            now[i] = now.get(i, 0.0) - flow
            now[j] = now.get(j, 0.0) + flow
    return now


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("digits", [6, 0])
@pytest.mark.parametrize("late", [False, True])
def test_equals_the_plain_product(start: int, digits: int, late: bool) -> None:
    frame = sampled(3, late=late, digits=digits)
    if digits == 0:
        frame["exit"] = np.maximum(frame["exit"], frame["entry"] + 1)
        frame = frame.groupby("id").filter(
            lambda g: (g["entry"].iloc[1:].to_numpy() >= g["exit"].iloc[:-1]).all()
        )
    times = [0, 0.5, 1, 2, 3]
    found = occupation(frame, times, start)
    for row, time in zip(found.share.estimate, times, strict=True):
        expected = product(frame, time, {start: 1.0})
        assert row.tolist() == pytest.approx([expected.get(s, 0.0) for s in range(3)], abs=EXACT)


def test_two_states_are_kaplan_meier() -> None:
    from lifelines import KaplanMeierFitter

    rng = np.random.default_rng(1)
    time, cut = np.ceil(rng.exponential(8, 300)), np.ceil(rng.uniform(0, 20, 300))
    died = time <= cut
    entry = np.floor(np.minimum(time, cut) * rng.uniform(0, 0.7, 300)) * (np.arange(300) % 2)
    end = np.minimum(time, cut)
    frame = pd.DataFrame(
        {"id": range(300), "state": "on", "next": np.where(died, "off", ""), "entry": entry, "exit": end}
    )
    times = [2, 5, 9, 13]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = KaplanMeierFitter().fit(end, died, entry=entry)
    found = occupation(frame, times, "on")
    assert found.states == ("off", "on")
    assert found.share.estimate[:, 1] == pytest.approx(
        fitted.survival_function_at_times(times).to_numpy(), abs=1e-9
    )


def test_competing_risks_are_lifelines() -> None:
    from lifelines import AalenJohansenFitter

    rng = np.random.default_rng(2)
    a, b, cut = rng.exponential(1, 200), rng.exponential(1.5, 200), rng.uniform(0.5, 3, 200)
    end = np.minimum(np.minimum(a, b), cut)
    kind = np.select([(a <= b) & (a <= cut), b <= cut], [1, 2], 0)
    target = np.array([None, "bought", "left"], dtype=object)[kind]
    frame = pd.DataFrame({"id": range(200), "state": "on", "next": target, "entry": 0.0, "exit": end})
    time = 1.5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = AalenJohansenFitter(calculate_variance=False).fit(end, kind, event_of_interest=1)
    theirs = fitted.cumulative_density_.iloc[:, 0]
    found = occupation(frame, time, "on")
    assert found.at(time).set_index("state")["estimate"]["bought"] == pytest.approx(
        float(theirs[theirs.index <= time].iloc[-1]), abs=1e-9
    )


def test_the_truth_is_a_matrix_exponential() -> None:
    found = occupation(sampled(5, 3000, late=True), [1, 2], 0)
    for row, low, high, time in zip(
        found.share.estimate, found.share.lower, found.share.upper, (1, 2), strict=True
    ):
        assert (np.abs(row - expm(RATES * time)[0]) < SIX_SD * (high - low) / 3.92).all()


def test_without_censoring_they_are_plain_shares() -> None:
    frame = sampled(7, 211, censored=False)
    for time in (0, 0.3, 1.7, 50):
        last = frame[frame["entry"] <= time].groupby("id").tail(1)
        now = np.where(last["exit"] <= time, last["next"], last["state"])
        expected = [float((now == s).sum() / 211) for s in range(3)]
        assert occupation(frame, time).share.estimate[0].tolist() == expected
        assert occupation(frame, time).share.n[0].tolist() == [211] * 3


@pytest.mark.parametrize("start", [0, None])
def test_the_spread_is_that_of_the_jackknife(start: int | None) -> None:
    frame, time = sampled(11), 1.5
    n = frame["id"].nunique()
    left_out = np.array(
        [occupation(frame[frame["id"] != i], time, start).share.estimate[0] for i in range(n)]
    )
    spread = np.sqrt((n - 1) / n * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))
    found = occupation(frame, time, start).share
    share, z = found.estimate[0], 1.959964
    effective = share * (1 - share) / spread**2
    half = z / (1 + z**2 / effective) * np.sqrt(share * (1 - share) / effective + z**2 / (4 * effective**2))
    assert (found.upper - found.lower)[0] / 2 == pytest.approx(half, rel=JACKKNIFE)


@given(st.integers(0, 10_000), st.booleans(), st.sampled_from([0, 1, None]))
@settings(max_examples=30, deadline=None)
def test_neither_order_nor_names_matter(seed: int, late: bool, start: int | None) -> None:
    frame = sampled(seed, 25, late=late, digits=2)
    before = frame.copy(deep=True)
    first = occupation(frame, [0.5, 2], start)
    pd.testing.assert_frame_equal(frame, before)
    mixed = frame.sample(frac=1, random_state=seed)
    mixed["id"] = "customer " + mixed["id"].astype(str)
    again = occupation(mixed, [2, 0.5, 2], start)
    np.testing.assert_array_equal(first.share.estimate, again.share.estimate)
    np.testing.assert_allclose(first.share.lower, again.share.lower, atol=EXACT)
    known = np.isfinite(first.share.estimate)
    assert np.allclose(first.share.estimate[known[:, 0]].sum(axis=1), 1, atol=1e-9)
    assert (first.share.lower[known] <= first.share.estimate[known]).all()
    assert (first.share.upper[known] >= first.share.estimate[known]).all()


def test_ties_and_what_counts_as_no_move() -> None:
    # At 1 one moves and one is censored: both were at risk.
    frame = stays((1, "a", "b", 0, 1), (2, "a", None, 0, 1), (3, "a", "a", 0, 2), (4, "a", "b", 0, 2))
    found = occupation(frame, [0, 0.9, 1, 2], "a")
    assert found.share.estimate[:, 1].tolist() == pytest.approx([0, 0, 0.25, 0.625])
    assert found.share.n[:, 0].tolist() == [4, 4, 4, 3]
    # A move that is written over two rows, with and without saying that nothing happened.
    split = stays((1, "a", "a", 0, 1), (1, "a", "b", 1, 3), (2, "a", "", 0, 2), (2, "a", None, 2, 4))
    whole = stays((1, "a", "b", 0, 3), (2, "a", np.nan, 0, 4))
    one, two = occupation(split, [3, 4]), occupation(whole, [3, 4])
    np.testing.assert_array_equal(one.share.estimate, two.share.estimate)
    np.testing.assert_allclose(one.share.lower, two.share.lower)
    np.testing.assert_array_equal(one.share.n, two.share.n)


def test_late_entry_counts_from_then_on() -> None:
    frame = stays((1, "a", "b", 0, 1), (2, "a", "b", 0, 3), (3, "a", "b", 2, 3), (4, "a", None, 2, 5))
    # At 1 there are two at risk, at 3 three.
    assert occupation(frame, [1, 3], "a").share.estimate[:, 1].tolist() == pytest.approx([0.5, 1 - 0.5 / 3])


def test_after_the_last_observation_nothing_is_said() -> None:
    found = occupation(stays((1, "a", "b", 0, 1), (2, "a", None, 0, 2)), [2, 3])
    assert np.isfinite(found.share.estimate[0]).all()
    assert np.isnan(found.share.estimate[1]).all()
    assert "nobody was observed after 2" in repr(found)
    over = occupation(stays((1, "a", "b", 0, 1), (2, "a", "b", 0, 2)), [2, 300])
    assert over.share.estimate.tolist() == [[0.0, 1.0], [0.0, 1.0]]
    assert "Note" not in repr(over)


def test_gaps_in_what_was_seen_are_named() -> None:
    late = stays((1, "a", "b", 1, 3), (2, "a", None, 1, 4))
    assert "for a while after 0" in repr(occupation(late, 3, "a"))
    hole = stays((1, "a", None, 0, 1), (2, "a", "b", 2, 4), (3, "a", None, 2, 4))
    assert "for a while after 1" in repr(occupation(hole, 4, "a"))
    assert "Note" not in repr(occupation(stays((1, "a", "b", 0, 3), (2, "a", None, 0, 4)), 3, "a"))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["step 10", "step 2", "end"], ("end", "step 2", "step 10")),
        ([10, 2, 3], (2, 3, 10)),
        (['"<b>', "NA", "é\n🙂"], ('"<b>', "NA", "é\n🙂")),
    ],
)
def test_states_in_natural_order(names: list[Any], expected: tuple[Any, ...]) -> None:
    a, b, c = names
    frame = stays((1, a, b, 0, 1), (1, b, c, 1, 2), (2, a, None, 0, 2))
    assert occupation(frame, 1).states == expected


def test_categories_give_their_order() -> None:
    frame = stays((1, "well", "ill", 0, 1), (1, "ill", "dead", 1, 2), (2, "well", None, 0, 2))
    for name in ("state", "next"):
        frame[name] = pd.Categorical(frame[name], ["well", "ill", "dead"])
    assert occupation(frame, 1).states == ("well", "ill", "dead")
    frame["state"] = frame["state"].astype("string")
    frame["next"] = frame["next"].astype("string")
    assert occupation(frame, 1).states == ("dead", "ill", "well")


GOOD = ((1, "a", "b", 0, 1), (2, "a", None, 0, 2))


@pytest.mark.parametrize(
    ("rows", "options", "error", "text"),
    [
        (GOOD, {"times": -1}, OptionError, "time begins at 0"),
        (GOOD, {"times": "1d"}, OptionError, "expected numbers"),
        (GOOD, {"times": [1, None]}, OptionError, "expected numbers"),
        (GOOD, {"times": []}, OptionError, "empty"),
        (GOOD, {"times": np.inf}, OptionError, "finite"),
        (GOOD, {"times": pd.Timedelta("1D")}, OptionError, "expected numbers"),
        (GOOD, {"times": 1, "start": "c"}, OptionError, "not a state"),
        (((1, "a", "b", 1, 1),), {"times": 1}, OptionError, "do not last"),
        (((1, "a", "b", 2, 1),), {"times": 1}, OptionError, "do not last"),
        (((1, "a", "b", -1, 1),), {"times": 1}, OptionError, "negative"),
        (((1, "a", "b", np.nan, 1),), {"times": 1}, OptionError, "missing"),
        (((1, None, "b", 0, 1),), {"times": 1}, OptionError, "missing states"),
        (((None, "a", "b", 0, 1),), {"times": 1}, OptionError, "missing ids"),
        (((1, "a", "b", "0", "1"),), {"times": 1}, OptionError, "numbers"),
        (((1, "a", "b", 0, 2), (1, "b", "c", 1, 3)), {"times": 1}, OptionError, "overlap"),
        (((1, "a", "b", 0, 2), (1, "c", "d", 2, 3)), {"times": 1}, OptionError, "another state"),
        (((1, "a", "b", 0, 2), (1, "a", "c", 0, 2)), {"times": 1}, OptionError, "status 1"),
        (((1, 1, "2", 0, 2), (2, 2, "3", 0, 3)), {"times": 1}, OptionError, "as text"),
        ((), {"times": 1}, NotEnoughDataError, "no rows"),
    ],
)
def test_refusals(rows: Any, options: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=re.escape(text)):
        state_occupation(stays(*rows), *COLUMNS, **options)


def test_refusals_of_columns() -> None:
    frame = stays(*GOOD)
    with pytest.raises(LogSchemaError, match="did you mean 'state'"):
        state_occupation(frame, "id", "stat", "next", "entry", "exit", times=1)
    for value in (pd.Timestamp("2026-01-01"), pd.Timedelta("1D")):
        with pytest.raises(OptionError, match="Timedelta"):
            state_occupation(frame.assign(exit=value), *COLUMNS, times=1)
    with pytest.raises(OptionError, match="DataFrame"):
        state_occupation([1], *COLUMNS, times=1)  # type: ignore[arg-type]
    found = occupation(frame, [1, 2])
    assert len(found.at(1)) == 2
    with pytest.raises(OptionError, match="not computed"):
        found.at(1.5)
    assert len(repr(found).splitlines()) <= 12
    assert repr(found).endswith("Next: .to_frame(), .at(time)")


def test_last_stays_that_are_missing_are_named() -> None:
    """Only moves were kept: of who moved into b and was watched there nothing is known, though others leave b."""
    whole = stays((1, "a", "b", 0, 1), (1, "b", "c", 1, 2), (2, "a", "b", 0, 1), (2, "b", None, 1, 9))
    assert not any("not seen after" in note for note in occupation(whole, 3, "a").notes)
    moves = whole[whole[COLUMNS[2]].notna()]
    assert "1 ids are not seen after they moved into a state that others leave" in " ".join(
        occupation(moves, 3, "a").notes
    )
