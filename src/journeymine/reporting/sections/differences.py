"""Differences between segments and periods as plain numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from journeymine.reporting.schema_parts import (
    COUNT,
    ESTIMATE,
    ESTIMATE_OR_NULL,
    FLAG,
    SHARE,
    TEXT,
    TIME,
    Schema,
    array_of,
    object_of,
    one_of,
    or_null,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.analyses.comparisons import Comparison
    from journeymine.paths.differences import Differences

MOST_ROWS = 20
"""Kept moves and the largest unsupported ones that are listed of each comparison."""
MOST_DRIVERS = 5


def differences_section(comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    """One entry a comparison: every value of every segment, and the last third of the log."""
    return [_comparison(one) for one in comparisons]


def _comparison(one: Comparison) -> dict[str, Any]:
    found, mix = one.found, one.found.mix
    return {
        "kind": "segment" if one.period_us is None else "period",
        "attribute": found.attribute,
        "a": found.a if one.period_us is None else None,
        "b": None if one.is_rest else found.b,
        "period": None
        if one.period_us is None
        else {"start": _time(one.period_us[0]), "end": _time(one.period_us[1])},
        "n_tested_rows": found.n_tested_rows,
        "n_kept_rows": found.n_kept_rows,
        "n_tested": found.n_tested,
        "n_kept": found.n_kept,
        "n_large": found.n_large,
        "n_large_kept": found.n_large_kept,
        "rows": [_row(found, e) for e in found.order()[:MOST_ROWS].tolist() if _is_listed(found, e)],
        "conversion_a": mix.conversion_a.at() if mix else None,
        "conversion_b": mix.conversion_b.at() if mix else None,
        "conversion": mix.difference.at() if mix else None,
        "mix": mix.composition.at() if mix else None,
        "behaviour": mix.behaviour.at() if mix else None,
        "compared": mix.compared if mix else None,
        "drivers": _drivers(found),
    }


def _is_listed(found: Differences, e: int) -> bool:
    return bool(found.kept[e] or found.large[e])


def _row(found: Differences, e: int) -> dict[str, Any]:
    target = int(found.target[e])
    q_value = float(found.q_value[e])
    return {
        "source": found.activities[int(found.source[e])],
        "target": found.activities[target] if target >= 0 else None,
        "end": {-1: "dropped", -2: "end"}.get(target),
        "is_goal": target in found.goal,
        "difference": found.shares.difference.at(e),
        "adjusted": found.adjusted.at(e),
        "share_a": found.shares.a.at(e),
        "share_b": found.shares.b.at(e),
        "q_value": q_value if q_value == q_value else None,
        "kept": bool(found.kept[e]),
    }


def _drivers(found: Differences) -> list[dict[str, Any]]:
    """Of the activities that are left differently, what each contributes to the part of behaviour."""
    if found.mix is None:
        return []
    part, names = found.mix.contribution, found.mix.activities
    kept = {found.activities[c] for c in found.rows.source[found.rows.kept].tolist()}
    size = sorted(range(len(names)), key=lambda i: (-abs(round(float(part.estimate[i]), 9)), i))
    return [{"activity": names[i], "effect": part.at(i)} for i in size if names[i] in kept and part.at(i)][
        :MOST_DRIVERS
    ]


def _time(us: int) -> str:
    seconds = datetime.fromtimestamp(us // 1_000_000, UTC)
    return seconds.strftime("%Y-%m-%dT%H:%M:%SZ")


def differences_schema() -> Schema:
    """Schema of `differences[]`."""
    row = object_of(
        source=TEXT,
        target=or_null(TEXT),
        end=or_null(one_of("dropped", "end")),
        is_goal=FLAG,
        difference=ESTIMATE,
        adjusted=ESTIMATE_OR_NULL,
        share_a=ESTIMATE,
        share_b=ESTIMATE,
        q_value=or_null(SHARE),
        kept=FLAG,
    )
    return array_of(
        object_of(
            kind=one_of("segment", "period"),
            attribute=TEXT,
            a=or_null(TEXT),
            b=or_null(TEXT),
            period=or_null(object_of(start=TIME, end=TIME)),
            n_tested_rows=COUNT,
            n_kept_rows=COUNT,
            n_tested=COUNT,
            n_kept=COUNT,
            n_large=COUNT,
            n_large_kept=COUNT,
            rows=array_of(row),
            conversion_a=ESTIMATE_OR_NULL,
            conversion_b=ESTIMATE_OR_NULL,
            conversion=ESTIMATE_OR_NULL,
            mix=ESTIMATE_OR_NULL,
            behaviour=ESTIMATE_OR_NULL,
            compared=or_null(SHARE),
            drivers=array_of(object_of(activity=TEXT, effect=ESTIMATE)),
        )
    )
