"""The discovered process model, and what the simplified picture of it still explains, as plain numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journeymine.reporting.schema_parts import (
    COUNT,
    ESTIMATE_OR_NULL,
    SHARE,
    TEXT,
    Schema,
    array_of,
    object_of,
    one_of,
    or_null,
)

if TYPE_CHECKING:
    from journeymine.process.explained import Explained
    from journeymine.process.model import ProcessModel


def model_section(model: ProcessModel | None, explained: Explained | None) -> dict[str, Any] | None:
    """The model of the whole log and of the picture; None where the log has none."""
    if model is None:
        return None
    return {
        "tree": model.tree,
        "algorithm": model.algorithm,
        "noise": model.noise,
        **_measures(model),
        "n_variants": model.variants.n_variants,
        "n_variants_aligned": model.n_variants_aligned,
        "share_aligned": model.share_aligned,
        "explained": None if explained is None else _explained(explained),
    }


def _measures(model: ProcessModel) -> dict[str, Any]:
    return {
        "fitness": model.fitness_interval,
        "precision": model.precision,
        "coverage": model.coverage_interval,
    }


def _explained(explained: Explained) -> dict[str, Any]:
    simple = explained.simplified
    rule, names = simple.rule, simple.graph.activities
    kept = set(simple.codes)
    hidden = [code for code in range(len(names)) if code not in kept and simple.graph.n[code]]
    return {
        "rule": {
            "max_activities": rule.max_activities,
            "max_edges": rule.max_edges,
            "event_share": rule.event_share,
            "move_share": rule.move_share,
            "n_backbone": rule.n_backbone,
            "least_events": rule.least_events,
            "least_moves": rule.least_moves,
        },
        "n_activities": rule.n_activities,
        "n_activities_shown": len(simple.codes),
        "hidden": [names[code] for code in hidden],
        "n_edges": rule.n_edges,
        "n_edges_shown": len(simple.source),
        "journeys": explained.journeys,
        "events": explained.events,
        "moves": explained.moves,
        "conversions": explained.conversions,
        "tree": explained.model.tree,
        **_measures(explained.model),
    }


def model_schema() -> Schema:
    """Schema of `model_section`."""
    measures = {
        "fitness": ESTIMATE_OR_NULL,
        "precision": or_null(SHARE),
        "coverage": ESTIMATE_OR_NULL,
    }
    rule = object_of(
        max_activities=COUNT,
        max_edges=COUNT,
        event_share=SHARE,
        move_share=SHARE,
        n_backbone=COUNT,
        least_events=COUNT,
        least_moves=COUNT,
    )
    explained = object_of(
        rule=rule,
        n_activities=COUNT,
        n_activities_shown=COUNT,
        hidden=array_of(TEXT),
        n_edges=COUNT,
        n_edges_shown=COUNT,
        journeys=ESTIMATE_OR_NULL,
        events=ESTIMATE_OR_NULL,
        moves=ESTIMATE_OR_NULL,
        conversions=ESTIMATE_OR_NULL,
        tree=or_null(TEXT),
        **measures,
    )
    return or_null(
        object_of(
            tree=or_null(TEXT),
            algorithm=one_of("inductive", "inductive_variants", "heuristics"),
            noise=SHARE,
            **measures,
            n_variants=COUNT,
            n_variants_aligned=COUNT,
            share_aligned=SHARE,
            explained=or_null(explained),
        )
    )
