"""Predictions for journeys under way: the next step, how they end, what is still to come, with intervals.

A prediction is that of the state that a journey is in, so predicting is looking up a table (`forecasts.py`). How long
the customer has been silent changes it (`outlook.py`). Intervals are those of the probability, over customers; what
a single customer does is as uncertain as the probability says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine._checks import check_choice, duration_us
from journeymine.errors import OptionError, shown
from journeymine.markov.prediction.prediction_rows import (
    DAY_S,
    Predictor,
    expect_rows,
    make_predictor,
    predict_rows,
    recalibrated_rows,
    step_names,
    timed_outlooks,
)
from journeymine.markov.prediction.prefix_states import Unknown, is_one
from journeymine.markov.priors import GOAL_COLUMN

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.markov.prediction.prefix_states import PrefixStates
    from journeymine.uncertainty import Estimates

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Duration = str | timedelta

    Number = dict[str, float | int] | None

__all__ = ["Prediction", "Predictor", "make_predictor", "predict"]

START = "(start)"


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What is to be expected of one journey; every number is `{estimate, lower, upper, n}`, None if not available.

    Attributes
    ----------
    prefix
        The journey so far.
    state
        State of the chain that it is in; "(start)", or "(goal)" when it is over.
    conversion, dropped
        How it ends.
    remaining_events, remaining_days
        Until the goal, if it is reached; the goal is an event.
    next
        One row a next step: step, estimate, lower, upper, n; the likeliest first.
    horizon
        The time within which, from now on, what follows is to happen; None without one.
    conversion_within, dropped_within, open
        Goal reached, known to be over, or neither, within the horizon.
    waited
        How long the customer has been silent, as it was given.
    unknown
        Activities of the prefix that the chain has never seen and that were left out.
    """

    prefix: tuple[str, ...]
    state: str
    conversion: Number
    dropped: Number
    remaining_events: Number
    remaining_days: Number
    next: pd.DataFrame
    horizon: str | None = None
    conversion_within: Number = None
    dropped_within: Number = None
    open: Number = None
    waited: str | None = None
    unknown: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row a number: quantity, estimate, lower, upper, n; next steps as "next: ..."."""
        import pandas as pd

        names = ["conversion", "dropped", "remaining_events", "remaining_days"]
        names += ["conversion_within", "dropped_within", "open"] if self.horizon else []
        rows = [{"quantity": name, **(getattr(self, name) or {})} for name in names]
        rows += [
            {"quantity": f"next: {step}", "estimate": p, "lower": low, "upper": high, "n": n}
            for step, p, low, high, n in self.next.itertuples(index=False)
        ]
        return pd.DataFrame(rows, columns=["quantity", "estimate", "lower", "upper", "n"])

    def __repr__(self) -> str:
        lines = [f"Prediction after {len(self.prefix)} events, in state {shown(self.state)}"]
        lines += [f"conversion {_written(self.conversion)}"]
        if self.horizon:
            lines.append(
                f"within {self.horizon}: {_written(self.conversion_within)}, open {_written(self.open)}"
            )
        if self.waited:
            lines.append(f"given {self.waited} of silence")
        if len(self.next):
            best = self.next.iloc[0]
            lines.append(f"next: {shown(best['step'])} {best['estimate']:.4f}")
        return "\n".join([*lines, "Next: .next, .to_frame()"])


def _written(value: Number) -> str:
    if value is None:
        return "not available"
    return f"{value['estimate']:.4f} ({value['lower']:.4f} to {value['upper']:.4f})"


def predict(
    predictor: Predictor,
    prefix: Any,
    horizon: Duration | None = None,
    *,
    waited: Duration | Iterable[Duration] | None = None,
    unknown: Unknown = "raise",
    recalibrate: bool = False,
) -> Prediction | pd.DataFrame:
    """Predict how journeys go on.

    Parameters
    ----------
    prefix
        One journey so far (a list of activities; an empty one is a journey of which nothing is known), a list of
        journeys, or a frame with the columns prefix_id and activity in the order of time.
    horizon
        Time from now on, like "7d".
    waited
        How long the customer has been silent since the last activity; one value, or one for each prefix.
    unknown
        Activities that the chain has never seen: "raise", or predict from the "last_known" one.
    recalibrate
        Put conversions on the line that fits how the chain's own journeys ended (`recalibration.py`): better where
        customers differ in ways that states do not show.

    Returns
    -------
    Prediction or DataFrame
        For many journeys one row each: conversion, lower, upper, dropped, next, next_share, remaining_events,
        remaining_days, and with a horizon conversion_within, within_lower, within_upper, dropped_within. Its
        `attrs["n_unknown"]` counts the journeys with activities never seen.

    Raises
    ------
    OptionError
        An activity was never seen, a duration cannot be read, or a silence is as long as the end of a journey.
    NotEnoughDataError
        A horizon or a silence is given, and the chain has no times.
    """
    check_choice("unknown", unknown, Unknown)
    if is_one(prefix):
        return _one(predictor, prefix, horizon, waited, unknown, recalibrate=recalibrate)
    rows = predictor.states.find(prefix, unknown=unknown)
    silence = _silences(waited, len(rows))
    frame = predict_rows(predictor, rows, horizon, silence, recalibrate=recalibrate)
    frame.attrs["n_unknown"] = _n_unknown(predictor.states, prefix) if unknown == "last_known" else 0
    return frame


def _n_unknown(states: PrefixStates, prefixes: Any) -> int:
    """Prefixes that hold an activity which was never seen."""
    known = states.code_of.keys()
    if hasattr(prefixes, "columns"):
        strange = ~prefixes["activity"].isin(list(known))
        return int(prefixes.loc[strange, "prefix_id"].nunique())
    return sum(not known >= set(prefix) for prefix in prefixes)


def _silences(waited: Any, n: int) -> Ints | None:
    """Silence of each prefix in microseconds."""
    if waited is None:
        return None
    if isinstance(waited, str) or not hasattr(waited, "__len__"):
        return np.full(n, duration_us(waited, name="waited"), dtype=np.int64)
    if len(waited) != n:
        raise OptionError(f"waited has {len(waited)} values, expected one for each of {n} prefixes.")
    values = np.asarray(waited)
    if values.dtype.kind == "m":
        micro = values.astype("timedelta64[us]").astype(np.int64)
    else:
        known = {value: duration_us(value, name="waited") for value in set(values.tolist())}
        micro = np.array([known[value] for value in values.tolist()], dtype=np.int64)
    if np.any(micro < 0):
        raise OptionError("waited holds a time below zero.", hint="pass the time since the last activity.")
    return micro


def _one(
    predictor: Predictor, prefix: Any, horizon: Any, waited: Any, unknown: Unknown, *, recalibrate: bool
) -> Prediction:
    names = tuple(prefix)
    states, table = predictor.states, predictor.forecasts
    row = states.find([list(names)], unknown=unknown)
    silence = _silences(waited, 1)
    if silence is not None and row[0] == table.start:
        raise OptionError(
            f"waited is {shown(waited)}, but the journey has no event yet.", hint="leave it out."
        )
    found = expect_rows(predictor, row, horizon, silence)
    if recalibrate:
        found = recalibrated_rows(predictor, row, found)
    conversion = found.conversion.at(0)
    at = int(row[0])
    over = at == table.goal
    plain = silence is None or not silence.any()
    state = (*predictor.names, START, GOAL_COLUMN)[at] if at <= table.goal else names[-1]
    return Prediction(
        prefix=names,
        state=state,
        conversion=conversion,
        dropped=_other(conversion),
        remaining_events=_remaining(table.events, found.events, at, 1.0, plain=plain, over=over),
        remaining_days=_remaining(table.seconds, found.seconds, at, DAY_S, plain=plain, over=over),
        next=_next_frame(predictor, at, 0 if silence is None else int(silence[0])),
        horizon=str(horizon) if horizon is not None else None,
        conversion_within=found.goal.at(0) if found.goal is not None else None,
        dropped_within=found.drop.at(0) if found.drop is not None else None,
        open=found.open.at(0) if found.open is not None else None,
        waited=str(waited) if waited is not None else None,
        unknown=tuple(dict.fromkeys(name for name in names if name not in states.code_of)),
    )


def _other(share: Number) -> Number:
    """The share of the rest."""
    if share is None:
        return None
    low, high = 1 - share["upper"], 1 - share["lower"]
    return {"estimate": 1 - share["estimate"], "lower": low, "upper": high, "n": share["n"]}


def _remaining(values: Estimates, now: Floats, at: int, unit: float, *, plain: bool, over: bool) -> Number:
    """What is still to come; after a silence the interval is moved along with the estimate."""
    if over:
        return None
    known = values.at(at)
    if known is None or not np.isfinite(now[0]):
        return None
    shift = 0.0 if plain else float(now[0]) - known["estimate"]
    return {name: known["n"] if name == "n" else (known[name] + shift) / unit for name in known}


def _next_frame(predictor: Predictor, row: int, waited_us: int) -> pd.DataFrame:
    """Next steps of one row, the likeliest first."""
    import pandas as pd

    table, names = predictor.forecasts, step_names(predictor)
    estimate, lower, upper = (np.array(getattr(table.onward, p)[row]) for p in ("estimate", "lower", "upper"))
    n = np.asarray(table.onward.n[row])
    if waited_us > 0 and row < table.n_states:
        found = timed_outlooks(predictor).next_steps(row, waited_us)
        estimate, lower, upper, n = found.estimate, found.lower, found.upper, found.n
    used = np.flatnonzero(estimate > 0)
    order = used[np.lexsort((used, -estimate[used]))]
    return pd.DataFrame(
        {
            "step": names[:-1][order],
            "estimate": estimate[order],
            "lower": lower[order],
            "upper": upper[order],
            "n": n[order],
        }
    )
