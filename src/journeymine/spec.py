"""`JourneySpec`: everything a run is told, the same object from journeymine.toml and from Python."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from journeymine import _spec_checks as checks
from journeymine._spec_errors import spec_error
from journeymine.errors import SpecError, shown
from journeymine.fixes.fix import Fix

Lang = Literal["en", "fr"]
TimeUnit = Literal["s", "ms", "us", "ns"]
Duplicates = Literal["keep", "drop"]

Name = Annotated[str, Field(min_length=1)]
Names = Annotated[
    tuple[Name, ...],
    BeforeValidator(checks.names),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string", "minLength": 1}}]}
    ),
]
Idle = Annotated[str, BeforeValidator(checks.idle)]
Steps = Annotated[
    tuple[Name, ...],
    BeforeValidator(checks.steps),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string", "minLength": 1}}]}
    ),
]
Duration = Annotated[str, BeforeValidator(checks.duration)]
Pattern = Annotated[str, BeforeValidator(checks.pattern)]
Times = Annotated[int, Field(ge=1, le=100)]
Unexpected = Literal["ignore", "count"]
FixKind = Literal["drop_off", "remove_step", "loop", "wait", "channel_switch", "reroute", "incident"]
Share = Annotated[
    float, BeforeValidator(checks.share), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})
]
Positive = Annotated[
    float, BeforeValidator(checks.positive), WithJsonSchema({"type": "number", "exclusiveMinimum": 0})
]
Amount = Annotated[float, BeforeValidator(checks.number), WithJsonSchema({"type": "number"})]
PAIR_SCHEMA = {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2}
SEGMENT_SCHEMA = {
    "type": "object",
    "properties": {"column": {"type": "string"}, "value": {"type": "string"}},
    "required": ["column", "value"],
    "additionalProperties": False,
}
Segment = Annotated[
    tuple[str, str],
    BeforeValidator(checks.segment),
    WithJsonSchema({"anyOf": [SEGMENT_SCHEMA, PAIR_SCHEMA]}),
]
Period = Annotated[tuple[str, str], BeforeValidator(checks.period), WithJsonSchema(PAIR_SCHEMA)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class LogSpec(_Part):
    """`[log]`: where the events are and what their columns mean."""

    source: Names = Field(
        default=(), description="File, glob or list of them; relative to the configuration file."
    )
    table: Name | None = Field(default=None, description="Table of a DuckDB database file named by source.")
    query: Name | None = Field(default=None, description="SQL query whose rows are the events.")
    case_id: Name | None = Field(default=None, description="Column that names the journey.")
    customer_id: Name | None = Field(default=None, description="Column that names the customer.")
    activity: Names = Field(default=(), description="Column that says what happened; several are joined.")
    timestamp: Name | None = Field(default=None, description="Column that says when.")
    end_timestamp: Name | None = Field(default=None, description="Column that says when the activity ended.")
    order: Name | None = Field(default=None, description="Column that orders events of the same time.")
    channel: Name | None = Field(default=None, description="Column that says where: web, shop, call centre.")
    value: Name | None = Field(default=None, description="Column with the money of an event.")
    attributes: Names = Field(default=(), description="Further columns to keep.")
    timezone: Annotated[str, BeforeValidator(checks.timezone)] = Field(
        default="UTC", description="Time zone of times that name none."
    )
    separator: Name | None = Field(default=None, description="Separator of a text file; default: detected.")
    encoding: Annotated[str, BeforeValidator(checks.encoding)] | None = Field(
        default=None, description="Encoding of a text file; default: detected."
    )
    time_format: Name | None = Field(default=None, description="Format of the times, like %d/%m/%Y %H:%M.")
    time_unit: TimeUnit | None = Field(default=None, description="Unit of times that are numbers since 1970.")
    where: Name | None = Field(default=None, description="SQL condition: only these rows are read.")
    duplicates: Duplicates = Field(default="keep", description="What happens to exact duplicates.")

    @model_validator(mode="after")
    def _one_selection(self) -> Self:
        checks.at_most_one("log", {"table": self.table, "query": self.query})
        return self


class JourneySettings(_Part):
    """`[journey]`: what a journey is, and what makes it a success."""

    goal: Names = Field(
        default=(), description="Activities that make a journey a success; any of them will do."
    )
    end: Names = Field(default=(), description="Activities that end a journey without success.")
    start: Names = Field(default=(), description="Activities that start a journey.")
    idle: Idle = Field(
        default="auto", description='Silence after which a journey is over: "30d", "12h" or "auto".'
    )
    segments: Names = Field(default=(), description="Columns whose values are compared.")
    expected: Steps = Field(
        default=(),
        description="The designed journey: activities in order (marks: ? may be left out, + once or more, "
        "* any number of times), a BPMN or PTML file, or a process tree; default: the order of the stages.",
    )
    unexpected: Unexpected = Field(
        default="ignore", description="What happens to activities outside the designed journey."
    )


class FunnelSettings(_Part):
    """`[funnel]`: the funnel of the report."""

    steps: Annotated[tuple[Names, ...], BeforeValidator(checks.funnel_steps)] = Field(
        default=(), description="Activities in order; a list is one step that any of them meets."
    )
    within: Duration | None = Field(default=None, description='Window from the first step on, like "30d".')
    closed: bool = Field(default=True, description="Whether each step must come after the one before.")


class FrictionSettings(_Part):
    """`[friction]`: what counts as friction; what is left out has its published default."""

    rapid_times: Times | None = Field(default=None, description="Rapid repetition: so many in a row.")
    rapid_within: Duration | None = Field(default=None, description="Each within this time of the last.")
    loop_times: Times | None = Field(default=None, description="Page loop: the same activity so often.")
    loop_within: Duration | None = Field(default=None, description="Within this time.")
    quick_exit_within: Duration | None = Field(
        default=None, description="Quick abandonment: dropped this soon after an error."
    )
    retries: Times | None = Field(default=None, description="Attempts after the first: exhausted.")
    hesitation_factor: float | None = Field(
        default=None, description="A wait is long from this multiple of the median on."
    )
    contact_within: Duration | None = Field(
        default=None, description="A contact this soon is a repeated one."
    )
    errors: Pattern | None = Field(default=None, description="Pattern of activities that are errors.")
    contacts: Pattern | None = Field(default=None, description="Pattern of activities or channels: contacts.")
    never: Annotated[tuple[tuple[Name, Name], ...], BeforeValidator(checks.pairs)] | None = Field(
        default=None, description='Pairs [x, y]: "did x but never y".'
    )
    never_auto: Annotated[int, Field(ge=0, le=100)] | None = Field(
        default=None, description="How many further pairs are looked for."
    )
    actors: dict[Name, Pattern] | None = Field(
        default=None, description="Actor = pattern of the activities that are theirs."
    )

    def given(self) -> dict[str, Any]:
        """What the configuration says, without the defaults."""
        return self.model_dump(exclude_none=True)


class Stage(_Part):
    """`[[stage]]`: a named group of activities, in journey order."""

    id: Name = Field(description="Short name, unique.")
    name: Name = Field(description="Name shown in the report; default: the id.")
    activities: Names = Field(description="Activities of the stage, in journey order.")
    owner: Name | None = Field(default=None, description="Who is in charge of it.")
    goal: Name | None = Field(default=None, description="What customers want here, in their words.")
    required: bool = Field(default=False, description="Whether every journey is meant to pass this stage.")

    @model_validator(mode="before")
    @classmethod
    def _name_defaults_to_id(cls, data: Any) -> Any:
        return {"name": data["id"], **data} if isinstance(data, dict) and "id" in data else data


class CleanRule(_Part):
    """`[[activities.clean]]`: a regular expression and what replaces it."""

    pattern: Annotated[Name, BeforeValidator(checks.pattern)] = Field(
        description="Regular expression (Python)."
    )
    replace: str = Field(default="", description=r"Replacement; \1 is the first group.")

    @model_validator(mode="after")
    def _replacement_fits(self) -> Self:
        checks.replacement(self.pattern, self.replace)
        return self


class ActivityRules(_Part):
    """`[activities]`: clean by pattern, then rename, then group."""

    clean: Annotated[tuple[CleanRule, ...], BeforeValidator(checks.tables)] = Field(
        default=(), description="Patterns replaced in activity names, in the order given."
    )
    rename: dict[Name, Name] = Field(default_factory=dict, description="Old name = new name.")
    group: dict[Name, Names] = Field(
        default_factory=dict, description="New name = list of names it replaces."
    )

    @model_validator(mode="after")
    def _groups_are_disjoint(self) -> Self:
        checks.no_repeats("activities.group", self.group.items())
        return self


class FixSpec(_Part):
    """`[[fix]]`: something that could be changed, to be ranked beside what is found."""

    kind: FixKind = Field(description="What is done.")
    activity: Name = Field(description="Activity that the fix is about.")
    target: Name | None = Field(
        default=None,
        description="Loop: the activity it runs through; re-route: who would have gone there is sent elsewhere.",
    )
    to: Name | None = Field(default=None, description="Re-route: where they are sent.")
    segment: Segment | None = Field(default=None, description="Only there: a column and a value.")
    period: Period | None = Field(
        default=None, description="Only then: first day, and the day after the last."
    )
    share: Share | None = Field(
        default=None, description="What can be achieved, from 0 to 1; left out: brought to where it works."
    )
    rho: Share = Field(
        default=1.0,
        description="Share of those spared the friction who then behave like those who passed it.",
    )
    cost: Amount = Field(default=0.0, description="What it costs, in the unit of net value.")
    effort: Positive | None = Field(default=None, description="Work it takes, in any unit; for RICE.")
    label: Name | None = Field(default=None, description="Words for the report.")
    id: Name | None = Field(default=None, description="Name in tables; default: made of kind and place.")

    @model_validator(mode="after")
    def _is_a_fix(self) -> Self:
        checks.fits_together(self.fix)
        return self

    def fix(self) -> Fix:
        """What `rank_fixes` takes."""
        return Fix.from_dict(self.model_dump(exclude_none=True))


class DecisionSettings(_Part):
    """`[decision]`: what fixes are worth."""

    value: Positive | None = Field(
        default=None, description="Money of one conversion, where the log has no value column."
    )
    horizon_months: Positive = Field(default=12.0, description="Months over which the gain of a fix counts.")
    budget: Positive | None = Field(default=None, description="What all fixes together may cost.")


class JourneySpec(_Part):
    """Everything a run is told.

    Examples
    --------
    >>> spec = spec_from_dict({"log": {"source": "a.csv", "case_id": "id"}, "journey": {"goal": "Order"}})
    >>> spec.journey.goal, spec.journey.idle, spec.lang
    (('Order',), 'auto', 'en')
    """

    lang: Lang = Field(default="en", description="Language of the report.")
    title: Name | None = Field(default=None, description="Title of the report.")
    seed: Annotated[int, Field(ge=0)] = Field(default=0, description="Seed of the random draws.")
    log: LogSpec = Field(default_factory=LogSpec)
    journey: JourneySettings = Field(default_factory=JourneySettings)
    stage: Annotated[tuple[Stage, ...], BeforeValidator(checks.tables)] = ()
    funnel: FunnelSettings = Field(default_factory=FunnelSettings)
    friction: FrictionSettings = Field(default_factory=FrictionSettings)
    fix: Annotated[tuple[FixSpec, ...], BeforeValidator(checks.tables)] = ()
    decision: DecisionSettings = Field(default_factory=DecisionSettings)
    activities: ActivityRules = Field(default_factory=ActivityRules)

    @model_validator(mode="after")
    def _stages_are_disjoint(self) -> Self:
        checks.unique("stage", "id", [stage.id for stage in self.stage])
        checks.no_repeats("stage", [(stage.id, stage.activities) for stage in self.stage])
        return self

    @model_validator(mode="after")
    def _fixes_are_different(self) -> Self:
        checks.unique("fix", "id", [fix.id for fix in self.fixes()])
        return self

    def fixes(self) -> tuple[Fix, ...]:
        """The users' own fixes, in the order of the file."""
        return tuple(part.fix() for part in self.fix)

    def settings(self) -> dict[str, Any]:
        """Plain JSON of what shapes the numbers: no paths, and no query, which may hold one."""
        return self.model_dump(
            mode="json", exclude={"lang": True, "title": True, "seed": True, "log": {"source", "query"}}
        )


