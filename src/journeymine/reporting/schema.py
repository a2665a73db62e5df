"""JSON Schema of report.json: the contract with everything that reads a report. Strict: no key but these."""

from __future__ import annotations

from journeymine.reporting.schema_parts import (
    COUNT,
    ESTIMATE,
    ESTIMATE_OR_NULL,
    FLAG,
    KEY,
    NUMBER,
    SHARE,
    TEXT,
    TIME,
    Schema,
    array_of,
    object_of,
    one_of,
    or_null,
)
from journeymine.reporting.sections.chain_schema import chain_schema
from journeymine.reporting.sections.conformance import conformance_schema
from journeymine.reporting.sections.differences import differences_schema
from journeymine.reporting.sections.fixes_schema import fixes_schema, ranking_schema
from journeymine.reporting.sections.friction import friction_schema
from journeymine.reporting.sections.funnel import funnel_schema
from journeymine.reporting.sections.map import map_schema
from journeymine.reporting.sections.model import model_schema
from journeymine.reporting.sections.occupation import occupation_schema
from journeymine.reporting.sections.patterns import patterns_schema, variety_schema
from journeymine.reporting.sections.personas import personas_schema
from journeymine.reporting.sections.prediction import prediction_schema

SCHEMA_VERSION = 1


def report_schema() -> Schema:
    """JSON Schema (draft 2020-12) of report.json.

    Within a version keys are only added; a removal or a change of meaning raises `schema_version`.

    Examples
    --------
    >>> report_schema()["properties"]["schema_version"]
    {'const': 1}
    """
    parts = {
        "schema_version": {"const": SCHEMA_VERSION},
        "title": or_null(TEXT),
        "provenance": _provenance(),
        "log": _log(),
        "ledger": _ledger(),
        "activities": array_of(_activity()),
        "transitions": array_of(_transition()),
        "variants": {**array_of(_variant()), "maxItems": 100},
        "variants_rest": object_of(n_variants=COUNT, n=COUNT),
        "variety": variety_schema(),
        "patterns": patterns_schema(),
        "conversion": ESTIMATE_OR_NULL,
        "chain": chain_schema(),
        "personas": personas_schema(),
        "map": map_schema(),
        "model": model_schema(),
        "funnel": funnel_schema(),
        "occupation": occupation_schema(),
        "prediction": prediction_schema(),
        **friction_schema(),
        "conformance": conformance_schema(),
        "differences": differences_schema(),
        "tests": _tests(),
        "fixes": fixes_schema(),
        "ranking": ranking_schema(),
        "stages": array_of(object_of(id=TEXT, name=TEXT, owner=or_null(TEXT), activities=array_of(TEXT))),
        "findings": array_of(_message()),
        "quality": array_of(object_of(key=KEY, level=one_of("fine", "look"), value=TEXT, text=TEXT)),
        "warnings": array_of(_message()),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "journeymine report",
        **object_of(**parts),
        "$defs": {"estimate": _estimate()},
    }


def _estimate() -> Schema:
    return {
        **object_of(estimate=NUMBER, lower=NUMBER, upper=NUMBER, n=COUNT),
        "description": "A number, its 95 % interval over customers, and its denominator.",
    }


def _provenance() -> Schema:
    return object_of(
        engine=TEXT,
        package_version=TEXT,
        seed=COUNT,
        lang=one_of("en", "fr"),
        settings={
            "type": "object",
            "description": "Settings of log, journey, stages and activities; no paths.",
        },
    )


def _log() -> Schema:
    shares = object_of(converted=SHARE, dropped=SHARE, open=SHARE)
    state = object_of(n=COUNT, share=ESTIMATE)
    return object_of(
        n_events=COUNT,
        n_cases=COUNT,
        n_customers=COUNT,
        n_activities=COUNT,
        n_variants=COUNT,
        first=or_null(TIME),
        last=or_null(TIME),
        clock=one_of("calendar", "relative", "none"),
        timezone=TEXT,
        end_states=or_null(object_of(converted=state, dropped=state, open=state)),
        idle=or_null(
            object_of(
                seconds={"type": "number", "exclusiveMinimum": 0},
                chosen=one_of("given", "auto"),
                rule=TEXT,
                half=or_null(shares),
                double=or_null(shares),
            )
        ),
        goal=array_of(TEXT),
        end=array_of(TEXT),
        start=array_of(TEXT),
    )


def _ledger() -> Schema:
    entries = array_of(object_of(rule=KEY, n=COUNT, examples={**array_of(TEXT), "maxItems": 5}))
    decided_by = {
        **object_of(order_column=COUNT, file_order=COUNT, activity_name=COUNT),
        "description": "Pairs of events of one case at one time, by the rule that ordered them.",
    }
    return object_of(
        rows_read=COUNT,
        rows_kept=COUNT,
        rejected=entries,
        noted=entries,
        ties=object_of(n_tied_pairs=COUNT, decided_by=decided_by),
    )


def _activity() -> Schema:
    return object_of(
        name=TEXT,
        stage=or_null(TEXT),
        n=COUNT,
        n_cases=COUNT,
        reach=ESTIMATE,
        repeat=ESTIMATE,
        drop=ESTIMATE_OR_NULL,
        conversion=ESTIMATE_OR_NULL,
        wait_s=ESTIMATE_OR_NULL,
    )


def _transition() -> Schema:
    return object_of(
        source=TEXT, target=TEXT, n=COUNT, n_cases=COUNT, share=ESTIMATE, wait_s=ESTIMATE_OR_NULL
    )


def _variant() -> Schema:
    ends = object_of(converted=COUNT, dropped=COUNT, open=COUNT)
    return object_of(activities=array_of(TEXT), n=COUNT, share=ESTIMATE, end_states=or_null(ends))


def _tests() -> Schema:
    row = object_of(
        activity=TEXT,
        column=or_null(TEXT),
        periods=FLAG,
        about=one_of("segment", "period", "attempt", "channel", "step", "contact"),
        target=or_null(TEXT),
        statistic=or_null(NUMBER),
        df=or_null(NUMBER),
        p_value=or_null(SHARE),
        q_value=or_null(SHARE),
        kept=FLAG,
    )
    return object_of(n_tested=COUNT, n_kept=COUNT, level=SHARE, method=TEXT, rows=array_of(row))


def _message() -> Schema:
    return object_of(key=KEY, params={"type": "object"}, text=TEXT)
