"""Friction: how often each signal holds, and what it goes with; associations, never causes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from journeymine.errors import OptionError, listed, shown, suggestion
from journeymine.paths.move_on import MoveOn, move_on
from journeymine.paths.risk_difference import difference_test, exact_test, risk_difference
from journeymine.paths.row_tests import GroupedDrops
from journeymine.paths.signals import SIGNALS
from journeymine.uncertainty import Estimates, benjamini_hochberg, share_of_units, unit_matrix

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.counts.friction import FrictionCounts, Outcomes
    from journeymine.paths.friction_score import FrictionScore
    from journeymine.paths.signals import FrictionRules

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

KINDS = {signal.name: signal.kind for signal in SIGNALS}
PLACES = {signal.name: i for i, signal in enumerate(SIGNALS)}
TELLING = (
    "error_exit", "after_error", "repeat_contact", "rapid_repeat", "page_loop", "channel_switch", "hesitation",
    "back_and_forth", "self_loop", "retry", "rework", "repetition", "dead_end", "quick_exit", "long_wait", "never",
    "outlook",
)  # fmt: skip
MIN_LONG = 0.5
"""A step's wait is long if more than half of those who go on are still waiting after a usual long wait."""


@dataclass(frozen=True, slots=True, eq=False)
class Off:
    """A signal that could not be judged, and what the log lacks for it."""

    signal: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class FrictionRow:
    """One signal at one activity.

    Attributes
    ----------
    signal, activity
        What and where; `other` is the second activity of a pair, or the commonest companion.
    actor
        Who acts in the activity, if names or rules say so.
    rate
        Share of the visits that can be judged in which the signal holds; of journeys with x for `never`.
    n, n_journeys
        Visits and journeys in which it holds.
    effect
        Difference in the share that reach the goal (`effect_on` "goal") or that are dropped right after the
        visit ("drop") between visits with and without the signal, at the same activity, as deep in the
        journey, in the same segments. None if too few can be compared.
    leave
        For signals known at the visit, the same difference in the share dropped right after it.
    p_value, q_value
        Of the clustered test; q allows for all signals that were tested. For `long_wait` there is no test.
    kept
        Whether it stands out from the noise.
    score
        Learned friction score of the activity.
    """

    signal: str
    activity: str
    other: str | None
    actor: str | None
    rate: Estimates
    n: int
    n_journeys: int
    effect: Estimates | None = None
    effect_on: str | None = None
    leave: Estimates | None = None
    p_value: float | None = None
    q_value: float | None = None
    kept: bool = False
    score: Estimates | None = None

    @property
    def harm(self) -> float:
        """Effect with its sign turned so that more is worse; 0 if there is none."""
        if self.effect is None:
            return 0.0
        effect = float(self.effect.estimate)
        return effect if self.effect_on == "drop" else -effect

    @property
    def reading(self) -> str | None:
        """One of "friction", "satisfaction" (a difference for the better), "noise"; None if it was not tested."""
        if self.kept:
            return "friction" if self.harm > 0 or self.signal == "long_wait" else "satisfaction"
        return None if self.p_value is None else "noise"


@dataclass(frozen=True, slots=True, eq=False)
class StepWait:
    """Time until journeys go on from an activity; `long` by the rule of `MIN_LONG`."""

    activity: str
    found: MoveOn
    long: bool


