"""journeymine.toml: what is read, and how everything else is refused."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymine.errors import SpecError
from journeymine.fixes.fix import KINDS, Fix
from journeymine.spec import FixKind, FixSpec, JourneySpec, read_spec, spec_from_dict, toml_schema

FULL = r"""
lang  = "fr"
title = "Ma boutique"
seed  = 7

[log]
source        = ["a.csv", "b*.csv"]
case_id       = "journey_id"
customer_id   = "customer_id"
activity      = ["page", "action"]
timestamp     = "at"
end_timestamp = "until"
order         = "no"
channel       = "where"
value         = "amount"
attributes    = ["platform", "a \"b\""]
timezone      = "Europe/Paris"
separator     = ";"
encoding      = "cp1252"
time_format   = "%d/%m/%Y %H:%M"
time_unit     = "ms"
where         = "country = 'DE'"
duplicates    = "drop"

[journey]
goal     = "Order"
end      = ["Cancelled"]
start    = "Visit"
idle     = "30d"
segments = ["platform"]

[[stage]]
id         = "buy"
name       = "Buy"
activities = ["Basket", "Order"]
owner      = "Ada"
goal       = "Let me pay and be done."

[[stage]]
id         = "use"
activities = ["Delivery"]

[activities.rename]
"Chkout" = "Checkout"

[activities.group]
"Help" = ["Call", "Chat"]

