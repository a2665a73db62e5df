"""Schema of the conversion chain in report.json."""

from __future__ import annotations

from journeymine.reporting.schema_parts import (
    COUNT,
    ESTIMATE,
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
from journeymine.reporting.sections.chain import MOST_SENSITIVITIES, MOST_TURNING_POINTS, OF_START, OF_STATE


def chain_schema() -> Schema:
    """Schema of the section."""
    return or_null(
        object_of(
            states=array_of(TEXT),
            n_folded=COUNT,
            attempts={"type": "integer", "minimum": 1},
            n_visits=COUNT,
            n_visits_open=COUNT,
            visits=array_of(ESTIMATE),
            events_to_goal=ESTIMATE_OR_NULL,
            seconds_to_goal=ESTIMATE_OR_NULL,
            sensitivity={**array_of(_move_schema()), "maxItems": MOST_SENSITIVITIES},
            start=object_of(**dict.fromkeys(OF_START, ESTIMATE_OR_NULL)),
            outcomes={
                **array_of(object_of(state=TEXT, n=COUNT, **dict.fromkeys(OF_STATE, ESTIMATE_OR_NULL))),
                "description": "What awaits a journey in each state; n: watched visits.",
            },
            settled=array_of(
                object_of(
                    state=TEXT,
                    outcome=one_of("won", "lost"),
                    estimate=SHARE,
                    lower=SHARE,
                    upper=SHARE,
                    n=COUNT,
                )
            ),
            turning_points={**array_of(_turn_schema()), "maxItems": MOST_TURNING_POINTS},
            time_to_goal=or_null(array_of(_time_schema())),
            median_seconds_to_goal=or_null(
                object_of(estimate=NUMBER, lower=or_null(NUMBER), upper=or_null(NUMBER), n=COUNT)
            ),
            checks=array_of(_check_schema()),
            order=or_null(_order_schema()),
        )
    )


def _move_schema() -> Schema:
    return object_of(source=TEXT, target=TEXT, estimate=NUMBER, lower=NUMBER, upper=NUMBER, n=COUNT)


def _turn_schema() -> Schema:
    return object_of(
        source=TEXT,
        target=TEXT,
        change={**ESTIMATE, "description": "Conversion after the move less conversion before it."},
        before=ESTIMATE_OR_NULL,
        after=ESTIMATE_OR_NULL,
    )


def _time_schema() -> Schema:
    return object_of(
        horizon_days={"type": "number", "exclusiveMinimum": 0},
        estimate=SHARE,
        lower=SHARE,
        upper=SHARE,
        n=COUNT,
        dropped=ESTIMATE_OR_NULL,
        under_way=ESTIMATE_OR_NULL,
        by_chain={**ESTIMATE_OR_NULL, "description": "What the chain implies; so are dropped and under_way."},
        apart={
            **FLAG,
            "description": "Whether the chain disagrees with journeys as a whole, which are right.",
        },
    )


def _check_schema() -> Schema:
    worst = object_of(
        state=TEXT,
        part=SHARE,
        group=or_null(TEXT),
        at_start=FLAG,
        target=or_null(TEXT),
        end=or_null(one_of("goal", "dropped")),
        share=SHARE,
        usual=SHARE,
        n=COUNT,
    )
    return object_of(
        name=one_of("first_order", "homogeneity", "stationarity"),
        by=TEXT,
        n_groups=COUNT,
        statistic=or_null(NUMBER),
        df=or_null(NUMBER),
        p_value=or_null(SHARE),
        effect={**ESTIMATE_OR_NULL, "description": "Share of moves that depend on what is compared."},
        verdict=one_of("holds", "small", "matters", "unclear", "not_available"),
        consequence=one_of("none", "attempts", "order", "segments", "periods", "more_data"),
        reason=or_null(one_of("no_sequences", "no_calendar", "one_group", "too_little")),
        worst={**array_of(worst), "maxItems": 3},
    )


def _order_schema() -> Schema:
    row = object_of(
        order={**or_null(COUNT), "description": "null: memory of variable length."},
        n_contexts=COUNT,
        n_parameters=COUNT,
        log_likelihood=NUMBER,
        heldout_per_journey=ESTIMATE,
        bic=NUMBER,
        aic=NUMBER,
        p_value=or_null(SHARE),
        bits=or_null(NUMBER),
        chosen=FLAG,
    )
    return object_of(
        chosen=COUNT,
        reason=one_of("highest", "not_certain", "negligible"),
        n_journeys=COUNT,
        table=array_of(row),
    )
