"""Estimates of a funnel from its counts: shares for all journeys that enter, losses, median times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.funnel import LATE, OPEN, OVER, REACHED, FunnelCounts, FunnelWaits, targets
from journeymine.paths.funnel import Funnel, nobody
from journeymine.paths.incidence import Incidence, cumulative_incidence, share_from_influence
from journeymine.sql.transitions import BINS_PER_OCTAVE
from journeymine.uncertainty import (
    LEVEL,
    Estimates,
    median_interval,
    quantile_of_normal,
    share_of_units,
    unit_column,
    unit_matrix,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

MICRO = 1e-6
WEIGHT_SCALE = 1_000_000


def incidences(counts: FunnelCounts) -> list[Incidence]:
    """Cumulative incidence of each target, in the order of `counts.funnel.targets`."""
    found = []
    for target in range(counts.n_targets):
        rows = counts.target == target
        found.append(
            cumulative_incidence(
                counts.unit[rows], counts.kind[rows], counts.slice[rows], counts.n[rows], counts.n_units
            )
        )
    return found


def wait_weights(counts: FunnelCounts, found: list[Incidence]) -> list[tuple[Ints, Ints]] | None:
    """How many journeys, in millionths, one that got to a step stands for; None if nothing is open."""
    if not np.any(counts.kind == OPEN):
        return None
    return [
        (part.times, np.rint(part.weight * WEIGHT_SCALE).astype(np.int64))
        for part in found[: len(counts.steps)]
    ]


def estimate_funnel(
    counts: FunnelCounts,
    found: list[Incidence],
    waits: FunnelWaits | None,
    lister: Callable[[int, str], pd.DataFrame] = nobody,
) -> Funnel:
    """Shares with customer-level intervals from counts and the incidences of their targets."""
    k = len(counts.steps)
    kinds = counts.by_kind()
    n = kinds[:k, REACHED]
    lost, still_open = kinds[:k, OVER] + kinds[:k, LATE], kinds[:k, OPEN]
    skipped = np.zeros(k, np.int64)
    if counts.closed:
        lost, still_open = (
            _at_steps(counts, totals) for totals in (kinds[:, OVER] + kinds[:, LATE], kinds[:, OPEN])
        )
        skipped[:-1] = n[:-1] - n[1:] - lost[:-1] - still_open[:-1]
    share, later = _shares(counts, found)
    largest, is_clear = _largest(counts, found, share, later)
    return Funnel(
        counts=counts,
        n=n,
        n_skipped=skipped,
        n_lost=lost,
        n_open=still_open,
        entered=_entered(counts),
        reached=_reached(counts, found, share),
        from_previous=_ratios(counts, found, share, share[1:], list(range(1, k)), first=True),
        loss=_losses(counts, found, share, later),
        wait_s=_waits(waits, k, counts) if waits is not None else None,
        undecided=np.array([_undecided(counts, found, i) for i in range(k)]),
        largest=largest,
        is_clear=is_clear,
        _list=lister,
    )


def _undecided(counts: FunnelCounts, found: list[Incidence], target: int) -> float:
    """Share of which nothing is known; nothing if some were watched until the window had passed."""
    watched = bool(np.any((counts.target == target) & (counts.kind == LATE)))
    return 0.0 if watched else found[target].undecided


def later_targets(counts: FunnelCounts) -> list[int]:
    """Target "went on" of each step but the last."""
    place = {target: i for i, target in enumerate(targets(len(counts.steps), closed=True))}
    k = len(counts.steps)
    return [place.get(("later", i), place[("step", k - 1)]) for i in range(k - 1)]


def _at_steps(counts: FunnelCounts, totals: Ints) -> Ints:
    """Of the journeys at each step, those that did not go on: all that did not, but for those that never came."""
    return np.append(totals[later_targets(counts)] - totals[: len(counts.steps) - 1], 0)


def _shares(counts: FunnelCounts, found: list[Incidence]) -> tuple[Floats, Floats]:
    """Share of each step, and of going on from each by any way; a later share never exceeds an earlier one.

    Each step has its own estimate, so that noise may put a step above the one before it.
    """
    k = len(counts.steps)
    share = np.array([part.share for part in found])
    if not counts.closed:
        return share, np.full(k, np.nan)
    steps = np.minimum.accumulate(share[:k])
    return steps, np.clip(share[later_targets(counts)], steps[1:], steps[:-1])


def _entered(counts: FunnelCounts) -> Estimates:
    enter, every = unit_column(counts.unit_entered), unit_column(counts.unit_journeys)
    share = share_of_units(enter, every, buckets=counts.buckets)
    return Estimates(share.estimate[0], share.lower[0], share.upper[0], share.n[0])


def _by_unit(counts: FunnelCounts, target: int, *kinds: int) -> Floats:
    rows = (counts.target == target) & np.isin(counts.kind, kinds)
    n = counts.n[rows].astype(float)
    return np.asarray(np.bincount(counts.unit[rows], weights=n, minlength=counts.n_units), dtype=float)


def _reached(counts: FunnelCounts, found: list[Incidence], share: Floats) -> Estimates:
    k = len(counts.steps)
    known = np.stack([_by_unit(counts, i, REACHED, OVER, LATE) for i in range(k)], axis=1)
    trials = np.repeat(counts.unit_entered[:, None].astype(float), k, axis=1)
    estimates = share_from_influence(
        share, np.stack([part.influence for part in found[:k]], axis=1), trials, known, buckets=counts.buckets
    )
    if not counts.closed:
        return estimates
    # Who enters is at the first step: that share is 1 by definition.
    lower, upper = estimates.lower.copy(), estimates.upper.copy()
    lower[0] = upper[0] = estimates.estimate[0]
    return Estimates(estimates.estimate, lower, upper, estimates.n)


def _ratios(
    counts: FunnelCounts,
    found: list[Incidence],
    share: Floats,
    onward: Floats,
    target: list[int],
    *,
    first: bool,
) -> Estimates:
    """Shares `onward` of those at the steps 0 ... k - 2; nan for the step without a neighbour."""
    k = len(counts.steps)
    if not counts.closed or k < 2:
        nan = np.full(k, np.nan)
        return Estimates(nan, nan, nan, np.zeros(k, np.int64))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = onward / share[:-1]
        influence = np.stack(
            [(found[t].influence - ratio[i] * found[i].influence) / share[i] for i, t in enumerate(target)],
            axis=1,
        )
    trials = np.stack([_by_unit(counts, i, REACHED) for i in range(k - 1)], axis=1)
    unknown = np.stack(
        [_by_unit(counts, t, OPEN) - _by_unit(counts, i, OPEN) for i, t in enumerate(target)], axis=1
    )
    found_shares = share_from_influence(
        ratio, influence, trials, np.maximum(trials - unknown, 0), buckets=counts.buckets
    )
    place = slice(1, None) if first else slice(None, -1)
    columns = []
    for values in (found_shares.estimate, found_shares.lower, found_shares.upper):
        column = np.full(k, np.nan)
        column[place] = values
        columns.append(column)
    n = np.zeros(k, np.int64)
    n[place] = found_shares.n
    return Estimates(columns[0], columns[1], columns[2], n)


def _losses(counts: FunnelCounts, found: list[Incidence], share: Floats, later: Floats) -> Estimates:
    target = later_targets(counts) if counts.closed else []
    on = _ratios(counts, found, share, later, target, first=False)
    return Estimates(1 - on.estimate, 1 - on.upper, 1 - on.lower, on.n)


def _largest(
    counts: FunnelCounts, found: list[Incidence], share: Floats, later: Floats
) -> tuple[int | None, bool]:
    """The step that loses most journeys, and whether the difference to all others is beyond chance (95 %)."""
    if not counts.closed or len(share) < 2:
        return None, False
    lost = share[:-1] - later
    if not lost.max() > 0:
        return None, False
    order = np.argsort(-lost, kind="stable").tolist()
    own = [found[i].influence - found[t].influence for i, t in enumerate(later_targets(counts))]
    z = quantile_of_normal(LEVEL)

    def noise(i: int) -> float:
        return float(z * np.sqrt(((own[order[0]] - own[i]) ** 2).sum()))

    # Each of the others must be smaller beyond chance, not only the second: it may be the better known one.
    return order[0], all(lost[order[0]] - lost[i] > noise(i) for i in order[1:])


def _waits(waits: FunnelWaits, k: int, counts: FunnelCounts) -> Estimates:
    """Median waits in seconds; intervals by Woodruff's method over units, with the weights of the journeys."""
    total = np.bincount(waits.step, weights=waits.weight, minlength=k)
    scale = np.divide(waits.n, total, out=np.zeros(k), where=total > 0)
    # Weights that add up to the journeys, so that weighting does not make the sample larger.
    own, below = (values * scale[waits.step] for values in (waits.weight, waits.below))
    shape = (counts.n_units, k)
    share = share_of_units(
        unit_matrix(waits.unit, waits.step, below, shape),
        unit_matrix(waits.unit, waits.step, own, shape),
        buckets=counts.buckets,
    )
    found = median_interval(waits.median_us, share, [_histogram(waits, i) for i in range(k)])
    return Estimates(found.estimate * MICRO, found.lower * MICRO, found.upper * MICRO, waits.n)


def _histogram(waits: FunnelWaits, step: int) -> tuple[Floats, Floats]:
    here = waits.bin_step == step
    bins, weight = waits.bin[here], waits.bin_weight[here]
    if not len(bins):
        return np.zeros(1), np.zeros(0)
    full = np.arange(bins.min(), bins.max() + 2)
    filled = np.zeros(len(full) - 1)
    filled[bins - bins.min()] = weight
    return 2.0 ** (full / BINS_PER_OCTAVE) - 1, filled
