"""An event log in words, for the terminal and for `journeymine check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.fixes.ranking import iso
from journeymine.journeys import STATES

if TYPE_CHECKING:
    from journeymine.log import EventLog

MICRO = 1e-6


def short_text(log: EventLog) -> str:
    """At most twelve lines, ending with the next useful call."""
    lines = [
        f"EventLog: {_size_text(log)}",
        f"source: {log.raw.description}",
        f"time: {_time_text(log)}",
    ]
    if log.found is None:
        return "\n".join([*lines, 'Next: .journeys(goal="..."), .ledger, .transitions(), .variants()'])
    if log.end_states is None:
        return "\n".join(
            [*lines, "goal: none set", 'Next: .journeys(goal="..."), .transitions(), .variants()']
        )
    lines.append(f"goal: {', '.join(log.activities[code] for code in log.found.goal)[:200]}")
    lines.append(f"end states: {_states_text(log)}")
    return "\n".join([*lines, "Next: .fit_markov(), .rank_fixes(), jm.report(log).save(...)"])


def _size_text(log: EventLog) -> str:
    sizes = {"cases": log.n_cases, "events": log.n_events, "customers": log.n_customers}
    sizes["activities"] = len(log.activities)
    return ", ".join(f"{n:,} {what}" for what, n in sizes.items())


def _time_text(log: EventLog) -> str:
    first, last = log.canonical.first_us, log.canonical.last_us
    if first is None or last is None:
        return "none, the order of the events decides"
    if log.clock == "relative":
        return f"relative, {(last - first) / 86_400_000_000:.1f} days long"
    return f"{iso(first)} to {iso(last)}"


def _states_text(log: EventLog) -> str:
    states = log.end_states
    assert states is not None
    assert log.found is not None
    parts = [
        f"{name} {n:,} ({float(share):.1%})"
        for name, n, share in zip(STATES, states.n, states.share.estimate, strict=True)
    ]
    idle = log.found.idle
    silence = (
        "" if idle.us is None else f"; over after {duration_text(idle.us * MICRO)} of silence ({idle.chosen})"
    )
    return ", ".join(parts) + silence


def duration_text(seconds: float) -> str:
    """A duration in its largest unit.

    Examples
    --------
    >>> duration_text(1800), duration_text(21 * 86400)
    ('30 min', '21 d')
    """
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def check_text(log: EventLog) -> str:
    """What was read: log, detections, ledger, ties, end states."""
    ledger = log.ledger
    lines = [
        f"read      {log.raw.description}",
        f"rows      {ledger.rows_read:,} read, {ledger.rows_kept:,} kept",
        f"log       {_size_text(log)}, {log.variants(1).counts.n_variants:,} variants",
        f"time      {_time_text(log)}",
    ]
    if log.whole.time_plan is not None:
        lines.append(f"times as  {log.whole.time_plan.description}")
    lines += [f"detected  {key}: {value}" for key, value in sorted(log.raw.detected.items())]
    for title, entries in (("rejected", ledger.rejected), ("noted", ledger.noted)):
        for entry in entries:
            lines.append(f"{title:<9} {entry.rule}: {entry.n:,}")
            lines += [f"          e.g. {_printable(example)}" for example in entry.examples]
    decided = ", ".join(f"{rule} {n:,}" for rule, n in ledger.ties.items() if n)
    lines.append(
        f"ties      {ledger.n_tied_pairs:,} pairs of events of one case share a time"
        + (f", decided by {decided}" if decided else "")
    )
    if log.found is not None and log.end_states is not None:
        lines.append(f"journeys  {_states_text(log)}")
        if log.found.n_not_started:
            lines.append(
                f"          {log.found.n_not_started:,} never reach a start activity and are left out"
            )
    elif log.found is not None:
        lines.append("journeys  no goal is set: nothing is converted or dropped, and no fix can be ranked")
    return "\n".join(lines)


def _printable(text: str) -> str:
    """One line, without control characters that could drive the reader's terminal."""
    return "".join(c if c.isprintable() else " " for c in text)
