"""State occupation from (start, stop] data: Aalen and Johansen's estimator with infinitesimal jackknife intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.markov.occupation.occupation import ROUNDING, StateOccupation, occupation_interval
from journeymine.markov.occupation.occupation_stays import STAYS, Stays, checked_times, read_stays, state_code
from journeymine.uncertainty import Estimates

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    import pandas as pd
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

MAX_CELLS = 30_000_000
"""Numbers that the derivatives may take at once."""


def state_occupation(
    frame: pd.DataFrame,
    id: str,  # noqa: A002 - the words of the literature
    from_state: str,
    to_state: str,
    entry: str,
    exit: str,  # noqa: A002
    times: float | Iterable[float],
    start: Hashable | None = None,
) -> StateOccupation:
    """Estimate the share of subjects in each state at given times, from stays that may be cut on either side.

    The estimator of Aalen and Johansen (1978): the product over the times of moves of I + dA, where dA_ij is the
    share of those at risk in i who move to j. Subjects are at risk over (entry, exit] only, so delayed entry and
    censoring are allowed for. Moves at one time happen at once; who is censored at a time is still at risk then.
    Without the Markov property the shares stay right where censoring is independent (Datta and Satten 2001).
    Intervals: Wilson's formula at the effective size that the infinitesimal jackknife over ids gives.

    Parameters
    ----------
    frame
        One row per stay; it is not changed.
    id, from_state, to_state, entry, exit
        Names of columns. The subject is in `from_state` over (entry, exit], then moves to `to_state`; an empty
        `to_state`, or the same state again, means that no move was seen.
    times
        When the shares are wanted; time begins at 0.
    start
        The state that everybody starts in at time 0: the shares are then the transition probabilities from there.
        None: the shares of the states in which subjects entered, as long as none had moved.

    Raises
    ------
    LogSchemaError
        A column is not in the frame.
    OptionError
        A time is no number, a stay does not last, stays contradict each other, or `start` is no state.
    NotEnoughDataError
        The frame has no rows.

    Examples
    --------
    Of four who are well two fall ill, one at 1 and one at 3; one is lost sight of at 2:

    >>> import pandas as pd
    >>> stays = pd.DataFrame({"who": [1, 2, 3, 4], "state": "well", "next": ["ill", None, "ill", None],
    ...                       "from": 0, "to": [1, 2, 3, 3]})
    >>> found = state_occupation(stays, "who", "state", "next", "from", "to", times=[1, 3], start="well")
    >>> found.to_frame()[["time", "state", "estimate", "n"]].round(3).values.tolist()
    [[1.0, 'ill', 0.25, 4], [1.0, 'well', 0.75, 4], [3.0, 'ill', 0.625, 3], [3.0, 'well', 0.375, 3]]
    """
    when = checked_times(times)
    names = {"id": id, "from_state": from_state, "to_state": to_state, "entry": entry, "exit": exit}
    stays = read_stays(frame, names)
    given = None if start is None else state_code(start, stays.states)
    moves = _moves(stays)
    initial, enters = _initial(stays, moves, given)
    path = _product(moves, initial)
    share = path[np.searchsorted(moves.block_time, when, side="right")]
    known = _known(stays, when)
    plain = _plain_shares(stays, when, given)
    share = np.where(plain[1][:, None], plain[0], share)
    variance = _variance(stays, moves, path, when, enters, initial)
    share, over = _until_observed(share, stays, when)
    lower, upper = occupation_interval(
        share, variance, stays.n_subjects, stays.n_subjects, known[:, None].astype(float)
    )
    n = np.broadcast_to(known[:, None], share.shape)
    notes = (*over, *_vanished(stays), *_unseen(stays, moves, path, when))
    return StateOccupation(
        when, stays.states, Estimates(share, lower, upper, n), stays.n_subjects, notes=notes
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Moves:
    """Moves that occur, one group for each time, source and target, sorted by time.

    A block is the groups of one time; a row is the groups of one time and source.
    """

    time: Floats
    source: Ints
    target: Ints
    n: Floats
    at_risk: Floats
    of_stay: Ints
    block_time: Floats
    block_begin: Ints

    @property
    def rate(self) -> Floats:
        """Share of those at risk who move."""
        return self.n / self.at_risk


def _moves(stays: Stays) -> _Moves:
    moved = np.flatnonzero(stays.target != STAYS)
    k = len(stays.states)
    pair = stays.source[moved] * k + stays.target[moved]
    order = np.lexsort((pair, stays.exit[moved]))
    times, pairs = stays.exit[moved][order], pair[order]
    new = np.ones(len(order), bool)
    new[1:] = (np.diff(times) > 0) | (np.diff(pairs) != 0)
    begin = np.flatnonzero(new)
    of_stay = np.full(len(stays.subject), -1, dtype=np.int64)
    of_stay[moved[order]] = np.cumsum(new) - 1
    time, source = times[begin], pairs[begin] // k
    n = np.diff(np.append(begin, len(order))).astype(float)
    block_time, block_begin = np.unique(time, return_index=True)
    return _Moves(
        time=time,
        source=source,
        target=pairs[begin] % k,
        n=n,
        at_risk=_at_risk(stays, source, time),
        of_stay=of_stay,
        block_time=block_time,
        block_begin=np.append(block_begin, len(begin)),
    )


def _at_risk(stays: Stays, source: Ints, time: Floats) -> Floats:
    """Subjects in a state just before a time: entry < time <= exit."""
    found = np.zeros(len(time))
    for state in np.unique(source).tolist():
        here, own = source == state, stays.source == state
        entered = np.searchsorted(np.sort(stays.entry[own]), time[here], side="left")
        left = np.searchsorted(np.sort(stays.exit[own]), time[here], side="left")
        found[here] = entered - left
    return found


def _initial(stays: Stays, moves: _Moves, given: int | None) -> tuple[Floats, NDArray[np.bool_]]:
    """Shares at time 0, and the stays that they are estimated from: all that began before anybody moved."""
    k = len(stays.states)
    if given is not None:
        return np.eye(k)[given], np.zeros(len(stays.subject), bool)
    first_move = moves.block_time[0] if len(moves.block_time) else np.inf
    enters = stays.first & (stays.entry < first_move)
    n = np.bincount(stays.source[enters], minlength=k)
    return n / n.sum(), enters


def _product(moves: _Moves, initial: Floats) -> Floats:
    """Shares before the first and after each time of moves, shape (n_blocks + 1, K)."""
    path = np.empty((len(moves.block_time) + 1, len(initial)))
    path[0] = initial
    now = initial.tolist()
    source, target, rate = moves.source.tolist(), moves.target.tolist(), moves.rate.tolist()
    bounds = moves.block_begin.tolist()
    for block in range(len(moves.block_time)):
        groups = range(bounds[block], bounds[block + 1])
        flows = [now[source[g]] * rate[g] for g in groups]
        for g, flow in zip(groups, flows, strict=True):
            now[source[g]] -= flow
            now[target[g]] += flow
        path[block + 1] = now
    return np.clip(path, 0.0, 1.0)


def _variance(
    stays: Stays, moves: _Moves, path: Floats, when: Floats, enters: NDArray[np.bool_], initial: Floats
) -> Floats:
    """Infinitesimal jackknife: squares of what each id adds to the deviation of each share, shape (T, K)."""
    n_times, k, n = len(when), len(stays.states), stays.n_subjects
    rows = _rows(moves)
    weight = path[:-1][rows.block, rows.source] / moves.at_risk[rows.begin]
    reach = _reach(stays, moves, rows)
    size = max(1, MAX_CELLS // max(1, 2 * len(moves.time) * k))
    out = np.zeros((n_times, k))
    for begin in range(0, n_times, size):
        chunk = when[begin : begin + size]
        gain, drift, first = _derivatives(moves, rows, chunk, k)
        gain *= weight[rows.of_group][:, None, None]
        total = np.zeros((len(weight) + 1, len(chunk), k))
        np.cumsum(drift * weight[:, None, None], axis=0, out=total[1:])
        for t in range(len(chunk)):
            for state in range(k):
                own = np.append(gain[:, t, state], 0.0)[moves.of_stay]
                own = own - total[reach[1], t, state] + total[reach[0], t, state]
                if enters.any():
                    own += (
                        enters
                        * (first[t, :, state][stays.source] - initial @ first[t, :, state])
                        / enters.sum()
                    )
                out[begin + t, state] = (np.bincount(stays.subject, weights=own, minlength=n) ** 2).sum()
    return out


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows of dA that are not empty, sorted by source and time."""

    begin: Ints
    source: Ints
    block: Ints
    time: Floats
    of_group: Ints


