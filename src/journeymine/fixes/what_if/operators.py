"""What fixes do to the rows of a chain: one function a kind of fix.

Rows go over the k states, then the goal, then dropping out; every function takes stacks of chains, shape
(..., k, k + 2). Three different questions have three names: a step can be *bypassed* with its drop-outs (`remove_step`
with a rescue factor of 0: conversion stays), *removed with its drop-outs rescued* (`remove_step`), or lost, as in the
*removal effect* of attribution, which is the opposite of a fix and not here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.fixes.what_if.row_change import RowChange

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


def drop_saved(moves: Floats, rows: Ints, saved: Floats) -> RowChange:
    """Fewer leave: p_drop -> (1 - saved) p_drop, the freed mass goes to the other exits in proportion.

    Parameters
    ----------
    saved
        Share of the drop-outs that is saved, shape (..., r); negative: more are lost.
    """
    return shrink(moves, rows, np.array([moves.shape[-1] - 1]), saved)


def shrink(moves: Floats, rows: Ints, columns: Ints, by: Floats) -> RowChange:
    """Exits are made rarer by the share `by`, shape (..., r); the freed mass goes to the other exits in proportion.

    Rows that have no other exit stay: there is nobody to follow.
    """
    own = moves[..., rows, :]
    others = own.copy()
    others[..., columns] = 0.0
    rest = others.sum(axis=-1, keepdims=True)
    freed = own[..., columns].sum(axis=-1) * by
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.where(rest > 0, others / rest * freed[..., None], 0.0)
    less = own[..., columns] * by[..., None]
    change[..., columns] = np.where(rest > 0, -less, 0.0)
    return RowChange(rows, change)


def remove_step(moves: Floats, start: Floats, step: Ints, rows: Ints, share: float, rho: float) -> RowChange:
    """A step is taken away: who would have entered it goes where its other exits lead.

    With its visits to itself left out, `drop` is its drop-out share and f its other exits, scaled to 1; entries p into
    the step become p [(1 - drop + rho drop) f + (1 - rho) drop at dropping out].

    Parameters
    ----------
    start
        Shares of starts over the same columns, shape (..., k + 2): journeys may start with the step.
    step
        States of the step, by attempt.
    rows
        States that lead into the step.
    share
        Share of the entries that is spared the step.
    rho
        Rescue factor; 0 is a bypass.
    """
    instead = _instead(moves, step, rho)
    entries = moves[..., rows, :][..., step] * share
    # Journeys cannot be sent back into the step they are spared: a step nobody leaves stays as it is.
    leads_on = instead.sum(axis=-1) > 0
    entries = entries * leads_on[..., None, :]
    change = entries @ instead
    change[..., step] -= entries
    first = start[..., step] * share * leads_on
    began = np.einsum("...s,...sc->...c", first, instead)
    began[..., step] -= first
    return RowChange(rows, change, start=began)


def _instead(moves: Floats, step: Ints, rho: float) -> Floats:
    """Where those spared each state of the step go, shape (..., s, k + 2); 0 where it leads nowhere else."""
    out = moves.shape[-1] - 1
    row = moves[..., step, :].copy()
    row[..., step] = 0.0
    total = row.sum(axis=-1, keepdims=True)
    row = np.divide(row, total, out=np.zeros_like(row), where=total > 0)
    drop = row[..., out].copy()
    row[..., out] = 0.0
    on = row.sum(axis=-1)
    kept = np.where(on > 0, 1 - drop + rho * drop, 0.0)
    found = np.divide(row, on[..., None], out=np.zeros_like(row), where=on[..., None] > 0) * kept[..., None]
    found[..., out] = np.where(on > 0, (1 - rho) * drop, 0.0)
    return np.asarray(found)


def stop_loop(moves: Floats, rows: Ints, columns: Ints, share: float) -> RowChange:
    """Fewer go round: the edge from `rows` to `columns` is made rarer by a share, other exits take it in proportion.

    On states without memory, stopping a visit to the state itself changes nothing: v_i (h_i - h_i) / (1 - p_ii) = 0.
    States must carry the attempt number for a loop to be worth something.
    """
    return shrink(moves, rows, columns, np.full((*moves.shape[:-2], len(rows)), share))


def as_first_attempt(moves: Floats, base: Ints, attempt: Ints, activities: Ints, part: float) -> RowChange:
    """Later attempts at some activities go as the first one does.

    Shares of the exits, by activity, are those of the first attempt; to which attempt of an activity they lead is as
    now.

    Parameters
    ----------
    base, attempt
        Activity and attempt number of each state, shape (k,).
    activities
        Activities of the loop.
    part
        Share of the way to the first attempt.
    """
    rows = np.flatnonzero(np.isin(base, activities) & (attempt > 1))
    change = np.zeros((*moves.shape[:-2], len(rows), moves.shape[-1]))
    for place, row in enumerate(rows.tolist()):
        first = int(np.flatnonzero((base == base[row]) & (attempt == 1))[0])
        change[..., place, :] = part * (_led(moves, base, attempt, first, row) - moves[..., row, :])
    return RowChange(rows, change)


def _led(moves: Floats, base: Ints, attempt: Ints, first: int, row: int) -> Floats:
    """Row `first` by activity, each activity's share given to the attempts that `row` leads to."""
    model, own = moves[..., first, :], moves[..., row, :]
    led = model.copy()
    k = len(base)
    for activity in np.unique(base[(model[..., :k] > 0).reshape(-1, k).any(axis=0)]).tolist():
        states = np.flatnonzero(base == activity)
        total = model[..., states].sum(axis=-1, keepdims=True)
        seen = own[..., states].sum(axis=-1, keepdims=True)
        # Where the later attempt was never seen to lead there, the attempt of the same number is the next best guess.
        next_best = (np.minimum(attempt[row], attempt[states].max()) == attempt[states]).astype(float)
        shares = np.divide(
            own[..., states],
            seen,
            out=np.broadcast_to(next_best, own[..., states].shape).copy(),
            where=seen > 0,
        )
        led[..., states] = total * shares
    return np.asarray(led)


def reroute(moves: Floats, rows: Ints, source: Ints, to: Ints, share: Floats, attempt: Ints) -> RowChange:
    """A share of those who go to `source` is sent to `to` instead.

    Parameters
    ----------
    source, to
        Columns that lose and that gain; `to` are the attempts at one activity.
    share
        Shape (..., r).
    attempt
        Attempt number of each state: a first visit is sent to the first attempt, unless the row leads elsewhere.
    """
    own = moves[..., rows, :]
    change = np.zeros_like(own)
    moved = own[..., source] * share[..., None]
    change[..., source] = -moved
    seen = own[..., to].sum(axis=-1, keepdims=True)
    first = (attempt[to] == attempt[to].min()).astype(float)
    shares = np.divide(
        own[..., to], seen, out=np.broadcast_to(first, own[..., to].shape).copy(), where=seen > 0
    )
    change[..., to] += shares * moved.sum(axis=-1, keepdims=True)
    return RowChange(rows, change)


def passes_more(moves: Floats, rows: Ints, ratio: Floats) -> RowChange:
    """A shorter wait: the share that passes is multiplied by `ratio`, shape (..., r), the others leave.

    Nobody can pass more than surely: the share is capped at 1.
    """
    own = moves[..., rows, :]
    passing = 1 - own[..., -1]
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(passing > 0, np.minimum(passing * ratio, 1.0) / passing, 1.0)
    change = own * (factor[..., None] - 1)
    change[..., -1] = -change[..., :-1].sum(axis=-1)
    return RowChange(rows, change)
