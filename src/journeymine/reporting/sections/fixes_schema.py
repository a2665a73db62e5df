"""Schema of the ranked fixes, and of the ranking as a whole, in report.json."""

from __future__ import annotations

from typing import Final

from journeymine.reporting.schema_parts import (
    COUNT,
    ESTIMATE,
    ESTIMATE_OR_NULL,
    FLAG,
    KEY,
    NUMBER,
    SEGMENT,
    SHARE,
    TEXT,
    TIME,
    Schema,
    array_of,
    object_of,
    one_of,
    or_null,
)

KINDS: Final = ("drop_off", "remove_step", "loop", "wait", "channel_switch", "reroute", "incident")
REFERENCES: Final = ("segment", "period", "attempt", "channel", "assumed")
GRADES: Final = ("experiment", "adjusted", "association")
BLOCKS: Final = ("found", "user", "assumed")
FLAGS: Final = (
    "positivity",
    "mixed_state",
    "interaction",
    "few_visits",
    "silent_waits",
    "selected",
    "carry_over",
)
RANK: Final[Schema] = {"type": "integer", "minimum": 1}
NOT_NEGATIVE: Final[Schema] = {"type": "number", "minimum": 0}
E_VALUE: Final = or_null({"type": "number", "minimum": 1})


def fixes_schema() -> Schema:
    """Schema of the list: the fixes in the order of the ranking."""
    return array_of(object_of(**_what(), **_change(), **_decision(), **_care()))


def _what() -> dict[str, Schema]:
    return {
        "id": TEXT,
        "kind": one_of(*KINDS),
        "activity": TEXT,
        "attempt": or_null(RANK),
        "segment": or_null(SEGMENT),
        "period": or_null(object_of(start=TIME, end=TIME, ongoing=FLAG)),
        "reference": object_of(kind=one_of(*REFERENCES), value=SHARE, n=COUNT),
        "title": TEXT,
        "next_step": TEXT,
        "block": one_of(*BLOCKS),
        "label": or_null(TEXT),
        "target": or_null(TEXT),
        "to": or_null(TEXT),
        "share": {**or_null(SHARE), "description": "What is achieved; null: brought to the reference."},
        "rho": {**SHARE, "description": "Share of those rescued who then behave like the rest."},
        "cost": NUMBER,
        "effort": or_null(NOT_NEGATIVE),
    }


def _change() -> dict[str, Schema]:
    return {
        "drop": ESTIMATE,
        "effect": {**ESTIMATE, "description": "Above 0 is better, whatever the outcome."},
        "sd": {
            **or_null(NOT_NEGATIVE),
            "description": "Standard deviation of the effect; its interval may be wider.",
        },
        "predicted": {**ESTIMATE_OR_NULL, "description": "Before past tests corrected it; null without any."},
        "per_month": ESTIMATE_OR_NULL,
        "money_per_month": ESTIMATE_OR_NULL,
        "reach": ESTIMATE,
        "p_best": SHARE,
        "rank": RANK,
        "rank_lower": RANK,
        "rank_upper": RANK,
        "evidence": one_of(*GRADES),
        "audience": object_of(n=COUNT),
    }


def _decision() -> dict[str, Schema]:
    rice = object_of(reach=NUMBER, impact=NUMBER, confidence=SHARE, effort=NOT_NEGATIVE, score=NUMBER)
    plan = object_of(
        population=array_of({"type": "object"}),
        metric=TEXT,
        baseline=SHARE,
        mde=NUMBER,
        n_per_arm=COUNT,
        weeks=or_null(NOT_NEGATIVE),
        power=SHARE,
        expected=ESTIMATE_OR_NULL,
    )
    return {
        "net_value": {**ESTIMATE_OR_NULL, "description": "In money, less the cost; null without a value."},
        "p_positive": {**SHARE, "description": "P(effect > cost); P(effect > 0) without a cost."},
        "above_zero": {**FLAG, "description": "Survives the correction for all fixes of the list."},
        "simultaneous": {
            **or_null(object_of(lower=NUMBER, upper=NUMBER)),
            "description": "95 % interval of the effect for the whole list at once.",
        },
        "regret": NUMBER,
        "evsi": or_null(NUMBER),
        "rice": or_null(rice),
        "tied_with": array_of(TEXT),
        "plan": or_null(plan),
    }


def _care() -> dict[str, Schema]:
    return {
        "e_value": E_VALUE,
        "e_value_bound": E_VALUE,
        "rho_break_even": or_null(SHARE),
        "rho_zero": or_null(SHARE),
        "effect_rho": array_of(object_of(rho=SHARE, effect=NUMBER)),
        "overlap": or_null(object_of(share=SHARE, cells_without=array_of(TEXT))),
        "exposure": ESTIMATE_OR_NULL,
        "negative_control": ESTIMATE_OR_NULL,
        "flags": array_of(one_of(*FLAGS)),
        "why_grade": {**array_of(KEY), "description": "What stands in the way of a better grade."},
        "shrinkage": or_null(SHARE),
    }


def ranking_schema() -> Schema:
    """Schema of what holds for the whole list."""
    line = dict.fromkeys(("slope", "intercept", "spread"), ESTIMATE_OR_NULL)
    calibration = object_of(n_tests=COUNT, **line, assumed=FLAG)
    placebo = object_of(
        n_tested=COUNT,
        n_kept=COUNT,
        n_splits=COUNT,
        n_splits_kept=COUNT,
        largest=ESTIMATE_OR_NULL,
        quiet=FLAG,
    )
    money = {"cost": NUMBER, "net_value": or_null(NUMBER)}
    together = object_of(ids=array_of(TEXT), effect=ESTIMATE, sum_of_singles=NUMBER, **money)
    return or_null(
        object_of(
            outcome=one_of("conversion", "revenue", "time"),
            horizon={**or_null(TEXT), "description": "Within which time the goal counts, such as 7d."},
            horizon_months={**or_null(NOT_NEGATIVE), "description": "Months that net values add up."},
            unit_of_value=or_null(TEXT),
            evpi=or_null(NUMBER),
            p_nothing={**SHARE, "description": "P(doing nothing is best), where fixes cost something."},
            conversion=ESTIMATE_OR_NULL,
            n_draws=COUNT,
            unit=TEXT,
            causal=TEXT,
            classes={**or_null(RANK), "description": "Most classes of customers in a segment."},
            placebo=or_null(placebo),
            calibration=or_null(calibration),
            sets=array_of(together),
            selection=TEXT,
        )
    )