def _rows(moves: _Moves) -> _Rows:
    block = np.repeat(np.arange(len(moves.block_time)), np.diff(moves.block_begin))
    order = np.lexsort((block, moves.source))
    new = np.ones(len(order), bool)
    new[1:] = (np.diff(moves.source[order]) != 0) | (np.diff(block[order]) != 0)
    of_group = np.empty(len(order), dtype=np.int64)
    of_group[order] = np.cumsum(new) - 1
    begin = order[new]
    return _Rows(begin, moves.source[begin], block[begin], moves.time[begin], of_group)


def _reach(stays: Stays, moves: _Moves, rows: _Rows) -> tuple[Ints, Ints]:
    """Places in the rows of its state between which a stay is at risk."""
    low, high = np.zeros((2, len(stays.subject)), dtype=np.int64)
    for state in range(len(stays.states)):
        here = np.flatnonzero(rows.source == state)
        own = stays.source == state
        if not len(here):
            continue
        times = rows.time[here]
        low[own] = here[0] + np.searchsorted(times, stays.entry[own], side="right")
        high[own] = here[0] + np.searchsorted(times, stays.exit[own], side="right")
    return low, high


def _derivatives(moves: _Moves, rows: _Rows, when: Floats, k: int) -> tuple[Floats, Floats, Floats]:
    """How the shares at some times change with each move and with each row of dA; walks back in time.

    Returns
    -------
    gain
        Of a move from i to j at u: row j less row i of P(u, t), shape (n_groups, T, K); 0 after t.
    drift
        Of a row: the gains of its groups, each times its rate, shape (n_rows, T, K).
    first
        P(0, t), shape (T, K, K).
    """
    gain = np.zeros((len(moves.time), len(when), k))
    drift = np.zeros((len(rows.begin), len(when), k))
    onward = np.broadcast_to(np.eye(k), (len(when), k, k)).copy()
    first_target = np.searchsorted(when, moves.block_time, side="left").tolist()
    source, target, rate = moves.source.tolist(), moves.target.tolist(), moves.rate.tolist()
    of_group, bounds = rows.of_group.tolist(), moves.block_begin.tolist()
    for block in range(len(moves.block_time) - 1, -1, -1):
        now = first_target[block]
        if now == len(when):
            continue
        groups = range(bounds[block], bounds[block + 1])
        for g in groups:
            gain[g, now:] = onward[now:, target[g]] - onward[now:, source[g]]
        for g in groups:
            step = rate[g] * gain[g, now:]
            drift[of_group[g], now:] += step
            onward[now:, source[g]] += step
    return gain, drift, onward


