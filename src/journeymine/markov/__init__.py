"""Markov chains of journeys that end in a goal or in dropping out.

`log.fit_markov()` makes a `MarkovChain`; `state_occupation` serves multi-state data of any kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

_HOME = {
    "MarkovChain": "chain",
    "Prior": "priors",
    "StateOccupation": "occupation.occupation",
    "state_occupation": "occupation.occupation_frame",
}

if TYPE_CHECKING:
    from journeymine.markov.chain import MarkovChain
    from journeymine.markov.occupation.occupation import StateOccupation
    from journeymine.markov.occupation.occupation_frame import state_occupation
    from journeymine.markov.priors import Prior

__all__ = ["MarkovChain", "Prior", "StateOccupation", "state_occupation"]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOME:
        msg = f"module 'journeymine.markov' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"journeymine.markov.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
