"""The friction section: a table of the steps that rub most, what else was found, and how good the score is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journeymine import _format as fmt
from journeymine.reporting.phrases import Shown

if TYPE_CHECKING:
    from journeymine.reporting.phrases import Sentence
    from journeymine.reporting.reader import Reader

COLUMNS: Final = (
    "dead_end", "repetition", "back_and_forth", "hesitation", "after_error", "channel_switch", "repeat_contact",
)  # fmt: skip
MAX_STEPS, MAX_COLUMNS, MAX_NOTES, FEW = 10, 6, 3, 3
SMALL_CELL = 30
"""Visits below which a rate is not coloured and says how few there were."""
TINTS: Final = 10
OFTEN: Final = 0.2
"""A pair "x, never y" that goes with nothing is told where it is this common."""
NOTES: Final = ("after_error", "never", "long_wait", "outlook")


def friction_view(report: Reader) -> dict[str, Any]:
    """Collect what the friction section shows."""
    rows = report.items("friction")
    places = {(row["signal"], row["activity"]): i for i, row in reversed(list(enumerate(rows)))}
    steps = _steps(rows)
    columns = _columns(rows, steps)
    with_score = any(row["score"] for row in rows if row["activity"] in steps)
    return {
        "heading": heading_of(report),
        "sub": _sub(report),
        "columns": [report.say(f"friction_col_{signal}") for signal in columns],
        "with_score": with_score,
        "groups": _groups(report, rows, places, steps, columns, with_score=with_score),
        "width": 1 + len(columns) + with_score,
        "notes": _notes(report, rows, places),
        "score": _score(report),
        "off": _off(report),
    }


def heading_of(report: Reader) -> Sentence:
    """Return the finding of the section."""
    rows = report.items("friction")
    worst = [name for name in _steps(rows) if _cost(rows, name) > 0][:2]
    places = {row["activity"]: i for i, row in reversed(list(enumerate(rows)))}
    names = [report.name(f"friction[{places[name]}].activity") for name in worst]
    if len(names) == 2:
        return report.say("friction_head_two", first=names[0], second=names[1])
    if names:
        return report.say("friction_head_one", first=names[0])
    for i, row in enumerate(rows):
        if row["reading"] == "friction":
            at = report.at(f"friction[{i}]")
            return report.say(f"friction_head_{_telling(row['signal'])}", activity=at.name("activity"))
    repeated = [i for i, row in enumerate(rows) if row["signal"] == "repetition"]
    if report.value("friction_tests.n_tested") or not repeated:
        return report.say("friction_head_none")
    most = max(repeated, key=lambda i: (rows[i]["n"], -i))
    at = report.at(f"friction[{most}]")
    return report.say("friction_head_repeats", activity=at.name("activity"), share=at.share("rate.estimate"))


def _telling(signal: str) -> str:
    return "wait" if signal == "long_wait" else "sign"


def _cost(rows: list[Any], activity: str) -> float:
    """Journeys lost at a step beyond what other steps as deep lose: only what is beyond the noise."""
    for row in rows:
        if row["activity"] == activity and row["signal"] == "dead_end":
            score, effect = row["score"], row["effect"]
            if score:
                return float(score["estimate"] * score["n"]) if score["lower"] > 0 else 0.0
            if effect and row["reading"] == "friction":
                return float(effect["estimate"] * row["rate"]["n"])
    return 0.0


def _steps(rows: list[Any]) -> list[str]:
    """Steps that are shown: the costliest first, then those with other signs that stand out."""
    weight: dict[str, tuple[float, float]] = {}
    for row in rows:
        if row["signal"] in COLUMNS and row["activity"] not in weight:
            own = [r for r in rows if r["activity"] == row["activity"] and r["signal"] in COLUMNS]
            stands = [r for r in own if r["reading"] == "friction"]
            harm = max((abs(r["effect"]["estimate"]) * r["n"] for r in stands if r["effect"]), default=0.0)
            weight[row["activity"]] = _cost(rows, row["activity"]), harm
    found = [name for name, (cost, harm) in weight.items() if cost > 0 or harm > 0]
    if not found:
        # Nothing stands out: the steps that are repeated or left most, in grey.
        busiest = {row["activity"]: row["n"] for row in reversed(rows) if row["signal"] in COLUMNS}
        return sorted(busiest, key=lambda name: (-busiest[name], name))[:5]
    found = sorted(found, key=lambda name: (-weight[name][0], -weight[name][1], name))[:MAX_STEPS]
    return _of_every_actor(rows, found)


def _of_every_actor(rows: list[Any], found: list[str]) -> list[str]:
    """Steps with at most half of the places for one actor, and something of every actor that names tell apart."""
    actor = {row["activity"]: row["actor"] for row in rows}
    actors = sorted({who for who in actor.values() if who})
    if not actors:
        return found
    share = max(MAX_STEPS // len(actors), 1)
    kept: list[str] = []
    for who in actors:
        own = [name for name in found if actor[name] == who][:share]
        held = {
            row["activity"]: row["n"]
            for row in reversed(rows)
            if row["signal"] in COLUMNS and row["actor"] == who
        }
        kept += own or sorted(held, key=lambda name: (-held[name], name))[: min(share, FEW)]
    return [*kept, *(name for name in found if actor[name] is None)][:MAX_STEPS]


def _columns(rows: list[Any], steps: list[str]) -> list[str]:
    """Signals that hold at one of the steps; the ones that stand out nowhere go first where there are many."""
    own = [row for row in rows if row["activity"] in steps and row["n"]]
    found = [signal for signal in COLUMNS if any(row["signal"] == signal for row in own)]
    telling = {row["signal"] for row in own if row["reading"] == "friction"}
    for signal in [s for s in reversed(found) if s not in telling][: max(len(found) - MAX_COLUMNS, 0)]:
        found.remove(signal)
    return found[:MAX_COLUMNS]


def _sub(report: Reader) -> list[Sentence]:
    tested = report.value("friction_tests.n_tested")
    if not tested:
        return [report.say("friction_sub_untested")]
    found = [
        report.say(
            "friction_sub",
            n_tested=report.count("friction_tests.n_tested"),
            kept=report.count("friction_tests.n_kept"),
            level=_level(report),
        ),
        report.say("friction_sub_small"),
    ]
    if report.value("friction_tests.horizon_s"):
        horizon = report.duration("friction_tests.horizon_s", long=True)
        found.append(report.say("friction_sub_horizon", horizon=horizon))
    return found


def _level(report: Reader) -> Shown:
    level = report.value("friction_tests.level")
    return Shown(fmt.share(level, report.lang, 0 if level >= 0.01 else None), level, "friction_tests.level")


def _groups(
    report: Reader,
    rows: list[Any],
    places: dict[tuple[str, str], int],
    steps: list[str],
    columns: list[str],
    *,
    with_score: bool,
) -> list[dict[str, Any]]:
    """Rows of the table, under the name of their actor where names say who acts."""
    actor = {row["activity"]: row["actor"] for row in rows}
    top = {signal: _largest(rows, steps, signal) for signal in columns}
    groups = []
    named = sorted({a for a in (actor[s] for s in steps) if a})
    for who in [*named, None]:
        own = [step for step in steps if actor[step] == who]
        if own:
            label = None
            if named:
                known = report.say(
                    "friction_actor", actor=report.name(f"friction[{_any(rows, own[0])}].actor")
                )
                label = known if who else report.say("friction_actor_none")
            groups.append(
                {
                    "label": label,
                    "rows": [
                        {
                            "name": report.name(f"friction[{_any(rows, step)}].activity"),
                            "cells": [_cell(report, places.get((s, step)), top[s]) for s in columns],
                            "score": _score_cell(report, _any(rows, step)) if with_score else None,
                        }
                        for step in own
                    ],
                }
            )
    return groups


def _any(rows: list[Any], activity: str) -> int:
    return next(i for i, row in enumerate(rows) if row["activity"] == activity)


def _largest(rows: list[Any], steps: list[str], signal: str) -> float:
    effects = [
        abs(row["effect"]["estimate"])
        for row in rows
        if row["activity"] in steps
        and row["signal"] == signal
        and row["reading"] == "friction"
        and row["effect"]
    ]
    return max(effects, default=0.0)


def _cell(report: Reader, place: int | None, largest: float) -> dict[str, Any] | None:
    if place is None:
        return None
    at = report.at(f"friction[{place}]")
    effect, reading = at.value("effect.estimate"), at.value("reading")
    tint = 0
    n = at.value("rate.n") or 0
    if reading == "friction" and fmt.is_number(effect) and largest > 0 and n >= SMALL_CELL:
        tint = max(round(TINTS * abs(effect) / largest), 2)
    return {
        "value": at.share("rate.estimate"),
        "effect": _points(at, "effect.estimate") if fmt.is_number(effect) else None,
        "few": report.say("friction_few", n=at.count("rate.n")) if n < SMALL_CELL else None,
        "tint": tint,
        "is_noise": reading in (None, "noise"),
    }


def _points(at: Reader, address: str, *, bare: bool = False) -> Shown:
    """Show points with one decimal, so that a column can be read down."""
    value = at.value(address)
    text = fmt.signed(100 * value, at.lang, 1) if bare else fmt.points(value, at.lang, 1)
    return Shown(text, value, f"{at.prefix}{address}" if at.has_refs else None)


def _score_cell(report: Reader, place: int) -> dict[str, Any] | None:
    at = report.at(f"friction[{place}]")
    if not at.value("score"):
        return None
    low, high = _points(at, "score.lower", bare=True), _points(at, "score.upper", bare=True)
    return {
        "value": _points(at, "score.estimate"),
        "bounds": report.say("interval", lower=low, upper=high),
        "is_noise": not (at.value("score.lower") or 0) > 0,
    }


def _notes(report: Reader, rows: list[Any], places: dict[tuple[str, str], int]) -> list[Sentence]:
    """What the table does not show: pairs, waits, satisfaction points; the largest of each."""
    notes: list[Sentence] = []
    for signal in NOTES:
        own = [i for i, row in enumerate(rows) if row["signal"] == signal and _worth(row)]
        notes += [note for i in own[:MAX_NOTES] if (note := _note(report, rows[i], i))]
    return notes


def _worth(row: Any) -> bool:
    if row["signal"] == "never":
        return bool(row["n"] and (row["reading"] == "friction" or row["rate"]["estimate"] >= OFTEN))
    if row["signal"] == "outlook":
        return bool(row["reading"] == "satisfaction")
    return bool(row["reading"] == "friction")


def _note(report: Reader, row: Any, i: int) -> Sentence | None:
    at = report.at(f"friction[{i}]")
    fields: dict[str, Any] = {"activity": at.name("activity"), "share": at.share("rate.estimate")}
    if row["other"]:
        fields["other"] = at.name("other")
    if row["effect"]:
        value, low, high = at.effect("effect")
        fields |= {"effect": value, "lower": low, "upper": high}
    if row["signal"] == "long_wait":
        waits = report.items("friction_tests.waits")
        j = next(j for j, wait in enumerate(waits) if wait["activity"] == row["activity"])
        fields["after"] = report.duration("friction_tests.long_after_s", long=True)
        if not waits[j]["median_s"]:
            return report.say("friction_note_wait_open", **fields)
        median = report.duration(f"friction_tests.waits[{j}].median_s.estimate", long=True)
        return report.say("friction_note_wait", **fields, median=median)
    if row["signal"] == "never":
        stands = row["reading"] == "friction"
        if not stands:
            bounds = report.share_bounds(f"friction[{i}].rate")
            return report.say(
                "friction_note_never", **{k: v for k, v in fields.items() if k not in bounds}, **bounds
            )
        return report.say("friction_note_never_effect", **fields)
    return report.say(f"friction_note_{row['signal']}", **fields)


def _score(report: Reader) -> dict[str, Any] | None:
    """How good the learned score is on customers it had not seen."""
    if not report.value("friction_score"):
        return None
    deciles = report.items("friction_score.deciles")
    last = f"friction_score.deciles[{len(deciles) - 1}]"
    return {
        "text": report.say(
            "friction_score_text",
            n=report.count("friction_score.n_visits"),
            folds=report.count("friction_score.n_folds"),
            observed=report.share(f"{last}.observed.estimate"),
            predicted=report.share(f"{last}.predicted"),
            auc=report.amount("friction_score.auc.estimate"),
            slope=report.amount("friction_score.slope.estimate"),
            gap=_gap(report),
        ),
        "rows": [
            {
                "label": Shown(fmt.number(i + 1, report.lang), i + 1),
                "predicted": report.share(f"friction_score.deciles[{i}].predicted"),
                "observed": report.share(f"friction_score.deciles[{i}].observed.estimate"),
                "bounds": report.interval(f"friction_score.deciles[{i}].observed", "share"),
                "n": report.count(f"friction_score.deciles[{i}].observed.n"),
            }
            for i in range(len(deciles))
        ],
    }


def _gap(report: Reader) -> Shown:
    value = report.value("friction_score.largest_gap")
    return Shown(fmt.number(100 * value, report.lang, 1), value, "friction_score.largest_gap")


def _off(report: Reader) -> list[Sentence]:
    """What could not be judged, one sentence a reason."""
    reasons = list(dict.fromkeys(row["reason"] for row in report.items("friction_tests.off")))
    found = [
        report.say(f"friction_off_{reason}", clock=report.duration("friction_tests.resolution_s", long=True))
        for reason in reasons
    ]
    missing = report.value("friction_tests.score_missing")
    if missing and missing != "no_goal":
        found.append(report.say("friction_off_score"))
    return found
