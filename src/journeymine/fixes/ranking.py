"""The ranking: fixes sorted by the lower bound of their effect, ties called ties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from journeymine.fixes.ranks import rank_intervals, share_best
from journeymine.uncertainty import Estimates, percentile_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts
    from journeymine.fixes.candidates import Candidate, Found
    from journeymine.fixes.classes import Classes
    from journeymine.fixes.effects import Effects
    from journeymine.log import EventLog

    Floats = NDArray[np.float64]

MONTH_DAYS = 30.4375
EVIDENCE = "association"


@dataclass(frozen=True, slots=True)
class Segment:
    """A value of a segment column."""

    column: str
    value: str


@dataclass(frozen=True, slots=True)
class Period:
    """A period of time, microseconds since 1970 UTC; `ongoing` if it reaches the end of what was watched."""

    start_us: int
    end_us: int
    ongoing: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """What the drop-out is brought down to: `kind` "segment", "period" or "assumed", the share, visits behind it."""

    kind: str
    value: float
    n: int


@dataclass(frozen=True, slots=True)
class Fix:
    """One fix with everything a reader needs to decide.

    Attributes
    ----------
    effect
        Change of the share of journeys that reach the goal; `n` journeys.
    drop
        Drop-out share in the scope now; `n` visits.
    reach
        Share of journeys that meet the activity in the scope.
    per_month, money_per_month
        Conversions and money a month; None where time or value is not known.
    audience_n
        Customers who were lost there.
    block
        "found" (the reference was found in the data) or "assumed".
    rank_lower, rank_upper
        Places the fix could hold within its block, counted over both blocks.
    """

    id: str
    kind: str
    activity: str
    attempt: int | None
    segment: Segment | None
    period: Period | None
    reference: Reference
    effect: Estimates
    drop: Estimates
    reach: Estimates
    per_month: Estimates | None
    money_per_month: Estimates | None
    audience_n: int
    p_best: float
    rank: int
    rank_lower: int
    rank_upper: int
    evidence: str
    block: str


@dataclass(frozen=True, slots=True, eq=False)
class FixRanking:
    """Ranked fixes; `log.rank_fixes()` makes one.

    Attributes
    ----------
    fixes
        In the order of their rank: those found in the data first, then the assumed ones.
    n_tested, n_kept
        Rows tested for differences between segments and periods, and kept at a false discovery rate of 5 %.
    found
        The tests behind the candidates.
    conversion
        Conversion now.
    n_draws
        Bootstrap replicates.
    unit
        What was resampled: "customers" or "buckets" of customers.
    states
        Names of the states of the chain.
    log
        The log it came from.
    classes
        Classes of customers that the effects were estimated in; None without `heterogeneity="classes"`.
    """

    fixes: tuple[Fix, ...]
    found: Found
    conversion: Estimates
    n_draws: int
    unit: str
    states: tuple[str, ...]
    log: EventLog
    classes: Classes | None = None

    @property
    def n_tested(self) -> int:
        """Rows tested."""
        return len(self.found.tests)

    @property
    def n_kept(self) -> int:
        """Rows that differ beyond the noise."""
        return self.found.n_kept

    def to_frame(self) -> pd.DataFrame:
        """One row a fix: rank, id, kind, activity, segment, period_start, period_end, estimate, lower, upper, …."""
        import pandas as pd

        return pd.DataFrame([_row(fix) for fix in self.fixes], columns=list(_COLUMNS))

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, the fixes as in `to_frame`."""
        return {
            "n_tested": self.n_tested,
            "n_kept": self.n_kept,
            "classes": None if self.classes is None else self.classes.to_dict(),
            "conversion": self.conversion.at(),
            "fixes": [_row(fix) for fix in self.fixes],
        }

    def __repr__(self) -> str:
        tested = f"{self.n_kept} of {self.n_tested} tested rows differ beyond the noise"
        head = f"FixRanking: {len(self.fixes)} fixes; {tested}"
        lines = [_line(fix) for fix in self.fixes[:8]]
        more = len(self.fixes) - len(lines)
        rest = [f"… and {more} more"] if more else []
        rest += [str(self.classes)] if self.classes is not None else []
        return "\n".join([head, *lines, *rest, "Next: .to_frame(), jm.report(log).save(...)"])

    def _repr_html_(self) -> str:
        from journeymine.reporting.notebook import ranking_html

        return ranking_html(self, self.log)


_COLUMNS = (
    "rank",
    "id",
    "kind",
    "activity",
    "attempt",
    "segment",
    "period_start",
    "period_end",
    "estimate",
    "lower",
    "upper",
    "n",
    "per_month",
    "money_per_month",
    "reach",
    "reference_kind",
    "reference_value",
    "reference_n",
    "drop",
    "p_best",
    "rank_lower",
    "rank_upper",
    "evidence",
    "audience_n",
    "block",
)


def _row(fix: Fix) -> dict[str, Any]:
    effect: dict[str, Any] = fix.effect.at() or {"estimate": None, "lower": None, "upper": None, "n": 0}
    return {
        "rank": fix.rank,
        "id": fix.id,
        "kind": fix.kind,
        "activity": fix.activity,
        "attempt": fix.attempt,
        "segment": f"{fix.segment.column} = {fix.segment.value}" if fix.segment else None,
        "period_start": iso(fix.period.start_us) if fix.period else None,
        "period_end": iso(fix.period.end_us) if fix.period else None,
        **effect,
        "per_month": float(fix.per_month.estimate) if fix.per_month else None,
        "money_per_month": float(fix.money_per_month.estimate) if fix.money_per_month else None,
        "reach": float(fix.reach.estimate),
        "reference_kind": fix.reference.kind,
        "reference_value": fix.reference.value,
        "reference_n": fix.reference.n,
        "drop": float(fix.drop.estimate),
        "p_best": fix.p_best,
        "rank_lower": fix.rank_lower,
        "rank_upper": fix.rank_upper,
        "evidence": fix.evidence,
        "audience_n": fix.audience_n,
        "block": fix.block,
    }


