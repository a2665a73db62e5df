"""The seven kinds of fixes, each as a change of the chains of a world for some of its types."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from journeymine.errors import OptionError, shown
from journeymine.simulate.worlds.rows import passed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from journeymine.fixes.fix import Fix
    from journeymine.simulate.worlds.chains import Chains
    from journeymine.simulate.worlds.population import Population

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]


def segment_of(fix: Fix) -> tuple[str, str]:
    """Column and value of the segment of a fix that has one."""
    column, value = tuple(fix.segment or ())
    return str(column), str(value)


def shrunk(rows: Floats, columns: Bools, factor: Floats | float) -> Floats:
    """Rows with some columns multiplied by a factor, and what is freed given to the others in proportion."""
    old = rows[:, columns].sum(axis=1)
    new = old * factor
    others = np.divide(1 - new, 1 - old, out=np.ones_like(old), where=old < 1)
    out = rows * np.where(columns, np.divide(new, old, out=np.ones_like(old), where=old > 0)[:, None], 1.0)
    return np.where(columns, out, rows * others[:, None])


def with_drop(rows: Floats, drop: Floats) -> Floats:
    """Rows with another drop-out, the other exits in proportion."""
    stay = rows[:, :-1] / rows[:, :-1].sum(axis=1, keepdims=True)
    return np.concatenate([stay * (1 - drop)[:, None], drop[:, None]], axis=1)


def _rows(chains: Chains, changed: Mapping[int, Floats], where: Bools) -> Chains:
    """The chains with other rows of some states, for some types."""
    moves = chains.moves.copy()
    for state, rows in changed.items():
        moves[:, state] = np.where(where[:, None], rows, moves[:, state])
    return replace(chains, moves=moves)


def keep(chains: Chains, fix: Fix, where: Bools) -> Chains:
    """Fewer drop out: a share of them goes where the others go."""
    drop = np.arange(chains.k + 2) == chains.k + 1
    states = chains.states(fix.activity)
    return _rows(chains, {s: shrunk(chains.moves[:, s], drop, 1 - fix.fraction) for s in states}, where)


def level(chains: Chains, fix: Fix, population: Population, where: Bools) -> Chains:
    """Drop-out as for the other values of the segment column, all else about the customer being the same."""
    axis = 2 + population.columns.index(segment_of(fix)[0])
    share = population.along(chains.share)
    others = share.sum(axis=axis, keepdims=True) - share
    changed = {}
    for s in chains.states(fix.activity):
        lost = population.along(chains.moves[:, s, -1]) * share
        rate = (lost.sum(axis=axis, keepdims=True) - lost) / others
        changed[s] = with_drop(chains.moves[:, s], rate.reshape(-1))
    return _rows(chains, changed, where)


def revert(chains: Chains, fix: Fix, population: Population, where: Bools) -> Chains:
    """Rows as in the rest of the time, for the same customers."""
    length = population.along(chains.share).sum(axis=tuple(range(1, len(population.grid))))
    length[np.unique(population.phase[where])] = 0.0
    changed = {}
    for s in chains.states(fix.activity):
        rows = population.along(chains.moves[:, s])
        sound = np.tensordot(length / length.sum(), rows, axes=1)
        changed[s] = np.broadcast_to(sound, rows.shape).reshape(-1, chains.k + 2)
    return _rows(chains, changed, where)


def shorten(chains: Chains, fix: Fix, where: Bools) -> Chains:
    """Every wait is shorter, and patience is as it was."""
    changed, days, waits = {}, chains.days.copy(), dict(chains.waits)
    factor = np.where(where, 1 - fix.fraction, 1.0)
    for s in chains.states(fix.activity):
        if s not in chains.waits:
            raise OptionError(f"nobody waits after {shown(fix.activity)} in this world.")
        rate = chains.impatience[:, s]
        before, _ = passed(chains.waits[s], rate)
        waits[s] = chains.waits[s] * factor[:, None]
        after, mean = passed(waits[s], rate)
        drop = 1 - (1 - chains.moves[:, s, -1]) * after / before
        changed[s] = with_drop(chains.moves[:, s], drop)
        days[:, s] = mean
    return replace(_rows(chains, changed, where), days=days, waits=waits)


def stop_loop(chains: Chains, fix: Fix, where: Bools) -> Chains:
    """Fewer go back; what is freed goes to the other exits, dropping out included.

    Without a share: drop-out after every later attempt as after the first.
    """
    states = chains.states(fix.activity)
    if fix.to_reference:
        first = chains.moves[:, states[0], -1]
        return _rows(chains, {s: with_drop(chains.moves[:, s], first) for s in states[1:]}, where)
    back = np.isin(np.arange(chains.k + 2), chains.states(fix.target or fix.activity))
    return _rows(chains, {s: shrunk(chains.moves[:, s], back, 1 - fix.fraction) for s in states}, where)


def smooth_switch(chains: Chains, fix: Fix, where: Bools) -> Chains:
    """Those who come by another channel visit a copy of the state, where fewer drop out.

    Without a share nothing changes: in these worlds rows do not depend on the channel before.
    """
    states, k = chains.states(fix.activity), chains.k
    m = len(states)
    old = np.r_[np.arange(k), k + m, k + m + 1]
    moves = np.zeros((len(chains.moves), k + m, k + m + 2))
    moves[:, :k][:, :, old] = chains.moves
    drop = np.arange(k + 2) == k + 1
    source = [*range(k), *states]
    for copy, s in enumerate(states, start=k):
        factor = 1.0 if fix.to_reference else 1 - fix.fraction
        row = np.where(where[:, None], shrunk(chains.moves[:, s], drop, factor), chains.moves[:, s])
        moves[:, copy, old] = row
    for copy, s in enumerate(states, start=k):
        for i, origin in enumerate(source):
            if chains.channel[origin] != chains.channel[s]:
                moves[:, i, copy] = moves[:, i, s]
                moves[:, i, s] = 0.0
    wide = np.array(source)
    return replace(
        chains,
        moves=moves,
        start=np.concatenate([chains.start, np.zeros((len(moves), m))], axis=1),
        days=chains.days[:, wide],
        impatience=chains.impatience[:, wide],
        waits={i: chains.waits[o] for i, o in enumerate(source) if o in chains.waits},
        activity=tuple(chains.activity[o] for o in source),
        channel=tuple(chains.channel[o] for o in source),
        attempt=tuple(chains.attempt[o] for o in source),
    )


def reroute(chains: Chains, fix: Fix, where: Bools) -> Chains:
    """A share of those who go to the target, or to any other activity, is sent elsewhere."""
    to = chains.states(str(fix.to))
    if not to:
        raise OptionError(f"{shown(fix.to)} is no activity before the goal in this world.")
    sent = [i for i, name in enumerate(chains.activity) if name not in (fix.activity, fix.to)]
    if fix.target is not None:
        sent = chains.states(fix.target)
    changed = {}
    for s in chains.states(fix.activity):
        row = chains.moves[:, s].copy()
        freed = row[:, sent] * fix.fraction
        row[:, sent] -= freed
        row[:, to[0]] += freed.sum(axis=1)
        changed[s] = row
    return _rows(chains, changed, where)


def remove(chains: Chains, fix: Fix, where: Bools) -> Chains:
    """Who would enter the activity goes at once where it led, and nobody drops out there."""
    moves, start = chains.moves.copy(), chains.start.copy()
    for s in chains.states(fix.activity):
        onward = moves[:, s].copy()
        onward[:, [s, -1]] = 0.0
        onward /= onward.sum(axis=1, keepdims=True)
        entering = np.where(where[:, None], moves[:, :, s], 0.0)
        moves += entering[..., None] * onward[:, None, :]
        moves[:, :, s] -= entering
        if onward[:, chains.k].any() and start[:, s].any():
            raise OptionError(
                f"{shown(fix.activity)} leads from the start to the goal; it cannot be removed."
            )
        begun = np.where(where, start[:, s], 0.0)
        start += begun[:, None] * onward[:, : chains.k]
        start[:, s] -= begun
    return replace(chains, moves=moves, start=start)
