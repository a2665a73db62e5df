"""Friction of a log: signals marked in the engine, counted, estimated; and the score that is learned from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine._checks import duration_us
from journeymine.counting import friction as counting
from journeymine.journeys import activity_codes
from journeymine.paths.friction import Friction, Off, estimate_friction
from journeymine.paths.friction_score import can_learn, estimate_score, predict_drops
from journeymine.paths.signals import SIGNALS, FrictionRules, actors_of, matching
from journeymine.sql.friction import FrictionLimits

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from journeymine.journeys import Journeys
    from journeymine.log import EventLog
    from journeymine.paths.friction_score import FrictionScore

HORIZON_SHARE = 0.95
MAX_HORIZON = 0.5
FINE = {"rapid_repeat": "rapid_within", "page_loop": "loop_within", "quick_exit": "quick_exit_within"}


def find_friction(log: EventLog, rules: FrictionRules | None = None, *, seed: int = 0) -> Friction:
    """Find where journeys rub: repeats, detours, waits, dead ends, errors, switches of channel, contacts.

    Each signal has its rate, and its association with the goal: visits to the same activity with and without it
    are followed from that moment on, as deep in the journey and in the same segments.

    Parameters
    ----------
    log
        A log whose journeys are defined; without a goal there are rates and waits, but no associations.
    rules
        Definitions; the defaults are published ones.
    seed
        Seed of the resampling behind the score's calibration.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from journeymine.reading import read_log
    >>> table = pa.table({"case": list("aaabbc"), "what": ["A", "B", "A", "A", "Pay", "A"]})
    >>> log = read_log(table, case_id="case", activity="what").journeys("Pay")
    >>> row = find_friction(log).signal("back_and_forth")[0]
    >>> row.activity, row.other, row.n, float(row.rate.estimate)
    ('A', 'B', 1, 0.25)
    """
    rules = rules or FrictionRules()
    journeys = log._journeys("friction")  # noqa: SLF001 - the log delegates to this function
    pairs = [_pair(log, x, y) for x, y in rules.never]
    resolution = counting.clock_resolution_us(log.engine, log.canonical)
    errors = matching(log.activities, rules.errors)
    contacts = matching(log.activities, rules.contacts)
    channel, in_channel = _channel(log, rules)
    limits = _limits(log, journeys, rules, resolution, (any(errors), any(contacts) or any(in_channel)))
    off = _off(limits, resolution)
    signals = [s for s in SIGNALS if s.kind in ("visit", "exit") and s.name not in {o.signal for o in off}]
    medians = counting.waits_before(log.engine, log.canonical) if limits.timed else {}
    floor = resolution or 1
    long_us = [
        max(rules.hesitation_factor * medians[c], floor) if c in medians else None
        for c in range(len(log.activities))
    ]
    visits = counting.make_signals(
        log.engine,
        log.canonical,
        journeys,
        limits,
        errors=errors,
        contacts=contacts,
        long_us=long_us,
        channel=None if channel is None else (log.raw.table, *channel, in_channel),
    )
    counts = counting.count_friction(
        log.engine,
        log.canonical,
        journeys,
        visits,
        limits,
        [s.name for s in signals],
        [s.name for s in signals if s.kind == "visit"],
        pairs=pairs,
        n_auto=rules.never_auto,
        auto_share=rules.never_share,
    )
    score, reason = _score(log, visits, counts.code, seed) if limits.has_goal else (None, "no_goal")
    log.engine.execute(f"DROP TABLE {visits}")
    return estimate_friction(
        counts,
        rules,
        actors=actors_of(log.activities, rules.actors),
        score=score,
        score_reason=reason,
        off=off,
        horizon_s=None if limits.horizon_us is None else limits.horizon_us / 1e6,
        resolution_s=None if resolution is None else resolution / 1e6,
        has_goal=limits.has_goal,
    )


def _pair(log: EventLog, x: str, y: str) -> tuple[int, int]:
    (first,), (second,) = (activity_codes(log.canonical, [name], "never") for name in (x, y))
    return first, second


def _channel(log: EventLog, rules: FrictionRules) -> tuple[tuple[str, str] | None, Sequence[bool]]:
    """Channel as text and table of the channels, and which of them are contacts."""
    if log.roles.channel is None:
        return None, ()
    dialect = log.engine.dialect
    text = dialect.text(dialect.quote(log.roles.channel))
    table, names = counting.channels_of(log.engine, log.raw.table, text)
    return (text, table), matching(names, rules.contacts)


def _limits(
    log: EventLog, journeys: Journeys, rules: FrictionRules, resolution: int | None, has: tuple[bool, bool]
) -> FrictionLimits:
    """The rules as numbers, without those that the clock is too coarse for."""
    within = {signal: duration_us(getattr(rules, field), name=field) for signal, field in FINE.items()}
    fine = {s: us if resolution is not None and resolution <= us else None for s, us in within.items()}
    return FrictionLimits(
        last_start_us=journeys.last_start_us,
        horizon_us=_horizon(log, journeys),
        end_us=log.canonical.last_us,
        idle_us=journeys.idle.us,
        rapid_us=fine["rapid_repeat"],
        rapid_times=rules.rapid_times,
        loop_us=fine["page_loop"],
        loop_times=rules.loop_times,
        quick_us=fine["quick_exit"],
        retries=rules.retries,
        contact_us=duration_us(rules.contact_within) if resolution is not None else None,
        timed=resolution is not None,
        has_goal=bool(journeys.goal),
        has_channel=log.roles.channel is not None,
        has_contacts=has[1],
        has_errors=has[0],
    )


def _horizon(log: EventLog, journeys: Journeys) -> int | None:
    """Time that most conversions take, at least `idle`: the same watch for every visit; None if all ends are known.

    To count a conversion whenever it comes, but a loss only among old journeys, would flatter recent visits.
    """
    first, last, idle = log.canonical.first_us, log.canonical.last_us, journeys.idle.us
    if journeys.last_start_us is None or first is None or last is None or idle is None or not journeys.goal:
        return None
    usual = counting.goal_delay_us(log.engine, log.canonical, journeys, HORIZON_SHARE) or 0
    return min(max(idle, usual), max(int(MAX_HORIZON * (last - first)), 1))


def _off(limits: FrictionLimits, resolution: int | None) -> tuple[Off, ...]:
    """Signals that this log cannot show, and what it lacks."""
    fine = {
        "rapid_repeat": limits.rapid_us,
        "page_loop": limits.loop_us,
        "quick_exit": limits.quick_us,
    }
    off = []
    for signal in SIGNALS:
        lacks = {
            "goal": not limits.has_goal,
            "errors": not limits.has_errors,
            "channel": not limits.has_channel,
            "contacts": not limits.has_contacts,
            "times": not limits.timed,
            "fine_clock": fine.get(signal.name) is None,
        }
        missing = next((need for need in signal.needs if lacks[need]), None)
        if missing == "fine_clock" and resolution is None:
            missing = "times"
        if missing is not None:
            off.append(Off(signal.name, missing))
    return tuple(off)


def _score(
    log: EventLog, visits: str, codes: NDArray[np.int64], seed: int
) -> tuple[FrictionScore | None, str | None]:
    folds = counting.make_folds(log.engine, log.canonical)
    counts = counting.count_score(log.engine, visits, folds, codes)
    reason = can_learn(counts, log.canonical.n_units)
    found = None
    if reason is None:
        predictions = predict_drops(counts)
        by_bin, by_code = counting.count_scored(
            log.engine,
            log.canonical,
            visits,
            folds,
            codes,
            counts,
            predictions.bin,
            predictions.full,
            predictions.base,
        )
        found = estimate_score(log.activities, counts, predictions, by_bin, by_code, seed=seed)
    log.engine.execute(f"DROP TABLE {folds}")
    return found, reason
