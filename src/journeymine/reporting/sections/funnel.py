"""The funnel as plain numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journeymine.reporting.schema_parts import (
    COUNT,
    ESTIMATE,
    ESTIMATE_OR_NULL,
    FLAG,
    SHARE,
    TEXT,
    Schema,
    array_of,
    object_of,
    one_of,
    or_null,
)

if TYPE_CHECKING:
    from journeymine.analyses.default_funnel import ReportFunnel

SECOND_US = 1_000_000


def funnel_section(shown: ReportFunnel | None) -> dict[str, Any] | None:
    """The funnel of the report."""
    if shown is None:
        return None
    funnel, counts = shown.funnel, shown.funnel.counts
    return {
        "rule": shown.rule,
        "closed": counts.closed,
        "within_s": counts.within_us / SECOND_US if counts.within_us is not None else None,
        "n_entered": counts.n_entered,
        "entered": funnel.entered.at(),
        "undecided": float(funnel.undecided.max()),
        "largest": None if funnel.largest is None else {"step": funnel.largest, "is_clear": funnel.is_clear},
        "steps": [
            {
                "name": name,
                "activities": list(counts.steps[i]),
                "n": int(funnel.n[i]),
                "n_skipped": int(funnel.n_skipped[i]),
                "n_lost": int(funnel.n_lost[i]),
                "n_open": int(funnel.n_open[i]),
                "reached": funnel.reached.at(i),
                "from_previous": funnel.from_previous.at(i),
                "loss": funnel.loss.at(i),
                "wait_s": funnel.wait_s.at(i) if funnel.wait_s is not None else None,
            }
            for i, name in enumerate(shown.names)
        ],
    }


def funnel_schema() -> Schema:
    """Schema of the section."""
    step = object_of(
        name=TEXT,
        activities={**array_of(TEXT), "minItems": 1},
        n=COUNT,
        n_skipped={
            **COUNT,
            "description": "Of these, went on another way: past the next step, or had been at the last one.",
        },
        n_lost={**COUNT, "description": "Known not to go on (closed) or not to get here (open)."},
        n_open={**COUNT, "description": "Not known yet."},
        reached={**ESTIMATE, "description": "Share of the journeys that enter, open journeys allowed for."},
        from_previous=ESTIMATE_OR_NULL,
        loss={**ESTIMATE_OR_NULL, "description": "Share of those here that do not go on, by any way."},
        wait_s={**ESTIMATE_OR_NULL, "description": "Median seconds from the step before."},
    )
    return or_null(
        object_of(
            rule=one_of("configured", "stages", "common"),
            closed=FLAG,
            within_s=or_null({"type": "number", "exclusiveMinimum": 0}),
            n_entered=COUNT,
            entered=ESTIMATE_OR_NULL,
            undecided={**SHARE, "description": "Largest share of which nothing is known at the end."},
            largest=or_null(object_of(step=COUNT, is_clear=FLAG)),
            steps={**array_of(step), "minItems": 1},
        )
    )
