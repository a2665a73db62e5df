"""Exposure effects: against worlds with known truth, a plain stratified standardisation, and reweighting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from journeymine.counts.chain import DROP, GOAL
from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.fixes.causal.aipw import exposure_effect, exposure_fix_effect
from journeymine.fixes.causal.covariates import Covariates, covariates
from journeymine.fixes.causal.decisions import decision_points
from journeymine.fixes.causal.scores import Outcome, doubly_robust, folds_of_units

HELP, FORM, PAY = 3, 2, 4
RUNS = 200
COVERAGE = (0.90, 0.98)
"""What 95 % intervals may cover in 200 runs: three standard errors are 0.046."""
CLOSE = 0.025
"""Three standard errors of an effect with 20,000 journeys (0.024 at 2,500, measured)."""
ROUNDING = 1e-12

Make = Callable[..., Any]


def test_naive_difference_has_the_wrong_sign_and_the_effect_is_recovered(make_help_world: Make) -> None:
    world = make_help_world(20_000, 0)
    found = exposure_effect(world.sequences, HELP)
    assert float(found.naive.upper) < 0
    assert float(found.att.estimate) == pytest.approx(world.gain, abs=CLOSE)
    assert float(found.ate.estimate) == pytest.approx(world.gain, abs=CLOSE)
    assert float(found.att.lower) > 0


def test_intervals_cover(make_help_world: Make) -> None:
    """ATT, ATE and the effect of sparing half of those who ask, with journeys lost from sight."""
    covered, estimates = np.zeros(3), []
    for seed in range(RUNS):
        world = make_help_world(1000, seed + 1, lost=0.08)
        found = exposure_effect(world.sequences, HELP)
        fix = exposure_fix_effect(found, 0.5)
        truth = -0.5 * world.gain * world.exposed_per_start
        pairs = ((found.att, world.gain), (found.ate, world.gain), (fix, truth))
        covered += [float(one.lower) <= true <= float(one.upper) for one, true in pairs]
        estimates.append(float(found.att.estimate) - world.gain)
    assert ((covered / RUNS >= COVERAGE[0]) & (covered / RUNS <= COVERAGE[1])).all(), covered / RUNS
    assert abs(np.mean(estimates)) < 3 * np.std(estimates) / np.sqrt(RUNS)


def test_right_if_one_of_the_models_is_wrong(make_help_world: Make) -> None:
    """Double robustness: with nothing known, either model alone repairs the other; both wrong are wrong."""
    world = make_help_world(20_000, 3)
    points = decision_points(world.sequences, HELP)
    good = covariates(points)
    nothing = Covariates(np.zeros(len(points.n), np.int64), sparse.csr_array(np.ones((1, 1))))
    outcome = Outcome(points.converted.astype(float), points.ended.astype(float), "logistic")
    fold = folds_of_units(points.n_units, 5, 0)

    def both(of_exposure: Covariates, of_outcome: Covariates) -> list[float]:
        scores = doubly_robust(
            points.unit,
            points.exposed,
            points.n,
            outcome,
            of_exposure,
            fold,
            known_of_outcome=of_outcome,
        )
        return [scores.att.value, scores.ate.value]

    assert both(nothing, good) == pytest.approx([world.gain] * 2, abs=CLOSE)
    assert both(good, nothing) == pytest.approx([world.gain] * 2, abs=CLOSE)
    assert max(both(nothing, nothing)) < world.gain - 5 * CLOSE


def test_equals_standardisation_over_strata(make_help_world: Make) -> None:
    """Where history has four values, the estimate is the difference within them, weighted by those who asked."""
    sequences = make_help_world(20_000, 4).sequences
    points = decision_points(sequences, HELP)
    stratum = points.cell * 2 + (points.visits > 1)
    effect = 0.0
    for s in range(4):
        here, asked = stratum == s, points.exposed
        gap = points.converted[here & asked].mean() - points.converted[here & ~asked].mean()
        effect += gap * (here & asked).sum() / asked.sum()
    found = exposure_effect(sequences, HELP)
    # The regression has no column for the interaction of cell and error; the scores make up for it.
    assert float(found.att.estimate) == pytest.approx(effect, abs=0.003)


def paying(world: Any) -> np.ndarray:
    """Whether the journey came to the last state."""
    sequences = world.sequences
    return sequences.code[sequences.begin[1:] - 1] == PAY


def test_journeys_that_ended_count_when_asked_for(make_help_world: Make) -> None:
    world = make_help_world(20_000, 5, leave=0.3)
    found = exposure_effect(world.sequences, HELP)
    with_leavers = exposure_effect(world.sequences, HELP, leaving=True)
    left = int(((world.sequences.last == DROP) & ~paying(world)).sum())
    assert with_leavers.n_decisions == found.n_decisions + left
    assert float(found.att.estimate) == pytest.approx(world.gain, abs=CLOSE)
    # Those who left never converted: counted as unexposed they make help look better than it is.
    assert float(with_leavers.att.estimate) > world.gain + 3 * CLOSE


def test_replicates_of_weights(make_help_world: Make) -> None:
    world = make_help_world(2000, 6)
    found = exposure_effect(world.sequences, HELP)
    once = np.ones((1, world.sequences.n_units))
    assert found.att_sums.draws(once)[0] == pytest.approx(float(found.att.estimate), abs=ROUNDING)
    assert found.ate_sums.draws(once)[0] == pytest.approx(float(found.ate.estimate), abs=ROUNDING)
    fix = exposure_fix_effect(found, 0.3)
    assert exposure_fix_effect(found, 0.3, once)[0] == pytest.approx(float(fix.estimate), abs=ROUNDING)
    weights = np.random.default_rng(0).multinomial(2000, np.full(2000, 1 / 2000), 800).astype(float)
    spread = exposure_fix_effect(found, 0.3, weights).std()
    half = float(fix.upper - fix.estimate) / 1.96
    assert spread == pytest.approx(half, rel=0.1)  # 800 draws know a deviation to 2.5 %


def test_customers_with_many_journeys_are_one_unit(make_help_world: Make) -> None:
    """Every journey four times, by the same customer: the same effect, and no narrower interval."""
    world = make_help_world(3000, 7)
    four = replace(world.sequences, n=world.sequences.n * 4)
    one, more = exposure_effect(world.sequences, HELP), exposure_effect(four, HELP)
    assert float(more.att.estimate) == pytest.approx(
        float(one.att.estimate), abs=0.002
    )  # the ridge weighs less
    width = [float(found.att.upper - found.att.lower) for found in (one, more)]
    assert width[1] == pytest.approx(width[0], rel=0.03)


def test_order_of_sequences_does_not_matter(make_help_world: Make, make_sequences: Make) -> None:
    sequences = make_help_world(1500, 8, lost=0.05).sequences
    order = np.random.default_rng(1).permutation(sequences.n_sequences)
    length = sequences.length[order]
    begin = np.concatenate([[0], np.cumsum(length)])
    code = np.concatenate([sequences.code[sequences.begin[s] : sequences.begin[s + 1]] for s in order])
    shuffled = replace(
        sequences,
        code=code,
        begin=begin,
        **{name: getattr(sequences, name)[order] for name in ("last", "unit", "cell", "n")},
    )
    a, b = exposure_effect(sequences, HELP), exposure_effect(shuffled, HELP)
    assert float(a.att.estimate) == pytest.approx(float(b.att.estimate), abs=1e-9)
    assert float(a.att.lower) == pytest.approx(float(b.att.lower), abs=1e-9)


def test_overlap_counts_everybody(make_help_world: Make) -> None:
    found = exposure_effect(make_help_world(3000, 9).sequences, HELP)
    overlap = found.overlap
    assert overlap.exposed.sum() == found.n_exposed
    assert overlap.exposed.sum() + overlap.others.sum() == found.n_decisions
    # 0.15 ask without an error, 0.6 with one.
    assert overlap.lowest == pytest.approx(0.15, abs=0.04)
    assert overlap.highest == pytest.approx(0.60, abs=0.06)
    assert overlap.share_outside == 0
    assert overlap.share_alone == 0


def test_those_who_always_ask_have_no_overlap(make_sequences: Make) -> None:
    rng = np.random.default_rng(0)
    n = 4000
    cell = rng.integers(2, size=n)
    asks = (cell == 1) | (rng.random(n) < 0.2)
    sequences = make_sequences(
        [[FORM, HELP], [FORM, PAY]],
        np.where(rng.random(n) < 0.5, GOAL, DROP),
        np.where(asks, 0, 1),
        cell=cell,
        n_cells=2,
    )
    found = exposure_effect(sequences, HELP)
    assert found.overlap.share_alone > 0.5
    assert found.overlap.share_outside == pytest.approx(0.5, abs=0.03)


def test_only_the_first_meeting_counts() -> None:
    from journeymine.markov.lists import count_lists

    journeys = [["form", "help", "form", "help", "paid"], ["form", "form", "paid"], ["help", "form", "help"]]
    _, sequences = count_lists(journeys, goal="paid")
    names = sequences.states
    points = decision_points(sequences, names.index("help"), at=np.array([names.index("form")]))
    # The first visit of the first journey, both of the second, none of the third, which begins with help.
    assert sorted(zip(points.visits.tolist(), points.exposed.tolist(), strict=True)) == [
        (0, False),
        (0, True),
        (1, False),
    ]
    assert points.attempt.tolist() == points.visits.tolist()


def test_what_cannot_be_used(make_help_world: Make) -> None:
    sequences = make_help_world(300, 0).sequences
    with pytest.raises(OptionError, match="state is 9"):
        exposure_effect(sequences, 9)
    with pytest.raises(OptionError, match="n_folds is 1"):
        exposure_effect(sequences, HELP, n_folds=1)
    with pytest.raises(OptionError, match=r"share is 1\.5"):
        exposure_fix_effect(exposure_effect(sequences, HELP), 1.5)
    with pytest.raises(NotEnoughDataError, match="never met"):
        exposure_effect(sequences, 0)
    with pytest.raises(NotEnoughDataError, match="at least 30"):
        exposure_effect(make_help_world(60, 0).sequences, HELP)