@dataclass(frozen=True, slots=True, eq=False)
class Friction:
    """Signs of friction and of satisfaction, and the learned score of each step.

    Attributes
    ----------
    rows
        One a signal and activity; those that stand out come first.
    waits
        Time until journeys go on from each activity.
    long_after_s
        The time after which a journey that has not gone on counts as waiting; None without times.
    score
        The learned score; None if there is too little to learn from (`score_reason` says what).
    off
        Signals that could not be judged.
    n_tested, n_kept
        Associations tested, and those that stand out at the error rate of the rules.
    horizon_s
        Time within which the goal has to be reached after a visit; None if every outcome is known.
    resolution_s
        The finest time the clock tells apart; None in a log without times.
    n_left_out
        Activities too rare to be judged, the 100 most visited ones being kept.
    """

    rows: tuple[FrictionRow, ...]
    waits: tuple[StepWait, ...]
    long_after_s: float | None
    score: FrictionScore | None
    score_reason: str | None
    off: tuple[Off, ...]
    n_tested: int
    n_kept: int
    horizon_s: float | None
    resolution_s: float | None
    n_left_out: int
    rules: FrictionRules

    def signal(self, name: str) -> tuple[FrictionRow, ...]:
        """Rows of one signal; `journeymine.paths.signals` says what each means."""
        names = [signal.name for signal in SIGNALS]
        if name not in names:
            hint = suggestion(name, names, "pass one of the signals found.")
            raise OptionError(f"{shown(name)} is not a signal.", found=f"{listed(names)}.", hint=hint)
        return tuple(row for row in self.rows if row.signal == name)

    def to_frame(self) -> pd.DataFrame:
        """One row a signal and activity."""
        import pandas as pd

        columns = [
            "signal",
            "activity",
            "other",
            "actor",
            "n",
            "n_journeys",
            "rate",
            "rate_lower",
            "rate_upper",
        ]
        columns += ["estimate", "lower", "upper", "effect_on", "p_value", "q_value", "kept", "score"]
        records = [
            (
                row.signal, row.activity, row.other, row.actor, row.n, row.n_journeys, *_three(row.rate),
                *_three(row.effect), row.effect_on, _nan(row.p_value), _nan(row.q_value), row.kept,
                _three(row.score)[0],
            )
            for row in self.rows
        ]  # fmt: skip
        return pd.DataFrame(records, columns=columns)

    def __repr__(self) -> str:
        lines = [f"Friction: {self.n_tested} associations tested, {self.n_kept} stand out from the noise"]
        for row in distinct(self.rows)[:7]:
            effect = (
                "" if row.effect is None else f", {row.effect_on} {100 * float(row.effect.estimate):+.1f} pt"
            )
            other = f" / {row.other}" if row.other else ""
            rate = f"{float(row.rate.estimate):.1%} of {int(row.rate.n):,}"
            lines.append(f"  {row.signal:<15} {(row.activity + other)[:60]}: {rate}{effect}")
        if self.off:
            lines.append(f"  not judged: {', '.join(off.signal for off in self.off)}"[:110])
        return "\n".join([*lines, 'Next: .to_frame(), .signal("dead_end"), .score'])


def distinct(rows: tuple[FrictionRow, ...]) -> list[FrictionRow]:
    """Frictions, each once: of signals that hold at the same visits the most telling one.

    Repeats of "Pay" that all follow "Declined" are a repetition, rework, a back-and-forth and an error.
    """
    found: dict[tuple[object, ...], FrictionRow] = {}
    for row in rows:
        if row.reading == "friction" and row.signal != "outlook":
            key = (row.activity, row.n, row.effect_on)
            if key not in found or TELLING.index(row.signal) < TELLING.index(found[key].signal):
                found[key] = row
    return list(found.values())


def _three(estimate: Estimates | None) -> tuple[float, float, float]:
    if estimate is None:
        return (np.nan, np.nan, np.nan)
    return float(estimate.estimate), float(estimate.lower), float(estimate.upper)


def _nan(value: float | None) -> float:
    return np.nan if value is None else value


