"""Differences between segments and periods: counts of a log in, tested differences out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from journeymine._checks import time_us
from journeymine.counting.compare import count_moves, groups_by_value
from journeymine.counts.compare import groups_of_slots
from journeymine.errors import NotEnoughDataError, OptionError, shown
from journeymine.paths.difference_tests import find_differences
from journeymine.paths.mix import N_DRAWS, split_difference
from journeymine.sql.compare import slot_of_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from journeymine.counts.compare import Groups, MoveCounts
    from journeymine.log import EventLog
    from journeymine.paths.differences import Differences

PERIOD = "period"
REST = "(all others)"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two groups: values of a column or periods of time; None is everybody else."""

    values: tuple[str, ...] | None
    periods: tuple[tuple[int, int], ...] | None
    name: str


def compare(
    log: EventLog, attribute: str, a: Any, b: Any = None, *, n_draws: int = N_DRAWS, seed: int = 0
) -> Differences:
    """Compare two groups of journeys, or two periods.

    Parameters
    ----------
    attribute
        A column of the source; a journey has the value of its first event. Or "period", unless the source has a
        column of that name.
    a, b
        A value or a list of values. Of "period": a pair of dates, the second excluded, or a list of pairs; a move
        belongs to the period of its source event. `b` None is everybody else.
    n_draws, seed
        Bootstrap draws for the parts of the difference in conversion.

    Returns
    -------
    Differences
        Moves are compared inside the values of all other segments of `journeys()`, and before and after the goal
        apart. Visits that were not watched for `idle` are left out, as in the chain.

    Raises
    ------
    OptionError
        A value does not occur, or the groups overlap.

    Examples
    --------
    >>> import journeymine as jm
    >>> log = jm.read_log(jm.demo_log_path(), case_id="journey_id", activity="activity", timestamp="timestamp")
    >>> found = compare(log.journeys("Order placed", idle="21d"), "platform", "mobile", "desktop")
    >>> found.n_tested_rows, [found.activities[c] for c in found.rows.source[found.rows.kept]]
    (24, ['Account sign-in'])
    """
    log = log if log.found is not None else log.journeys()
    assert log.found is not None
    if attribute == PERIOD and PERIOD not in log.raw.columns:
        sides = _periods(log, a, b)
        slot = slot_of_time([side.periods for side in sides])
        counts = count_moves(log.engine, log.canonical, log.found, slot=slot)
    else:
        sides = _values(a), _values(b) if b is not None else Side(None, None, REST)
        _check_apart(sides, attribute)
        table = groups_by_value(
            log.engine, log.raw, log.canonical, attribute, [side.values for side in sides]
        )
        counts = count_moves(log.engine, log.canonical, log.found, slot="g.slot", slots=table)
        log.engine.execute(f"DROP TABLE {table}")
    groups = groups_of_slots(counts, apart=attribute)
    strata = tuple(name for name in log.found.segments if name != attribute)
    names = (sides[0].name, sides[1].name)
    return compare_groups(counts, groups, attribute, names, strata, n_draws=n_draws, seed=seed)


def compare_groups(
    counts: MoveCounts,
    groups: Groups,
    attribute: str,
    names: tuple[str, str],
    strata: tuple[str, ...],
    *,
    n_draws: int = N_DRAWS,
    seed: int = 0,
) -> Differences:
    """Differences of two groups of the same counts.

    Raises
    ------
    NotEnoughDataError
        A group has no move.
    """
    for place, name in enumerate(names):
        if not (groups.move == place).any():
            hint = "every visit of the group began too late to be watched for idle, or there is none."
            raise NotEnoughDataError(f"{shown(attribute)}: no move of {shown(name)} to compare.", hint=hint)
    mix = split_difference(counts, groups, n_draws=n_draws, seed=seed)
    return find_differences(
        counts, groups, attribute=attribute, a=names[0], b=names[1], strata=strata, mix=mix
    )


def _values(value: Any) -> Side:
    """Values of a column, as the engine writes them."""
    many = isinstance(value, (list, tuple, set, frozenset))
    items = [_text(item) for item in (value if many else [value])]
    if not items:
        raise OptionError("a list of values is empty.", hint="name at least one value.")
    distinct = tuple(dict.fromkeys(items))
    return Side(
        distinct, None, ", ".join(sorted(distinct) if isinstance(value, (set, frozenset)) else distinct)
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_apart(sides: Sequence[Side], attribute: str) -> None:
    twice = set(sides[0].values or ()) & set(sides[1].values or ())
    if twice:
        raise OptionError(
            f"{shown(min(twice))} of {shown(attribute)} is in both groups.", hint="pass different values."
        )


def _periods(log: EventLog, a: Any, b: Any) -> tuple[Side, Side]:
    if log.canonical.clock == "none":
        raise NotEnoughDataError(
            "the log has no times, so it has no periods.", hint='pass timestamp="..." to read_log.'
        )
    sides = _period(a), _period(b) if b is not None else Side(None, None, REST)
    for first, last in sides[0].periods or ():
        for other_first, other_last in sides[1].periods or ():
            if first < other_last and other_first < last:
                raise OptionError(
                    f"the periods {sides[0].name} and {sides[1].name} overlap.",
                    hint="the end of a period is not part of it, so one may begin where the other ends.",
                )
    return sides


def _period(value: Any) -> Side:
    pairs = [value] if _is_pair(value) else list(value) if isinstance(value, (list, tuple)) else []
    if not pairs or not all(_is_pair(pair) for pair in pairs):
        hint = 'write ("2026-01-01", "2026-02-01"): the first day, and the day after the last.'
        raise OptionError(f"{shown(value)} is not a period.", hint=hint)
    bounds = tuple(_bounds(pair) for pair in pairs)
    return Side(None, bounds, ", ".join(f"{first} to {last}" for first, last in pairs))


def _is_pair(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and len(value) == 2
        and not any(isinstance(part, (list, tuple)) for part in value)
    )


def _bounds(pair: Iterable[Any]) -> tuple[int, int]:
    first, last = (time_us(value) for value in pair)
    if first >= last:
        raise OptionError(
            f"the period {shown(tuple(pair))} ends before it begins.", hint="pass the earlier time first."
        )
    return first, last
