"""What a fix does to the chains of a world: the truth that a ranking is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from journeymine.errors import OptionError, listed, shown, suggestion
from journeymine.simulate.worlds.operators import (
    keep,
    level,
    remove,
    reroute,
    revert,
    segment_of,
    shorten,
    smooth_switch,
    stop_loop,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from journeymine.fixes.fix import Fix
    from journeymine.simulate.worlds.chains import Chains
    from journeymine.simulate.worlds.population import Population

ORDER: Final = ("incident", "wait", "drop_off", "loop", "channel_switch", "reroute", "remove_step")
"""Fixes of a set are applied in this order of their kinds: first what changes rows, last what removes states."""
OPERATORS: Final[Mapping[str, Callable[[Chains, Fix, NDArray[np.bool_]], Chains]]] = {
    "incident": keep,
    "wait": shorten,
    "drop_off": keep,
    "loop": stop_loop,
    "channel_switch": smooth_switch,
    "reroute": reroute,
    "remove_step": remove,
}


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
    if fix.to_reference and fix.kind in ("incident", "drop_off"):
        bring = revert if fix.kind == "incident" else level
        return bring(chains, fix, population, where)
    return OPERATORS[fix.kind](chains, fix, where)


def _in_segment(fix: Fix, population: Population) -> NDArray[np.bool_]:
    if fix.segment is None:
        return np.ones(len(population.share), bool)
    column, value = segment_of(fix)
    if column not in population.columns:
        raise OptionError(f"{shown(column)} is no segment of this world.", found=listed(population.columns))
    names = population.values[population.columns.index(column)]
    if value not in names:
        raise OptionError(f"{shown(value)} is no value of {column}.", found=listed(names))
    return np.asarray(population.value(column) == names.index(value))