def estimate_friction(
    counts: FrictionCounts,
    rules: FrictionRules,
    *,
    actors: tuple[str | None, ...],
    score: FrictionScore | None = None,
    score_reason: str | None = None,
    off: tuple[Off, ...] = (),
    horizon_s: float | None = None,
    resolution_s: float | None = None,
    has_goal: bool = True,
) -> Friction:
    """Rates, associations, tests and waits from counts; the family of tests is that of all signals together.

    Parameters
    ----------
    actors
        Actor of each activity, by code.
    score
        Scores by code, given to the rows of the activity.
    """
    waits, after = _waits(counts, rules)
    rows = [*_rates(counts), *_wait_rows(counts, waits), *_pair_rows(counts)]
    if has_goal:
        parts = {name: _by_code(outcomes) for name, outcomes in counts.by_signal.items()}
        rows = [_associated(counts, row, parts) for row in rows] + _outlook_rows(counts)
        rows = _exits(counts, rows)
    rows = _tested(rows, rules.level)
    by_name = {} if score is None else score.by_activity()
    actor = dict(zip(counts.activities, actors, strict=True))
    rows = [replace(row, score=by_name.get(row.activity), actor=actor[row.activity]) for row in rows]
    return Friction(
        rows=tuple(sorted(rows, key=_rank)),
        waits=tuple(waits.values()),
        long_after_s=after,
        score=score,
        score_reason=score_reason,
        off=off,
        n_tested=len({(r.p_value, r.activity, _test_of(r), r.other) for r in rows if r.p_value is not None}),
        n_kept=len({(r.activity, _test_of(r), r.other) for r in rows if r.kept and r.p_value is not None}),
        horizon_s=horizon_s,
        resolution_s=resolution_s,
        n_left_out=len(counts.activities) - len(counts.code),
        rules=rules,
    )


def _rank(row: FrictionRow) -> tuple[int, float, int, str, str]:
    """What stands out first, the most journeys concerned first."""
    group = 0 if row.reading == "friction" else 1 if row.kept else 2
    weight = row.harm * row.n if row.effect is not None else float(row.rate.estimate)
    return group, -abs(weight), PLACES[row.signal], row.activity, row.other or ""


def _test_of(row: FrictionRow) -> str:
    """An error's exit is its dead end: one test, shown twice."""
    return "dead_end" if row.signal == "error_exit" else row.signal


def _rates(counts: FrictionCounts) -> list[FrictionRow]:
    """Rates of the signals that are flags of visits; activities where a signal can never hold are left out."""
    k, rows = len(counts.code), []
    for s, signal in enumerate(counts.signals):
        shape = (counts.n_units, k)
        held = unit_matrix(counts.unit, counts.place, counts.held[:, s], shape)
        judged = unit_matrix(counts.unit, counts.place, counts.judged[:, s], shape)
        rate = share_of_units(held, judged, buckets=counts.buckets)
        n = np.bincount(counts.place, weights=counts.held[:, s], minlength=k).astype(int)
        for i, code in enumerate(counts.code.tolist()):
            if rate.n[i] == 0 or (n[i] == 0 and KINDS[signal] == "visit"):
                continue
            other = counts.other.get((signal, code))
            rows.append(
                FrictionRow(
                    signal,
                    counts.activities[code],
                    None if other is None else counts.activities[other],
                    None,
                    _scalar(rate, i),
                    int(n[i]),
                    int(counts.journeys[i, s]),
                )
            )
    return rows


def _scalar(estimates: Estimates, i: int) -> Estimates:
    return Estimates(estimates.estimate[i], estimates.lower[i], estimates.upper[i], estimates.n[i])


def _waits(counts: FrictionCounts, rules: FrictionRules) -> tuple[dict[str, StepWait], float | None]:
    """Time until journeys go on from each step, read where a wait is a multiple of the usual one."""
    waits = counts.waits
    if waits is None:
        return {}, None
    after = int(np.searchsorted(waits.edges_s, rules.hesitation_factor * waits.usual_s))
    after = min(after, len(waits.edges_s) - 1)
    found = {}
    for code in counts.code.tolist():
        own = waits.code == code
        result = (
            move_on(
                waits.unit[own], waits.bin[own], waits.moved[own], waits.censored[own], waits.edges_s, after
            )
            if own.any()
            else None
        )
        if result is not None:
            long = bool(result.waiting_movers.lower > MIN_LONG) and after < len(waits.edges_s) - 1
            found[counts.activities[code]] = StepWait(counts.activities[code], result, long)
    return found, float(waits.edges_s[after])


