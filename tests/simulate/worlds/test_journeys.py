"""Logs of the worlds: what a user would have, and what each scenario is about."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from journeymine.errors import OptionError
from journeymine.simulate.worlds import SCENARIOS, SHAPES, journeys, world

N = 6000
COLUMNS = ["case_id", "customer_id", "activity", "timestamp", "channel", "platform", "source", "value"]
DAY = pd.Timedelta(days=1)
P_VALUE = 1e-4
"""Level of each check of a simulated row against its shares; about 150 of them are made with a fixed seed."""
ALL = [(shape, scenario) for shape in SHAPES for scenario in SCENARIOS]
TIED = 0.03
APART = 1.14
"""Neighbouring effects differ by a seventh or more, so that ten thousand journeys can order them."""


def following(frame: pd.DataFrame) -> pd.DataFrame:
    """Each event with the activity and the time of the next one of its case."""
    ordered = frame.sort_values(["case_id", "timestamp"], kind="stable")
    after = ordered.groupby("case_id", sort=False).shift(-1)
    attempt = ordered.groupby(["case_id", "activity"], sort=False).cumcount() + 1
    return ordered.assign(
        next=after["activity"], gap=after["timestamp"] - ordered["timestamp"], attempt=attempt
    )


@pytest.mark.parametrize(("shape", "scenario"), ALL)
def test_truth_names_every_fix_once(shape: str, scenario: str) -> None:
    here = world(shape, scenario)
    truth = here.truth
    assert truth.columns.tolist() == ["fix_id", "effect"]
    assert truth["fix_id"].tolist() == [fix.id for fix in here.fixes]
    assert truth["fix_id"].is_unique
    assert len(truth) >= 4
    assert set(here.about) <= set(truth["fix_id"])
    assert here.base + truth["effect"].max() < 1
    assert 0.15 < here.base < 0.45
    if scenario == "null":
        assert truth["effect"].tolist() == [0.0] * len(truth)
    elif scenario != "near_ties":
        helpful = np.sort(truth["effect"][truth["effect"] != 0])
        assert helpful[0] > 0.003
        assert (helpful[1:] / helpful[:-1]).min() > APART


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_have_the_kinds_of_fixes(shape: str) -> None:
    fixes = world(shape).fixes
    assert {"remove_step", "wait", "loop", "drop_off"} <= {fix.kind for fix in fixes}
    assert sum(fix.kind == "drop_off" for fix in fixes) >= 3
    assert len(fixes) >= 6


@pytest.mark.parametrize("shape", SHAPES)
def test_rows_of_the_log_are_rows_of_the_chain(shape: str) -> None:
    here = world(shape)
    frame, _ = journeys(shape, n=N, seed=5)
    moves = following(frame)
    chains = here.chains
    names = [*chains.activity, here.goal, *(here.end or ("-",))]
    for state in range(chains.k):
        rows = moves[moves["activity"] == chains.activity[state]]
        attempt = chains.attempt[state]
        if attempt:
            rows = rows[rows["attempt"].clip(upper=4) == attempt]
        shares: dict[str, float] = {}
        for column, share in enumerate(chains.moves[0, state]):
            if column < chains.k + 1:
                shares[names[column]] = shares.get(names[column], 0.0) + share
        gone = rows["next"].isna() | rows["next"].isin(here.end)
        seen = [int((rows["next"] == name).sum()) for name in shares]
        expected = np.array([*shares.values(), chains.moves[0, state, -1]])
        observed = np.array([*seen, int(gone.sum())])
        assert observed.sum() == len(rows)
        assert observed[expected == 0].sum() == 0
        keep = expected > 0
        if keep.sum() > 1:
            test = stats.chisquare(observed[keep], expected[keep] / expected.sum() * len(rows))
            assert test.pvalue > P_VALUE, (shape, chains.activity[state], attempt)


@pytest.mark.parametrize(("shape", "scenario"), ALL)
def test_the_frame_is_a_log_that_loads(shape: str, scenario: str) -> None:
    here = world(shape, scenario)
    frame, _ = journeys(shape, scenario, n=800, seed=2)
    assert frame.columns.tolist() == COLUMNS
    assert frame["timestamp"].dtype == "datetime64[us, UTC]"
    assert frame["timestamp"].dropna().is_monotonic_increasing
    assert frame["value"].notna().equals(frame["activity"] == here.goal)
    log = here.read(frame)
    if scenario == "dirty":
        assert {entry.rule for entry in log.ledger.rejected} == {"duplicates_dropped", "missing_time"}
    else:
        assert log.ledger.rejected == ()
        assert log.n_events == len(frame)
        assert following(frame)["gap"].max() < 14 * DAY
    assert log.end_states is not None
    assert sum(log.end_states.n) == log.n_cases


def test_same_seed_same_log() -> None:
    first, other = journeys("service", 5, n=300, seed=4)[0], journeys("service", 5, n=300, seed=5)[0]
    pd.testing.assert_frame_equal(first, journeys("Service", "Intent-Exposure", n=300, seed=4)[0])
    assert not first.equals(other)


def test_names_are_forgiven_and_unknown_ones_refused() -> None:
    assert world("SHOP", " Rare State ") is world("shop", "12") is world("shop", "rare-state")
    assert [world("shop", i + 1).scenario for i in range(16)] == list(SCENARIOS)
    with pytest.raises(OptionError, match="near_ties"):
        world("shop", "ties")
    with pytest.raises(OptionError, match="expected a shape"):
        world("bank")
    for wrong in (0, 17, True, None):
        with pytest.raises(OptionError, match="scenario is"):
            world("shop", wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(("n", "seed"), [(0, 0), (10.5, 0), (10, -1), (True, 0)])
def test_sizes_that_make_no_log_are_refused(n: int, seed: int) -> None:
    with pytest.raises(OptionError, match="expected a whole number"):
        journeys("shop", "markov", n=n, seed=seed)


@pytest.mark.parametrize("n", [1, 2, 30])
def test_small_logs(n: int) -> None:
    frame, _ = journeys("subscription", "markov", n=n)
    assert frame["case_id"].nunique() == n


@pytest.mark.parametrize("shape", SHAPES)
def test_leaving_while_waiting_is_seen_or_silent(shape: str) -> None:
    here = world(shape)
    frame, _ = journeys(shape, n=N, seed=1)
    moves = following(frame)
    left = moves[moves["next"].isin(here.end)]
    assert here.end == (() if shape == "shop" else here.end[:1])
    if not here.end:
        return
    waiting = here.plan.shape.steps[here.plan.shape.waiting].activity
    assert set(left["activity"]) == {waiting}
    # Patience is exponential: of those who leave, the mean is shorter than the mean wait of those who stay.
    passed = moves[(moves["activity"] == waiting) & ~moves["next"].isin(here.end)]
    assert passed["next"].notna().all()
    assert left["gap"].mean() < passed["gap"].mean()
    rate = len(left) / (left["gap"].sum() + passed["gap"].sum()).total_seconds() * 86_400
    impatience = here.plan.shape.steps[here.plan.shape.waiting].wait
    assert impatience is not None
    assert rate == pytest.approx(impatience.impatience, rel=4 / np.sqrt(len(left)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("outcome", ["revenue", "time"])
def test_revenue_and_time_are_means_of_the_log(shape: str, outcome: str) -> None:
    here = world(shape, "observed_confounder")
    frame, _ = journeys(shape, "observed_confounder", n=N, seed=8)
    steps = frame[~frame["activity"].isin(here.end)]
    by_case = steps.groupby("case_id")
    if outcome == "revenue":
        seen = by_case["value"].sum()
    else:
        seen = (by_case["timestamp"].max() - by_case["timestamp"].min()) / DAY
    assert len(seen) == N
    error = 4 * seen.std() / np.sqrt(0.9 * N)  # some customers come twice
    assert here.chains.outcome(outcome) == pytest.approx(seen.mean(), abs=error)


def test_a_shorter_wait_saves_time_and_earns_money() -> None:
    here = world("shop")
    wait = next(fix for fix in here.fixes if fix.kind == "wait")
    assert here.effect(wait, "time") > 0
    assert here.effect(wait, "revenue") == pytest.approx(70 * here.effect(wait), rel=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_about_two_in_five_are_open(shape: str) -> None:
    here = world(shape, "open_journeys")
    log = here.read(journeys(shape, "open_journeys", n=N, seed=3)[0])
    assert log.end_states is not None
    assert 0.35 < log.end_states.share.estimate[2] < 0.45


def test_a_truncated_log_begins_with_journeys_under_way() -> None:
    here = world("shop", "left_truncated")
    frame, _ = journeys("shop", "left_truncated", n=N, seed=3)
    firsts = frame.drop_duplicates("case_id")
    early = firsts["timestamp"] < frame["timestamp"].min() + 14 * DAY
    starts = {here.plan.shape.steps[key].activity for key in here.plan.shape.first}
    assert (~firsts["activity"].isin(starts)).sum() > 50
    assert firsts["activity"][~early].isin(starts).mean() > 0.98
    assert frame["case_id"].nunique() < N


@pytest.mark.parametrize("shape", SHAPES)
def test_the_calendar_of_drift(shape: str) -> None:
    here = world(shape, "drift")
    frame, _ = journeys(shape, "drift", n=N, seed=3)
    day = (frame["timestamp"] - pd.Timestamp("2026-01-05", tz="UTC")) / DAY
    hub = here.plan.shape.steps[here.plan.shape.places.hub].activity
    # Nothing starts in the two days before the step breaks and is repaired, and nobody is still before the step then.
    for border in (56, 84):
        assert not ((frame["activity"] == hub) & day.between(border - 0.5, border)).any()
    moves = following(frame)
    at_hub = moves[moves["activity"] == hub]
    broken = ((at_hub["timestamp"] - pd.Timestamp("2026-01-05", tz="UTC")) / DAY).between(56, 84)
    gone = at_hub["next"].isna()
    assert gone[broken].mean() > gone[~broken].mean() + 0.3
    in_campaign = day.between(126, 154)
    assert (frame["source"] == "ads")[in_campaign].mean() > (frame["source"] == "ads")[day < 56].mean() + 0.2
    effects = dict(zip(here.truth["fix_id"], here.truth["effect"], strict=True))
    assert effects[here.about[0]] > 0.005
    assert effects[here.about[1]] == 0


@pytest.mark.parametrize("shape", SHAPES)
def test_near_ties_are_at_the_top(shape: str) -> None:
    here = world(shape, "near_ties")
    effects = dict(zip(here.truth["fix_id"], here.truth["effect"], strict=True))
    tied = np.array([effects.pop(name) for name in here.about])
    assert len(tied) >= 3
    assert tied.min() > (1 - TIED - 1e-3) * tied.max()
    assert max(effects.values()) < 0.87 * tied.min()


@pytest.mark.parametrize("shape", SHAPES)
def test_the_rare_state_is_rare_and_matters(shape: str) -> None:
    here = world(shape, "rare_state")
    frame, _ = journeys(shape, "rare_state", n=N, seed=3)
    met = frame.loc[frame["activity"] == "Account blocked", "case_id"].nunique() / N
    assert 0.005 < met < 0.016
    assert here.effect(here.about[0]) > 0.6 * met


@pytest.mark.parametrize("shape", SHAPES)
def test_two_fixes_are_worth_more_together(shape: str) -> None:
    here = world(shape, "interacting")
    alone = [here.effect(name) for name in here.about]
    assert here.joint_effect(here.about) > 1.5 * sum(alone)
    assert here.joint_effect(here.about) == here.joint_effect(here.about[::-1])


def test_dirt_is_there_and_careful_reading_removes_it() -> None:
    here = world("shop", "dirty")
    frame, _ = journeys("shop", "dirty", n=N, seed=3)
    length = frame.groupby("case_id").size()
    assert (length >= 150).sum() == np.ceil(0.004 * N)
    assert 0.01 < frame.duplicated().mean() < 0.03
    assert 0 < frame["timestamp"].isna().sum() < 0.01 * len(frame)
    log = here.read(frame)
    assert log.n_cases == N
    assert log.end_states is not None
    assert log.end_states.share.estimate[0] == pytest.approx(here.base, abs=4 * np.sqrt(0.25 / N))


@pytest.mark.parametrize("shape", SHAPES)
def test_one_platform_never_reaches_the_contact(shape: str) -> None:
    here = world(shape, "positivity")
    frame, _ = journeys(shape, "positivity", n=N, seed=3)
    met = frame[frame["activity"] == here.plan.shape.steps[here.plan.shape.places.help].activity]
    assert set(met["platform"]) == {"desktop"}
    name = here.about[0]
    fix = next(fix for fix in here.fixes if fix.id == name)
    assert fix.activity == met["activity"].iloc[0]


@pytest.mark.parametrize("shape", SHAPES)
def test_two_steps_under_one_name(shape: str) -> None:
    here = world(shape, "misspecified")
    states = here.chains.states("Page viewed")
    rows = here.chains.moves[0, states]
    assert len(states) == 2
    assert np.abs(rows[0] - rows[1]).sum() > 0.5
    frame, _ = journeys(shape, "misspecified", n=300)
    assert "Page viewed" in set(frame["activity"])


def test_hidden_intent_is_in_no_column() -> None:
    assert not world("shop", "latent_intent").observed
    assert not world("shop", "intent_exposure").observed
    assert world("shop", "observed_confounder").observed
    frame, _ = journeys("shop", "intent_exposure", n=N, seed=1)
    met = frame["case_id"].isin(frame.loc[frame["channel"] == "call centre", "case_id"])
    won = frame["case_id"].isin(frame.loc[frame["activity"] == "Order placed", "case_id"])
    cases = frame.assign(met=met, won=won).drop_duplicates("case_id")
    by = cases.groupby("met")["won"].mean()
    assert by[True] > by[False]  # friction looks helpful
    assert world("shop", "intent_exposure").effect("drop_off:Call centre contact") > 0


def test_second_journeys_of_a_customer_share_his_intent() -> None:
    frame, _ = journeys("shop", "latent_intent", n=20_000, seed=2)
    cases = frame.drop_duplicates("case_id")[["case_id", "customer_id"]]
    assert 0.9 < cases["customer_id"].nunique() / len(cases) < 0.95
    won = cases["case_id"].isin(frame.loc[frame["activity"] == "Order placed", "case_id"])
    twice = won.groupby(cases["customer_id"]).agg(["sum", "size"])
    twice = twice[twice["size"] == 2]
    share = won.mean()
    assert (twice["sum"] == 2).mean() > share**2 + 0.02


def test_the_world_tells_what_it_is() -> None:
    text = repr(world("shop", "drift"))
    assert "'drift'" in text
    assert ".truth" in text
