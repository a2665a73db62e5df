"""The steps section: a table of the steps and the heat matrix of the transitions between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journeymine import _format as fmt
from journeymine.draw.heat import MAX_STEPS, HeatStep, Move, heat
from journeymine.reporting.phrases import Shown, name
from journeymine.reporting.views.markup import picture
from journeymine.reporting.wording.head import commonest_move, complete_share, largest_loss

if TYPE_CHECKING:
    from journeymine.draw.figure import Figure
    from journeymine.reporting.phrases import Sentence
    from journeymine.reporting.reader import Reader

COLUMNS: Final = (
    ("reach", "share", None),
    ("drop", "share", "tint"),
    ("repeat", "share", "tint"),
    ("wait_s", "duration", None),
    ("conversion", "share", None),
)
TINTS: Final = 10
PALE_BELOW: Final = 0.2
MOST_MOVES, MOST_OF_STEP, OFTEN = 40, 3, 0.05
"""Moves in the table: of each step the commonest, if at least 5 % of its departures go there."""


def steps_view(report: Reader) -> dict[str, Any]:
    """Collect what the steps section shows."""
    activities = report.items("activities")
    places = _most_frequent(activities)
    columns = [column for column in COLUMNS if any(activities[i].get(column[0]) for i in places)]
    rest = len(activities) - len(places)
    return {
        "heading": heading_of(report),
        "columns": [report.say(f"col_{key.removesuffix('_s')}") for key, _, _ in columns],
        "rows": _rows(report, places, columns),
        "rest": report.say("steps_rest", count=Shown(fmt.number(rest, report.lang), rest)) if rest else None,
        "heat": picture(heat_figure(report)) if report.items("transitions") else None,
        "heat_sub": report.say("heat_sub" if _has_drop(report) else "heat_sub_no_exit"),
        "moves": _moves(report, places),
        "has_drop": _has_drop(report),
        "has_fixes": bool(_fix_numbers(report)),
    }


def heading_of(report: Reader) -> Sentence:
    """Return the finding of the section."""
    i = None if complete_share(report) else largest_loss(report)
    if i is not None:
        activity = report.at(f"activities[{i}]")
        return report.say(
            "steps_head_loss", activity=activity.name("name"), drop=activity.share("drop.estimate")
        )
    j = commonest_move(report)
    if j is None:
        return report.say("steps_head_one")
    move = report.at(f"transitions[{j}]")
    return report.say("steps_head_move", source=move.name("source"), target=move.name("target"))


def _has_drop(report: Reader) -> bool:
    return any(row.get("drop") for row in report.items("activities"))


def _most_frequent(activities: list[Any]) -> list[int]:
    """Places of the steps that are shown, in the order of the map."""
    by_visits = sorted(range(len(activities)), key=lambda i: (-activities[i]["n"], i))
    return sorted(by_visits[:MAX_STEPS])


def _fix_numbers(report: Reader) -> dict[str, list[int]]:
    """Places of the fixes that were found in the data, by activity."""
    out: dict[str, list[int]] = {}
    for i, fix in enumerate(report.items("fixes")):
        if fix.get("block") == "found":
            out.setdefault(fix["activity"], []).append(i)
    return out


def _rows(report: Reader, places: list[int], columns: list[Any]) -> list[dict[str, Any]]:
    fixes = _fix_numbers(report)
    ranges = {key: _range(report, places, key) for key, _, _ in columns}
    names = report.stage_names()
    rows = []
    stage: Any = None
    for i in places:
        activity = report.at(f"activities[{i}]")
        starts = activity.value("stage") is not None and activity.value("stage") != stage
        stage = activity.value("stage")
        rows.append(
            {
                "stage": names.get(stage, activity.name("stage")) if starts else None,
                "name": activity.name("name"),
                "cells": [_cell(activity, column, ranges[column[0]]) for column in columns],
                "fixes": [report.count(f"fixes[{j}].rank") for j in fixes.get(activity.value("name"), [])],
            }
        )
    return rows


def _range(report: Reader, places: list[int], key: str) -> tuple[float, float]:
    values = [report.value(f"activities[{i}].{key}.estimate") for i in places]
    known = [float(value) for value in values if fmt.is_number(value)]
    # A column in which nothing is large stays pale.
    return 0.0, max([PALE_BELOW, *known])


def _cell(
    activity: Reader, column: tuple[str, str, str | None], limits: tuple[float, float]
) -> dict[str, Any]:
    key, kind, look = column
    estimate = activity.value(f"{key}.estimate")
    if not fmt.is_number(estimate):
        return {"value": None, "bounds": None, "tint": 0}
    low, high = limits
    position = (estimate - low) / (high - low) if high > low else 0.0
    return {
        "value": getattr(activity, kind)(f"{key}.estimate"),
        "bounds": activity.interval(key, kind),
        "tint": round(position * TINTS) if look else 0,
    }


def _moves(report: Reader, places: list[int]) -> list[dict[str, Any]]:
    """The moves that matter, in the order of the steps, each with its interval."""
    of_source: dict[str, list[int]] = {}
    for j, row in enumerate(report.items("transitions")):
        of_source.setdefault(row["source"], []).append(j)
    rows = []
    for i in places:
        own = of_source.get(report.value(f"activities[{i}].name"), [])
        own = sorted(own, key=lambda j: (-report.value(f"transitions[{j}].n"), j))[:MOST_OF_STEP]
        rows += [j for j in own if report.value(f"transitions[{j}].share.estimate") >= OFTEN]
    moves = [report.at(f"transitions[{j}]") for j in rows[:MOST_MOVES]]
    return [
        {
            "source": move.name("source"),
            "target": move.name("target"),
            "share": move.share("share.estimate"),
            "bounds": move.interval("share", "share"),
            "n": move.count("n"),
            "of": move.count("share.n"),
        }
        for move in moves
    ]


def _bounds(share: Any) -> tuple[float, float, int] | None:
    """Interval of a share and what it is of."""
    if not share or not fmt.is_number(share.get("lower")) or not fmt.is_number(share.get("upper")):
        return None
    return float(share["lower"]), float(share["upper"]), int(share["n"])


def heat_figure(report: Reader) -> Figure:
    """Draw the transition matrix."""
    has_drop = _has_drop(report)
    stages = report.stage_names()
    steps = [
        HeatStep(
            name=name(row["name"], report.lang) if not str(row["name"]).strip() else row["name"],
            n=row["n"],
            stage=stages.get(row.get("stage"), row.get("stage")),
            exits=((row.get("drop") or {}).get("estimate"),) if has_drop else (),
            exit_refs=(f"activities[{i}].drop.estimate",) if has_drop else (),
            exit_bounds=(_bounds(row.get("drop")),) if has_drop else (),
        )
        for i, row in enumerate(report.items("activities"))
    ]
    empty = name("", report.lang)
    moves = [
        Move(
            source=row["source"] if str(row["source"]).strip() else empty,
            target=row["target"] if str(row["target"]).strip() else empty,
            n=row["n"],
            share=row["share"]["estimate"],
            bounds=_bounds(row["share"]),
            ref=f"transitions[{i}].share.estimate",
        )
        for i, row in enumerate(report.items("transitions"))
    ]
    return heat(
        steps,
        moves,
        lang=report.lang,
        alt=report.say("heat_alt", headline=heading_of(report).text).text,
        other=lambda n: report.say("heat_other", count=fmt.number(n, report.lang)).text,
        exit_labels=((report.say("heat_exit").text, "bad"),) if has_drop else (),
    )
