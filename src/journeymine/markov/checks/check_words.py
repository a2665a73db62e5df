"""The checks of a chain in English."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.markov.checks.check_tables import POOLED

if TYPE_CHECKING:
    from journeymine.markov.checks.check_results import Check
    from journeymine.markov.checks.check_tests import Deviation

NOT_AVAILABLE = {
    "no_sequences": "its journeys were not counted in the states of this chain",
    "no_calendar": "the log has no dates",
    "one_group": "there is one value only",
    "too_little": "too few customers were seen in the same state of several groups",
}
ADVICE = {
    "attempts": "Use attempts=3: the number of the visit says most of what the step before says.",
    "order": 'Use order=2, or order="auto".',
    "segments": "Fit a chain for each value, or rank fixes inside them.",
    "periods": "Fit the chain on the last period alone before it is used to predict.",
}


def title(check: Check) -> str:
    """What is checked."""
    if check.name == "first_order":
        return "first-order property"
    if check.name == "homogeneity":
        return f"homogeneity over {check.by!r}"
    return f"stationarity over {len(check.groups)} periods" if check.groups else "stationarity"


def sentence(check: Check) -> str:
    """What a check found and what follows from it, in one to three sentences."""
    head = title(check)
    head = head[0].upper() + head[1:]
    found = check.found
    if found is None:
        return f"{head}: not available, because {NOT_AVAILABLE[check.reason or 'too_little']}."
    on = {
        "first_order": "the step before",
        "homogeneity": f"the value of {check.by!r}",
        "stationarity": "the period",
    }[check.name]
    numbers = f"{_p(found)}, n = {found.n:,} moves"
    if check.verdict == "holds":
        return f"{head} holds: at most {_percent(found.upper)} of moves depend on {on} ({numbers})."
    if check.verdict == "unclear":
        return (
            f"{head}: no sign of a deviation ({numbers}), but the log is too small to exclude that "
            f"{_percent(found.upper)} of moves depend on {on}."
        )
    kind = "a deviation that matters" if check.verdict == "matters" else "a small deviation"
    between = f"95 % interval {_percent(found.lower)} to {_percent(found.upper)}"
    parts = [f"{head}: {kind}. {_percent(found.effect)} of moves depend on {on} ({between}; {numbers})."]
    if check.verdict == "matters":
        parts += [_where(check)] if check.worst else []
        parts += [ADVICE[check.consequence]] if check.consequence in ADVICE else []
    return " ".join(parts)


def _where(check: Check) -> str:
    """The state that adds most, and where its rows are furthest apart."""
    worst = check.worst[0]
    shift = worst.shift
    if shift.group == POOLED:
        group = {"first_order": "after rarer steps", "homogeneity": "for rarer values"}.get(
            check.name, "then"
        )
    else:
        word = {"first_order": "after", "homogeneity": "for", "stationarity": "from"}[check.name]
        group = f"{word} {worst.group}" if check.name == "stationarity" else f"{word} {worst.group!r}"
    target = "rarer steps together follow" if shift.column == POOLED else f"{worst.target!r} follows"
    return (
        f"Most of it at {worst.state!r} ({100 * worst.contribution:.0f} %): {group}, {target} in "
        f"{_percent(shift.share)} of {shift.n:,} visits instead of {_percent(shift.usual)}."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _p(found: Deviation) -> str:
    return "p < 0.001" if found.p_value < 0.001 else f"p = {found.p_value:.3f}"
