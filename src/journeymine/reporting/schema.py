"""JSON Schema of report.json: the contract with everything that reads a report. Strict: no key but these."""

from __future__ import annotations

from typing import Any

SCHEMA_VERSION = 1

Schema = dict[str, Any]


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
        "title": _or_null(TEXT),
        "provenance": _provenance(),
        "log": _log(),
        "ledger": _ledger(),
        "activities": _array(_activity()),
        "transitions": _array(_transition()),
        "variants": {**_array(_variant()), "maxItems": 100},
        "variants_rest": _object(n_variants=COUNT, n=COUNT),
        "conversion": ESTIMATE_OR_NULL,
        "chain": _or_null(_chain()),
        "tests": _tests(),
        "fixes": _array(_fix()),
        "stages": _array(_object(id=TEXT, name=TEXT, owner=_or_null(TEXT), activities=_array(TEXT))),
        "findings": _array(_message()),
        "quality": _array(_object(key=KEY, level=_enum("fine", "look"), value=TEXT, text=TEXT)),
        "warnings": _array(_message()),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "journeymine report",
        **_object(**parts),
        "$defs": {"estimate": _estimate()},
    }


def _object(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _enum(*values: str) -> Schema:
    return {"enum": list(values)}


TEXT: Schema = {"type": "string"}
KEY: Schema = {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"}
FLAG: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
TIME: Schema = {
    "type": "string",
    "pattern": r"^-?[0-9]{4,}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$",
}
ESTIMATE: Schema = {"$ref": "#/$defs/estimate"}
ESTIMATE_OR_NULL = _or_null(ESTIMATE)
SEGMENT = _object(column=TEXT, value=TEXT)


def _estimate() -> Schema:
    return {
        **_object(estimate=NUMBER, lower=NUMBER, upper=NUMBER, n=COUNT),
        "description": "A number, its 95 % interval over customers, and its denominator.",
    }


def _provenance() -> Schema:
    return _object(
        engine=TEXT,
        package_version=TEXT,
        seed=COUNT,
        lang=_enum("en", "fr"),
        settings={
            "type": "object",
            "description": "Settings of log, journey, stages and activities; no paths.",
        },
    )


def _log() -> Schema:
    shares = _object(converted=SHARE, dropped=SHARE, open=SHARE)
    state = _object(n=COUNT, share=ESTIMATE)
    return _object(
        n_events=COUNT,
        n_cases=COUNT,
        n_customers=COUNT,
        n_activities=COUNT,
        n_variants=COUNT,
        first=_or_null(TIME),
        last=_or_null(TIME),
        clock=_enum("calendar", "relative", "none"),
        timezone=TEXT,
        end_states=_or_null(_object(converted=state, dropped=state, open=state)),
        idle=_or_null(
            _object(
                seconds={"type": "number", "exclusiveMinimum": 0},
                chosen=_enum("given", "auto"),
                rule=TEXT,
                half=_or_null(shares),
                double=_or_null(shares),
            )
        ),
        goal=_array(TEXT),
        end=_array(TEXT),
        start=_array(TEXT),
    )


def _ledger() -> Schema:
    entries = _array(_object(rule=KEY, n=COUNT, examples={**_array(TEXT), "maxItems": 5}))
    decided_by = {
        **_object(order_column=COUNT, file_order=COUNT, activity_name=COUNT),
        "description": "Pairs of events of one case at one time, by the rule that ordered them.",
    }
    return _object(
        rows_read=COUNT,
        rows_kept=COUNT,
        rejected=entries,
        noted=entries,
        ties=_object(n_tied_pairs=COUNT, decided_by=decided_by),
    )


def _activity() -> Schema:
    return _object(
        name=TEXT,
        stage=_or_null(TEXT),
        n=COUNT,
        n_cases=COUNT,
        reach=ESTIMATE,
        repeat=ESTIMATE,
        drop=ESTIMATE_OR_NULL,
        conversion=ESTIMATE_OR_NULL,
        wait_s=ESTIMATE_OR_NULL,
    )


def _transition() -> Schema:
    return _object(source=TEXT, target=TEXT, n=COUNT, n_cases=COUNT, share=ESTIMATE, wait_s=ESTIMATE_OR_NULL)


def _variant() -> Schema:
    ends = _object(converted=COUNT, dropped=COUNT, open=COUNT)
    return _object(activities=_array(TEXT), n=COUNT, share=ESTIMATE, end_states=_or_null(ends))


def _chain() -> Schema:
    sensitivity = _object(source=TEXT, target=TEXT, estimate=NUMBER, lower=NUMBER, upper=NUMBER, n=COUNT)
    return _object(
        states=_array(TEXT),
        n_folded=COUNT,
        attempts={"type": "integer", "minimum": 1},
        n_visits=COUNT,
        n_visits_open=COUNT,
        visits=_array(ESTIMATE),
        events_to_goal=ESTIMATE_OR_NULL,
        seconds_to_goal=ESTIMATE_OR_NULL,
        sensitivity={**_array(sensitivity), "maxItems": 50},
    )


def _tests() -> Schema:
    row = _object(
        activity=TEXT,
        column=_or_null(TEXT),
        periods=FLAG,
        statistic=_or_null(NUMBER),
        df=_or_null(NUMBER),
        p_value=_or_null(SHARE),
        q_value=_or_null(SHARE),
        kept=FLAG,
    )
    return _object(n_tested=COUNT, n_kept=COUNT, level=SHARE, method=TEXT, rows=_array(row))


def _fix() -> Schema:
    rank: Schema = {"type": "integer", "minimum": 1}
    return _object(
        id=TEXT,
        kind=_enum("drop_off"),
        activity=TEXT,
        attempt=_or_null(rank),
        segment=_or_null(SEGMENT),
        period=_or_null(_object(start=TIME, end=TIME, ongoing=FLAG)),
        reference=_object(kind=_enum("segment", "period", "assumed"), value=SHARE, n=COUNT),
        drop=ESTIMATE,
        title=TEXT,
        effect=ESTIMATE,
        per_month=ESTIMATE_OR_NULL,
        money_per_month=ESTIMATE_OR_NULL,
        reach=ESTIMATE,
        p_best=SHARE,
        rank=rank,
        rank_lower=rank,
        rank_upper=rank,
        evidence=_enum("association"),
        audience=_object(n=COUNT),
        block=_enum("found", "assumed"),
        next_step=TEXT,
    )


def _message() -> Schema:
    return _object(key=KEY, params={"type": "object"}, text=TEXT)
