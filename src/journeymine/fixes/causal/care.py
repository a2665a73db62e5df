"""What is said of every fix beside its effect: sensitivity, rescue, overlap, controls, flags and the grade."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, cast

import numpy as np

from journeymine.errors import OptionError, listed, shown
from journeymine.fixes.causal.e_value import e_value
from journeymine.fixes.causal.grade import FLAGS, Grade, grade
from journeymine.fixes.causal.placebo import PlaceboResult, placebo_tests
from journeymine.fixes.causal.rescue import RescuePoint, break_even, rescue_table
from journeymine.fixes.causal.state_facts import StateFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts, DropCounts
    from journeymine.counts.sequences import SequenceCounts
    from journeymine.fixes.causal.aipw import ExposureEffect
    from journeymine.fixes.causal.mixed_states import StateMixture
    from journeymine.fixes.causal.negative_control import NegativeControl
    from journeymine.fixes.causal.state_facts import Exposed
    from journeymine.fixes.fix import Fix
    from journeymine.uncertainty import Estimates

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

CausalMode = Literal["standardise", "aipw", "none"]
CHOSEN = ("remove_step", "channel_switch")
"""Kinds of fixes about something that customers meet or choose: with `causal="aipw"` its effect is estimated too."""
FEW_VISITS = 100
"""Visits in the scope of a fix below which it is flagged."""


@dataclass(frozen=True, slots=True)
class ScopeOverlap:
    """Share of the journeys a fix is about that start in cells which reach its state, and the cells that do not."""

    share: float
    cells_without: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Care:
    """Causal care of one fix.

    Attributes
    ----------
    e_value, e_value_bound
        Strength of hidden confounding that would explain the effect away, and its limit nearest to no effect.
    rho_break_even
        Rescue factor at which the fix loses its place to the next one, or is worth nothing, whichever is met first;
        nan where it is below even at 1.
    rho_zero
        Rescue factor at which it is worth nothing; 0 where it costs nothing.
    effect_rho
        Effect at rescue factors of 0.5, 0.8 and 1.
    overlap
        Whether the segments it is about reach the state.
    exposure
        AIPW effect on those who met the activity; None where it was not asked for, or too few did.
    control
        Negative control of that effect; None where there is none.
    mixture
        What the past tells about what comes after the state; None without sequences.
    flags
        Of `grade.FLAGS`, in that order.
    grade, reasons
        Evidence, and what stands in the way of a better grade.
    """

    e_value: float
    e_value_bound: float
    rho_break_even: float
    rho_zero: float
    effect_rho: tuple[RescuePoint, ...]
    overlap: ScopeOverlap
    exposure: ExposureEffect | None
    control: NegativeControl | None
    mixture: StateMixture | None
    flags: tuple[str, ...]
    grade: Grade
    reasons: tuple[str, ...]


def care_of(
    counts: ChainCounts,
    drops: DropCounts,
    sequences: SequenceCounts | None,
    fixes: Sequence[Fix],
    states: Sequence[int],
    *,
    base: float,
    effects: Estimates,
    effect_at: Callable[[int, float], float],
    next_best: Floats,
    cost: Floats | None = None,
    segments: Sequence[str] = (),
    causal: CausalMode = "standardise",
    flags: Sequence[Collection[str]] | None = None,
    tested: Collection[str] = (),
    less_is_better: bool = False,
    seed: int = 0,
    facts: StateFacts | None = None,
) -> tuple[tuple[Care, ...], PlaceboResult]:
    """Causal care of a list of fixes, and the placebo of the log.

    Parameters
    ----------
    counts
        First-order chain of the log.
    drops
        Visits and drops of the states of `counts`.
    sequences
        Journeys in the same states; without them there are no mixed states, exposures and controls.
    fixes, states
        The fixes, and the number of the state that each is about, shape (n_fixes,).
    base
        The outcome now, such as the share of journeys that convert.
    effects
        Effects with their intervals, shape (n_fixes,); above 0 is better.
    effect_at
        Effect of fix i at a rescue factor, `effect_at(i, rho)`; does not fall with rho.
    next_best
        Effect of the fix that each has to beat, shape (n_fixes,); nan for the last.
    cost
        What each fix costs in the unit of the effect, shape (n_fixes,); None: nothing.
    segments
        Names of the columns of the cells.
    causal
        "standardise": effects were standardised over the cells; "aipw": also estimate what meeting the activity of
        a removed step or a channel switch does; "none": nothing was held fixed.
    flags
        Flags that others found, by fix; see `grade.FLAGS`.
    tested
        Ids of fixes whose effect was read back from an experiment.
    less_is_better
        Whether a better outcome is a smaller one, such as time.
    seed
        For the random halves of the placebo and the folds of cross-fitting.
    facts
        What is known of the states, where something was already asked of them.

    Returns
    -------
    care, placebo
        One `Care` a fix, in their order.
    """
    if causal not in ("standardise", "aipw", "none"):
        raise OptionError(f"causal is {shown(causal)}, expected 'standardise', 'aipw' or 'none'.")
    placebo = placebo_tests(drops, counts.n_states, seed=seed)
    facts = StateFacts(counts, drops, sequences, seed) if facts is None else facts
    sign = -1.0 if less_is_better else 1.0
    found = []
    for i, (fix, state) in enumerate(zip(fixes, states, strict=True)):
        curve = partial(effect_at, i)
        zero = 0.0 if cost is None else float(cost[i])
        number, reached = _sensitivity(base, effects, i, sign), _reached(counts, facts, fix, state, segments)
        exposure, control = (
            exposure_of(facts, counts, fix, state, segments) if causal == "aipw" else (None, None)
        )
        alone = exposure is not None and not exposure.overlap.comparable
        own = _flags(
            flags[i] if flags is not None else (),
            reached,
            _tells(fix, facts.mixture(state)),
            _visits(drops, state, reached),
            alone=alone,
        )
        evidence = grade(
            fix.kind,
            standardised=(causal != "none" and len(counts.cells) > 1) or exposure is not None,
            overlap_ok=not reached.without.any() and not alone,
            placebo_quiet=placebo.quiet and placebo.n_tested > 0,
            flags=own,
            tested=fix.id in tested,
            control_quiet=None if control is None else control.quiet,
        )
        found.append(
            Care(
                *number,
                rho_break_even=break_even(curve, float(np.fmax(zero, next_best[i]))),
                rho_zero=break_even(curve, zero),
                effect_rho=rescue_table(curve),
                overlap=reached.overlap,
                exposure=exposure,
                control=control,
                mixture=facts.mixture(state),
                flags=own,
                grade=evidence[0],
                reasons=evidence[1],
            )
        )
    return tuple(found), placebo


def exposure_of(
    facts: StateFacts, counts: ChainCounts, fix: Fix, state: int, segments: Sequence[str]
) -> Exposed:
    """Effect of meeting what a fix is about, and its negative control, where customers choose to meet it."""
    return facts.exposure(state, cells_of(counts, fix, segments)) if fix.kind in CHOSEN else (None, None)


def _sensitivity(base: float, effects: Estimates, i: int, sign: float) -> tuple[float, float]:
    limits = sorted((sign * float(effects.lower[i]), sign * float(effects.upper[i])))
    return e_value(base, sign * float(effects.estimate[i]), limits[0], limits[1])


@dataclass(frozen=True, slots=True, eq=False)
class _Reached:
    """Cells that a fix is about, those of them without its state, and both in words."""

    cells: Flags
    without: Flags
    overlap: ScopeOverlap


def _reached(
    counts: ChainCounts, facts: StateFacts, fix: Fix, state: int, segments: Sequence[str]
) -> _Reached:
    cells = cells_of(counts, fix, segments)
    without = facts.overlap(state).in_cells(cells)
    starts = np.bincount(counts.start_cell, counts.start_n, len(cells))
    total = starts[cells].sum()
    names = tuple(", ".join(counts.cells[c]) for c in np.flatnonzero(without))
    return _Reached(
        cells, without, ScopeOverlap(float(1 - starts[without].sum() / total) if total else 1.0, names)
    )


def cells_of(counts: ChainCounts, fix: Fix, segments: Sequence[str]) -> Flags:
    """Which cells a fix is about: those of its segment, else all; shape (n_cells,)."""
    if fix.segment is None:
        return np.ones(len(counts.cells), dtype=bool)
    column, value = cast("tuple[str, str]", fix.segment)  # a Fix makes a pair of every form it takes
    if column not in segments:
        raise OptionError(
            f"segment {shown(column)} of fix {shown(fix.id)} is no column of the cells.",
            found=listed(segments),
        )
    place = list(segments).index(column)
    return np.array([cell[place] == value for cell in counts.cells], dtype=bool)


def _flags(
    given: Collection[str], reached: _Reached, mixed: bool, visits: int, *, alone: bool
) -> tuple[str, ...]:
    own = {
        "positivity": bool(reached.without.any()) or alone,
        "mixed_state": mixed,
        "few_visits": visits < FEW_VISITS,
    }
    every = set(given) | {flag for flag, holds in own.items() if holds}
    unknown = sorted(every - set(FLAGS))
    if unknown:
        raise OptionError(f"flag {shown(unknown[0])} is not known.", found=listed(FLAGS))
    return tuple(flag for flag in FLAGS if flag in every)


def _tells(fix: Fix, mixture: StateMixture | None) -> bool:
    """Whether the state is mixed in a way that the fix is not about: a switch is about the activity before."""
    told_by = set() if mixture is None else set(mixture.told_by)
    return bool(told_by - {"before"} if fix.kind == "channel_switch" else told_by)


def _visits(drops: DropCounts, state: int, reached: _Reached) -> int:
    return int(drops.n_all[(drops.state == state) & reached.cells[drops.cell]].sum())
