"""Stays of (start, stop] multi-state data, read from a frame and checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.errors import (
    LogSchemaError,
    NotEnoughDataError,
    OptionError,
    listed,
    shown,
    suggestion,
    unknown_name,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

STAYS = -1
"""Target of a stay that ends without a move: the subject was last seen where it was."""
_NUMBER = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True, eq=False)
class Stays:
    """Stays in states, sorted by subject and time.

    Attributes
    ----------
    subject
        Number of the id of each stay, shape (m,).
    source, target
        States; the target is STAYS where nothing happened.
    entry, exit
        The subject is in `source` over (entry, exit].
    states
        Names.
    """

    subject: Ints
    source: Ints
    target: Ints
    entry: Floats
    exit: Floats
    states: tuple[Hashable, ...]

    @property
    def n_subjects(self) -> int:
        """Number of ids."""
        return int(self.subject[-1]) + 1

    @property
    def first(self) -> NDArray[np.bool_]:
        """Whether a stay is the first of its subject."""
        return np.concatenate([[True], np.diff(self.subject) > 0])


def read_stays(frame: pd.DataFrame, names: dict[str, str]) -> Stays:
    """Read the stays of a frame, which is not changed.

    Parameters
    ----------
    names
        Column of each role: id, from_state, to_state, entry, exit.

    Raises
    ------
    LogSchemaError
        A column is not in the frame.
    OptionError
        A time is not a number, a stay has no length, or stays of one id contradict each other.
    NotEnoughDataError
        The frame has no rows.
    """
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise OptionError(f"frame is a {type(frame).__name__}, expected a pandas DataFrame.")
    for role, name in names.items():
        if name not in frame.columns:
            known = [str(column) for column in frame.columns]
            hint = suggestion(str(name), known, f'pass {role}="..." with the name of a column.')
            raise LogSchemaError(unknown_name(f"{role} column", name), found=f"{listed(known)}.", hint=hint)
    if not len(frame):
        raise NotEnoughDataError("the frame has no rows, so there are no stays to count.")
    begin, end = (_numbers(frame[names[role]], names[role]) for role in ("entry", "exit"))
    subject = _numbered(frame[names["id"]], names["id"])
    states, source, target = _states(
        frame[names["from_state"]], frame[names["to_state"]], names["from_state"]
    )
    order = np.lexsort((end, begin, subject))
    stays = Stays(subject[order], source[order], target[order], begin[order], end[order], states)
    labels = frame[names["id"]].to_numpy()[order]
    _check(stays, labels, names)
    return stays


def _numbers(column: pd.Series, name: str) -> Floats:
    """Times as floats."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column.dtype) or pd.api.types.is_timedelta64_dtype(column.dtype):
        kind = "times of day" if pd.api.types.is_datetime64_any_dtype(column.dtype) else "timedeltas"
        hint = f'pass numbers since the start: (frame["{name}"] - start) / pd.Timedelta("1D").'
        if kind == "timedeltas":
            hint = f'pass numbers: frame["{name}"] / pd.Timedelta("1D").'
        raise OptionError(f"column {shown(name)} holds {kind}, expected numbers.", hint=hint)
    values = column.to_numpy()
    if pd.api.types.is_bool_dtype(column.dtype) or not all(
        isinstance(value, (int, float, np.number))
        or value is None
        or value is pd.NA
        or hasattr(value, "as_tuple")
        for value in (values[:1] if values.dtype.kind in "iuf" else values)
    ):
        raise OptionError(
            f"column {shown(name)} does not hold numbers (its type is {column.dtype}).",
            hint="pass the time since the start of each subject as a number.",
        )
    times = column.to_numpy(dtype=float, na_value=np.nan)
    if not np.isfinite(times).all():
        n = int((~np.isfinite(times)).sum())
        raise OptionError(
            f"column {shown(name)} has {n:,} missing or infinite times.", hint="leave these rows out."
        )
    if (times < 0).any():
        raise OptionError(
            f"column {shown(name)} has negative times, the smallest is {times.min():g}.",
            hint="count the time from the start of each subject, so that it begins at 0.",
        )
    return times


