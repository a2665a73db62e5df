"""From the beginning of a journey, as names of activities, to the state of the chain that it is in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain as flattened
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from journeymine.counts.memory import BEGIN, Memory, StateKeys
from journeymine.errors import NotEnoughDataError, OptionError, listed, shown, suggestion

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

Unknown = Literal["raise", "last_known"]
GOAL_REACHED, NO_STATE = -2, -5
"""Codes of activities that are no states: a goal, and what the chain has never seen."""
EXAMPLE = 'pass one journey as ["visit", "basket"], many as [["visit"], ["visit", "basket"]].'
COLUMNS = ("prefix_id", "activity")


@dataclass(frozen=True, slots=True, eq=False)
class Prefixes:
    """Beginnings of journeys one after the other.

    Attributes
    ----------
    code
        State, in the chain without memory, of each activity; GOAL_REACHED, or NO_STATE if it was never seen.
    length
        Activities of each prefix, shape (n,).
    """

    code: Ints
    length: Ints

    @property
    def owner(self) -> Ints:
        """Prefix of each activity."""
        return np.repeat(np.arange(len(self.length)), self.length)


@dataclass(frozen=True, slots=True, eq=False)
class PrefixStates:
    """How a prefix becomes a row of `forecasts.Forecasts`.

    Attributes
    ----------
    names
        Activities that are states of the chain without memory, in its order.
    goal
        Activities that are the goal.
    others
        Rare activities that share the last state.
    memory
        What the states remember.
    key
        Keys of the states (`counts/memory.py`), sorted, of a chain with memory.

    Examples
    --------
    >>> states = PrefixStates(("basket", "visit"), goal=("order",))
    >>> states.find([["visit"], ["visit", "basket"], [], ["visit", "order"]]).tolist()
    [1, 0, 2, 3]
    """

    names: tuple[str, ...]
    goal: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    memory: Memory = field(default_factory=Memory)
    key: Ints | None = None

    @property
    def n_states(self) -> int:
        """States of the chain."""
        return len(self.names) if self.key is None else len(self.key)

    @property
    def code_of(self) -> dict[str, int]:
        """State of each activity in the chain without memory."""
        known = {name: code for code, name in enumerate(self.names)}
        known.update(dict.fromkeys(self.others, len(self.names) - 1))
        known.update(dict.fromkeys(self.goal, GOAL_REACHED))
        return known

    def find(self, prefixes: Any, *, unknown: Unknown = "raise") -> Ints:
        """Row of each prefix: its state, the start of an empty one, the goal once it is in it, shape (n,).

        Activities that were never seen are left out. A past that was never seen leads to the row of its activity.

        Parameters
        ----------
        prefixes
            Lists of names, or a frame (prefix_id, activity) whose rows are in the order of time.
        unknown
            What to do with activities that the chain has never seen: "raise", or go by the "last_known" one.

        Raises
        ------
        OptionError
            Prefixes are of another shape, or name an activity that the chain has never seen.
        """
        if not hasattr(prefixes, "columns"):
            prefixes = list(prefixes)
            self._check_lists(prefixes)
            if self.key is None:
                rows = self._by_last(prefixes)
                if rows is not None:
                    return rows
        return self.rows(self.read(prefixes, unknown=unknown))

    def _by_last(self, lists: list[Sequence[str]]) -> Ints | None:
        """Rows by the last activity alone, all that a chain without memory needs; None if some were never seen."""
        try:
            met = set().union(*lists)
        except TypeError as error:
            raise OptionError(
                "a prefix holds what is no text, expected names of activities.", hint=EXAMPLE
            ) from error
        code_of = self.code_of
        if not met <= code_of.keys():
            return None
        start, goal = self.n_states, self.n_states + 1
        last = [code_of[prefix[-1]] if len(prefix) else start for prefix in lists]
        rows = np.array(last, dtype=np.int64)
        goals = met & set(self.goal)
        if goals:
            under_way = np.fromiter(map(goals.isdisjoint, lists), dtype=np.bool_, count=len(lists))
            rows[~under_way] = goal
        return rows

    @staticmethod
    def _check_lists(lists: list[Any]) -> None:
        kinds = {type(prefix) for prefix in lists}
        if all(issubclass(k, (Sequence, np.ndarray)) and not issubclass(k, (str, bytes)) for k in kinds):
            return
        for place, prefix in enumerate(lists):
            if isinstance(prefix, (str, bytes)) or not isinstance(prefix, (Sequence, np.ndarray)):
                problem = f"prefix {place} is {shown(prefix)}, expected a list of activities."
                raise OptionError(problem, hint=EXAMPLE)

    def read(self, prefixes: Any, *, unknown: Unknown = "raise") -> Prefixes:
        """Code lists of names, or a frame (prefix_id, activity) whose rows are in the order of time.

        Raises
        ------
        OptionError
            Prefixes are of another shape, or name an activity that the chain has never seen.
        """
        found = self._of_frame(prefixes) if hasattr(prefixes, "columns") else self._of_lists(prefixes)
        if unknown == "raise" and np.any(found.code == NO_STATE):
            raise self._never_seen(prefixes, found)
        return found

    def _of_lists(self, lists: list[Sequence[str]]) -> Prefixes:
        length = np.fromiter(map(len, lists), dtype=np.int64, count=len(lists))
        code_of = self.code_of
        try:
            codes = np.fromiter(
                map(code_of.get, flattened.from_iterable(lists), _always(NO_STATE)),
                dtype=np.int64,
                count=int(length.sum()),
            )
        except TypeError as error:
            raise OptionError(
                "a prefix holds what is no text, expected names of activities.", hint=EXAMPLE
            ) from error
        return Prefixes(codes, length)

    def _of_frame(self, frame: pd.DataFrame) -> Prefixes:
        import pandas as pd

        for column in COLUMNS:
            if column not in frame.columns:
                found = f"{listed(map(str, frame.columns))}."
                raise OptionError(f"prefixes has no column {shown(column)}.", found=found, hint="name it so.")
        owner, ids = pd.factorize(frame["prefix_id"])
        place, names = pd.factorize(frame["activity"])
        code_of = self.code_of
        code = np.array([code_of.get(name, NO_STATE) for name in names] + [NO_STATE], dtype=np.int64)[place]
        if np.any(owner < 0):
            raise OptionError(
                "prefix_id is missing in some rows.", hint="give every row the id of its prefix."
            )
        if np.any(owner[1:] < owner[:-1]):
            order = np.argsort(owner, kind="stable")
            owner, code = owner[order], code[order]
        return Prefixes(code, np.bincount(owner, minlength=len(ids)).astype(np.int64))

    def _never_seen(self, prefixes: Any, found: Prefixes) -> OptionError:
        at = int(np.flatnonzero(found.code == NO_STATE)[0])
        if hasattr(prefixes, "columns"):
            names = prefixes["activity"]
            # Rows may have been put in the order of their prefixes.
            known = self.code_of
            name = next(value for value in names if value not in known)
            where = ""
        else:
            ends = np.cumsum(found.length)
            prefix = int(np.searchsorted(ends, at, side="right"))
            name = prefixes[prefix][at - int(ends[prefix] - found.length[prefix])]
            where = f" (prefix {prefix})" if len(found.length) > 1 else ""
        known_names = tuple(name for name in self.code_of if isinstance(name, str))
        hint = suggestion(
            str(name),
            known_names,
            'use activities of the chain, or pass unknown="last_known" to leave others out.',
        )
        problem = f"activity {shown(name)} was never seen by the chain{where}."
        return OptionError(problem, found=f"{listed(known_names)}.", hint=hint)

    def rows(self, prefixes: Prefixes) -> Ints:
        """Row of each prefix: its state, the start of an empty one, the goal once it is in it, shape (n,).

        Activities that were never seen are left out. A past that was never seen leads to the row of its activity.
        """
        n = len(prefixes.length)
        code, owner = prefixes.code, prefixes.owner
        if np.any(code == NO_STATE):
            known = code != NO_STATE
            code, owner = code[known], owner[known]
        length = np.bincount(owner, minlength=n)
        end = np.cumsum(length)
        rows = np.full(n, self.n_states, dtype=np.int64)
        full = length > 0
        if self.key is None:
            rows[full] = code[end[full] - 1]
        else:
            rows[full] = self._with_memory(code, owner, length)[end[full] - 1]
        reached = np.unique(owner[code == GOAL_REACHED])
        rows[reached] = self.n_states + 1
        return rows

    def _with_memory(self, code: Ints, owner: Ints, length: Ints) -> Ints:
        """Row of each place of each prefix in a chain with memory."""
        assert self.key is not None
        if self.memory.elapsed_us:
            hint = "score the journeys of a log, or fit a chain whose states do not know the time."
            raise NotEnoughDataError(
                "lists have no times, and the states of the chain know the time.", hint=hint
            )
        keys = StateKeys(self.memory, self.names)
        place = np.arange(len(code)) - (np.cumsum(length) - length)[owner]
        past = np.full((self.memory.depth, len(code)), BEGIN, dtype=np.int64)
        for back in range(self.memory.depth):
            far = np.flatnonzero(place >= back)
            past[back, far] = code[far - back]
        key = keys.of(past, _attempts(code, owner, len(self.names)))
        found = np.searchsorted(self.key, key).clip(max=max(len(self.key) - 1, 0))
        seen = self.key[found] == key
        # Its own activity is all that is known of a past that was never seen.
        return np.where(seen, found, self.n_states + 2 + np.maximum(code, 0))


def _attempts(code: Ints, owner: Ints, n_codes: int) -> Ints:
    """How often each activity has occurred in its prefix so far, itself included."""
    pair = owner * (n_codes + 8) + code + 7
    order = np.argsort(pair, kind="stable")
    first = np.searchsorted(pair[order], pair[order], side="left")
    attempt = np.empty(len(pair), dtype=np.int64)
    attempt[order] = np.arange(len(pair)) - first + 1
    return attempt


def _always(value: int) -> Iterable[int]:
    from itertools import repeat

    return repeat(value)


def is_one(prefix: Any) -> bool:
    """Whether a value is one prefix rather than many: a list of texts, or an empty list.

    Examples
    --------
    >>> is_one(["visit"]), is_one([]), is_one([["visit"], []])
    (True, True, False)
    """
    if hasattr(prefix, "columns"):
        return False
    if isinstance(prefix, (str, bytes, Mapping)) or not isinstance(prefix, Iterable):
        raise OptionError(f"prefix is {shown(prefix)}, expected a list of activities.", hint=EXAMPLE)
    if isinstance(prefix, (Sequence, np.ndarray)):
        return len(prefix) == 0 or isinstance(prefix[0], (str, bytes))
    raise OptionError(f"prefix is {shown(prefix)}, expected a list of activities.", hint=EXAMPLE)
