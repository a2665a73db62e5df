"""Predictions for rows of the table of forecasts: what journeys in known states are to expect, looked up."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine._checks import duration_us
from journeymine.counts.memory import StateKeys
from journeymine.errors import NotEnoughDataError
from journeymine.markov.memory.memory import attempt_numbers, past_states
from journeymine.markov.prediction.forecasts import forecast
from journeymine.markov.prediction.outlooks import Expected, Outlooks, Within
from journeymine.markov.prediction.prefix_states import PrefixStates
from journeymine.markov.prediction.recalibration import Recalibration, learn_recalibration
from journeymine.markov.priors import DROP_COLUMN, GOAL_COLUMN
from journeymine.markov.timing.semi_kernel import estimate_kernel
from journeymine.uncertainty import Estimates

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.counts.sequences import SequenceCounts
    from journeymine.markov.chain import MarkovChain
    from journeymine.markov.prediction.forecasts import Forecasts

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Duration = str | timedelta

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, eq=False)
class Predictor:
    """All that predictions are made of.

    Attributes
    ----------
    states
        From prefixes to rows.
    names
        Names of the states of the chain.
    forecasts
        The table by row.
    outlooks
        Where visits lead and how long that takes; None without times.
    learn
        Learns the line that recalibrates conversions; asked for once, when it is needed.
    """

    states: PrefixStates
    names: tuple[str, ...]
    forecasts: Forecasts
    outlooks: Outlooks | None = None
    learn: Callable[[], Recalibration] | None = None
    _learnt: list[Recalibration] = field(default_factory=list)

    @property
    def recalibration(self) -> Recalibration:
        """The line that recalibrates conversions."""
        if self.learn is None:
            hint = "fit the chain from a log or from sequences."
            raise NotEnoughDataError("the chain does not know the journeys it was fitted on.", hint=hint)
        if not self._learnt:
            self._learnt.append(self.learn())
        return self._learnt[0]


def make_predictor(chain: MarkovChain) -> Predictor:
    """The tables of a fitted chain.

    A horizon or a silence asks for how long moves take, which is known of chains without memory from logs with times.
    """
    data, memory = chain.data, chain.memory
    base = data.plain.states
    states = PrefixStates(
        base, goal=tuple(getattr(data, "goal", ())), others=tuple(getattr(data, "others", ()))
    )
    group = None
    if not memory.plain:
        keys = StateKeys(memory, base)
        key = _keys_of(keys, data.sequences, chain.states)
        states, group = replace(states, memory=memory, key=key), keys.state(key)
    table = forecast(chain.model, group=group, timed=chain.timed, n_draws=chain.n_draws, seed=chain.seed)
    waits = data.waits if chain.timed and memory.plain else None
    outlooks = None
    if waits is not None:
        outlooks = Outlooks(estimate_kernel(waits, chain.counts), chain.counts)
    return Predictor(states, chain.states, table, outlooks, lambda: _learn(chain, states, table))


def _learn(chain: MarkovChain, states: PrefixStates, table: Forecasts) -> Recalibration:
    """The line of a chain, from its own journeys."""
    sequences = chain.data.sequences
    state = None
    if states.key is not None:
        past = past_states(sequences, states.memory.depth)
        keys = StateKeys(states.memory, states.names).of(past, attempt_numbers(sequences)[0])
        known = np.isin(keys, states.key)
        if not known.all():
            # A visit to a state that leads nowhere known, and with it its journey, tells nothing.
            ends = np.bincount(sequences.of_visit[~known], minlength=sequences.n_sequences)
            sequences = sequences.take(ends == 0)
            past = past_states(sequences, states.memory.depth)
            keys = StateKeys(states.memory, states.names).of(past, attempt_numbers(sequences)[0])
        state = np.searchsorted(states.key, keys)
    return learn_recalibration(sequences, table.conversion.estimate[: table.n_states], state)


def recalibrated_rows(predictor: Predictor, rows: Ints, found: Expected) -> Expected:
    """The same expectations with conversions recalibrated; when the goal comes, if it does, stays as it is.

    Of journeys of which nothing is known a chain is right. Intervals are moved along; that the line is estimated too
    is not in them.
    """
    line, old = predictor.recalibration, found.conversion
    known = rows != predictor.forecasts.start
    estimate, lower, upper = (np.where(known, line(p), p) for p in (old.estimate, old.lower, old.upper))
    new = Estimates(estimate, lower, upper, old.n)
    with np.errstate(divide="ignore", invalid="ignore"):
        won = np.where(old.estimate > 0, new.estimate / old.estimate, 1.0)
        lost = np.where(old.estimate < 1, (1 - new.estimate) / (1 - old.estimate), 1.0)
    goal, drop = _scaled(found.goal, won), _scaled(found.drop, lost)
    rest = None
    if found.open is not None and goal is not None and drop is not None:
        estimate = np.clip(1 - goal.estimate - drop.estimate, 0.0, 1.0)
        shift = estimate - found.open.estimate
        low, high = (np.clip(part + shift, 0.0, 1.0) for part in (found.open.lower, found.open.upper))
        rest = Estimates(estimate, np.minimum(low, estimate), np.maximum(high, estimate), found.open.n)
    return replace(found, conversion=new, goal=goal, drop=drop, open=rest)


def _scaled(values: Estimates | None, by: Floats) -> Estimates | None:
    if values is None:
        return None
    estimate, lower, upper = (
        np.clip(p * by, 0.0, 1.0) for p in (values.estimate, values.lower, values.upper)
    )
    return Estimates(estimate, lower, upper, values.n)


def _keys_of(keys: StateKeys, sequences: SequenceCounts, states: tuple[str, ...]) -> Ints:
    """Keys behind the names of the states of a chain with memory."""
    if keys.memory.elapsed_us:
        hint = "fit a chain whose states do not know the time."
        raise NotEnoughDataError("lists have no times, and the states of the chain know the time.", hint=hint)
    past = past_states(sequences, keys.memory.depth)
    candidates = np.unique(keys.of(past, attempt_numbers(sequences)[0]))
    key_of = dict(zip(keys.names(candidates), candidates.tolist(), strict=True))
    return np.array([key_of[name] for name in states], dtype=np.int64)


def predict_rows(
    predictor: Predictor,
    rows: Ints,
    horizon: Duration | None = None,
    waited_us: Ints | None = None,
    *,
    recalibrate: bool = False,
) -> pd.DataFrame:
    """Predictions for rows of the table, one row each; looked up, so millions take seconds."""
    import pandas as pd

    found = expect_rows(predictor, rows, horizon, waited_us)
    if recalibrate:
        found = recalibrated_rows(predictor, rows, found)
    columns: dict[str, Any] = {
        "conversion": found.conversion.estimate,
        "lower": found.conversion.lower,
        "upper": found.conversion.upper,
        "dropped": 1.0 - found.conversion.estimate,
        "next": step_names(predictor)[found.next],
        "next_share": found.next_share,
        "remaining_events": found.events,
        "remaining_days": found.seconds / DAY_S,
    }
    if found.goal is not None and found.drop is not None:
        columns |= {
            "conversion_within": found.goal.estimate,
            "within_lower": found.goal.lower,
            "within_upper": found.goal.upper,
            "dropped_within": found.drop.estimate,
        }
    return pd.DataFrame(columns)


def step_names(predictor: Predictor) -> NDArray[np.object_]:
    """Names of the columns of the next step; the last one, -1, is none: the journey is over."""
    names = np.empty(len(predictor.names) + 3, dtype=object)
    names[:-1] = [*predictor.names, GOAL_COLUMN, DROP_COLUMN]
    names[-1] = None
    return names


def expect_rows(
    predictor: Predictor, rows: Ints, horizon: Duration | None = None, waited_us: Ints | None = None
) -> Expected:
    """Expectations for rows of the table, shape (n,).

    Raises
    ------
    NotEnoughDataError
        A horizon or a silence is given, and the chain does not know how long anything takes.
    """
    table = predictor.forecasts
    best = table.onward.estimate.argmax(axis=1)
    best[table.goal] = -1
    share = np.append(table.onward.estimate.max(axis=1), np.nan)
    share[table.goal] = np.nan
    if horizon is None and (waited_us is None or not np.any(waited_us)):
        return Expected(
            _take(table.conversion, rows),
            table.events.estimate[rows],
            table.seconds.estimate[rows],
            best[rows],
            share[rows],
        )
    outlooks = timed_outlooks(predictor)
    horizon_us = duration_us(horizon, name="horizon") if horizon is not None else None
    silence = np.zeros(len(rows), dtype=np.int64) if waited_us is None else waited_us
    pairs, place = np.stack([rows, silence]), None
    if waited_us is None or len(waited_us) == 0 or waited_us.min() == waited_us.max():
        # Equal journeys are looked up once.
        unique, back = np.unique(rows, return_inverse=True)
        pairs, place = (
            np.stack([unique, np.full(len(unique), silence[0] if len(silence) else 0)]),
            back.ravel(),
        )
    inside = pairs[0] < table.n_states
    found = outlooks.expect(pairs[0][inside], pairs[1][inside], horizon_us)
    if not inside.all():
        start = outlooks.from_start(horizon_us if np.any(pairs[0] == table.start) else None)
        found = _joined(table, pairs[0], inside, found, expect_rows(predictor, pairs[0]), start)
    if not silence.any():
        # Without a silence, all but the horizon is what the table says.
        still = expect_rows(predictor, pairs[0])
        found = replace(still, goal=found.goal, drop=found.drop, open=found.open)
    return found if place is None else found.take(place)


def _joined(
    table: Forecasts, rows: Ints, inside: NDArray[np.bool_], found: Expected, still: Expected, start: Within
) -> Expected:
    """States by their outlook; the start and the goal, which no silence changes, by the table."""

    def shares(name: str, at_goal: float) -> Estimates | None:
        mine, first = getattr(found, name), getattr(start, name)
        if mine is None:
            return None
        parts = []
        for part in ("estimate", "lower", "upper", "n"):
            full = np.full(len(rows), 0 if part == "n" else at_goal)
            if first is not None:
                full = np.where(rows == table.start, getattr(first, part), full)
            full = full.astype(np.int64 if part == "n" else float)
            full[inside] = getattr(mine, part)
            parts.append(full)
        return Estimates(*parts)

    def plain(name: str) -> Any:
        full = getattr(still, name).copy()
        full[inside] = getattr(found, name)
        return full

    conversion = [np.array(getattr(still.conversion, p)) for p in ("estimate", "lower", "upper", "n")]
    for full, part in zip(conversion, ("estimate", "lower", "upper", "n"), strict=True):
        full[inside] = getattr(found.conversion, part)
    return Expected(
        Estimates(*conversion),
        plain("events"),
        plain("seconds"),
        plain("next"),
        plain("next_share"),
        shares("goal", 1.0),
        shares("drop", 0.0),
        shares("open", 0.0),
    )


def _take(values: Estimates, rows: Ints) -> Estimates:
    return Estimates(values.estimate[rows], values.lower[rows], values.upper[rows], values.n[rows])


def timed_outlooks(predictor: Predictor) -> Outlooks:
    """What a chain with times knows of horizons and silences."""
    if predictor.outlooks is None:
        hint = "fit the chain, without memory, from a log read with timestamp=..."
        problem = "the chain does not know how long anything takes, so nothing can be said of a horizon or a silence."
        raise NotEnoughDataError(problem, hint=hint)
    return predictor.outlooks
