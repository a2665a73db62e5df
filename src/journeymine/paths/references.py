"""The reference of a comparison: which groups cannot be told from the best, and when a step was broken.

Not the bare minimum of noisy rates, which always flatters: the groups that the data cannot tell from the best
one are pooled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.paths.row_tests import GroupedDrops, RowTest, comparable_groups, expected_drops, row_test

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

LEVEL = 0.01
"""Stricter than the test of the row: only rows that already differ come here, and each step could split noise."""
MIN_PER_PERIOD = 10.0
MOST_PERIODS = 26
MAX_WINDOWS = 4
MAX_WINDOW_SHARE = 0.9
"""A run may be most of the time, so that a change is seen as a whole and not cut into pieces that look like incidents;
what is too long for an incident is for the caller to say."""


def relative_rates(data: GroupedDrops, n_groups: int) -> Floats:
    """Observed over expected drops of each group, shrunk towards 1 (empirical Bayes, gamma-Poisson)."""
    total = expected_drops(data, n_groups)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(total.expected > 0, total.observed / total.expected, 1.0)
    weight = total.expected
    between = (weight * (ratio - 1) ** 2).sum() - (len(ratio) - 1)
    scale = weight.sum() - (weight**2).sum() / max(weight.sum(), 1e-12)
    variance = max(between / scale, 0.0) if scale > 0 else 0.0
    prior = 1 / variance if variance > 0 else np.inf
    return np.asarray(
        np.ones(n_groups) if np.isinf(prior) else (total.observed + prior) / (total.expected + prior)
    )


def groups_like_the_best(data: GroupedDrops, n_groups: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Groups that cannot be told from the best one, and groups that can and are worse.

    Groups are taken in the order of their shrunk rates; the reference grows as long as all groups in it
    together pass the test of being alike. Groups with too few visits are in neither.

    Returns
    -------
    reference, worse
        Boolean, shape (n_groups,).
    """
    usable = comparable_groups(data, n_groups)
    reference, worse = np.zeros(n_groups, bool), np.zeros(n_groups, bool)
    rates = relative_rates(data, n_groups)
    order = [g for g in np.lexsort((np.arange(n_groups), rates)) if usable[g]]
    for i, group in enumerate(order):
        trial = reference.copy()
        trial[group] = True
        test = row_test(data.only(trial[data.group]), n_groups) if i else None
        if test is not None and test.p_value < LEVEL:
            worse[order[i:]] = True
            break
        reference = trial
    return reference, worse


def merged_slices(data: GroupedDrops, n_slices: int, needed: float) -> Ints:
    """Neighbouring slices of time joined until each holds `needed` expected drops and stays: new group by slice."""
    expected = expected_drops(data, n_slices)
    drops, stays = expected.expected, expected.n - expected.expected
    new, group, have_drops, have_stays = np.zeros(n_slices, np.int64), 0, 0.0, 0.0
    for i in range(n_slices):
        if have_drops >= needed and have_stays >= needed:
            group, have_drops, have_stays = group + 1, 0.0, 0.0
        new[i] = group
        have_drops += drops[i]
        have_stays += stays[i]
    if group and (have_drops < needed or have_stays < needed):
        new[new == group] = group - 1
    return new


def period_test(data: GroupedDrops, n_slices: int) -> RowTest | None:
    """Test whether periods differ; short slices are joined until each holds enough to be compared."""
    needed = max(MIN_PER_PERIOD, float(data.drops.sum()) / MOST_PERIODS)
    return row_test(data.regrouped(merged_slices(data, n_slices, needed)), n_slices)


def worst_window(observed: Floats, expected: Floats, allowed: NDArray[np.bool_]) -> tuple[int, int] | None:
    """The run of slices whose drop-out stands out most above the others: (first, past the last).

    The likelihood ratio of Kulldorff's scan statistic (1997), over all runs of allowed slices that hold at most
    nine tenths of the expected drops.
    """
    total_observed, total_expected = float(observed[allowed].sum()), float(expected[allowed].sum())
    if total_expected <= 0 or total_observed <= 0:
        return None
    best, found = 0.0, None
    expected = expected * total_observed / total_expected
    for first in range(len(observed)):
        if not allowed[first]:
            continue
        stop = first + int(np.argmin(allowed[first:])) if not allowed[first:].all() else len(observed)
        inside_o = np.cumsum(observed[first:stop])
        inside_e = np.cumsum(expected[first:stop])
        score = _scan_score(inside_o, inside_e, total_observed)
        score[inside_e > MAX_WINDOW_SHARE * total_observed] = 0.0
        at = int(np.argmax(score))
        if score[at] > best + 1e-9:
            best, found = float(score[at]), (first, first + at + 1)
    return found


def _scan_score(inside: Floats, expected: Floats, total: float) -> Floats:
    """Log likelihood ratio of an elevated rate inside; 0 where it is not elevated."""
    outside, expected_outside = total - inside, total - expected
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.where(inside > 0, inside * np.log(inside / expected), 0.0)
        second = np.where(outside > 0, outside * np.log(outside / expected_outside), 0.0)
    score = first + second
    elevated = inside * np.maximum(expected_outside, 1e-12) > outside * expected
    return np.asarray(np.where(elevated & np.isfinite(score), score, 0.0))


def broken_periods(data: GroupedDrops, n_slices: int) -> list[tuple[int, int]]:
    """Periods in which drop-out stood above the rest of the time, worst first; neighbours are joined.

    Periods are taken out one by one until the rest of the time passes the test of being alike.

    Parameters
    ----------
    data
        Visits grouped by slice of time; the slices are fine enough to say when a period begins and ends.
    """
    total = expected_drops(data, n_slices)
    allowed, windows = np.ones(n_slices, bool), list[tuple[int, int]]()
    while len(windows) < MAX_WINDOWS:
        window = worst_window(total.observed, total.expected, allowed)
        if window is None:
            break
        windows.append(window)
        allowed[window[0] : window[1]] = False
        rest = data.only(allowed[data.group])
        if not len(rest.n):
            break
        test = period_test(rest, n_slices)
        if test is None or test.p_value >= LEVEL:
            break
    return joined(windows)


def joined(windows: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Windows that touch become one; the order of the first of each stays.

    Examples
    --------
    >>> joined([(5, 8), (1, 2), (8, 9)])
    [(5, 9), (1, 2)]
    """
    merged: list[tuple[int, int]] = []
    for first, last in windows:
        touching = [w for w in merged if w[0] <= last and first <= w[1]]
        whole = (min([first, *(w[0] for w in touching)]), max([last, *(w[1] for w in touching)]))
        at = merged.index(touching[0]) if touching else len(merged)
        merged = [w for w in merged if w not in touching]
        merged.insert(at, whole)
    return merged