def spec_from_dict(data: dict[str, Any], *, where: str = "the configuration") -> JourneySpec:
    """Check plain data, as TOML or JSON gives it; SpecError says what is wrong.

    Parameters
    ----------
    data
        Nested dictionaries with the keys of journeymine.toml.
    where
        What the error calls the place it comes from.
    """
    try:
        return JourneySpec.model_validate(data)
    except ValidationError as error:
        raise spec_error(error, JourneySpec, where) from None


def read_spec(path: str | os.PathLike[str]) -> JourneySpec:
    """Read journeymine.toml.

    Parameters
    ----------
    path
        The file. Paths inside it are relative to its folder. "${NAME}" inside a value is replaced by the
        environment variable NAME, which must be set; "$${" stands for "${".

    Raises
    ------
    SpecError
        The file cannot be read, or one of its keys or values cannot be used.
    """
    path = Path(path)
    where = shown(str(path))
    spec = spec_from_dict(_with_environment(_toml(path, where), (), where), where=where)
    if not (spec.log.source or spec.log.table or spec.log.query):
        raise SpecError(f"[log] in {where} names no events.", hint='add source = "events.csv" under [log].')
    return spec


def toml_schema() -> dict[str, Any]:
    """JSON Schema of journeymine.toml.

    Examples
    --------
    >>> sorted(toml_schema()["properties"])
    ['activities', 'decision', 'fix', 'friction', 'funnel', 'journey', 'lang', 'log', 'seed', 'stage', 'title']
    """
    schema = JourneySpec.model_json_schema()
    # The name of a stage is filled in from its id, so a file need not hold it.
    schema["$defs"]["Stage"]["required"].remove("name")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _toml(path: Path, where: str) -> dict[str, Any]:
    try:
        # utf-8-sig: some editors write a byte order mark, which TOML does not know.
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(error, path, where) from None
    except UnicodeDecodeError as error:
        problem = f"{where} is not UTF-8 text (byte {error.start})."
        raise SpecError(problem, hint=_instead(path) or "save it as UTF-8.") from None
    except FileNotFoundError:
        hint = "journeymine init FILE writes a configuration for an event log."
        raise SpecError(f"configuration {where} not found.", hint=hint) from None
    except OSError as error:
        raise SpecError(f"configuration {where} cannot be read: {error.strerror or error}.") from None