def _wait_rows(counts: FrictionCounts, waits: dict[str, StepWait]) -> list[FrictionRow]:
    n_journeys = dict(
        zip((counts.activities[c] for c in counts.code), counts.n_journeys.tolist(), strict=True)
    )
    return [
        FrictionRow(
            "long_wait", name, None, None, wait.found.waiting_movers,
            round(float(wait.found.waiting_movers.estimate) * int(wait.found.waiting_movers.n)),
            n_journeys[name], kept=wait.long,
        )
        for name, wait in waits.items()
        if np.isfinite(wait.found.waiting_movers.estimate)
    ]  # fmt: skip


def _pair_rows(counts: FrictionCounts) -> list[FrictionRow]:
    pairs = counts.pairs
    if pairs is None:
        return []
    shape = (counts.n_units, len(pairs.pairs))
    rate = share_of_units(
        unit_matrix(pairs.unit, pairs.pair, pairs.never, shape),
        unit_matrix(pairs.unit, pairs.pair, pairs.n, shape),
        buckets=counts.buckets,
    )
    never = np.bincount(pairs.pair, weights=pairs.never, minlength=len(pairs.pairs)).astype(int)
    return [
        FrictionRow(
            "never", counts.activities[x], counts.activities[y], None, _scalar(rate, i), int(never[i]), int(never[i])
        )
        for i, (x, y, _) in enumerate(pairs.pairs)
        if rate.n[i]
    ]  # fmt: skip


def _by_code(outcomes: Outcomes) -> dict[int, Ints]:
    """Places of the rows of each activity."""
    order = np.argsort(outcomes.code, kind="stable")
    codes, first = np.unique(outcomes.code[order], return_index=True)
    return dict(zip(codes.tolist(), np.split(order, first[1:]), strict=True)) if len(order) else {}


def _associated(counts: FrictionCounts, row: FrictionRow, parts: dict[str, dict[int, Ints]]) -> FrictionRow:
    """The row with its association with the goal, if its signal is known at the visit."""
    if KINDS[row.signal] == "visit" and row.signal in counts.by_signal:
        outcomes = counts.by_signal[row.signal]
        own = parts[row.signal].get(counts.activities.index(row.activity))
        if own is None:
            return row
        data, leave = (_grouped(counts, outcomes, own, on=on) for on in ("goal", "drop"))
        row = _with_test(row, data, "goal")
        return replace(row, leave=risk_difference(leave)) if row.effect is not None else row
    if row.signal == "never" and counts.pairs is not None:
        pairs = counts.pairs
        i = [(counts.activities[x], counts.activities[y]) for x, y, _ in pairs.pairs].index(
            (row.activity, row.other or "")
        )
        # To reach y when every success passes y is not worth knowing.
        if pairs.pairs[i][1] not in counts.forced and pairs.gap[i]:
            own = np.flatnonzero(pairs.landmarks.code == i)
            return _with_test(row, _grouped(counts, pairs.landmarks, own, on="goal"), "goal")
    return row


def _grouped(counts: FrictionCounts, outcomes: Outcomes, own: Ints, *, on: str) -> GroupedDrops:
    """Visits with (group 1) and without the signal. Drops are journeys without the goal, or dropped right after."""
    if on == "goal":
        n, hits = outcomes.n[own], outcomes.n[own] - outcomes.won[own]
    else:
        n, hits = outcomes.watched[own], outcomes.lost[own]
    unit, stratum, flag = outcomes.unit[own], outcomes.stratum[own], outcomes.flag[own]
    data = GroupedDrops(unit, stratum, flag, n.astype(float), hits.astype(float), counts.n_units)
    return data.only(n > 0)


