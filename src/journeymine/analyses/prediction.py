"""Predictions of a log: the journeys that are open now, scored, and how good predictions were on later journeys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from journeymine._checks import check_choice, duration_us, time_us
from journeymine.counting.chain import state_of_code
from journeymine.counting.histories import count_histories, count_returning, cut_time, fetch_open, known_at
from journeymine.counting.sequences import count_sequences
from journeymine.counting.visit_waits import count_visit_waits
from journeymine.errors import NotEnoughDataError, OptionError, shown
from journeymine.markov.estimation import ChainModel
from journeymine.markov.prediction.baselines import Rule, baseline
from journeymine.markov.prediction.outlook import look_ahead
from journeymine.markov.prediction.prediction_evaluation import judge
from journeymine.markov.prediction.recalibration import learn_recalibration
from journeymine.markov.timing.semi_kernel import estimate_kernel
from journeymine.uncertainty import N_DRAWS

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts
    from journeymine.counts.histories import HistoryCounts
    from journeymine.log import EventLog
    from journeymine.markov.chain import MarkovChain
    from journeymine.markov.prediction.prediction_quality import PredictionQuality

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

Customers = Literal["all", "new"]
DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
REPORT_CUT = 0.7
HORIZONS_US = tuple(HOUR_US * h for h in (1, 2, 6, 12)) + tuple(
    DAY_US * d for d in (1, 2, 3, 7, 14, 30, 60, 90)
)
"""Horizons that the report chooses from where the end of journeys cannot be judged."""


def evaluate_predictions(
    log: EventLog,
    *,
    cut: float | str | datetime = 0.7,
    horizon: str | timedelta | None = None,
    customers: Customers = "all",
    n_draws: int = N_DRAWS,
    seed: int = 0,
) -> PredictionQuality:
    """Learn from what was known at a time, predict every visit after it, and see what came.

    At the cut, journeys under way are open, as they were then: nothing of what follows is used. Judged are all visits
    after the cut, each with its journey up to then; a journey that is under way at the cut has its first visits in
    one part and the later ones in the other. Customers who were known before the cut are judged too, as they are in
    use: states know nothing of who somebody is. `customers="new"` judges the others only.

    How a journey ends is not known of all visits when the log ends. Within a horizon, judged are the visits that were
    watched for it. In the end, a journey whose end shows after a time t stands for all those whose end would have
    shown after t, but the log was over (inverse probability of censoring weights).

    Parameters
    ----------
    cut
        Share of the journeys that begin before the cut, or a time.
    horizon
        Judge whether the goal comes within this time of a visit; default: in the end.
    customers
        "all", or only those who were "new" at the cut.

    Raises
    ------
    OptionError
        The cut is not inside the log.
    NotEnoughDataError
        There are no times, or too little on one side of the cut.
    """
    check_choice("customers", customers, Customers)
    cut_us = _cut_us(log, cut)
    horizon_us = duration_us(horizon, name="horizon") if horizon is not None else None
    train = known_log(log, cut_us)
    chain = train.count_chain()
    if not chain.n_starts or not chain.n_visits:
        problem = "no journey began long enough before the cut to be learnt from."
        raise NotEnoughDataError(problem, hint="cut later, or set a shorter idle.")
    begin_us = log.canonical.first_us
    assert begin_us is not None
    before = _histories(train, begin_us, horizon_us)
    after = _histories(log, cut_us, horizon_us, new_from_us=cut_us if customers == "new" else None)
    if not before.end_weight.any():
        problem = "no journey had ended before the cut, so there is nothing to learn how they end from."
        raise NotEnoughDataError(problem, hint='cut later, or judge what happens sooner with horizon="7d".')
    state = state_of_code(chain, len(log.activities))
    returning = count_returning(log.engine, log._journeys("predictions"), cut_us)  # noqa: SLF001
    if customers == "new":
        returning = (0, returning[1] - returning[0])
    plain, line = _conversion(train, chain, horizon_us)
    return judge(
        _chain_rule(chain, plain, before, after, state),
        replace(_chain_rule(chain, line, before, after, state), name="recalibrated"),
        before,
        after,
        state,
        chain.n_states,
        cut_us=cut_us,
        customers=returning,
        n_draws=n_draws,
        seed=seed,
    )


def known_log(log: EventLog, at_us: int) -> EventLog:
    """The log as it was known at a time: journeys that go on later are open."""
    journeys = log._journeys("predictions")  # noqa: SLF001
    known, found = known_at(log.engine, log.raw, log.canonical, journeys, at_us)
    return replace(log, cut=known, found=found)


def _cut_us(log: EventLog, cut: Any) -> int:
    journeys = log._journeys("predictions")  # noqa: SLF001
    first, last = log.canonical.first_us, log.canonical.last_us
    if first is None or last is None:
        hint = 'pass timestamp="..." when reading the log.'
        raise NotEnoughDataError("the log has no times, so there is no earlier and later part.", hint=hint)
    if not journeys.goal:
        hint = 'pass goal="..." to journeys(), or set goal in [journey].'
        raise NotEnoughDataError("no goal is set, so there is no conversion to predict.", hint=hint)
    if isinstance(cut, bool) or (isinstance(cut, (int, float)) and not 0 < cut < 1):
        hint = "pass cut=0.7, or a time such as cut='2026-03-01'."
        raise OptionError(f"cut is {shown(cut)}, expected a share between 0 and 1.", hint=hint)
    at = cut_time(log.engine, journeys, cut) if isinstance(cut, (int, float)) else time_us(cut)
    if not first < at <= last:
        hint = "pass a share such as cut=0.7, or a time inside the log."
        error = NotEnoughDataError if isinstance(cut, (int, float)) else OptionError
        raise error(f"cut is {shown(cut)}, which leaves nothing on one side of it.", hint=hint)
    return at


def _histories(
    log: EventLog, begin_us: int, horizon_us: int | None, new_from_us: int | None = None
) -> HistoryCounts:
    return count_histories(
        log.engine,
        log.canonical,
        log._journeys("predictions"),  # noqa: SLF001
        log._visits,  # noqa: SLF001
        begin_us=begin_us,
        horizon_us=horizon_us,
        new_from_us=new_from_us,
    )


def _conversion(train: EventLog, chain: ChainCounts, horizon_us: int | None) -> tuple[Floats, Floats]:
    """Conversion from each state, in the end or within a horizon, and the same recalibrated, shape (k,)."""
    hit = ChainModel(chain).point().solved.hit
    found = train._journeys("predictions")  # noqa: SLF001
    parts = (train.engine, train.canonical, found, train._visits, chain)  # noqa: SLF001
    line = learn_recalibration(count_sequences(*parts), hit)(hit)
    if horizon_us is None:
        return hit, line
    ahead = look_ahead(estimate_kernel(count_visit_waits(*parts), chain), horizon_us)
    within: Floats = ahead.goal[: chain.n_states, -1]
    # When the goal comes, if it does, stays as it is.
    return within, within * np.divide(line, hit, out=np.ones_like(hit), where=hit > 0)


def _chain_rule(
    chain: ChainCounts, hit: Floats, before: HistoryCounts, histories: HistoryCounts, state_of: Ints
) -> Rule:
    """What the chain says of histories; activities that it has not seen get the base rate."""
    k = chain.n_states
    visits = np.bincount(chain.source, weights=chain.n, minlength=k)
    state = histories.kinds_of(state_of)
    rest = baseline("frequency", before, histories, state_of, k)
    known, at = state >= 0, np.maximum(state, 0)
    moves = np.concatenate([ChainModel(chain).point().moves, np.zeros((k, 1))], axis=1)
    return Rule(
        "chain",
        np.where(known, hit[at], rest.conversion),
        np.where(known, visits[at], rest.conversion_n),
        np.where(known[:, None], moves[at], rest.onward),
        np.where(known, visits[at], rest.onward_n),
    )


def report_quality(log: EventLog, *, n_draws: int = N_DRAWS, seed: int = 0) -> PredictionQuality | None:
    """What the report shows: how journeys end, else what happens within a horizon that the log can judge, else None."""
    journeys = log.found
    if journeys is None or not journeys.goal or log.canonical.last_us is None:
        return None
    options: dict[str, Any] = {"n_draws": n_draws, "seed": seed}
    try:
        return evaluate_predictions(log, **options)
    except NotEnoughDataError:
        pass
    try:
        horizon = _fitting_horizon(log)
        return evaluate_predictions(log, horizon=horizon, **options) if horizon else None
    except NotEnoughDataError:
        return None


def _fitting_horizon(log: EventLog) -> timedelta | None:
    """The longest usual horizon that a third of the time after the cut holds."""
    from datetime import timedelta

    last = log.canonical.last_us
    assert last is not None
    room = (last - _cut_us(log, REPORT_CUT)) / 3
    fitting = [us for us in HORIZONS_US if us <= room]
    return timedelta(microseconds=fitting[-1]) if fitting else None


def score_open_journeys(
    log: EventLog,
    chain: MarkovChain | None = None,
    horizon: str | timedelta | None = None,
    *,
    recalibrate: bool = False,
) -> pd.DataFrame:
    """Every open journey with what is to be expected of it now: the audience to act on, the likeliest first.

    Parameters
    ----------
    chain
        A fitted chain, without memory; default: `log.fit_markov()`.
    horizon
        Also what happens within this time from the end of the log.
    recalibrate
        Put conversions on the line that fits how the chain's own journeys ended (`markov/prediction/recalibration.py`).

    Returns
    -------
    DataFrame
        customer_id, case_id, last_activity, n_events, waited_days, conversion, lower, upper, dropped, next,
        next_share, remaining_events, remaining_days; with a horizon conversion_within, within_lower, within_upper,
        dropped_within. Sorted by conversion (within the horizon), then by customer and case.

    Raises
    ------
    NotEnoughDataError
        The log has no times.
    """
    import pandas as pd

    from journeymine.markov.prediction.prediction_rows import predict_rows

    fitted = chain if chain is not None else log.fit_markov()
    found = log._journeys("predictions")  # noqa: SLF001
    if log.canonical.last_us is None:
        hint = 'pass timestamp="..." when reading the log.'
        raise NotEnoughDataError("the log has no times, so no journey is known to be open.", hint=hint)
    rows = fetch_open(log.engine, log.canonical, found, log._visits)  # noqa: SLF001
    predictor = fitted.predictor
    code_of = predictor.states.code_of
    state = np.array([code_of.get(name, -1) for name in log.activities], dtype=np.int64)[rows.code]
    # Where an activity leads was never watched: such journeys are told like those of which nothing is known.
    place = np.where(state >= 0, state, predictor.forecasts.start)
    waited = np.where(state >= 0, log.canonical.last_us - rows.time_us, 0)
    expected = predict_rows(predictor, place, horizon, waited, recalibrate=recalibrate)
    names = np.asarray(log.activities, dtype=object)
    frame = pd.DataFrame(
        {
            "customer_id": rows.customer_id,
            "case_id": rows.case_id,
            "last_activity": names[rows.code],
            "n_events": rows.n_events,
            "waited_days": (log.canonical.last_us - rows.time_us) / DAY_US,
        }
    )
    scored = pd.concat([frame, expected], axis=1)
    key = "conversion_within" if horizon is not None else "conversion"
    order = np.lexsort((np.arange(len(scored)), -scored[key].fillna(-1.0).to_numpy()))
    return scored.iloc[order].reset_index(drop=True)