def _known(stays: Stays, when: Floats) -> Ints:
    """Ids whose state is known at each time: under observation then, or in a state that is never left."""
    same = np.diff(stays.subject) == 0
    touch = np.sort(stays.exit[:-1][same & (stays.entry[1:] == stays.exit[:-1])])
    leaves = np.isin(np.arange(len(stays.states)), stays.source)
    gone = (stays.target != STAYS) & ~np.append(leaves, True)[stays.target]
    entered = np.searchsorted(np.sort(stays.entry), when, side="right")
    left = np.searchsorted(np.sort(stays.exit), when, side="left")
    both = np.searchsorted(touch, when, side="right") - np.searchsorted(touch, when, side="left")
    absorbed = np.searchsorted(np.sort(stays.exit[gone]), when, side="left")
    return np.asarray(entered - left - both + absorbed, dtype=np.int64)


def _plain_shares(stays: Stays, when: Floats, given: int | None) -> tuple[Floats, NDArray[np.bool_]]:
    """Shares as counted, and the times up to which every id was watched from 0 on: without a product's rounding."""
    k, n = len(stays.states), stays.n_subjects
    before = np.bincount(stays.source[stays.first], minlength=k).astype(float)
    counted = np.broadcast_to(before, (len(when), k)).copy()
    moved = stays.target != STAYS
    for state in range(k):
        arrivals = np.sort(stays.exit[moved & (stays.target == state)])
        departures = np.sort(stays.exit[moved & (stays.source == state)])
        counted[:, state] += np.searchsorted(arrivals, when, side="right")
        counted[:, state] -= np.searchsorted(departures, when, side="right")
    follow = np.concatenate([(stays.subject[1:] == stays.subject[:-1]), [False]])
    gap = follow & (np.append(stays.entry[1:], 0.0) > stays.exit)
    leaves = np.append(np.isin(np.arange(k), stays.source), True)
    lost = ~follow & leaves[stays.target]
    ends = stays.exit[lost | gap]
    full = np.isin(0.0, stays.entry[stays.first]) & (stays.entry[stays.first] == 0).all()
    if given is not None:
        full = full & bool(before[given] == n)
    # A subject that is lost sight of at a time is still where it was at that time, unless it moved.
    last = ends.min() if len(ends) else np.inf
    return counted / n, np.asarray(full & (when <= last))


