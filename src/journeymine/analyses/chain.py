"""The conversion chain of a log, with the money of its conversions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journeymine.analyses.chain_data import LogData
from journeymine.counting.drops import count_values
from journeymine.markov.analytics import GoalValue
from journeymine.markov.fit import fit_memory

if TYPE_CHECKING:
    from journeymine.log import EventLog
    from journeymine.markov.chain import MarkovChain


def fit_markov(log: EventLog, **options: Any) -> MarkovChain:
    """Fit the chain of a log; options as in `EventLog.fit_markov`."""
    return fit_memory(LogData(log), value=_value(log), **options)


def _value(log: EventLog) -> GoalValue | None:
    """Money of the journeys that reach the goal, where the log has any."""
    if log.roles.value is None:
        return None
    column = log.engine.dialect.quote(log.roles.value)
    journeys = log._journeys("money")  # noqa: SLF001 - the log delegates to this function
    unit, _, money, n = count_values(log.engine, log.canonical, journeys, log.raw.table, column)
    return GoalValue(unit, money, n) if n.sum() else None