def _numbered(column: pd.Series, name: str) -> Ints:
    """Number the ids; which gets which number does not matter."""
    import pandas as pd

    code, _ = pd.factorize(column)
    if (code < 0).any():
        raise OptionError(
            f"column {shown(name)} has {int((code < 0).sum()):,} missing ids.", hint="leave these rows out."
        )
    return np.asarray(code, dtype=np.int64)


def _states(source: pd.Series, target: pd.Series, name: str) -> tuple[tuple[Hashable, ...], Ints, Ints]:
    """Names of the states and the code of each end of each stay."""
    codes_from, names_from = _coded(source)
    codes_to, names_to = _coded(target)
    if (codes_from < 0).any():
        n = int((codes_from < 0).sum())
        raise OptionError(f"column {shown(name)} has {n:,} missing states.", hint="leave these rows out.")
    # The spelling of from_state goes first: a column with gaps turns 5 into 5.0.
    names: list[Hashable] = list(dict.fromkeys([*names_from, *(_as_whole(name) for name in names_to)]))
    alike = {str(name): name for name in names}
    if len(alike) < len(names):
        twice = next(name for name in names if alike[str(name)] is not name and alike[str(name)] != name)
        raise OptionError(
            f"state {shown(alike[str(twice)])} stands as text in one column and as a number in the other.",
            hint="give both columns the same type.",
        )
    import pandas as pd

    if isinstance(source.dtype, pd.CategoricalDtype):
        given = [_plain(value) for value in source.cat.categories]
        place = {value: i for i, value in enumerate(given)}
        names.sort(key=lambda value: (place.get(value, len(place)), natural_key(value)))
    else:
        names.sort(key=natural_key)
    code = {value: i for i, value in enumerate(names)}
    table_from = np.array([code[value] for value in names_from], dtype=np.int64)
    table_to = np.array([*(code[value] for value in names_to), STAYS], dtype=np.int64)
    of_source, of_target = table_from[codes_from], table_to[codes_to]
    return tuple(names), of_source, np.where(of_target == of_source, STAYS, of_target)


def _coded(column: pd.Series) -> tuple[Ints, list[Hashable]]:
    """Codes and values of a column of states; -1 for what is missing or empty."""
    import pandas as pd

    code, values = pd.factorize(
        column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column
    )
    names = [_plain(value) for value in values]
    code = np.asarray(code, dtype=np.int64)
    for i, value in enumerate(names):
        if isinstance(value, str) and not value.strip():
            code = np.where(code == i, -1, code)
    keep = [i for i in range(len(names)) if i in set(np.unique(code).tolist())]
    table = np.full(len(names) + 1, -1, dtype=np.int64)
    table[keep] = np.arange(len(keep))
    return table[code], [names[i] for i in keep]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _as_whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def natural_key(value: object) -> tuple[Any, ...]:
    """Key that sorts numbers by size, texts by their words and the numbers in them.

    Examples
    --------
    >>> sorted(["step 10", "step 2", "a"], key=natural_key), sorted([10, 2.5], key=natural_key)
    (['a', 'step 2', 'step 10'], [2.5, 10])
    """
    if isinstance(value, (int, float)):
        return (0, float(value), "")
    parts = _NUMBER.split(str(value))
    return (
        1,
        tuple((part, 0) if i % 2 == 0 else ("", int(part)) for i, part in enumerate(parts)),
        str(value),
    )