[[activities.clean]]
pattern = '/product/(\d+)'
replace = '/product/\1'
"""


def write(folder: Path, text: str, name: str = "journeymine.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_every_key_is_read(tmp_path: Path) -> None:
    spec = read_spec(write(tmp_path, FULL))
    assert (spec.lang, spec.title, spec.seed) == ("fr", "Ma boutique", 7)
    assert spec.log.source == ("a.csv", "b*.csv")
    assert spec.log.activity == ("page", "action")
    assert spec.log.attributes == ("platform", 'a "b"')
    assert (spec.log.timezone, spec.log.time_unit, spec.log.duplicates) == ("Europe/Paris", "ms", "drop")
    assert (spec.journey.goal, spec.journey.end, spec.journey.start) == (
        ("Order",),
        ("Cancelled",),
        ("Visit",),
    )
    assert [stage.name for stage in spec.stage] == ["Buy", "use"]
    assert spec.activities.rename == {"Chkout": "Checkout"}
    assert spec.activities.group == {"Help": ("Call", "Chat")}
    assert spec.activities.clean[0].replace == r"/product/\1"


def test_defaults_are_the_documented_ones(tmp_path: Path) -> None:
    spec = read_spec(write(tmp_path, '[log]\nsource = "a.csv"\ncase_id = "id"\n'))
    assert (spec.lang, spec.title, spec.seed) == ("en", None, 0)
    assert (spec.log.timezone, spec.log.duplicates, spec.log.separator) == ("UTC", "keep", None)
    assert (spec.journey.goal, spec.journey.idle, spec.stage) == ((), "auto", ())


def test_the_object_is_a_value() -> None:
    spec = spec_from_dict({"log": {"source": "a.csv"}})
    with pytest.raises(ValueError, match="frozen"):
        spec.seed = 3  # type: ignore[misc]
    assert spec == spec_from_dict({"log": {"source": ["a.csv"]}})


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        ({"log": {"timestmp": "x"}}, ["'log.timestmp'", "not known", "case_id", "did you mean 'timestamp'?"]),
        ({"lagn": "en"}, ["'lagn'", "lang, title, seed", "did you mean 'lang'?"]),
        ({"log": {"seed": 3}}, ["'log.seed'", "seed belongs to the top of the file"]),
        ({"log": {"segments": ["a"]}}, ["segments belongs to [journey]"]),
        ({"journey": {"owner": "x"}}, ["owner belongs to [[stage]]"]),
        ({"lang": "FR"}, ["lang is 'FR'", "'en' or 'fr'", "did you mean 'fr'?"]),
        ({"log": {"duplicates": "remove"}}, ["log.duplicates is 'remove'", "'keep' or 'drop'"]),
        ({"log": {"time_unit": "sec"}}, ["log.time_unit", "'s', 'ms', 'us' or 'ns'"]),
        ({"seed": -1}, ["seed is -1", "0 or more"]),
        ({"seed": "3"}, ["seed is '3'", "without quotes"]),
        ({"seed": True}, ["seed is True"]),
        ({"title": 3}, ["title is 3", 'in "quotes"']),
        ({"log": {"case_id": ""}}, ["log.case_id is ''", "not empty"]),
        ({"log": {"source": 3}}, ["log.source", "3", "a text or a list of texts"]),
        ({"log": "events.csv"}, ["log is 'events.csv'", "expected a table"]),
        ({"log": {"timezone": "Europe/Pari"}}, ["log.timezone", "did you mean 'Europe/Paris'?"]),
        ({"log": {"timezone": "../../etc/passwd"}}, ["log.timezone", "not the name of a time zone"]),
        ({"log": {"timezone": 1}}, ["log.timezone", "1"]),
        ({"log": {"encoding": "utf-9"}}, ["log.encoding", "utf-9"]),
        ({"log": {"table": "a", "query": "SELECT 1"}}, ["both log.table and log.query"]),
        ({"journey": {"idle": 30}}, ["journey.idle", "30", '"30d"', '"auto"']),
        ({"journey": {"idle": "3m"}}, ["journey.idle", '"min"']),
        ({"journey": {"goal": ["a", 1]}}, ["journey.goal", "holds 1"]),
        ({"stage": {"id": "a", "activities": ["x"]}}, ["stage", "[[…]]"]),
        ({"stage": [{"name": "b", "activities": ["x"]}]}, ["stage[0].id is missing"]),
        ({"stage": [{"id": "b"}]}, ["stage[0].activities is missing"]),
        ({"stage": [{"id": "a", "activities": ["x"], "ownr": "z"}]}, ["'stage[0].ownr'", "'owner'"]),
        (
            {"stage": [{"id": "a", "activities": ["x"]}, {"id": "a", "activities": []}]},
            ["two stage entries with id 'a'"],
        ),
        (
            {"stage": [{"id": "a", "activities": ["x"]}, {"id": "b", "activities": ["x"]}]},
            ["activity 'x'", "'a' and 'b'", "belongs to one"],
        ),
        ({"activities": {"rename": {"a": 1}}}, ["activities.rename.a is 1"]),
        ({"activities": {"group": {"a": ["x"], "b": ["x"]}}}, ["activities.group 'a' and 'b'"]),
        (
            {"activities": {"clean": [{"pattern": "("}]}},
            ["activities.clean[0].pattern", "regular expression"],
        ),
        ({"activities": {"clean": [{"pattern": "a", "replace": "\\1"}]}}, ["replace", "group reference"]),
    ],
)
def test_refusals_name_key_value_and_what_is_allowed(data: dict[str, Any], parts: list[str]) -> None:
    with pytest.raises(SpecError) as caught:
        spec_from_dict(data, where="'x.toml'")
    message = str(caught.value)
    assert caught.value.exit_code == 2
    for part in [*parts, "'x.toml'"]:
        assert part in message


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(SpecError) as caught:
        spec_from_dict({"lang": "de", "log": {"case": "x"}, "journey": {"idle": "soon"}}, where="'x.toml'")
    lines = str(caught.value).splitlines()
    assert lines[0] == "3 problems in 'x.toml':"
    assert len(lines) == 4
    assert "did you mean 'case_id'?" in lines[2]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from(
        [("log",), ("journey",), ("stage",), ("activities",), ("log", "source"), ("activities", "clean")]
    ),
)
def test_whatever_stands_there_is_taken_or_refused(value: Any, keys: tuple[str, ...]) -> None:
    data = value
    for key in reversed(keys):
        data = {key: data}
    with contextlib.suppress(SpecError):
        spec = spec_from_dict(data)
        assert spec_from_dict(spec.model_dump(mode="json", exclude_none=True)) == spec


def test_syntax_errors_show_the_line(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        read_spec(write(tmp_path, '[log]\nsource = events.csv\ncase_id = "id"\n'))
    assert "line 2" in str(caught.value)
    assert "source = events.csv" in str(caught.value)


def test_unclosed_text_at_the_end_is_a_syntax_error(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="not valid TOML"):
        read_spec(write(tmp_path, '[log]\nsource = "a'))


def test_a_byte_order_mark_is_fine(tmp_path: Path) -> None:
    assert read_spec(write(tmp_path, '\ufeff[log]\nsource = "a.csv"\n')).log.source == ("a.csv",)


def test_an_event_log_is_not_a_configuration(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="journeymine init"):
        read_spec(write(tmp_path, "case,activity\n1,a\n", "events.csv"))
    (tmp_path / "events.parquet").write_bytes(b"PAR1\xff\xfe\x00")
    with pytest.raises(SpecError, match="journeymine init"):
        read_spec(tmp_path / "events.parquet")


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="journeymine init FILE"):
        read_spec(tmp_path / "none.toml")
    with pytest.raises(SpecError, match="cannot be read"):
        read_spec(tmp_path)


def test_a_log_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="names no events"):
        read_spec(write(tmp_path, 'title = "x"\n'))


def test_environment_variables_inside_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JM_FOLDER", "/data/${x}")
    path = write(tmp_path, '[log]\nsource = ["${JM_FOLDER}/a.csv", "$${JM_FOLDER}", "$5"]\n')
    assert read_spec(path).log.source == ("/data/${x}/a.csv", "${JM_FOLDER}", "$5")
    monkeypatch.delenv("JM_FOLDER")
    with pytest.raises(SpecError, match=r"JM_FOLDER is not set; log\.source\.0"):
        read_spec(path)


def test_settings_hold_no_path() -> None:
    spec = spec_from_dict(
        {"title": "t", "log": {"source": "/secret/a.csv", "case_id": "id"}, "journey": {"goal": "G"}}
    )
    settings = spec.settings()
    assert "secret" not in json.dumps(settings)
    assert settings["log"]["case_id"] == "id"
    assert settings["journey"]["goal"] == ["G"]
    assert set(settings) == {
        "log",
        "journey",
        "stage",
        "funnel",
        "friction",
        "fix",
        "decision",
        "activities",
    }


def test_a_designed_journey_may_pass_a_step_twice() -> None:
    spec = spec_from_dict({"journey": {"expected": ["a", "b", "a"]}, "funnel": {"steps": ["a", ["b", "c"]]}})
    assert spec.journey.expected == ("a", "b", "a")
    assert spec.funnel.steps == (("a",), ("b", "c"))
    assert spec_from_dict({"journey": {"expected": "design.bpmn"}}).journey.expected == ("design.bpmn",)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"funnel": {"steps": "a"}}, "funnel.steps"),
        ({"funnel": {"within": "3 moons"}}, "funnel.within"),
        ({"friction": {"errors": "("}}, "friction.errors"),
        ({"friction": {"never": ["a", "b"]}}, "friction.never"),
        ({"friction": {"retires": 3}}, "retries"),
    ],
)
def test_what_is_wrong_with_funnel_and_friction_is_named(data: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        spec_from_dict(data)


def test_friction_says_only_what_was_given() -> None:
    spec = spec_from_dict({"friction": {"retries": 5, "never": [["a", "b"]], "actors": {"shop": "^shop"}}})
    assert spec.friction.given() == {"retries": 5, "never": (("a", "b"),), "actors": {"shop": "^shop"}}


def test_the_schema_agrees_with_the_reader(tmp_path: Path) -> None:
    import tomllib

    schema = toml_schema()
    validator = jsonschema.Draft202012Validator
    validator.check_schema(schema)
    validator(schema).validate(tomllib.loads(FULL))
    for wrong in ({"lagn": "en"}, {"log": {"duplicates": "x"}}, {"stage": [{"name": "a"}]}, {"seed": -1}):
        assert list(validator(schema).iter_errors(wrong))


def test_every_key_has_a_description() -> None:
    def keys(model: Any) -> list[tuple[str, str | None]]:
        return [(name, field.description) for name, field in model.model_fields.items()]

    sections = {"log", "journey", "stage", "funnel", "friction", "fix", "decision", "activities"}
    from journeymine import spec as module

    models = [
        module.LogSpec,
        module.JourneySettings,
        module.Stage,
        module.FunnelSettings,
        module.FrictionSettings,
        module.FixSpec,
        module.DecisionSettings,
        module.CleanRule,
        module.ActivityRules,
        JourneySpec,
    ]
    assert [name for model in models for name, text in keys(model) if not text and name not in sections] == []


@pytest.mark.parametrize(
    "part",
    [
        "LogSpec",
        "JourneySettings",
        "Stage",
        "FunnelSettings",
        "FrictionSettings",
        "CleanRule",
        "ActivityRules",
    ],
)
def test_every_key_is_documented(part: str) -> None:
    from journeymine import spec as module

    page = (Path(__file__).parents[1] / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
    missing = [name for name in getattr(module, part).model_fields if f"| `{name}` |" not in page]
    assert missing == []


def test_the_example_of_the_documentation_is_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
    spec = read_spec(write(tmp_path, page.split("```toml\n")[1].split("```")[0]))
    assert spec.activities.clean[0].pattern == r"/product/\d+"


FIXES = """
[[fix]]
kind     = "incident"
activity = "Pay"
period   = [2026-02-18, 2026-03-08]
segment  = ["platform", "mobile"]

