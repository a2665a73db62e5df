"""The panel beside the map: where journeys are lost, and the figures of each step for the script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journeymine import _format as fmt
from journeymine.draw.svg import Rect, decoration
from journeymine.draw.text import clean
from journeymine.reporting.phrases import Shown
from journeymine.reporting.views.map_figure import fixes_of, stage_name, step_name
from journeymine.reporting.views.markup import drawn

if TYPE_CHECKING:
    from journeymine.reporting.reader import Reader

LOSSES: Final = 6
NEXT, BEFORE = 5, 4
BAR: Final = 100.0

Row = list[Any]


def default_panel(report: Reader) -> dict[str, Any]:
    """Return the steps after which most journeys are lost: what is seen as long as no step is chosen."""
    found = report.at("map")
    steps = found.items("steps")
    lost = [i for i in range(len(steps)) if steps[i]["n_left"]]
    lost.sort(key=lambda i: (-steps[i]["n_left"], i))
    most = steps[lost[0]]["n_left"] if lost else 1
    kind = found.value("leave")
    return {
        "title": report.say(f"map_panel_{kind}"),
        "sub": report.say(f"map_panel_sub_{kind}" if lost else "map_panel_none"),
        "rows": [
            {
                "name": step_name(found, i),
                "n": found.count(f"steps[{i}].n_left"),
                "share": found.share(f"steps[{i}].leave.estimate"),
                "bar": _bar(steps[i]["n_left"] / most),
            }
            for i in lost[:LOSSES]
        ],
    }


def _bar(share: float) -> Any:
    bar = Rect(x=0, y=0, width=max(BAR * share, 1.0), height=5, fill="bad")
    return drawn(decoration((bar,), BAR, 5, kind="pbar", stretch=True))


def panel_data(report: Reader) -> dict[str, Any]:
    """Return the figures of each step by its id, as texts in the language of the page: the script only places them.

    `n` name, `k` stage and fixes, `d` rows of label, value, interval and address, `o` and `i` what comes next and
    before: label, share as text, share, id of the step, address.
    """
    found, fixes = report.at("map"), fixes_of(report)
    stages = {stage["id"]: stage_name(found, i) for i, stage in enumerate(found.items("stages"))}
    steps = found.items("steps")
    return {
        step["id"]: {
            "n": step_name(found, i),
            "k": _subtitle(report, stages[step["stage"]], fixes.get(step["id"], ())),
            "m": ", ".join(clean(a, 60) for a in step["activities"]) if step["name"] is None else "",
            "d": _figures(found, i),
            "o": _next(found, i),
            "i": _before(found, i),
        }
        for i, step in enumerate(steps)
    }


def _subtitle(report: Reader, stage: str, ranks: tuple[int, ...]) -> str:
    if not ranks:
        return stage
    numbers = Shown(", ".join(fmt.number(rank, report.lang) for rank in ranks), len(ranks))
    count = Shown(str(len(ranks)), len(ranks))
    return f"{stage} · {report.say('map_panel_fix', numbers=numbers, count=count).text}"


def _figures(found: Reader, i: int) -> list[Row]:
    step = found.at(f"steps[{i}]")
    rows: list[Row] = []
    for key, label in (
        ("reach", "map_panel_reach"),
        ("leave", f"map_panel_leave_{found.value('leave')}"),
        ("conversion", "map_panel_conversion"),
    ):
        if step.value(key):
            shown, bounds = step.share(f"{key}.estimate"), step.interval(key, "share")
            rows.append([step.say(label).text, str(shown), bounds.text if bounds else "", shown.ref or ""])
    visits = step.value("n") / max(step.value("n_cases"), 1)
    rows.append([step.say("map_panel_visits").text, fmt.number(visits, found.lang, 2), "", ""])
    return rows


def _next(found: Reader, i: int) -> list[Row]:
    steps, id_ = found.items("steps"), found.value(f"steps[{i}].id")
    place = {step["id"]: j for j, step in enumerate(steps)}
    rows: list[tuple[float, str, str, str]] = [
        (
            path["share"]["estimate"],
            step_name(found, place[path["target"]]),
            path["target"],
            f"paths[{e}].share",
        )
        for e, path in enumerate(found.items("paths"))
        if path["source"] == id_
    ]
    step = steps[i]
    if step["repeat"] and step["repeat"]["estimate"]:
        rows.append(
            (step["repeat"]["estimate"], f"↻ {found.say('map_panel_again').text}", "", f"steps[{i}].repeat")
        )
    if step["leave"] and step["leave"]["estimate"]:
        word = "map_panel_left" if found.value("leave") == "dropped" else "map_panel_end"
        rows.append((step["leave"]["estimate"], found.say(word).text, "-", f"steps[{i}].leave"))
    rows.sort(key=lambda row: (-row[0], row[2]))
    return [_row(found, share, label, target, at) for share, label, target, at in rows[:NEXT]]


def _row(found: Reader, share: float, label: str, target: str, at: str) -> Row:
    shown = found.share(f"{at}.estimate")
    return [label, str(shown), round(share, 4), target, shown.ref or ""]


def _before(found: Reader, i: int) -> list[Row]:
    """Where those who come here came from: shares of the moves that are drawn."""
    id_ = found.value(f"steps[{i}].id")
    place = {step["id"]: j for j, step in enumerate(found.items("steps"))}
    into = [path for path in found.items("paths") if path["target"] == id_]
    total = max(sum(path["n"] for path in into), 1)
    into.sort(key=lambda path: (-path["n"], path["source"]))
    return [
        [
            step_name(found, place[path["source"]]),
            fmt.share(path["n"] / total, found.lang),
            round(path["n"] / total, 4),
            path["source"],
            "",
        ]
        for path in into[:BEFORE]
    ]