def _until_observed(share: Floats, stays: Stays, when: Floats) -> tuple[Floats, tuple[str, ...]]:
    """Nothing is known after the last observation, unless nobody is left who could move."""
    last = float(stays.exit.max())
    leaves = np.isin(np.arange(len(stays.states)), stays.source)
    unknown = (when > last) & (share[:, leaves].sum(axis=1) > ROUNDING)
    if not unknown.any():
        return share, ()
    note = f"nobody was observed after {last:g}: nothing is said about later times."
    return np.where(unknown[:, None], np.nan, share), (note,)


def _vanished(stays: Stays) -> tuple[str, ...]:
    """Ids whose last stay ends with a move into a state that others leave: their stay there is missing."""
    last = np.append(stays.subject[1:] != stays.subject[:-1], True)
    into = stays.target[last & (stays.target != STAYS)]
    n = int(np.isin(into, stays.source).sum())
    if not n:
        return ()
    seen = f"{n:,} ids are not seen after they moved into a state that others leave"
    return (f"{seen}: if they were watched there, add their last stays, with to_state missing.",)


def _unseen(stays: Stays, moves: _Moves, path: Floats, when: Floats) -> tuple[str, ...]:
    """States in which some should be at a time, though nobody is observed there."""
    out: list[str] = []
    end = min(float(when[-1]), float(stays.exit.max()))
    for state in np.unique(stays.source).tolist():
        own = stays.source == state
        entry, leave = np.sort(stays.entry[own]), np.sort(stays.exit[own])
        # Nobody is there after the i-th exit if no more than i have entered by then.
        empty = np.append(
            0.0, leave[np.searchsorted(entry, leave, side="right") == np.arange(1, len(leave) + 1)]
        )
        if entry[0] == 0:
            empty = empty[1:]
        held = path[np.searchsorted(moves.block_time, empty, side="right"), state] > ROUNDING
        if (held & (empty < end)).any():
            since = float(empty[held & (empty < end)][0])
            out.append(
                f"nobody was observed in {stays.states[state]!r} for a while after {since:g}, though some were "
                "there: moves in that time are unknown."
            )
    return tuple(out)