def _line(fix: Fix) -> str:
    where = f" [{fix.segment.column} = {fix.segment.value}]" if fix.segment else ""
    when = f" [{iso(fix.period.start_us)[:10]} to {iso(fix.period.end_us)[:10]}]" if fix.period else ""
    low, high = float(fix.effect.lower) * 100, float(fix.effect.upper) * 100
    size = f"{float(fix.effect.estimate) * 100:+.2f} pt ({low:+.2f} to {high:+.2f})"
    how = "" if fix.block == "found" else ", if 20 % of its drop-outs were saved"
    return f"{fix.rank:>3}. {size}  {fix.activity[:60]}{where[:60]}{when}{how}"


def iso(time_us: int) -> str:
    """ISO 8601 in UTC.

    Examples
    --------
    >>> iso(1_767_225_600_000_000)
    '2026-01-01T00:00:00Z'
    """
    import datetime as dt

    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=time_us)
    return moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds").replace(
        "+00:00", "Z"
    )


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """What turns a change of conversion into numbers a month.

    Attributes
    ----------
    journeys_per_month
        None in a log without a calendar.
    value, value_draws
        Mean value of a conversion, and its replicates on the same draws as the effects; None without a value column.
    """

    journeys_per_month: float | None = None
    value: float | None = None
    value_draws: Floats | None = None


def rank_candidates(
    counts: ChainCounts,
    candidates: Sequence[Candidate],
    effects: Effects,
    reach: Sequence[Estimates],
    audience: Sequence[int],
    segments: Sequence[str],
    scale: Scale,
) -> tuple[Fix, ...]:
    """Sort by the lower bound within each block and number over both."""
    n = counts.n_starts
    interval = percentile_interval(effects.effect, effects.effect_draws, n)
    fixes: list[Fix] = []
    for block in ("found", "assumed"):
        here = [i for i, c in enumerate(candidates) if (c.kind == "assumed") == (block == "assumed")]
        best = share_best(effects.effect_draws[:, here])
        low, high = rank_intervals(effects.effect[here], effects.effect_draws[:, here])
        names = {i: _fix_id(counts, candidates[i], segments) for i in here}
        order = sorted(
            range(len(here)),
            key=lambda j: (-interval.lower[here[j]], -effects.effect[here[j]], names[here[j]]),
        )
        begin = len(fixes)
        for place, j in enumerate(order, start=1):
            i = here[j]
            fixes.append(
                _fix(
                    counts,
                    candidates[i],
                    effects,
                    i,
                    _scalar(interval, i),
                    reach[i],
                    audience[i],
                    segments,
                    scale,
                    block=block,
                    p_best=float(best[j]),
                    rank=begin + place,
                    rank_lower=begin + min(int(low[j]), place),
                    rank_upper=begin + max(int(high[j]), place),
                )
            )
    return tuple(fixes)


def _scalar(values: Estimates, i: int) -> Estimates:
    return Estimates(values.estimate[i], values.lower[i], values.upper[i], values.n[i])


def _fix_id(counts: ChainCounts, candidate: Candidate, segments: Sequence[str]) -> str:
    parts = ["drop_off", counts.states[candidate.state]]
    if candidate.column is not None:
        parts.append(f"{segments[candidate.column]}={candidate.value}")
    if candidate.period_us is not None:
        parts.append(f"{iso(candidate.period_us[0])}/{iso(candidate.period_us[1])}")
    return ":".join(parts)


def _fix(
    counts: ChainCounts,
    candidate: Candidate,
    effects: Effects,
    i: int,
    effect: Estimates,
    reach: Estimates,
    audience: int,
    segments: Sequence[str],
    scale: Scale,
    *,
    block: str,
    p_best: float,
    rank: int,
    rank_lower: int,
    rank_upper: int,
) -> Fix:
    visits = int(candidate.scope.n.sum())
    drop = percentile_interval(effects.drop[i], effects.drop_draws[:, i], visits)
    segment = None
    if candidate.column is not None and candidate.value is not None:
        segment = Segment(segments[candidate.column], candidate.value)
    period = Period(*candidate.period_us, candidate.ongoing) if candidate.period_us else None
    per_month, money = _per_month(effect, effects.effect_draws[:, i], scale)
    return Fix(
        id=_fix_id(counts, candidate, segments),
        kind="drop_off",
        activity=counts.states[candidate.state],
        attempt=None,
        segment=segment,
        period=period,
        reference=Reference(candidate.kind, float(effects.reference[i]), int(effects.reference_n[i])),
        effect=effect,
        drop=drop,
        reach=reach,
        per_month=per_month,
        money_per_month=money,
        audience_n=audience,
        p_best=p_best,
        rank=rank,
        rank_lower=rank_lower,
        rank_upper=rank_upper,
        evidence=EVIDENCE,
        block=block,
    )


def _per_month(effect: Estimates, draws: Floats, scale: Scale) -> tuple[Estimates | None, Estimates | None]:
    if scale.journeys_per_month is None:
        return None, None
    rate = scale.journeys_per_month
    conversions = Estimates(effect.estimate * rate, effect.lower * rate, effect.upper * rate, effect.n)
    if scale.value is None or scale.value_draws is None:
        return conversions, None
    money = percentile_interval(
        effect.estimate * rate * scale.value, draws * rate * scale.value_draws[: len(draws)], effect.n
    )
    return conversions, money