def _with_test(row: FrictionRow, data: GroupedDrops, on: str) -> FrictionRow:
    """The row with effect and p value; unchanged if too few visits can be compared."""
    if not len(data.n):
        return row
    strata, place = np.unique(data.stratum, return_inverse=True)
    has = np.zeros((len(strata), 2), bool)
    has[place, data.group] = True
    # A stratum without one of the groups says nothing, but would count as expected drops.
    both: NDArray[np.bool_] = np.asarray(has.all(axis=1))
    data = data.only(both[place])
    p_value = difference_test(data)
    if p_value is None and on == "drop":
        p_value = exact_test(data)
    difference = None if p_value is None else risk_difference(data)
    if p_value is None or difference is None:
        return row
    if on == "goal":
        # Data count journeys without the goal; the effect is on those that reach it.
        difference = Estimates(-difference.estimate, -difference.upper, -difference.lower, difference.n)
    return replace(row, effect=difference, effect_on=on, p_value=p_value)


def _against_others(counts: FrictionCounts, code: int, on: str) -> GroupedDrops:
    """Visits of an activity (group 1) and of all others in the same strata."""
    steps = counts.steps
    n, hits = (steps.n, steps.n - steps.won) if on == "goal" else (steps.watched, steps.lost)
    own = (steps.code == code) & (n > 0)
    near = np.isin(steps.stratum, np.unique(steps.stratum[own])) & ~own & (n > 0)
    key = steps.unit[near] * np.int64(steps.stratum.max(initial=0) + 1) + steps.stratum[near]
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    return GroupedDrops(
        np.concatenate([steps.unit[own], steps.unit[near][first]]),
        np.concatenate([steps.stratum[own], steps.stratum[near][first]]),
        np.repeat([1, 0], [int(own.sum()), len(first)]),
        np.concatenate([n[own], np.bincount(place, weights=n[near])]),
        np.concatenate([hits[own], np.bincount(place, weights=hits[near])]),
        counts.n_units,
    )


def _exits(counts: FrictionCounts, rows: list[FrictionRow]) -> list[FrictionRow]:
    """Rows with the drop-out after their step compared with that after the other steps."""
    code = {name: c for c, name in enumerate(counts.activities)}
    tested: dict[str, FrictionRow] = {}
    done = []
    for row in rows:
        if row.signal in ("dead_end", "error_exit"):
            if row.activity not in tested:
                tested[row.activity] = _with_test(
                    row, _against_others(counts, code[row.activity], "drop"), "drop"
                )
            found = tested[row.activity]
            row = replace(row, effect=found.effect, effect_on=found.effect_on, p_value=found.p_value)  # noqa: PLW2901
        done.append(row)
    return done


def _outlook_rows(counts: FrictionCounts) -> list[FrictionRow]:
    """Steps after which journeys do better or worse than after others as deep; forced steps are left out."""
    steps, rows = counts.steps, []
    for i, code in enumerate(counts.code.tolist()):
        if code in counts.forced:
            continue
        own = steps.code == code
        shape = (counts.n_units, 1)
        at = np.zeros(int(own.sum()), int)
        rate = share_of_units(
            unit_matrix(steps.unit[own], at, steps.won[own], shape),
            unit_matrix(steps.unit[own], at, steps.n[own], shape),
            buckets=counts.buckets,
        )
        if not rate.n[0]:
            continue
        row = FrictionRow(
            "outlook", counts.activities[code], None, None, _scalar(rate, 0),
            int(steps.n[own].sum()), int(counts.n_journeys[i]),
        )  # fmt: skip
        rows.append(_with_test(row, _against_others(counts, code, "goal"), "goal"))
    return rows


def _tested(rows: list[FrictionRow], level: float) -> list[FrictionRow]:
    """Rows with q values over all tests together; what is shown twice counts once."""
    tests: dict[tuple[str, str, str | None], float] = {
        (_test_of(row), row.activity, row.other if row.signal == "never" else None): row.p_value
        for row in rows
        if row.p_value is not None
    }
    q = dict(zip(tests, benjamini_hochberg(np.array(list(tests.values()))).tolist(), strict=True))
    done = []
    for row in rows:
        own = q.get((_test_of(row), row.activity, row.other if row.signal == "never" else None))
        done.append(row if own is None else replace(row, q_value=own, kept=own <= level))
    return done
