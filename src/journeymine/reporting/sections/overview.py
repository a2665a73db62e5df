"""What the report says of the log itself: settings, size, time, end states, stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journeymine.fixes.ranking import iso
from journeymine.journeys import STATES
from journeymine.reporting import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.log import EventLog
    from journeymine.paths.variants import Variants
    from journeymine.spec import JourneySpec, Stage


MICRO = 1e-6


def settings(log: EventLog, spec: JourneySpec) -> dict[str, Any]:
    """What shapes the numbers; no path, and no query, which may hold one."""
    roles, found = log.roles, log.found
    assert found is not None
    names = log.activities
    return {
        "log": {
            "case_id": roles.case_id,
            "customer_id": roles.customer_id,
            "activity": list(roles.activity),
            "timestamp": roles.timestamp,
            "end_timestamp": roles.end_timestamp,
            "order": roles.order,
            "channel": roles.channel,
            "value": roles.value,
            "attributes": list(roles.attributes),
            "timezone": roles.timezone,
            "time_format": roles.time_format,
            "time_unit": roles.time_unit,
            "where": roles.where,
            "duplicates": roles.duplicates,
        },
        "journey": {
            "goal": [names[c] for c in found.goal],
            "end": [names[c] for c in found.end],
            "start": [names[c] for c in found.start],
            "segments": list(found.segments),
            "idle_s": None if found.idle.us is None else found.idle.us * MICRO,
            "idle_chosen": found.idle.chosen,
        },
        "activities": {
            "clean": [list(rule) for rule in log.rules.clean],
            "rename": dict(sorted(log.rules.rename.items())),
            "group": {new: list(old) for new, old in sorted(log.rules.group.items())},
        },
        "stages": [stage.id for stage in spec.stage],
        "expected": list(spec.journey.expected),
        "unexpected": spec.journey.unexpected,
        "funnel": spec.funnel.model_dump(mode="json"),
        "friction": spec.friction.model_dump(mode="json", exclude_none=True),
    }


def log_section(log: EventLog, variants: Variants, lang: str) -> dict[str, Any]:
    """Size, time and end states."""
    found, canonical = log.found, log.canonical
    assert found is not None
    calendar = log.clock == "calendar"
    return {
        "n_events": log.n_events,
        "n_cases": log.n_cases,
        "n_customers": log.n_customers,
        "n_activities": len(log.activities),
        "n_variants": variants.counts.n_variants,
        "first": iso(canonical.first_us) if calendar and canonical.first_us is not None else None,
        "last": iso(canonical.last_us) if calendar and canonical.last_us is not None else None,
        "clock": log.clock,
        "timezone": log.roles.timezone,
        "end_states": _end_states(log),
        "idle": _idle(log, lang),
        "goal": [log.activities[c] for c in found.goal],
        "end": [log.activities[c] for c in found.end],
        "start": [log.activities[c] for c in found.start],
    }


def _end_states(log: EventLog) -> dict[str, Any] | None:
    states = log.end_states
    if states is None:
        return None
    return {name: {"n": states.n[i], "share": states.share.at(i)} for i, name in enumerate(STATES)}


def _idle(log: EventLog, lang: str) -> dict[str, Any] | None:
    found = log.found
    assert found is not None
    if found.idle.us is None:
        return None
    seconds = found.idle.us * MICRO
    return {
        "seconds": seconds,
        "chosen": found.idle.chosen,
        "rule": words.idle_rule(seconds, found.idle.chosen, lang),
        "half": _shares_at(log, found.idle.us // 2),
        "double": _shares_at(log, found.idle.us * 2),
    }


def _shares_at(log: EventLog, idle_us: int) -> dict[str, float] | None:
    if log.end_states is None:
        return None
    states = log.end_states_at(idle_us)
    return {name: float(states.share.estimate[i]) for i, name in enumerate(STATES)}


def stages_section(stages: Sequence[Stage]) -> list[dict[str, Any]]:
    """Stages as they were configured."""
    return [{"id": s.id, "name": s.name, "owner": s.owner, "activities": list(s.activities)} for s in stages]
