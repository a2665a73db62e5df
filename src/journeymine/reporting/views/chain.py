"""The chain section: what awaits a journey at each step, where that turns, and how far it can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journeymine import _format as fmt
from journeymine.draw.svg import Circle, Mark, Path, decoration
from journeymine.reporting.phrases import Name, Sentence, Shown, name
from journeymine.reporting.views.chain_checks import trust_view
from journeymine.reporting.views.markup import drawn

if TYPE_CHECKING:
    from journeymine.reporting.reader import Reader

MOST_STATES, MOST_TURNS = 12, 5
FEW: Final = 30
"""Visits below which a step is no headline."""
NEARLY_ALL: Final = 0.95
LITTLE: Final = 0.01
"""A smaller change of conversion is no turning point."""
WIDTH, HEIGHT, PAD = 220.0, 22.0, 8.0
TOPS: Final = (0.05, 0.1, 0.25, 0.5, 1.0)


def chain_view(report: Reader) -> dict[str, Any] | None:
    """Collect what the chain section shows; None for a log without a chain."""
    if not report.items("chain.outcomes"):
        return None
    groups = _in_order(report)
    kept = set(_busiest(report))
    top = _top(report, sorted(kept))
    return {
        "heading": heading_of(report),
        "sub": _sub(report),
        "has_times": bool(report.value("chain.start.seconds_to_goal")),
        "rows": _rows(report, groups, top, lambda i: i in kept),
        "rest": _rows(report, groups, top, lambda i: i not in kept),
        "turns": [_turn(report, j) for j in _turns(report)],
        "settled": _settled(report),
        **trust_view(report),
    }


def heading_of(report: Reader) -> Sentence:
    """Return the finding of the section: from where most and from where fewest journeys still convert."""
    if not report.value("conversion.estimate"):
        return report.say("chain_head_none")
    states = report.items("chain.outcomes")
    known = [i for i in range(len(states)) if states[i]["conversion"] and states[i]["n"] >= FEW]
    if not known:
        return report.say("chain_head_share", share=report.share("conversion.estimate"))
    share = {i: states[i]["conversion"] for i in known}
    best = max(known, key=lambda i: (share[i]["lower"], -i))
    worst = min(known, key=lambda i: (share[i]["upper"], i))
    low = report.share(f"chain.outcomes[{worst}].conversion.estimate")
    if share[worst]["estimate"] >= NEARLY_ALL:
        return report.say("chain_head_all", low=low)
    if share[best]["lower"] <= share[worst]["upper"]:
        return report.say("chain_head_alike", share=report.share("conversion.estimate"))
    return report.say(
        "chain_head_spread",
        best=_state(report, best),
        high=report.share(f"chain.outcomes[{best}].conversion.estimate"),
        worst=_state(report, worst),
        low=low,
    )


def _state(report: Reader, i: int) -> Name:
    return report.name(f"chain.outcomes[{i}].state")


def _sub(report: Reader) -> list[Sentence]:
    out = [report.say("chain_sub", share=report.share("conversion.estimate"))]
    times = report.items("chain.time_to_goal")
    if not times or not report.value("conversion.estimate"):
        return out
    parts: Any = _within(report, 0)
    for i in range(1, len(times)):
        key = "chain_within_last" if i == len(times) - 1 else "chain_within_next"
        parts = report.say(key, before=parts, next=_within(report, i))
    out.append(report.say("chain_within_all", parts=parts))
    return out


def _within(report: Reader, i: int) -> Sentence:
    """Conversion within one horizon."""
    at = report.at(f"chain.time_to_goal[{i}]")
    days = at.value("horizon_days")
    duration = Shown(fmt.duration(days * fmt.DAY, at.lang, long=True), days)
    bounds = report.share_bounds(f"chain.time_to_goal[{i}]")
    return report.say("chain_within", share=at.share("estimate"), duration=duration, **bounds)


def _in_order(report: Reader) -> list[tuple[Any, int]]:
    """Stage and place of each state, in the order of the map; states that are no activity last."""
    place = {row["name"]: (j, row.get("stage")) for j, row in enumerate(report.items("activities"))}
    last = len(place), None
    states = [row["state"] for row in report.items("chain.outcomes")]
    order = sorted(range(len(states)), key=lambda i: (place.get(states[i], last)[0], i))
    return [(place.get(states[i], last)[1], i) for i in order]


def _busiest(report: Reader) -> list[int]:
    states = report.items("chain.outcomes")
    return sorted(range(len(states)), key=lambda i: (-states[i]["n"], i))[:MOST_STATES]


def _top(report: Reader, places: list[int]) -> float:
    """Right end of the axis: the smallest round share that holds all intervals."""
    bounds = [report.value(f"chain.outcomes[{i}].conversion.upper") for i in places]
    largest = max((value for value in bounds if fmt.is_number(value)), default=1.0)
    return next((top for top in TOPS if largest <= top), 1.0)


def _rows(report: Reader, order: list[tuple[Any, int]], top: float, chosen: Any) -> list[dict[str, Any]]:
    names = report.stage_names()
    rows = []
    stage: Any = None
    for of, i in order:
        if not chosen(i):
            continue
        starts = of is not None and of != stage
        stage = of
        at = report.at(f"chain.outcomes[{i}]")
        known = fmt.is_number(at.value("conversion.estimate"))
        rows.append(
            {
                "stage": names.get(of, name(of, report.lang)) if starts else None,
                "name": at.name("state"),
                "strip": drawn(_strip(report, at, top)) if known else None,
                "share": at.share("conversion.estimate") if known else None,
                "bounds": at.interval("conversion", "share"),
                "steps": _known(at, "steps_to_goal", "amount"),
                "time": _known(at, "seconds_to_goal", "duration"),
            }
        )
    return rows


def _known(at: Reader, key: str, kind: str) -> Shown | None:
    address = f"{key}.estimate"
    return getattr(at, kind)(address) if fmt.is_number(at.value(address)) else None


def _strip(report: Reader, at: Reader, top: float) -> str:
    """Draw one interval, and the line at the conversion of all journeys."""

    def place(share: float) -> float:
        return PAD + (WIDTH - 2 * PAD) * min(max(share / top, 0.0), 1.0)

    middle, low, high = (place(at.value(f"conversion.{part}")) for part in ("estimate", "lower", "upper"))
    line, y = place(report.value("conversion.estimate") or 0.0), HEIGHT / 2
    marks: list[Mark] = [
        Path(d=("M", PAD, y, "H", WIDTH - PAD), stroke="line"),
        Path(d=("M", line, 0.0, "V", HEIGHT), stroke="data2"),
        Path(d=("M", low, y, "H", high), stroke="good", stroke_width=2.5),
        Circle(x=middle, y=y, r=4.5, fill="good"),
    ]
    return decoration(marks, WIDTH, HEIGHT, kind="strip")


def _turns(report: Reader) -> list[int]:
    """Turning points that are shown: of each step that is turned to the largest, none that a move back repeats."""
    shown: list[int] = []
    known: set[tuple[str, str]] = set()
    for j, row in enumerate(report.items("chain.turning_points")):
        new = row["target"] not in {target for _, target in known}
        if new and (row["target"], row["source"]) not in known and abs(row["change"]["estimate"]) >= LITTLE:
            known.add((row["source"], row["target"]))
            shown.append(j)
    return shown[:MOST_TURNS]


def _turn(report: Reader, j: int) -> dict[str, Any]:
    at = report.at(f"chain.turning_points[{j}]")
    middle, lower, upper = at.effect("change")
    return {
        "source": at.name("source"),
        "target": at.name("target"),
        "before": at.share("before.estimate"),
        "after": at.share("after.estimate"),
        "change": middle,
        "bounds": at.say("interval", lower=lower, upper=upper),
        "tone": "good" if at.value("change.estimate") > 0 else "bad",
    }


def _settled(report: Reader) -> Sentence | None:
    """Points of no return; silent where every step is one."""
    rows = report.items("chain.settled")
    if not rows:
        return report.say("chain_settled_none")
    if len(rows) == len(report.items("chain.outcomes")):
        return None
    at = report.at("chain.settled[0]")
    key = f"chain_settled_{at.value('outcome')}"
    said = report.say(key, state=at.name("state"), share=at.share("estimate"))
    more = len(rows) - 1
    if not more:
        return said
    return report.say("chain_settled_more", first=said, count=Shown(fmt.number(more, report.lang), more))
