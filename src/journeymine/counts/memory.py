"""What a state remembers: the states before it, the attempt, the time since the journey began.

A state of a chain with memory is a visit's activity and what is remembered with it, packed into one integer (a
key), so that logs and lists number and name their states by the same few lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from journeymine.errors import OptionError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

BEGIN = -4
"""Stands before the first visit of a journey."""
MAX_KEY = 2**62
DURATIONS = (("d", 86_400_000_000), ("h", 3_600_000_000), ("min", 60_000_000), ("s", 1_000_000))


@dataclass(frozen=True, slots=True)
class Memory:
    """What the states of a chain remember.

    Attributes
    ----------
    order
        Visits that a state knows, its own included: 1 is a chain without memory.
    attempts
        States carry the number of the visit to their activity up to this one: with 3, "Pay #1", "Pay #2", "Pay #3+".
    contexts
        Memory of variable length, as a context tree gives it: states of the chain, the most recent last, BEGIN
        before the first. A visit is in the longest context that fits; its activity alone always does.
    elapsed_us
        Borders, in microseconds since the first visit of the journey, that cut states by time.

    Raises
    ------
    OptionError
        A value cannot be used.

    Examples
    --------
    >>> Memory(order=2).depth, Memory(contexts=((0,), (1, 0, 2))).depth
    (2, 3)
    """

    order: int = 1
    attempts: int = 1
    contexts: tuple[tuple[int, ...], ...] | None = None
    elapsed_us: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("order", "attempts"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
                raise OptionError(f"{name} is {shown(value)}, expected a whole number from 1.")
        if self.contexts is not None and self.order != 1:
            hint = "contexts say how far each state looks back; leave order out."
            raise OptionError(
                f"order is {self.order} and contexts are given, expected one of them.", hint=hint
            )
        if any(not context for context in self.contexts or ()):
            raise OptionError("contexts holds an empty one, expected at least the state itself in each.")
        borders = self.elapsed_us
        if any(b <= 0 for b in borders) or any(a >= b for a, b in pairwise(borders)):
            hint = 'pass borders in rising order, like ["1d", "7d"].'
            raise OptionError(f"elapsed is {shown(borders)} µs, expected rising times above 0.", hint=hint)

    @property
    def depth(self) -> int:
        """How many visits are looked at, the state's own included."""
        if self.contexts is None:
            return self.order
        return max((len(context) for context in self.contexts), default=1)

    @property
    def plain(self) -> bool:
        """Whether states are activities and nothing more."""
        return self.depth == 1 and self.attempts == 1 and not self.elapsed_us


