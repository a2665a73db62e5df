"""What a fix does to the chains of a world: the truth that a ranking is compared with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from journeymine.errors import OptionError, listed, shown, suggestion
from journeymine.simulate.worlds.chains import passed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from journeymine.fixes.fix import Fix
    from journeymine.simulate.worlds.chains import Chains
    from journeymine.simulate.worlds.population import Population

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

ORDER = ("incident", "wait", "drop_off", "loop", "channel_switch", "reroute", "remove_step")
"""Fixes of a set are applied in this order of their kinds: first what changes rows, last what removes states."""


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


def do(chains: Chains, fix: Fix, population: Population, phases: Sequence[int]) -> Chains:
    """The chains after a fix.

    Parameters
    ----------
    phases
        Phases of the calendar that lie in the period of the fix; all where it has none.
    """
    if fix.rho != 1:
        raise OptionError(
            f"rho is {fix.rho}: in a simulated world the rescued customers do what their type does.",
            hint="leave rho out.",
        )
    known = sorted(set(chains.activity))
    for name in (fix.activity, fix.target):
        if name is not None and name not in known:
            raise OptionError(
                f"{shown(name)} is no activity before the goal in this world.",
                found=f"{listed(known)}.",
                hint=suggestion(name, known, "use one of the activities above."),
            )
    where = np.isin(population.phase, phases) & _in_segment(fix, population)
    kinds = {
        "incident": lambda: _revert(chains, fix, population, where),
        "wait": lambda: _shorten(chains, fix, where),
        "drop_off": lambda: _keep(chains, fix, population, where),
        "loop": lambda: _stop_loop(chains, fix, where),
        "channel_switch": lambda: _smooth_switch(chains, fix, where),
        "reroute": lambda: _reroute(chains, fix, where),
        "remove_step": lambda: _remove(chains, fix, where),
    }
    return kinds[fix.kind]()


def _in_segment(fix: Fix, population: Population) -> Bools:
    if fix.segment is None:
        return np.ones(len(population.share), bool)
    column, value = fix.segment
    if column not in population.columns:
        raise OptionError(f"{shown(column)} is no segment of this world.", found=listed(population.columns))
    names = population.values[population.columns.index(str(column))]
    if value not in names:
        raise OptionError(f"{shown(value)} is no value of {column}.", found=listed(names))
    return np.asarray(population.value(str(column)) == names.index(str(value)))


def _rows(chains: Chains, changed: dict[int, Floats], where: Bools) -> Chains:
    """The chains with other rows of some states, for some types."""
    moves = chains.moves.copy()
    for state, rows in changed.items():
        moves[:, state] = np.where(where[:, None], rows, moves[:, state])
    return replace(chains, moves=moves)


def _keep(chains: Chains, fix: Fix, population: Population, where: Bools) -> Chains:
    states = chains.states(fix.activity)
    drop = np.arange(chains.k + 2) == chains.k + 1
    if fix.to_reference:
        column = str(fix.segment[0])  # type: ignore[index]
        return _rows(
            chains,
            {s: with_drop(chains.moves[:, s], _others(chains, s, population, column)) for s in states},
            where,
        )
    return _rows(chains, {s: shrunk(chains.moves[:, s], drop, 1 - fix.fraction) for s in states}, where)


def _others(chains: Chains, state: int, population: Population, column: str) -> Floats:
    """Drop-out of the other values of a segment column, all else being the same."""
    axis = 2 + population.columns.index(column)
    rate = population.along(chains.moves[:, state, -1])
    share = population.along(chains.share)
    rest = share.sum(axis=axis, keepdims=True) - share
    product = (rate * share).sum(axis=axis, keepdims=True) - rate * share
    return np.asarray((product / rest).reshape(-1))


def _revert(chains: Chains, fix: Fix, population: Population, where: Bools) -> Chains:
    outside = int(np.min(np.setdiff1d(population.phase, population.phase[where]), initial=0))
    return _rows(
        chains,
        {
            s: np.broadcast_to(
                population.along(chains.moves[:, s])[outside], (*population.grid, chains.k + 2)
            ).reshape(-1, chains.k + 2)
            for s in chains.states(fix.activity)
        },
        where,
    )


def _shorten(chains: Chains, fix: Fix, where: Bools) -> Chains:
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


def _stop_loop(chains: Chains, fix: Fix, where: Bools) -> Chains:
    states = chains.states(fix.activity)
    if fix.to_reference:
        first = chains.moves[:, states[0], -1]
        return _rows(chains, {s: with_drop(chains.moves[:, s], first) for s in states[1:]}, where)
    back = np.isin(np.arange(chains.k + 2), chains.states(fix.target or fix.activity))
    return _rows(chains, {s: shrunk(chains.moves[:, s], back, 1 - fix.fraction) for s in states}, where)


def _smooth_switch(chains: Chains, fix: Fix, where: Bools) -> Chains:
    """Split the states of the activity: those who come by another channel visit a copy with less drop-out."""
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


def _reroute(chains: Chains, fix: Fix, where: Bools) -> Chains:
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


def _remove(chains: Chains, fix: Fix, where: Bools) -> Chains:
    moves, start = chains.moves.copy(), chains.start.copy()
    for s in chains.states(fix.activity):
        onward = moves[:, s].copy()
        onward[:, [s, -1]] = 0.0
        onward /= onward.sum(axis=1, keepdims=True)
        entering = np.where(where[:, None], moves[:, :, s], 0.0)
        moves += entering[..., None] * onward[:, None, :]
        moves[:, :, s] -= entering
        if onward[:, chains.k].any() and start[:, s].any():
            raise OptionError(f"{shown(fix.activity)} leads from the start to the goal; it cannot be removed.")
        begun = np.where(where, start[:, s], 0.0)
        start += begun[:, None] * onward[:, : chains.k]
        start[:, s] -= begun
    return replace(chains, moves=moves, start=start)
