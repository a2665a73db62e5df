"""Rankings as the engine gives them: every kind, every block, with and without money."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from journeymine.fixes.causal.care import ScopeOverlap
from journeymine.fixes.causal.placebo import PlaceboResult
from journeymine.fixes.causal.rescue import RescuePoint
from journeymine.fixes.decision.rice import Rice
from journeymine.fixes.experiments.audience import Audience
from journeymine.fixes.fix import Fix
from journeymine.fixes.ranked_fix import Bounds, Period, RankedFix, Reference, Segment
from journeymine.fixes.ranking import FixSet
from journeymine.reporting import words
from journeymine.reporting.numbers import rounded
from journeymine.reporting.sections.fixes import fixes_section
from journeymine.reporting.sections.ranking import ranking_section
from journeymine.uncertainty import Estimates

JOURNEYS, PER_MONTH, VALUE = 48210, 8000.0, 62.0
DAY = 86_400_000_000


def est(estimate: float, lower: float, upper: float, n: int = JOURNEYS) -> Estimates:
    return Estimates(np.array(estimate), np.array(lower), np.array(upper), np.array(n))


def around(estimate: float, half: float, n: int = JOURNEYS) -> Estimates:
    return est(estimate, estimate - half, estimate + half, n)


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """The part of a calibration that the report shows."""

    n_tests: int
    slope: Estimates
    intercept: Estimates
    spread: Estimates
    assumed: bool


@dataclass(frozen=True, slots=True, eq=False)
class FixRanking:
    """The part of a ranking that the report shows."""

    fixes: tuple[RankedFix, ...]
    outcome: str = "conversion"
    horizon: str | None = None
    horizon_months: float | None = None
    unit_of_value: str = "conversion"
    evpi: float = 0.0004
    p_nothing: float = 0.0
    conversion: Estimates = field(default_factory=lambda: around(0.1087, 0.003))
    n_draws: int = 1000
    unit: str = "customers"
    causal: str = "standardise"
    classes: Any = None
    placebo: PlaceboResult | None = field(
        default_factory=lambda: PlaceboResult(280, 1, 20, 1, around(0.011, 0.018, 9921), 3, quiet=True)
    )
    calibration: Calibration | None = None
    sets: tuple[FixSet, ...] = ()
    selection: str = "shrinkage"


@dataclass(frozen=True, slots=True)
class Plan:
    """The part of a plan that the report shows."""

    audience: Audience
    metric: str
    baseline: float
    effect: float
    n_per_arm: int
    weeks: int | None
    power: float
    expected: dict[str, Any] | None


def plan(activity: str, *, n: int = 1240, weeks: int | None = 3, effect: float = 0.031) -> Any:
    audience = Audience(f"test-{activity}", ({"event": activity, "op": "reached"},), 0.5)
    expected = {"estimate": effect / 8, "lower": effect / 16, "upper": effect / 5, "n": JOURNEYS}
    return Plan(audience, "Order within 30 days", 0.41, effect, n, weeks, 0.8, expected)


FIX_PARTS = ("target", "to", "share", "rho", "label", "cost", "effort")


def fix(kind: str, activity: str, effect: float, half: float, block: str = "found", **rest: Any) -> RankedFix:
    """One fix whose other numbers follow from its effect."""
    sure = effect > half
    asked = {part: rest.pop(part) for part in FIX_PARTS if part in rest}
    if kind == "incident":
        asked["period"] = ("2026-03-02", "2026-03-16")
    if "segment" in rest:
        asked["segment"] = (rest["segment"].column, rest["segment"].value)
    made = RankedFix(
        id=rest.pop("id", f"{kind}:{activity}"),
        kind=kind,
        activity=activity,
        attempt=None,
        segment=None,
        period=None,
        reference=Reference("assumed", 0.248, 4799),
        effect=around(effect, half),
        sd=half / 1.96,
        drop=around(0.31, 0.02, 4799),
        reach=around(0.12, 0.004),
        per_month=around(effect * PER_MONTH, half * PER_MONTH),
        money_per_month=None,
        audience_n=812,
        p_best=0.1,
        rank=1,
        rank_lower=1,
        rank_upper=2,
        evidence="association",
        block=block,
        fix=Fix(kind=kind, activity=activity, **asked),
        p_positive=0.995 if sure else 0.88,
        above_zero=sure,
        simultaneous=Bounds(effect - 1.6 * half, effect + 1.6 * half),
        regret=0.0012,
        e_value=1.2 + 20 * effect,
        e_value_bound=1.1 + 10 * effect if sure else 1.0,
        rho_break_even=0.71,
        rho_zero=0.0,
        effect_rho=tuple(RescuePoint(rho, effect * rho) for rho in (0.5, 0.8, 1.0)),
        overlap=ScopeOverlap(1.0, ()),
        plan=plan(activity),
        why_grade=("not_tested",),
    )
    return replace(made, **rest)


MOBILE = Segment("platform", "mobile")
MARCH = Period(1_772_409_600_000_000, 1_772_409_600_000_000 + 14 * DAY, ongoing=False)
SINCE = Period(1_780_272_000_000_000, 1_782_864_000_000_000, ongoing=True)
SELECTED: dict[str, Any] = {"flags": ("selected",), "shrinkage": 0.83}


def found() -> list[RankedFix]:
    """Twelve fixes of all kinds, found in the data."""
    return [
        fix("drop_off", "Account sign-in", 0.0074, 0.0025, id="drop_off:Account sign-in:platform=mobile",
            segment=MOBILE, reference=Reference("segment", 0.121, 4010), evidence="adjusted", p_best=0.61, **SELECTED,
            tied_with=("wait:Delivery quote",)),
        fix("wait", "Delivery quote", 0.0071, 0.0028, id="wait:Delivery quote", share=0.5, evidence="adjusted",
            flags=("silent_waits", "carry_over"), tied_with=("drop_off:Account sign-in:platform=mobile",)),
        fix("loop", "Payment declined", 0.0049, 0.0016, target="Payment", attempt=2,
            reference=Reference("attempt", 0.21, 505), **SELECTED),
        fix("incident", "Payment", 0.0031, 0.001, id="incident:Payment:2026-03-02", period=MARCH, plan=None,
            reference=Reference("period", 0.088, 5942), evidence="adjusted", **SELECTED),
        fix("channel_switch", "Call centre contact", 0.0028, 0.001, reference=Reference("channel", 0.16, 402),
            exposure=around(-0.12, 0.04, 402), negative_control=around(0.004, 0.02, 402), evidence="adjusted"),
        fix("incident", "Basket", 0.0024, 0.0011, id="incident:Basket:2026-06-01", period=SINCE, plan=None,
            reference=Reference("period", 0.2, 9000), segment=MOBILE),
        fix("reroute", "Product page", 0.0022, 0.0012, to="Store visit", share=0.2,
            negative_control=around(0.06, 0.02, 2200), flags=("selected",)),
        fix("remove_step", "Delivery choice", 0.0021, 0.0013, share=1.0, flags=("mixed_state", "interaction")),
        fix("drop_off", "Delivery choice", 0.0012, 0.0015, id="drop_off:Delivery choice:country=FR",
            segment=Segment("country", "FR"), reference=Reference("segment", 0.136, 6270)),
        fix("loop", "Account sign-in", 0.0011, 0.0014, share=0.5, flags=("few_visits",),
            tied_with=("drop_off:Delivery choice:country=FR", "wait:Store visit", "channel_switch:Store visit",
                       "reroute:Basket", "user:Basket")),
        fix("wait", "Store visit", 0.0009, 0.0016, share=0.3,
            plan=plan("Store visit", n=90_000, weeks=214, effect=0.002)),
        fix("channel_switch", "Store visit", 0.0006, 0.0016, share=0.4, flags=("positivity",),
            overlap=ScopeOverlap(0.82, ("platform = app", "country = FR"))),
    ]  # fmt: skip


def ideas() -> list[RankedFix]:
    """Three ideas of the user: with words, cost and effort; with words; with neither."""
    return [
        fix("remove_step", "Account sign-in", 0.0068, 0.003, "user", id="user:guest",
            label="Let people order as guests", cost=12_000.0, effort=3.0, share=0.8, rho_zero=0.38,
            rho_break_even=0.66),
        fix("reroute", "Basket", 0.0015, 0.002, "user", id="user:Basket", target="Account sign-in", to="Live chat",
            share=0.25, cost=30_000.0, effort=8.0, rho_zero=float("nan"), rho_break_even=float("nan")),
        fix("drop_off", "Payment", 0.0013, 0.0009, "user", id="user:Payment", share=0.1, segment=MOBILE,
            evidence="experiment"),
    ]  # fmt: skip


def assumed() -> list[RankedFix]:
    """Ten assumptions."""
    names = ("Product page", "Basket", "Account sign-in", "Landing page", "Payment", "Delivery choice",
             "Payment declined", "Category page", "Organic search", "Call centre")  # fmt: skip
    return [
        fix(
            "drop_off",
            name,
            0.0071 - 0.0006 * i,
            0.0004,
            "assumed",
            id=f"drop_off:{name}",
            share=0.2,
            plan=None,
        )
        for i, name in enumerate(names)
    ]


def numbered(fixes: list[RankedFix]) -> tuple[RankedFix, ...]:
    n = len(fixes)
    return tuple(
        replace(one, rank=i, rank_lower=max(1, i - 1), rank_upper=min(n, i + 2))
        for i, one in enumerate(fixes, 1)
    )


def valued(one: RankedFix) -> RankedFix:
    """The same with money: value a month, net value over a year, worth of a test, RICE where effort is given."""
    e, lower, upper = (float(part) for part in (one.effect.estimate, one.effect.lower, one.effect.upper))
    month = PER_MONTH * VALUE
    rice = None
    if one.effort is not None:
        impact = e / 0.12
        rice = Rice(960.0, impact, one.p_positive, one.effort, 960 * impact * one.p_positive / one.effort)
    return replace(
        one,
        money_per_month=est(e * month, lower * month, upper * month),
        net_value=est(
            12 * month * e - one.cost, 12 * month * lower - one.cost, 12 * month * upper - one.cost
        ),
        regret=12 * month * one.regret,
        evsi=12 * month * 0.0003 if one.plan else None,
        rice=rice,
    )


CALIBRATION = Calibration(
    3, around(0.64, 0.3, 3), around(0.0, 0.001, 3), around(0.001, 0.001, 3), assumed=True
)


def many(*, money: bool = False, **rest: Any) -> FixRanking:
    """12 found, 3 of the user, 10 assumed."""
    fixes = [*found(), *ideas(), *assumed()]
    if not money:
        return FixRanking(numbered([replace(one, fix=replace(one.fix, cost=0.0)) for one in fixes]), **rest)
    top = ("drop_off:Account sign-in:platform=mobile", "wait:Delivery quote")
    sets = (
        FixSet(top, around(0.0153, 0.004), 0.0145, 0.0),
        FixSet((*top, "user:guest"), around(0.0192, 0.005), 0.0213, 12_000.0),
    )
    settings: dict[str, Any] = {"unit_of_value": "money", "evpi": 3120.0, "horizon_months": 12.0, "sets": sets,
                                "p_nothing": 0.03,
                                "calibration": CALIBRATION}  # fmt: skip
    return FixRanking(numbered([valued(one) for one in fixes]), **(settings | rest))


def one() -> FixRanking:
    return FixRanking(numbered(found()[:1]))


def none() -> FixRanking:
    return FixRanking(())


STATES = {"converted": (4655, 0.0966), "dropped": (38102, 0.79), "open": (5453, 0.113)}
BASE: dict[str, Any] = {
    "log": {
        "n_cases": JOURNEYS,
        "timezone": "UTC",
        "end_states": {
            key: {"n": n, "share": around(share, 0.003).at()} for key, (n, share) in STATES.items()
        },
    },
    "conversion": around(0.1087, 0.003).at(),
    "activities": [
        {"name": "Basket", "stage": "buy", "n": 900, "n_cases": 800, "reach": around(0.12, 0.004).at(),
         "repeat": around(0.1, 0.01).at(), "drop": None, "conversion": None, "wait_s": None},
    ],
    "stages": [{"id": "buy", "name": "Buy", "owner": None, "activities": ["Basket"]}],
    "tests": {"n_tested": 48, "n_kept": 9, "level": 0.05, "method": "", "rows": []},
}  # fmt: skip
"""The part of a report that the section reads beside the fixes."""

HOSTILE = {
    "Account sign-in": "</script><img src=x onerror=alert(1)>",
    "Payment": "=cmd()|' /C calc'!A0",
    "Basket": "{{ 7*7 }}{% raw %}\n{activity}",
    "Store visit": "",
    "Live chat": '"quoted" & <b>bold</b>',
    "mobile": "🙂" * 60,
    "platform = app": "<i>x</i>",
    "Let people order as guests": "<script>alert('idea')</script>",
}


def renamed(value: Any, names: dict[str, str]) -> Any:
    """Other names wherever one stands."""
    if isinstance(value, dict):
        return {key: renamed(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [renamed(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value


def report(ranking: FixRanking | None = None, **rest: Any) -> dict[str, Any]:
    """A small report with the fixes of a ranking, by default of many."""
    return with_ranking(BASE, many(**rest) if ranking is None else ranking)


def hostile() -> dict[str, Any]:
    """Many fixes with money, whose names try to break the page."""
    found: dict[str, Any] = renamed(report(money=True), HOSTILE)
    return found


def with_ranking(report: dict[str, Any], ranking: FixRanking) -> dict[str, Any]:
    """A report with the fixes of a ranking, as `build_report` would write them."""
    shown: Any = ranking
    made: dict[str, Any] = deepcopy(report) | rounded(
        {"fixes": fixes_section(shown), "ranking": ranking_section(shown)}
    )
    for row in made["fixes"]:
        row["title"] = words.fix_title(row, "en", "UTC")
        row["next_step"] = words.next_step(row, "en", "UTC")
    return made