class StateKeys:
    """Packs what a memory knows of a visit into one integer, and writes its name.

    Parameters
    ----------
    memory
        What is remembered.
    states
        Names of the states of the chain without memory.

    Examples
    --------
    >>> keys = StateKeys(Memory(order=2), ("Form", "Pay"))
    >>> found = keys.of(np.array([[1, 1], [0, BEGIN]]))
    >>> keys.names(found)
    ('Pay after Form', 'Pay at the start')
    """

    def __init__(self, memory: Memory, states: tuple[str, ...]) -> None:
        self.memory, self.states = memory, states
        # Digits: 0 not looked at, 1 BEGIN, then the states, then what is no state of the chain.
        self.base = len(states) + 3
        self.slices = len(memory.elapsed_us) + 1
        self.rest = memory.attempts * self.slices
        if self.base**memory.depth * self.rest >= MAX_KEY:
            problem = (
                f"a memory of {memory.depth} visits over {len(states)} states is too long to be counted."
            )
            raise OptionError(problem, hint="lower the order, or take a context tree of a smaller depth.")
        self._check_contexts()
        lengths = {len(context) for context in memory.contexts or ()}
        self.chosen = {
            length: np.unique(self._contexts_packed([c for c in memory.contexts or () if len(c) == length]))
            for length in lengths
        }
        self.longer = {context[i:] for context in memory.contexts or () for i in range(1, len(context))}

    def _check_contexts(self) -> None:
        for context in self.memory.contexts or ():
            begins = [at for at, state in enumerate(context) if state == BEGIN]
            inside = context[len(begins) :]
            if (
                begins != list(range(len(begins)))
                or not inside
                or not all(0 <= s < len(self.states) for s in inside)
            ):
                problem = (
                    f"contexts holds {shown(context)}, which is no run of the {len(self.states)} states."
                )
                raise OptionError(problem, hint="take the contexts of a tree fitted on the same chain.")

    def of(self, past: Ints, attempt: Ints | int = 1, slice_: Ints | int = 0) -> Ints:
        """Key of each visit.

        Parameters
        ----------
        past
            States of the visit, of the one before it, ..., shape (depth, m); BEGIN before the first visit, and
            anything else that is negative for what is no state of the chain.
        attempt, slice_
            Number of the visit to its activity, from 1; place of the time since the journey began.
        """
        attempt = np.minimum(attempt, self.memory.attempts)
        return (self._context(past) * self.memory.attempts + attempt - 1) * self.slices + slice_

    def of_contexts(self, contexts: Sequence[tuple[int, ...]]) -> Ints:
        """Key of each context, at the first attempt and time."""
        return self._contexts_packed(contexts) * self.rest

    def _contexts_packed(self, contexts: Sequence[tuple[int, ...]]) -> Ints:
        packed = [self._packed(np.array(c[::-1], dtype=np.int64)[:, None])[0] for c in contexts]
        return np.array(packed, dtype=np.int64)

    def _context(self, past: Ints) -> Ints:
        if self.memory.contexts is None:
            return self._packed(past)
        found = self._packed(past[:1])
        for length in sorted(self.chosen):
            packed = self._packed(past[:length])
            found = np.where(np.isin(packed, self.chosen[length]), packed, found)
        return found

    def _packed(self, past: Ints) -> Ints:
        packed = np.zeros(past.shape[1], dtype=np.int64)
        for at in range(self.memory.depth):
            packed *= self.base
            if at < len(past):
                digit = np.where(past[at] == BEGIN, 1, past[at] + 2)
                packed += np.where((past[at] < 0) & (past[at] != BEGIN), self.base - 1, digit)
        return packed

    def context(self, key: int) -> tuple[int, ...]:
        """States of a key, the most recent last."""
        packed, digits = key // self.rest, []
        for _ in range(self.memory.depth):
            packed, digit = divmod(packed, self.base)
            if digit:
                digits.append(BEGIN if digit == 1 else digit - 2)
        return tuple(digits)

    def state(self, keys: Ints) -> Ints:
        """State of the chain without memory that each key belongs to."""
        return np.asarray(keys // self.rest // self.base ** (self.memory.depth - 1) - 2)

    def attempt(self, keys: Ints) -> Ints:
        """Attempt number of each key, from 1."""
        return np.asarray(keys % self.rest // self.slices + 1)

    def names(self, keys: Ints) -> tuple[str, ...]:
        """Readable names, all different."""
        taken: set[str] = set()
        names = []
        for key in keys.tolist():
            name = self._name(key)
            number = 2
            unique = name
            while unique in taken:
                unique, number = f"{name} ({number})", number + 1
            taken.add(unique)
            names.append(unique)
        return tuple(names)

    def _name(self, key: int) -> str:
        context = self.context(key)
        attempt, slice_ = divmod(key % self.rest, self.slices)
        name = self.states[context[-1]]
        if self.memory.attempts > 1:
            name += f" #{attempt + 1}{'+' if attempt + 1 == self.memory.attempts else ''}"
        for before in context[-2::-1]:
            if before == BEGIN:
                name += " at the start"
                break
            name += f" after {self.states[before]}"
        if context in self.longer:
            name += " otherwise"
        return name + self._when(slice_)

    def _when(self, slice_: int) -> str:
        borders = [_written(border) for border in self.memory.elapsed_us]
        if not borders:
            return ""
        if slice_ == 0:
            return f" (before {borders[0]})"
        if slice_ == len(borders):
            return f" (after {borders[-1]})"
        return f" ({borders[slice_ - 1]} to {borders[slice_]})"


def _written(us: int) -> str:
    """A time in its largest unit that is whole."""
    for unit, size in DURATIONS:
        if us % size == 0:
            return f"{us // size} {unit}"
    return f"{us / 1_000_000} s"
