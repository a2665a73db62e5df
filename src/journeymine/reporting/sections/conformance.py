"""Journeys against the designed journey as plain numbers."""

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
    from journeymine.process.conformance import Conformance, FoundDeviation, SegmentShares

LEVEL = 0.05


def conformance_section(found: Conformance | None) -> dict[str, Any] | None:
    """How journeys keep to the design; None without one."""
    if found is None:
        return None
    designed = found.designed
    return {
        "source": designed.source,
        "steps": list(designed.steps),
        "tree": str(designed.tree),
        "optional": list(designed.optional),
        "required": list(designed.required),
        "missing": list(designed.missing),
        "ignored": [
            {"activity": name, "share": found.ignored_share.at(i)} for i, name in enumerate(found.ignored)
        ],
        "n": found.n,
        "n_complete": found.n_complete,
        "n_stopped": found.n_stopped,
        "n_open": found.n_open,
        "n_deviating": found.n_deviating,
        "n_without_step": found.n_without_step,
        "n_left_out": found.n_left_out,
        "sample": found.sample,
        "n_paths": found.n_paths,
        "n_kinds": found.n_kinds,
        "share": found.share.at(),
        "complete": found.complete.at(),
        "fitness": found.fitness,
        "deviations": [_deviation(each) for each in found.deviations],
        "segments": [_segment(each) for each in found.segments],
    }


def _deviation(found: FoundDeviation) -> dict[str, Any]:
    return {
        "kind": found.kind,
        "step": found.step,
        "n": found.n,
        "share": found.share.at(),
        "conversion": None if found.conversion is None else found.conversion.at(),
        "time_s": None if found.time_s is None else found.time_s.at(),
        "n_with": found.n_with,
        "n_without": found.n_without,
    }


def _segment(found: SegmentShares) -> dict[str, Any]:
    return {
        "column": found.column,
        "p_value": found.p_value,
        "q_value": found.q_value,
        "kept": found.q_value is not None and found.q_value <= LEVEL,
        "values": [{"value": value, "share": found.share.at(i)} for i, value in enumerate(found.values)],
    }


def conformance_schema() -> Schema:
    """Schema of the section."""
    deviation = object_of(
        kind=one_of("skipped", "order", "repeated", "inserted"),
        step=TEXT,
        n=COUNT,
        share=ESTIMATE,
        conversion=ESTIMATE_OR_NULL,
        time_s=ESTIMATE_OR_NULL,
        n_with=COUNT,
        n_without=COUNT,
    )
    segment = object_of(
        column=TEXT,
        p_value=or_null(SHARE),
        q_value=or_null(SHARE),
        kept=FLAG,
        values=array_of(object_of(value=TEXT, share=ESTIMATE_OR_NULL)),
    )
    return or_null(
        object_of(
            source=one_of("list", "tree", "file", "stages"),
            steps=array_of(TEXT),
            tree=TEXT,
            optional=array_of(TEXT),
            required=array_of(TEXT),
            missing=array_of(TEXT),
            ignored=array_of(object_of(activity=TEXT, share=ESTIMATE)),
            n=COUNT,
            n_complete=COUNT,
            n_stopped=COUNT,
            n_open=COUNT,
            n_deviating=COUNT,
            n_without_step=COUNT,
            n_left_out=COUNT,
            sample=SHARE,
            n_paths=COUNT,
            n_kinds=COUNT,
            share=ESTIMATE,
            complete=ESTIMATE,
            fitness=SHARE,
            deviations={**array_of(deviation), "maxItems": 30},
            segments=array_of(segment),
        )
    )
