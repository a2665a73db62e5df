"""The section of differences: conversion of each group split in two, and the moves that differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journeymine import _format as fmt
from journeymine.draw.axis import Axis, axis_with_zero
from journeymine.draw.svg import Circle, Mark, Path, decoration
from journeymine.reporting.phrases import Shown
from journeymine.reporting.views.markup import drawn

if TYPE_CHECKING:
    from journeymine.reporting.phrases import Sentence
    from journeymine.reporting.reader import Reader

MAX_GROUPS: Final = 10
MAX_KEPT: Final = 8
MAX_NOISE: Final = 3
WIDTH, HEIGHT, PAD = 220.0, 26.0, 14.0


def differences_view(report: Reader) -> dict[str, Any]:
    """Collect what the section of differences shows."""
    n = len(report.items("differences"))
    if not n:
        return {
            "heading": report.say("differences_missing"),
            "sub": None,
            "groups": [],
            "kept": [],
            "noise": [],
        }
    kept, noise = _moves(report, n, kept=True), _moves(report, n, kept=False)
    shown = kept[:MAX_KEPT] + noise[:MAX_NOISE]
    axis = _axis([report.at(address) for _, address in shown])
    return {
        "heading": heading_of(report),
        "sub": _sub(report, n),
        "groups": [_group(report, i) for i in range(min(n, MAX_GROUPS))],
        "has_goal": any(report.value(f"differences[{i}].conversion") for i in range(n)),
        "rest": _rest(report, "differences_rest", n - MAX_GROUPS),
        "kept": [_move(report, *move, axis) for move in kept[:MAX_KEPT]],
        "rest_moves": _rest(report, "differences_rest_moves", len(kept) - MAX_KEPT),
        "noise": [_move(report, *move, axis) for move in noise[:MAX_NOISE]],
        "noise_label": report.say("differences_noise", n_tested=_total(report, n, "n_tested")),
    }


def heading_of(report: Reader) -> Sentence:
    """Return the finding of the section: the largest difference that is supported."""
    kept = _moves(report, len(report.items("differences")), kept=True)
    if not kept:
        return report.say("differences_head_none")
    i, address = kept[0]
    move = report.at(address)
    estimate = float(move.value("difference.estimate"))
    digits = fmt.points_digits(estimate)
    points = Shown(
        fmt.number(100 * abs(estimate), report.lang, digits), estimate, f"{address}.difference.estimate"
    )
    fields = {"group": _label(report, i), "source": move.name("source"), "points": points}
    direction = "more" if estimate > 0 else "less"
    if move.value("end"):
        return report.say(f"differences_head_{move.value('end')}_{direction}", **fields)
    return report.say(f"differences_head_next_{direction}", target=move.name("target"), **fields)


def _sub(report: Reader, n: int) -> Sentence:
    large, kept = (_total(report, n, key) for key in ("n_large", "n_large_kept"))
    noise = large.value - kept.value
    return report.say("differences_sub", n_large=large, noise=Shown(fmt.number(noise, report.lang), noise))


def _total(report: Reader, n: int, key: str) -> Shown:
    total = sum(int(report.value(f"differences[{i}].{key}")) for i in range(n))
    return Shown(fmt.number(total, report.lang), total)


def _rest(report: Reader, key: str, n: int) -> Sentence | None:
    return report.say(key, count=Shown(fmt.number(n, report.lang), n)) if n > 0 else None


def _moves(report: Reader, n: int, *, kept: bool) -> list[tuple[int, str]]:
    """Comparison and address of the largest supported move of each step, or unsupported one; the largest first."""
    found = [
        (i, j, row)
        for i in range(n)
        for j, row in enumerate(report.items(f"differences[{i}].rows"))
        if row["kept"] == kept
    ]
    # Of two moves that mirror each other the end comes first: it says what is lost.
    found.sort(
        key=lambda x: (-round(abs(x[2]["difference"]["estimate"]), 4), x[2]["end"] is None, x[0], x[1])
    )
    # One move of each step is enough to show: what more go one way, go less the others.
    first: dict[tuple[int, str], str] = {}
    for i, j, row in found:
        first.setdefault((i, row["source"]), f"differences[{i}].rows[{j}]")
    return [(i, address) for (i, _), address in first.items()]


def _label(report: Reader, i: int) -> Sentence:
    one = report.at(f"differences[{i}]")
    if one.value("kind") == "period":
        start = one.value("period.start")
        day = Shown(fmt.date(start, report.lang, report.zone), start, f"{one.prefix}period.start")
        return report.say("differences_group_period", date=day)
    fields = {"attribute": one.name("attribute"), "a": one.name("a")}
    if one.value("b") is None:
        return report.say("differences_group_rest", **fields)
    return report.say("differences_group_pair", b=one.name("b"), **fields)


def _group(report: Reader, i: int) -> dict[str, Any]:
    one = report.at(f"differences[{i}]")
    n_kept, n_all = one.count("n_kept_rows"), one.count("n_tested_rows")
    return {
        "label": _label(report, i),
        "conversion": one.share("conversion_a.estimate"),
        "against": one.share("conversion_b.estimate"),
        "parts": [_part(one, key) for key in ("conversion", "mix", "behaviour")],
        "found": one.say("differences_of", n_kept=n_kept, n_all=n_all),
        "is_found": bool(one.value("n_kept")),
    }


def _part(one: Reader, key: str) -> dict[str, Any] | None:
    if one.value(key) is None:
        return None
    middle, lower, upper = one.effect(key)
    return {
        "value": middle,
        "bounds": one.say("interval", lower=lower, upper=upper),
        "sure": one.value(f"{key}.lower") > 0 or one.value(f"{key}.upper") < 0,
    }


def _move(report: Reader, i: int, address: str, axis: Axis) -> dict[str, Any]:
    move = report.at(address)
    middle, lower, upper = move.effect("difference")
    end = move.value("end")
    return {
        "label": _label(report, i),
        "source": move.name("source"),
        "target": report.say(f"differences_end_{end}") if end else move.name("target"),
        "here": move.share("share_a.estimate"),
        "there": move.share("share_b.estimate"),
        "value": middle,
        "bounds": move.say("interval", lower=lower, upper=upper),
        "strip": drawn(_strip(move, axis)),
    }


def _axis(moves: list[Reader]) -> Axis:
    values = [100 * float(m.value(f"difference.{p}")) for m in moves for p in ("estimate", "lower", "upper")]
    return axis_with_zero(values, PAD, WIDTH - PAD, n_ticks=4)


def _colour(move: Reader) -> str:
    """Orange where more is lost, blue where more is won; ink where it is neither; grey for noise."""
    if not move.value("kept"):
        return "data"
    more = float(move.value("difference.estimate")) > 0
    if move.value("end") == "dropped":
        return "bad" if more else "good"
    if move.value("is_goal"):
        return "good" if more else "bad"
    return "ink"


def _strip(move: Reader, axis: Axis) -> str:
    """Draw one interval and the line at zero."""
    colour, y = _colour(move), HEIGHT / 2
    middle, low, high = (
        axis.place(100 * float(move.value(f"difference.{p}"))) for p in ("estimate", "lower", "upper")
    )
    zero = axis.place(0.0)
    marks: list[Mark] = [
        Path(d=("M", zero, 0.0, "V", HEIGHT), stroke="line2"),
        Path(d=("M", low, y, "H", high), stroke=colour, stroke_width=2.5),
        Circle(
            x=middle, y=y, r=4.5, fill=colour if move.value("kept") else "card", stroke=colour, stroke_width=2
        ),
    ]
    return decoration(marks, WIDTH, HEIGHT, kind="strip")
