"""The occupation section: where journeys are over the time since their start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journeymine import _format as fmt
from journeymine.draw.occupation import OccupationArea, OccupationEnd, OccupationTick, occupation_areas
from journeymine.reporting.phrases import Shown
from journeymine.reporting.views.markup import picture

if TYPE_CHECKING:
    from journeymine.draw.figure import Figure
    from journeymine.reporting.phrases import Name, Sentence
    from journeymine.reporting.reader import Reader

WIDTHS: Final = {"wide": 1050.0, "middle": 650.0, "narrow": 340.0}
HARDLY: Final = 0.005
"""Below this share nobody is said to be under way any more."""


def occupation_view(report: Reader) -> dict[str, Any]:
    """Collect what the occupation section shows."""
    if not report.value("occupation"):
        return {
            "heading": report.say("occupation_head_missing"),
            "missing": report.say("occupation_missing"),
        }
    return {
        "heading": heading_of(report),
        "missing": None,
        "sub": _sub(report),
        "figures": {kind: picture(occupation_figure(report, width)) for kind, width in WIDTHS.items()},
        "notes": _notes(report),
        "times": [
            report.say(
                "occupation_col_time", duration=report.duration(f"occupation.at[{i}].time_s", long=True)
            )
            for i in _columns(report)
        ],
        "rows": _rows(report),
        "followed": [report.count(f"occupation.at[{i}].n") for i in _columns(report)],
    }


def heading_of(report: Reader) -> Sentence:
    """Return the finding of the section."""
    last = f"occupation.at[{len(report.items('occupation.at')) - 1}]"
    horizon, under = _horizon(report), report.share(f"{last}.under_way.estimate")
    if not report.value("occupation.half_s"):
        dropped = report.share(f"{last}.dropped.estimate")
        return report.say("occupation_head_none", horizon=horizon, under=under, dropped=dropped)
    half = report.duration("occupation.half_s.estimate", long=True)
    if (report.value(f"{last}.under_way.estimate") or 0.0) < HARDLY:
        return report.say("occupation_head_all", half=half, horizon=horizon)
    return report.say("occupation_head", half=half, horizon=horizon, under=under)


def _horizon(report: Reader) -> Shown:
    days = report.value("occupation.horizon_days")
    seconds = days * fmt.DAY if fmt.is_number(days) else None
    return Shown(fmt.duration(seconds, report.lang, long=True), days)


def _columns(report: Reader) -> range:
    return range(len(report.items("occupation.at")))


def _sub(report: Reader) -> list[Sentence]:
    states = "stages" if report.value("occupation.by_stage") else "steps"
    rule = "occupation_rule_end" if report.items("log.end") else "occupation_rule"
    return [
        report.say(f"occupation_sub_{states}", count=report.count("occupation.n_journeys")),
        report.say(rule, idle=report.duration("log.idle.seconds", long=True)),
        *([report.say("occupation_open")] if _has_open(report) else []),
    ]


def _has_open(report: Reader) -> bool:
    n = report.value("occupation.n_journeys")
    return any(part.get("n") != n for part in report.items("occupation.at"))


def _notes(report: Reader) -> list[Sentence]:
    out = [report.say("occupation_edges")]
    if report.value("occupation.from_s"):
        out.append(report.say("occupation_log"))
    if report.value("occupation.half_s"):
        parts = {part: report.duration(f"occupation.half_s.{part}", long=True) for part in ("lower", "upper")}
        half = report.duration("occupation.half_s.estimate", long=True)
        out.append(report.say("occupation_half", horizon=_horizon(report), half=half, **parts))
    if report.value("occupation.n_returns"):
        out.append(report.say("occupation_returns", n=report.count("occupation.n_returns")))
    return out


def occupation_figure(report: Reader, width: float) -> Figure:
    """Draw the areas at one width."""
    return occupation_areas(
        report.items("occupation.times_s")[_first(report) :],
        _areas(report),
        lang=report.lang,
        alt=heading_of(report).text,
        ticks=_ticks(report),
        ends=_ends(report),
        followed=report.say("occupation_followed").text,
        logarithmic=_first(report) > 0,
        width=width,
    )


def _first(report: Reader) -> int:
    """Place of the time with which the axis begins."""
    begin = report.value("occupation.from_s") or 0.0
    return sum(time < begin for time in report.items("occupation.times_s"))


def _areas(report: Reader) -> list[OccupationArea]:
    """The areas from below: last states are nearest to the goal."""
    part, first = report.at("occupation"), _first(report)
    outer = {}
    for kind, key, name in (
        ("goal", "converted", "occupation_goal"),
        ("lost", "dropped", "occupation_dropped"),
    ):
        band = {
            bound: tuple(part.items(f"{key}.{bound}")[first:]) for bound in ("estimate", "lower", "upper")
        }
        outer[kind] = OccupationArea(
            name=report.say(name).text,
            kind=kind,
            share=band["estimate"],
            lower=band["lower"],
            upper=band["upper"],
        )
    states = [
        OccupationArea(name=str(_state(report, i)), kind="state", share=tuple(state["share"][first:]))
        for i, state in enumerate(part.items("states"))
    ]
    goal = [outer["goal"]] if report.value("occupation.has_goal") else []
    return [*goal, *reversed(states), outer["lost"]]


def _state(report: Reader, i: int) -> Name | Sentence:
    address = f"occupation.states[{i}].name"
    if report.value(address) is None:
        return report.say("occupation_other", n=report.count("occupation.n_other"))
    return report.name(address)


def _ticks(report: Reader) -> list[OccupationTick]:
    """The times of the table, and the beginning of the axis."""
    has_open = _has_open(report)
    address = "occupation.from_s"
    label = report.duration(address) if report.value(address) else "0"
    n = report.count("occupation.n_journeys")
    # So early everybody is still followed, or nearly so; the exact numbers stand at the other times.
    begin = OccupationTick(time=report.value(address) or 0.0, label=label)
    if not report.value(address) and has_open:
        begin = OccupationTick(time=0.0, label=label, n=n, ref=n.ref)
    out = [begin]
    for i in _columns(report):
        shown = report.count(f"occupation.at[{i}].n")
        label = report.duration(f"occupation.at[{i}].time_s")
        number, ref = (str(shown), shown.ref) if has_open else ("", None)
        time = report.value(f"occupation.at[{i}].time_s")
        out.append(OccupationTick(time=time, label=label, n=number, ref=ref))
    return out


def _ends(report: Reader) -> list[OccupationEnd]:
    last = f"occupation.at[{len(report.items('occupation.at')) - 1}]"
    wanted = [("goal", "converted"), ("state", "under_way"), ("lost", "dropped")]
    out = []
    for kind, key in wanted[not report.value("occupation.has_goal") :]:
        if not fmt.is_number(report.value(f"{last}.{key}.estimate")):
            continue
        share = report.share(f"{last}.{key}.estimate")
        bounds = report.interval(f"{last}.{key}", "share")
        text = report.say(f"occupation_end_{kind}", share=share).text
        out.append(OccupationEnd(kind=kind, text=text, note=bounds.text if bounds else ""))
    return out


def _rows(report: Reader) -> list[dict[str, Any]]:
    """Rows of the table: the goal, under way and its states, dropped."""
    rows = []
    if report.value("occupation.has_goal"):
        rows.append(_row(report, report.say("occupation_goal"), "converted", "good"))
    rows.append(_row(report, report.say("occupation_row_under_way"), "under_way", "all"))
    states = range(len(report.items("occupation.states")))
    rows += [_row(report, _state(report, i), f"states[{i}]", "part") for i in states]
    return [*rows, _row(report, report.say("occupation_dropped"), "dropped", "bad")]


def _row(report: Reader, label: Name | Sentence, key: str, kind: str) -> dict[str, Any]:
    cells = []
    for i in _columns(report):
        address = f"occupation.at[{i}].{key}"
        known = fmt.is_number(report.value(f"{address}.estimate"))
        cells.append(
            {
                "value": report.share(f"{address}.estimate") if known else fmt.MISSING,
                "bounds": report.interval(address, "share") if known else None,
            }
        )
    return {"label": label, "kind": kind, "cells": cells}
