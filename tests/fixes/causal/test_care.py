"""Care of a list of fixes: that every part arrives where it belongs, on counts of the same journeys."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from journeymine.counts.chain import ChainCounts, DropCounts
from journeymine.errors import OptionError
from journeymine.fixes.causal.aipw import exposure_effect
from journeymine.fixes.causal.care import Care, care_of, cells_of
from journeymine.fixes.causal.e_value import e_value
from journeymine.fixes.fix import Fix
from journeymine.uncertainty import Estimates

if TYPE_CHECKING:
    from journeymine.counts.sequences import SequenceCounts

START, ERROR, FORM, HELP, PAY = range(5)
SEGMENTS = ("platform",)

Make = Callable[..., Any]


def counts_of(sequences: SequenceCounts) -> tuple[ChainCounts, DropCounts]:
    """The chain and the drops of journeys, counted visit by visit."""
    sequence = sequences.of_visit
    unit, cell, n = sequences.unit[sequence], sequences.cell[sequence], sequences.n[sequence]
    first = sequences.begin[:-1]
    zero = np.zeros_like(n)
    counts = ChainCounts(
        sequences.states,
        np.arange(sequences.n_states),
        unit,
        cell,
        sequences.code,
        sequences.target,
        n,
        zero.astype(float),
        sequences.unit,
        sequences.cell,
        sequences.code[first],
        sequences.n,
        sequences.cells,
        np.bincount(sequences.cell),
        sequences.n_units,
    )
    drops = DropCounts(
        unit,
        cell,
        sequences.code,
        zero,
        n,
        n,
        (sequences.target == -1).astype(int),
        sequences.n_units,
        None,
        None,
        1,
    )
    return counts, drops


@pytest.fixture(scope="module")
def world(make_help_world: Make) -> SequenceCounts:
    return make_help_world(3000, 0).sequences


FIXES = (
    Fix(kind="drop_off", activity="Form", share=0.2),
    Fix(kind="remove_step", activity="Help", share=0.5),
    Fix(kind="drop_off", activity="Pay", segment=("platform", "v1")),
)
EFFECTS = Estimates(
    np.array([0.05, 0.02, 0.01]), np.array([0.04, -0.01, 0.005]), np.array([0.06, 0.05, 0.015]), 3000
)


def cared(sequences: SequenceCounts, **more: Any) -> tuple[tuple[Care, ...], Any]:
    counts, drops = counts_of(sequences)
    settings: dict[str, Any] = {
        "base": 0.4,
        "effects": EFFECTS,
        "effect_at": lambda i, rho: float(EFFECTS.estimate[i]) * rho,
        "next_best": np.array([0.02, 0.01, np.nan]),
        "segments": SEGMENTS,
    }
    return care_of(counts, drops, sequences, FIXES, (FORM, HELP, PAY), **(settings | more))


def test_numbers_arrive_where_they_belong(world: SequenceCounts) -> None:
    care, placebo = cared(world)
    assert (care[0].e_value, care[0].e_value_bound) == e_value(0.4, 0.05, 0.04, 0.06)
    assert care[1].e_value_bound == 1.0
    assert [one.rho_zero for one in care] == [0.0, 0.0, 0.0]
    assert care[0].rho_break_even == pytest.approx(0.4)  # 0.02 of 0.05
    assert care[1].rho_break_even == pytest.approx(0.5)
    assert care[2].rho_break_even == 0.0  # nobody is behind the last
    assert [point.effect for point in care[0].effect_rho] == pytest.approx([0.025, 0.04, 0.05])
    assert placebo.quiet
    assert placebo.n_tested > 0


def test_costs_are_met_before_the_next_fix(world: SequenceCounts) -> None:
    care, _ = cared(world, cost=np.array([0.03, 0.0, 0.02]))
    assert care[0].rho_zero == care[0].rho_break_even == pytest.approx(0.6)
    assert math.isnan(care[2].rho_zero)  # costs 0.02 and brings 0.01 at most


def test_less_time_is_better(world: SequenceCounts) -> None:
    care, _ = cared(world, less_is_better=True)
    assert care[0].e_value == pytest.approx(e_value(0.4, -0.05, -0.06, -0.04)[0])
    assert care[0].e_value_bound == pytest.approx(e_value(0.4, -0.05, -0.06, -0.04)[1])


def test_exposures_are_estimated_when_asked_for(world: SequenceCounts) -> None:
    care, _ = cared(world, causal="aipw", seed=3)
    exposure = care[1].exposure
    assert exposure is not None
    assert float(exposure.att.estimate) == float(exposure_effect(world, HELP, seed=3).att.estimate)
    assert care[1].control is not None
    assert (care[0].exposure, care[2].exposure) == (None, None)
    assert all(one.exposure is None for one in cared(world)[0])


def test_an_exposure_that_few_met_has_none(make_help_world: Make) -> None:
    care, _ = cared(make_help_world(80, 1).sequences, causal="aipw")
    assert care[1].exposure is None
    assert "few_visits" in care[1].flags


def test_a_segment_that_never_asks_for_help(make_sequences: Make) -> None:
    """Fixes about both segments are flagged; one about the other segment is not."""
    rng = np.random.default_rng(1)
    cell = rng.integers(2, size=4000)
    asks = (cell == 0) & (rng.random(4000) < 0.5)
    sequences = make_sequences(
        [[START, FORM, PAY], [START, FORM, HELP, PAY]],
        np.where(rng.random(4000) < 0.5, -2, -1),
        asks.astype(int),
        cell=cell,
        n_cells=2,
    )
    care, _ = cared(sequences)
    assert "positivity" in care[1].flags
    assert care[1].overlap.cells_without == ("v1",)
    assert care[1].overlap.share == pytest.approx((cell == 0).mean())
    assert care[1].grade == "association"
    assert "no_overlap" in care[1].reasons
    assert care[0].flags == ()
    assert care[0].grade == "adjusted"
    counts, drops = counts_of(sequences)
    elsewhere = Fix(kind="remove_step", activity="Help", segment=("platform", "v0"))
    one, _ = care_of(
        counts,
        drops,
        None,
        [elsewhere],
        [HELP],
        base=0.5,
        effects=Estimates(np.array([0.01]), np.array([0.0]), np.array([0.02]), 4000),
        effect_at=lambda _, rho: 0.01 * rho,
        next_best=np.array([np.nan]),
        segments=SEGMENTS,
    )
    assert one[0].flags == ()
    assert one[0].overlap.share == 1.0
    assert one[0].mixture is None  # no sequences were given


def test_grades(world: SequenceCounts) -> None:
    care, _ = cared(world, tested={FIXES[0].id}, flags=[(), ("carry_over",), ("selected",)])
    assert [one.grade for one in care] == ["experiment", "association", "adjusted"]
    assert care[1].reasons == ("not_tested", "carry_over")
    assert care[2].flags == ("selected",)
    assert [one.grade for one in cared(world, causal="none")[0]] == ["association"] * 3


def test_help_in_two_kinds_is_flagged(make_sequences: Make) -> None:
    """After an error help leads to paying, else it does not."""
    rng = np.random.default_rng(2)
    error = rng.random(4000) < 0.5
    pays = rng.random(4000) < np.where(error, 0.8, 0.3)
    paths = [[FORM, HELP], [ERROR, HELP], [FORM, HELP, PAY], [ERROR, HELP, PAY]]
    last = np.where(pays & (rng.random(4000) < 0.5), -2, -1)
    sequences = make_sequences(paths, last, error + 2 * pays)
    counts, drops = counts_of(sequences)
    care, _ = care_of(
        counts,
        drops,
        sequences,
        [Fix(kind="drop_off", activity="Help")],
        [HELP],
        base=0.2,
        effects=Estimates(np.array([0.01]), np.array([0.0]), np.array([0.02]), 4000),
        effect_at=lambda _, rho: 0.01 * rho,
        next_best=np.array([np.nan]),
    )
    assert care[0].flags == ("mixed_state",)
    assert care[0].mixture is not None
    assert care[0].mixture.mixed
    assert set(care[0].reasons) == {"not_tested", "not_standardised", "mixed_state"}


def test_what_cannot_be_used(world: SequenceCounts) -> None:
    with pytest.raises(OptionError, match="causal is 'magic'"):
        cared(world, causal="magic")
    with pytest.raises(OptionError, match="'nonsense'"):
        cared(world, flags=[("nonsense",), (), ()])
    counts, _ = counts_of(world)
    with pytest.raises(OptionError, match="'country'"):
        cells_of(counts, Fix(kind="drop_off", activity="Pay", segment=("country", "FR")), SEGMENTS)
