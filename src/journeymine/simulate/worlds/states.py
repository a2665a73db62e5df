"""States of a shape: its steps, with the attempt for those that are repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from journeymine.simulate.worlds.shape import GOAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from journeymine.simulate.worlds.shape import Shape, Step

ATTEMPTS: Final = 4
"""Attempts that are told apart; the last one stands for all later ones."""


class State(NamedTuple):
    """A state of the chain.

    Attributes
    ----------
    key, step
        The step it is of.
    attempt
        Attempt where it belongs to the loop, else 0.
    exits
        Number of a state -> weight; the goal has the number of states.
    """

    key: str
    attempt: int
    step: Step
    exits: Mapping[int, float]


def states_of(shape: Shape) -> tuple[State, ...]:
    """Unroll the loop into attempts; the last attempt leads to itself."""
    place = [
        (key, attempt)
        for key in shape.steps
        for attempt in (range(1, ATTEMPTS + 1) if key in shape.loop else (0,))
    ]
    number = {at: i for i, at in enumerate(place)}
    number[GOAL, 0] = len(place)

    def target(key: str, here: tuple[str, int]) -> int:
        if key not in shape.loop:
            return number[key, 0]
        inside = here[0] in shape.loop
        repeats = inside and key == shape.loop[0]
        return number[key, min(here[1] + repeats, ATTEMPTS) if inside else 1]

    found = []
    for key, attempt in place:
        step = shape.steps[key]
        if attempt and key in shape.later:
            step = step._replace(drop=shape.later[key][attempt - 1])
        exits = {target(name, (key, attempt)): weight for name, weight in step.exits.items()}
        found.append(State(key, attempt, step, exits))
    return tuple(found)
