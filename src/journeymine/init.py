"""`journeymine init`: guesses what the columns of a log mean and writes a configuration that says why."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from journeymine._goal_names import failure_candidates, goal_candidates
from journeymine._log_facts import MAX_NAME, activity_facts
from journeymine._toml_text import comment, line
from journeymine._whole_file import write_text
from journeymine.errors import OptionError, OutputError, shown
from journeymine.spec import JourneySettings, JourneySpec, LogSpec, spec_from_dict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel

    from journeymine._log_facts import ActivityFacts
    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.readers.guess import Guess
    from journeymine.readers.raw import RawLog

    RoleValue = str | tuple[str, ...]

ROLES = ("case_id", "customer_id", "activity", "timestamp", "end_timestamp", "order", "channel", "value")
MAX_SEGMENTS = 3
MAX_CANDIDATES = 6
N_STAGES = 4
STAGE_IDS = ("start", "middle", "late", "end")


def write_config(file: str | os.PathLike[str], out: str | os.PathLike[str], *, force: bool = False) -> Path:
    """Write a commented `journeymine.toml` for an event log.

    Parameters
    ----------
    file
        The event log.
    out
        The configuration to write.
    force
        Replace the configuration if there is one.

    Raises
    ------
    OutputError
        There is one already, or it cannot be written.
    """
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.readers import open_raw

    out = Path(out)
    if os.path.lexists(out) and not force:
        hint = "name another file with --out, or replace it with --force."
        raise OutputError(f"{shown(str(out))} exists already.", hint=hint)
    source = _relative(Path(file), out)
    engine = DuckDBEngine()
    raw = open_raw(engine, file)
    text = config_text(engine, raw, source)
    # What we write, we must be able to read.
    spec_from_dict(tomllib.loads(text.replace("$${", "${")), where=shown(str(out)))
    write_text(out, text)
    return out


def config_text(engine: DuckDBEngine, raw: RawLog, source: str) -> str:
    """Text of the configuration of a raw log.

    Parameters
    ----------
    engine, raw
        The log, as `open_raw` gives it.
    source
        What to write as `source`.
    """
    from journeymine.readers.guess import guess_roles

    guess = guess_roles(engine, raw)
    roles: dict[str, RoleValue] = {role: guess.roles[role] for role in ROLES if guess.roles.get(role)}
    log = _canonical(engine, raw, roles)
    activities = activity_facts(engine, log) if log else []
    lines = [
        *_head(raw),
        *_log_section(raw, source, roles, guess),
        *_journey_section(log.n_cases if log else 0, activities, guess),
        *_stages(activities),
        *_activities_section(),
    ]
    return "\n".join(lines) + "\n"


def _canonical(engine: DuckDBEngine, raw: RawLog, roles: Mapping[str, RoleValue]) -> Canonical | None:
    """Read the events as a run would, if enough roles were found."""
    from journeymine.activities import NameRules
    from journeymine.canonical import Roles, canonicalise

    if "activity" not in roles or not ("case_id" in roles or "customer_id" in roles):
        return None
    values: dict[str, Any] = {**roles, "activity": _several(roles["activity"])}
    return canonicalise(engine, raw, Roles(**values), NameRules())


def _head(raw: RawLog) -> list[str]:
    found = [comment(f"  {key.replace('_', ' ')}: {value}") for key, value in sorted(raw.detected.items())]
    return [
        "# Configuration of a journeymine report, written by `journeymine init`.",
        "# Every guess says why it was made. Correct what is wrong; then: journeymine check.",
        "",
        comment(f"Read: {raw.description}"),
        *found,
        comment(f"Columns: {', '.join(raw.columns)}"),
        "",
        *line("lang", "en", why='Language of the report: "en" or "fr".'),
        *_unused(JourneySpec, {"title": "Our shop", "seed": 0}),
        "",
    ]


def _log_section(raw: RawLog, source: str, roles: Mapping[str, RoleValue], guess: Guess) -> list[str]:
    lines = ["[log]", *line("source", source)]
    for role, value in roles.items():
        lines += line(role, value, why=guess.reasons.get(role, ""))
        others = guess.candidates.get(role, ())
        lines += [comment(f"Could be it too: {', '.join(others)}")] if others else []
    if "activity" not in roles:
        lines.append(comment(guess.reasons.get("activity", "No column looks like an activity: name one.")))
    taken = {column for value in (*roles.values(), _segments(guess)) for column in _several(value)}
    rest = [column for column in raw.columns if column not in taken]
    examples: dict[str, str | Sequence[str]] = {
        **{role: "column" for role in ROLES if role not in roles},
        "attributes": rest or ["column"],
        "timezone": "Europe/Paris",
        "separator": ";",
        "encoding": "cp1252",
        "time_format": "%d/%m/%Y %H:%M",
        "time_unit": "ms",
        "where": "country = 'DE'",
        "duplicates": "drop",
    }
    return [*lines, "# Not used; remove the # to use them:", *_unused(LogSpec, examples), ""]


def _journey_section(n_cases: int, activities: Sequence[ActivityFacts], guess: Guess) -> list[str]:
    lines = ["[journey]", *_goal(activities, n_cases, guess)]
    failures = [fact.name for fact in failure_candidates(activities) if len(fact.name) <= MAX_NAME]
    if failures:
        why = (
            "Activities that end a journey without success? Their names look like it; they mostly come last."
        )
        lines += line("end", failures[:MAX_CANDIDATES], why=why, off=True)
    segments = _segments(guess)
    if segments:
        why = f"Columns whose values are compared. {guess.reasons.get('segments', '')}".strip()
        lines += line("segments", segments[:MAX_SEGMENTS], why=why)
        lines += [comment(f"Could be one too: {column}") for column in segments[MAX_SEGMENTS:]]
    examples: dict[str, str | Sequence[str]] = {
        "end": ["Cancelled"],
        "start": ["Visit"],
        "idle": "30d",
        "segments": ["column"],
    }
    shown_already = {"end"} if failures else set()
    shown_already |= {"segments"} if segments else set()
    unused = {key: value for key, value in examples.items() if key not in shown_already}
    return [*lines, *_unused(JourneySettings, unused), ""]


def _goal(activities: Sequence[ActivityFacts], n_cases: int, guess: Guess) -> list[str]:
    short = [fact for fact in activities if len(fact.name) <= MAX_NAME]
    guessed = guess.roles.get("goal", ())
    candidates = goal_candidates(short) or [fact for fact in short if fact.name in guessed]
    if candidates:
        best, others = candidates[0], candidates[1:MAX_CANDIDATES]
        why = f"The goal: its name looks like a success; {best.n_cases:,} of {n_cases:,} journeys have it."
        lines = line("goal", best.name, why=why)
    else:
        most_last = sorted(short, key=lambda fact: (-fact.n_last, fact.name))
        others = most_last[1:MAX_CANDIDATES]
        lines = [comment("The goal: no name looks like a success. Without a goal there are no fixes.")]
        lines += line("goal", most_last[0].name if most_last else "Order", off=True)
    lines += [
        comment(
            f"Other candidate: {fact.name} ({fact.n_cases:,} journeys have it, {fact.n_last:,} end with it)"
        )
        for fact in others
    ]
    return lines


def _stages(activities: Sequence[ActivityFacts]) -> list[str]:
    """Proposed stages: the activities by their mean place in the journey, in about equal parts."""
    short = [fact for fact in activities if len(fact.name) <= MAX_NAME]
    lines = ["# Stages: named groups of activities, in journey order; they order the report."]
    if len(short) < N_STAGES:
        return [*lines, "# [[stage]]", '# id = "buy"', '# activities = ["Basket", "Payment"]', ""]
    lines.append("# Proposed by the mean place of each activity in the journey. Rename, move, remove the #.")
    bounds = [round(i * len(short) / N_STAGES) for i in range(N_STAGES + 1)]
    for i, name in enumerate(STAGE_IDS):
        part = [fact.name for fact in short[bounds[i] : bounds[i + 1]]]
        lines += ["# [[stage]]", *line("id", name, off=True), *line("name", name.capitalize(), off=True)]
        lines += [*line("activities", part, off=True), *line("owner", "Who is in charge", off=True), "#"]
    return [*lines[:-1], ""]


def _activities_section() -> list[str]:
    return [
        "# Activity names: cleaned by pattern, then renamed, then grouped.",
        "# [activities.rename]",
        '# "Chkout" = "Checkout"',
        "# [activities.group]",
        '# "Help" = ["Call", "Chat"]',
        "# [[activities.clean]]",
        r"# pattern = '/product/\d+'",
        "# replace = '/product'",
    ]


def _unused(model: type[BaseModel], examples: Mapping[str, Any]) -> list[str]:
    """Keys that are not used, commented out, each with what the model says of it."""
    lines = []
    for key, value in examples.items():
        description = model.model_fields[key].description or ""
        lines.append(f"{line(key, value, off=True)[-1]}  {comment(description)}")
    return lines


def _segments(guess: Guess) -> tuple[str, ...]:
    return _several(guess.roles.get("segments", ()))


def _several(value: RoleValue) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _relative(file: Path, out: Path) -> str:
    try:
        path = os.path.relpath(file.absolute(), out.absolute().parent)
    except ValueError:  # another drive
        path = str(file.absolute())
    text = Path(path).as_posix()
    if not text.isprintable():
        raise OptionError(
            f"the path {shown(text)} cannot be written into a configuration.", hint="rename the file."
        )
    return text