def _check(stays: Stays, labels: NDArray[Any], names: dict[str, str]) -> None:
    """Refuse stays that cannot be."""
    empty = np.flatnonzero(stays.exit <= stays.entry)
    if len(empty):
        i = int(empty[0])
        raise OptionError(
            f"{len(empty):,} stays do not last: {names['exit']} must be later than {names['entry']}.",
            found=f"id {shown(_plain(labels[i]))}: {stays.entry[i]:g} to {stays.exit[i]:g}.",
            hint="a subject is in a state over (entry, exit]; leave out stays of no length, or shift tied times.",
        )
    same = np.diff(stays.subject) == 0
    _check_long_format(stays, labels, same)
    late = np.flatnonzero(same & (stays.entry[1:] < stays.exit[:-1]))
    if len(late):
        i = int(late[0])
        raise OptionError(
            f"stays of one id overlap ({len(late):,} times).",
            found=f"id {shown(_plain(labels[i]))} is in {_say(stays, i)} and in {_say(stays, i + 1)}.",
            hint="a subject is in one state at a time: one row per stay.",
        )
    touch = same & (stays.entry[1:] == stays.exit[:-1])
    after = np.where(stays.target == STAYS, stays.source, stays.target)[:-1]
    jumps = np.flatnonzero(touch & (after != stays.source[1:]))
    if len(jumps):
        i = int(jumps[0])
        raise OptionError(
            f"{len(jumps):,} stays begin in another state than the stay before led to.",
            found=f"id {shown(_plain(labels[i]))} moves to {shown(stays.states[after[i]])} at {stays.exit[i]:g}, "
            f"but is then in {shown(stays.states[stays.source[i + 1]])}.",
            hint=f"write the state of the next stay into {names['to_state']}.",
        )


def _check_long_format(stays: Stays, labels: NDArray[Any], same: NDArray[np.bool_]) -> None:
    """Rows of possible moves (the long format of mstate) are not stays."""
    twin = np.flatnonzero(
        same & (stays.entry[1:] == stays.entry[:-1]) & (stays.source[1:] == stays.source[:-1])
    )
    if not len(twin):
        return
    several = len(np.unique(stays.subject[twin]))
    targets = len({int(stays.target[i]) for i in (twin[0], twin[0] + 1)}) > 1
    raise OptionError(
        f"{several:,} ids have several rows with the same state and entry.",
        found=f"id {shown(_plain(labels[twin[0]]))} is twice in {_say(stays, int(twin[0]))}.",
        hint="this looks like one row per possible move with a status (the long format of mstate): keep the rows "
        "with status 1, and of each stay without one a single row with an empty to_state."
        if targets
        else "leave out rows that stand there twice.",
    )


def _say(stays: Stays, i: int) -> str:
    return f"{shown(stays.states[stays.source[i]])} from {stays.entry[i]:g} to {stays.exit[i]:g}"


def checked_times(times: float | Iterable[float]) -> Floats:
    """Times as a sorted array without repetitions."""
    hint = "pass a number or a list of numbers, in the unit of entry and exit."
    if isinstance(times, (str, bytes, bool, dict)):
        raise OptionError(f"times is {shown(times)}, expected numbers.", hint=hint)
    values: Sequence[Any] = list(times) if hasattr(times, "__iter__") else [times]
    for value in values:
        if isinstance(value, (bool, np.bool_)) or not isinstance(
            value, (int, float, np.integer, np.floating)
        ):
            raise OptionError(f"times holds {shown(value)}, expected numbers.", hint=hint)
        if not np.isfinite(value):
            raise OptionError(f"times holds {shown(_plain(value))}, expected finite numbers.", hint=hint)
        if value < 0:
            raise OptionError(f"times holds {shown(_plain(value))}: time begins at 0.", hint=hint)
    if not values:
        raise OptionError("times is empty, expected at least one number.", hint=hint)
    return np.unique(np.asarray(values, dtype=float))


def state_code(start: object, states: Sequence[Hashable]) -> int:
    """Code of the state that everybody starts in."""
    if start in states:
        return list(states).index(start)
    raise OptionError(
        f"start is {shown(start)}, which is not a state.",
        found=f"{listed(shown(state) for state in states)}.",
        hint=suggestion(
            str(start), [str(state) for state in states], "pass one of the states, or start=None."
        ),
    )
