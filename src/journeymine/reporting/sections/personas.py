"""Personas as plain numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journeymine.markov.classes.personas import DROP_NAME, GOAL_NAME
from journeymine.reporting.schema_parts import (
    COUNT,
    ESTIMATE_OR_NULL,
    FLAG,
    NUMBER,
    SHARE,
    TEXT,
    Schema,
    array_of,
    object_of,
    one_of,
    or_null,
)
from journeymine.reporting.sections.chain import estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.markov.classes.persona_marks import Mark, SegmentMark
    from journeymine.markov.classes.persona_results import Persona, Personas

MOST_MARKS, MOST_SEGMENTS = 20, 6
ENDS = {GOAL_NAME: "goal", DROP_NAME: "dropped"}


def personas_section(found: Personas | None, segments: Sequence[str] = ()) -> dict[str, Any] | None:
    """The personas of the report; `segments` are the names of the segment columns."""
    if found is None:
        return None
    return {
        "n_classes": found.k,
        "criterion": "bic",
        "member": "customer" if found.customers else "journey",
        "n_members": found.n_members,
        "n_journeys": found.n_journeys,
        "stability": None if found.stability is None else estimate(found.stability),
        "separation": None if found.separation is None else estimate(found.separation),
        "warnings": list(found.warnings),
        "tried": [
            {
                "n_classes": row.n_classes,
                "log_likelihood": row.log_likelihood,
                "n_parameters": row.n_parameters,
                "aic": row.aic,
                "bic": row.bic,
                "chosen": row.n_classes == found.k,
            }
            for row in found.tried
        ],
        "list": [_persona(persona, segments) for persona in found.personas],
    }


def _persona(persona: Persona, segments: Sequence[str]) -> dict[str, Any]:
    path = list(persona.path)
    end = ENDS.get(path[-1]) if path else None
    return {
        "number": persona.number,
        "size": estimate(persona.size),
        "conversion": estimate(persona.conversion),
        "events": estimate(persona.events),
        "path": path[:-1] if end else path,
        "path_end": end,
        "path_share": estimate(persona.path_share),
        "marks": [_mark(mark) for mark in persona.marks[:MOST_MARKS]],
        "segments": [_segment(mark, segments) for mark in persona.segments[:MOST_SEGMENTS]],
    }


def _mark(mark: Mark) -> dict[str, Any]:
    end = ENDS.get(mark.target) if mark.target is not None else None
    return {
        "kind": mark.kind,
        "source": mark.source,
        "target": None if end else mark.target,
        "end": end,
        "share": mark.share,
        "others": mark.others,
        "lift": estimate(mark.lift),
        "q_value": mark.q_value,
    }


def _segment(mark: SegmentMark, segments: Sequence[str]) -> dict[str, Any]:
    return {
        "column": segments[mark.column],
        "value": mark.value,
        "share": mark.share,
        "others": mark.others,
        "lift": estimate(mark.lift),
        "q_value": mark.q_value,
    }


def personas_schema() -> Schema:
    """Schema of the section."""
    amount = {"type": "number", "minimum": 0}
    mark = object_of(
        kind=one_of("state", "start", "move"),
        source=or_null(TEXT),
        target=or_null(TEXT),
        end=or_null(one_of("goal", "dropped")),
        share={**amount, "description": "Visits per journey of a state; else the probability."},
        others={**amount, "description": "The same for all other journeys."},
        lift=ESTIMATE_OR_NULL,
        q_value=SHARE,
    )
    segment = object_of(
        column=TEXT, value=TEXT, share=SHARE, others=SHARE, lift=ESTIMATE_OR_NULL, q_value=SHARE
    )
    persona = object_of(
        number={"type": "integer", "minimum": 1},
        size=ESTIMATE_OR_NULL,
        conversion=ESTIMATE_OR_NULL,
        events=ESTIMATE_OR_NULL,
        path=array_of(TEXT),
        path_end=or_null(one_of("goal", "dropped")),
        path_share=ESTIMATE_OR_NULL,
        marks={**array_of(mark), "maxItems": MOST_MARKS},
        segments={**array_of(segment), "maxItems": MOST_SEGMENTS},
    )
    tried = object_of(
        n_classes=COUNT, log_likelihood=NUMBER, n_parameters=COUNT, aic=NUMBER, bic=NUMBER, chosen=FLAG
    )
    return or_null(
        object_of(
            n_classes={"type": "integer", "minimum": 1},
            criterion=one_of("bic"),
            member=one_of("customer", "journey"),
            n_members=COUNT,
            n_journeys=COUNT,
            stability={
                **ESTIMATE_OR_NULL,
                "description": "Adjusted Rand index with personas found afresh in resampled customers.",
            },
            separation=ESTIMATE_OR_NULL,
            warnings=array_of(one_of("few_journeys", "unstable", "not_converged")),
            tried=array_of(tried),
            list={**array_of(persona), "minItems": 1},
        )
    )