def _syntax_error(error: tomllib.TOMLDecodeError, path: Path, where: str) -> SpecError:
    match = re.search(r"at line (\d+)", str(error))
    lines = path.read_bytes().decode("utf-8-sig").splitlines()
    number = int(match.group(1)) if match else len(lines)
    line = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    hint = _instead(path) or "texts stand in quotes; in paths write / or use 'single quotes'."
    return SpecError(f"{where} is not valid TOML: {error}.", found=f"line {number}: {shown(line)}", hint=hint)


def _instead(path: Path) -> str | None:
    return (
        None
        if path.suffix == ".toml"
        else f"for an event log, journeymine init {path} writes a configuration."
    )


def _with_environment(value: Any, keys: tuple[str, ...], where: str) -> Any:
    if isinstance(value, dict):
        return {key: _with_environment(item, (*keys, key), where) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_environment(item, (*keys, str(i)), where) for i, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def substitute(match: re.Match[str]) -> str:
        name = match.group(1)
        if name is None:
            return "${"
        if name not in os.environ:
            problem = f"environment variable {name} is not set; {'.'.join(keys)} in {where} needs it."
            raise SpecError(problem, hint=f"export {name}=…, or write $${{ for a plain ${{.")
        return os.environ[name]

    return re.sub(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}", substitute, value)