[[fix]]
kind     = "reroute"
activity = "Pay"
target   = "Leave a note"
to       = "Chat"
share    = 1
rho      = 0.8
cost     = 100
effort   = 2.5
label    = "Chat for those who leave a note"
id       = "chat"
segment  = { column = "platform", value = "mobile" }

[decision]
value          = 80
horizon_months = 6
budget         = 2000.5
"""


def test_fixes_are_read_as_fixes(tmp_path: Path) -> None:
    spec = read_spec(write(tmp_path, '[log]\nsource = "a.csv"\n' + FIXES))
    incident, reroute = spec.fixes()
    days = ("2026-02-18", "2026-03-08")
    assert incident == Fix(kind="incident", activity="Pay", period=days, segment="platform=mobile")
    assert incident.id == "incident:Pay:platform=mobile:2026-02-18/2026-03-08"
    assert reroute == Fix(
        kind="reroute",
        activity="Pay",
        target="Leave a note",
        to="Chat",
        segment=("platform", "mobile"),
        share=1.0,
        rho=0.8,
        cost=100.0,
        effort=2.5,
        label="Chat for those who leave a note",
        id="chat",
    )
    assert (spec.decision.value, spec.decision.horizon_months, spec.decision.budget) == (80.0, 6.0, 2000.5)
    assert spec.settings()["fix"][0]["period"] == list(days)
    assert spec_from_dict({}).fixes() == ()
    assert spec_from_dict({}).decision.horizon_months == 12


def test_the_file_knows_every_kind_and_field_of_a_fix() -> None:
    assert get_args(FixKind) == KINDS
    assert set(FixSpec.model_fields) == {field.name for field in dataclasses.fields(Fix)}
    schema = toml_schema()
    validator = jsonschema.Draft202012Validator(schema)
    given = {"kind": "loop", "activity": "Pay", "segment": {"column": "a", "value": "b"}, "share": 0.5}
    assert not list(validator.iter_errors({"fix": [given], "decision": {"value": 3}}))
    for wrong in (
        {"fix": [{**given, "share": 2}]},
        {"fix": [{**given, "segment": {"a": "b"}}]},
        {"fix": [{"activity": "Pay"}]},
        {"decision": {"value": 0}},
    ):
        assert list(validator.iter_errors(wrong))


LOOP = {"kind": "loop", "activity": "Pay"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"fix": LOOP}, "expected an array of tables"),
        ({"fix": [LOOP, LOOP]}, "two fix entries with id 'loop:Pay'"),
        ({"fix": [{**LOOP, "kind": "lop"}]}, "did you mean 'loop'?"),
        ({"fix": [{"kind": "loop"}]}, "fix[0].activity is missing"),
        ({"fix": [LOOP, {**LOOP, "share": 20}]}, "fix[1].share in the configuration is 20"),
        ({"fix": [{**LOOP, "rho": float("nan")}]}, "fix[0].rho"),
        ({"fix": [{**LOOP, "cost": "3"}]}, "fix[0].cost in the configuration is '3'"),
        ({"fix": [{**LOOP, "effort": 0}]}, "fix[0].effort in the configuration is 0"),
        ({"fix": [{**LOOP, "shares": 0.1}]}, "did you mean 'share'?"),
        ({"fix": [{**LOOP, "segment": "mobile"}]}, "fix[0].segment in the configuration is 'mobile'"),
        ({"fix": [{**LOOP, "period": ["2026-01-01"]}]}, "fix[0].period"),
        ({"fix": [{**LOOP, "period": ["2026-01-01", "soon"]}]}, "holds 'soon', which is not a time"),
        ({"fix": [{**LOOP, "period": ["2026-02-01", "2026-01-01"]}]}, "expected an end after its start"),
        ({"fix": [{"kind": "reroute", "activity": "Pay"}]}, 'has kind "reroute" and to is missing'),
        (
            {"fix": [{"kind": "wait", "activity": "Pay", "target": "x"}]},
            "fix[0] in the configuration has target",
        ),
        ({"decision": {"value": -1}}, "decision.value in the configuration is -1"),
        ({"decision": {"horizon": 3}}, "did you mean 'horizon_months'?"),
    ],
)
def test_wrong_fixes_are_refused_by_key(data: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as error:
        spec_from_dict(data)
    assert message in str(error.value)
