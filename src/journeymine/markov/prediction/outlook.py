"""What the next days bring to journeys that wait in a state: the goal, dropping out, and what silence tells.

A customer who has been silent for some time is less likely to move on at all. Given that nothing happened for w, the
next move has the density q_ij(w + s) / S_i(w), where S_i(w) is the probability of waiting longer; from there on the
journey goes on as any other. A journey is known to be over after `idle` of silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.markov.timing.renewal import Grid, cumulative, grid_of, passage, spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.markov.timing.semi_kernel import Kernel

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

PER_OCTAVE = 8
MOST_EXACT = 48
"""More different silences than this are read off a grid."""
SECOND_US = 1_000_000.0
MICRO = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """By silence and state, shape (w, k); nan where nobody was seen to be silent for so long.

    Attributes
    ----------
    conversion
        Probability of the goal in the end.
    events, seconds
        Expected events (the goal included) and seconds from now to the goal, of the journeys that reach it.
    next, next_share
        Likeliest next column (the k states, the goal, dropping out), and its probability.
    goal, drop
        Probability that the goal is reached, or the journey is known to be over, within the horizon; nan without one.
    stays
        Probability of a silence as long as this.
    """

    conversion: Floats
    events: Floats
    seconds: Floats
    next: Ints
    next_share: Floats
    goal: Floats
    drop: Floats
    stays: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Ahead:
    """Probability, by each time of a grid, that a visit to each column has led to the goal, or shown to be the end.

    Attributes
    ----------
    grid
        The times.
    goal, drop
        As `renewal.cumulative` reads them off, up to the horizon, shape (k + 2, n - 1): the states, the goal, dropping
        out.
    goal_mass, drop_mass
        Plain sums of the masses of the grid, shape (k + 2, n).
    """

    grid: Grid
    goal: Floats
    drop: Floats
    goal_mass: Floats
    drop_mass: Floats


@dataclass(frozen=True, slots=True, eq=False)
class InTheEnd:
    """What each column comes to in the end, shape (k + 2,): conversion, and events and seconds to come times it."""

    conversion: Floats
    events: Floats
    seconds: Floats


def look_ahead(kernel: Kernel, horizon_us: int) -> Ahead:
    """Solve the renewal equations up to a horizon."""
    k = kernel.waits.n_states
    grid = grid_of(float(horizon_us), k)
    solved = passage(kernel.on_grid(grid), np.zeros(k))
    read = [_with_ends(cumulative(mass), i) for i, mass in enumerate((solved.goal, solved.drop))]
    plain = [_with_ends(np.cumsum(mass, axis=1), i) for i, mass in enumerate((solved.goal, solved.drop))]
    return Ahead(grid, read[0], read[1], plain[0], plain[1])


def _with_ends(by_state: Floats, own: int) -> Floats:
    ends = np.zeros((2, by_state.shape[1]))
    ends[own] = 1.0
    return np.concatenate([by_state, ends])


def outlook(kernel: Kernel, end: InTheEnd, waited_us: Floats, ahead: Ahead | None = None) -> Outlook:
    """What is to be expected after silences.

    Parameters
    ----------
    kernel
        Where visits lead and how long that takes.
    end
        What each state comes to in the end.
    waited_us
        Silences, from 0 to below `idle`, shape (w,).
    ahead
        The time from now on within which something is to happen.
    """
    parts = [_after(kernel, end, float(waited), ahead) for waited in waited_us]
    columns = (np.array([part[i] for part in parts]).reshape(-1, kernel.waits.n_states) for i in range(8))
    conversion, events, seconds, best, share, goal, drop, stays = columns
    return Outlook(conversion, events, seconds, best.astype(np.int64), share, goal, drop, stays)


def next_columns(kernel: Kernel, waited_us: float) -> Floats:
    """Distribution of the next step after a silence, shape (k, k + 2)."""
    k = kernel.waits.n_states
    edge, mass, _, _ = _left(kernel, waited_us)
    left = np.zeros((k, k + 2))
    np.add.at(left, (kernel.edges[edge, 0], kernel.edges[edge, 1]), mass)
    return np.apply_along_axis(lambda row: row / row.sum() if row.sum() > 0 else row * np.nan, 1, left)


def silences(longest_us: float) -> Floats:
    """Silences between which outlooks are read off linearly: 0, then eighths of octaves of seconds.

    Examples
    --------
    >>> silences(1.2e6).round(-3).tolist()
    [0.0, 91000.0, 189000.0, 297000.0, 414000.0, 542000.0, 682000.0, 834000.0, 1000000.0, 1181000.0, 1378000.0]
    """
    n = int(np.ceil(PER_OCTAVE * np.log2(longest_us / SECOND_US + 1)))
    return np.asarray((2.0 ** (np.arange(n + 1) / PER_OCTAVE) - 1) * SECOND_US)


def between(waited_us: Floats, values: Floats) -> tuple[Ints, Floats]:
    """How silences lie between those that are known: the place before each, and the way to the next.

    Examples
    --------
    >>> before, way = between(np.array([5.0, 0.0, 6.0]), np.array([0.0, 5.0, 7.0]))
    >>> before.tolist(), way.tolist()
    ([1, 0, 1], [0.0, 0.0, 0.5])
    """
    if len(values) == 1:
        return np.zeros(len(waited_us), dtype=np.int64), np.zeros(len(waited_us))
    before = np.searchsorted(values, waited_us, side="right").clip(1, len(values) - 1) - 1
    way = (waited_us - values[before]) / (values[before + 1] - values[before])
    return before + (way >= 1), np.where(way >= 1, 0.0, way)


def _after(kernel: Kernel, end: InTheEnd, waited: float, ahead: Ahead | None) -> tuple[Floats, ...]:
    """The fields of an outlook after one silence, each of shape (k,)."""
    k = kernel.waits.n_states
    source, column = kernel.edges[:, 0], kernel.edges[:, 1]
    edge, mass, low, high = _left(kernel, waited)
    total = np.bincount(edge, weights=mass, minlength=len(source))
    time = np.bincount(edge, weights=mass * (low + high) / 2 * MICRO, minlength=len(source))
    value, events, seconds = end.conversion[column], end.events[column], end.seconds[column]

    def by_state(part: NDArray[Any]) -> Floats:
        return np.bincount(source, weights=part, minlength=k).astype(float)

    stays = by_state(total)
    won = by_state(total * value)
    share = _given(total, stays[source])
    best = _best(source, column, share, k)
    out = [
        _given(won, stays),
        _given(by_state(total * (value + events)), won),
        _given(by_state(time * value + total * seconds), won),
        np.where(best >= 0, column[best], -1).astype(float),
        np.where(best >= 0, share[best], np.nan),
    ]
    if ahead is None:
        within = [np.full(k, np.nan)] * 2
    else:
        step = ahead.grid.step_us
        moves = spread(edge, mass, low / step, high / step, len(source), ahead.grid.size)
        within = [
            _given(_by_horizon(moves, source, column, by, k), stays)
            for by in (ahead.goal_mass, ahead.drop_mass)
        ]
    return (*out, *within, stays)


def _best(source: Ints, column: Ints, share: Floats, k: int) -> Ints:
    """Likeliest edge of each state, the first column of several; -1 without one."""
    order = np.lexsort((column, -np.nan_to_num(share, nan=-1.0), source))
    first = np.searchsorted(source[order], np.arange(k))
    found = np.full(k, -1, dtype=np.int64)
    has = (first < len(source)) & (source[order][first.clip(max=len(source) - 1)] == np.arange(k))
    found[has] = order[first[has]]
    return np.where((found >= 0) & np.isfinite(share[found]), found, -1)


def _by_horizon(moves: Floats, source: Ints, column: Ints, by: Floats, k: int) -> Floats:
    """Probability that the next move and what follows it fit into the horizon, times that of the silence.

    The convolution of both at the last four times of the grid, from which the horizon is read off as from any curve.
    """
    last = by.shape[1] - 1
    curve = np.zeros((k, 4))
    for place, t in enumerate(range(last - 3, last + 1)):
        through = (moves[:, : t + 1] * by[column, t::-1]).sum(axis=1)
        curve[:, place] = np.bincount(source, weights=through, minlength=k)
    before, here, after = np.diff(curve, axis=1).T
    return np.asarray(curve[:, 2] - np.minimum(np.minimum(before, here), after).clip(min=0.0) / 2)


def _left(kernel: Kernel, waited: float) -> tuple[Ints, Floats, Floats, Floats]:
    """What is left of the kernel after a silence: edge, probability, shortest and longest time still to wait."""
    entry, mass, low, high = kernel.pieces()
    edge = kernel.edge[entry]
    mass = mass * kernel.share[edge]
    if waited <= 0:
        return edge, mass, low, high
    width = high - low
    part = np.divide(high - waited, width, out=(low > waited).astype(float), where=width > 0)
    mass = mass * np.clip(part, 0.0, 1.0)
    kept = mass > 0
    return edge[kept], mass[kept], np.maximum(low - waited, 0.0)[kept], (high - waited)[kept]


def _given(joint: NDArray[Any], chance: Floats) -> Floats:
    """Share; nan where nobody was seen to be silent for so long."""
    share: Floats = np.divide(joint, chance, out=np.full(len(chance), np.nan), where=chance > 0)
    return share
