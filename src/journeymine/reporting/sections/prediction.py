"""How good predictions were, as plain numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from journeymine.markov.prediction.prediction_quality import END_MEASURES, NEXT_MEASURES
from journeymine.reporting.schema_parts import (
    COUNT,
    ESTIMATE,
    ESTIMATE_OR_NULL,
    NUMBER,
    SHARE,
    TIME,
    Schema,
    array_of,
    object_of,
    one_of,
    or_null,
)

if TYPE_CHECKING:
    from journeymine.markov.prediction.prediction_quality import PredictionQuality

SECOND_US = 1_000_000
MODELS = ("chain", "recalibrated", "frequency", "last_step", "length")
VERDICTS = ("useless", "too_high", "too_low", "too_extreme", "too_timid", "good")


def prediction_section(found: PredictionQuality | None) -> dict[str, Any] | None:
    """How good predictions were on the later part of the log."""
    if found is None:
        return None
    groups = found.groups
    return {
        "cut": datetime.fromtimestamp(found.cut_us // SECOND_US, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "horizon_s": found.horizon_us / SECOND_US if found.horizon_us is not None else None,
        "verdict": found.verdict,
        "example": found.example,
        "predicted": found.predicted,
        "observed": found.observed.at(),
        "n_train": found.n_train,
        "n_judged": found.n_judged,
        "n_steps": found.n_steps,
        "n_customers": found.n_customers,
        "n_known": found.n_known,
        "n_unseen": found.n_unseen,
        "undecided": found.undecided,
        "groups": [
            {
                "predicted": float(groups.predicted[i]),
                "lowest": float(groups.lowest[i]),
                "highest": float(groups.highest[i]),
                "observed": groups.observed.at(i),
                "n": int(groups.n[i]),
            }
            for i in range(len(groups.n))
        ],
        "models": [
            {
                "model": model,
                **{name: found.ends.at((i, j)) for j, name in enumerate(END_MEASURES)},
                **{f"next_{name}": found.steps.at((i, j)) for j, name in enumerate(NEXT_MEASURES)},
            }
            for i, model in enumerate(found.models)
        ],
    }


def prediction_schema() -> Schema:
    """Schema of the section."""
    group = object_of(
        predicted=SHARE,
        lowest=SHARE,
        highest=SHARE,
        observed={**ESTIMATE, "description": "Share that converted, over customers."},
        n=COUNT,
    )
    measures = {
        "brier": "Mean squared error of the predicted conversion.",
        "log_loss": "Mean of minus the natural logarithm of the probability given to what came.",
        "auc": "Chance that a visit which converts was given more than one which does not.",
        "slope": "Calibration slope: below 1 predictions are too extreme. Null where all predictions are equal.",
        "intercept": "Calibration in the large, in log-odds: above 0 more converted than was predicted.",
        "skill": "Gain of the Brier score over the base rate, as a share of it.",
        "next_accuracy": "Share of visits whose likeliest next step came.",
        "next_top_3": "Share of visits one of whose three likeliest next steps came.",
        "next_log_loss": "Log loss of the next step.",
    }
    model = object_of(
        model=one_of(*MODELS), **{k: {**ESTIMATE_OR_NULL, "description": v} for k, v in measures.items()}
    )
    return or_null(
        object_of(
            cut={**TIME, "description": "Learnt from what was known then, judged on the visits after."},
            horizon_s=or_null(
                {**NUMBER, "description": "Within which the goal was to be reached; null: in the end."}
            ),
            verdict=one_of(*VERDICTS),
            example={**COUNT, "description": "Place in groups of the one that speaks for all."},
            predicted={**SHARE, "description": "Mean predicted conversion."},
            observed=ESTIMATE_OR_NULL,
            n_train=COUNT,
            n_judged=COUNT,
            n_steps=COUNT,
            n_customers=COUNT,
            n_known={**COUNT, "description": "Of these customers, known before the cut."},
            n_unseen={**COUNT, "description": "Visits to activities not seen before the cut."},
            undecided={**SHARE, "description": "Share whose end takes longer to show than the log lasts."},
            groups={**array_of(group), "minItems": 1},
            models={**array_of(model), "minItems": 1},
        )
    )
