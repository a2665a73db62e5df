"""The map section: the picture, what it leaves out, the panel of a step, and the paths as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journeymine import _format as fmt
from journeymine.reporting.phrases import Name, Shown, name
from journeymine.reporting.views.map_figure import fixes_of, map_figure, step_name
from journeymine.reporting.views.map_legend import legend_of
from journeymine.reporting.views.map_panel import default_panel, panel_data
from journeymine.reporting.views.markup import picture
from journeymine.reporting.wording.head import complete_share, found_and_sure

if TYPE_CHECKING:
    from journeymine.reporting.phrases import Sentence
    from journeymine.reporting.reader import Reader

TABLE_ROWS: Final = 20
SLIM, WIDE = 900.0, 1400.0
"""Up to the first width a picture stands beside its panel in the column of the text; above the second it scrolls."""
LONGEST_WAY, WAY_HEAD = 6, 4


def map_view(report: Reader) -> dict[str, Any]:
    """Collect what the map section shows."""
    if not report.items("map.steps"):
        return {"heading": report.say("map_missing"), "picture": None}
    found = report.at("map")
    heading = heading_of(report)
    n_backbone = sum(path["backbone"] for path in found.items("paths"))
    figure = map_figure(report, report.say("map_alt", headline=heading.text).text)
    return {
        "heading": heading,
        "sub": _help(found),
        "covers": covers_of(report),
        "picture": picture(figure),
        "kind": "slim" if figure.width <= SLIM else "wide" if figure.width <= WIDE else "wide huge",
        "legend": legend_of(report),
        "n_min": n_backbone,
        "n_max": len(found.items("paths")),
        "n_shown": found.value("n_shown"),
        "slider": report.say(
            "map_slider_of", shown="#", all=fmt.number(len(found.items("paths")), report.lang)
        ).text,
        "has_wait": any(path["wait_s"] for path in found.items("paths")),
        "has_back": any(path["back"] for path in found.items("paths")),
        "panel": default_panel(report),
        "data": panel_data(report),
        "rows": _rows(found),
        "has_rows_wait": any(path["wait_s"] for path in found.items("paths")),
    }


def heading_of(report: Reader) -> Sentence:
    """Return the finding of the section: where journeys are lost, else the most travelled way."""
    found = report.at("map")
    i = _largest_loss(found)
    if found.value("leave") != "dropped" or i is None or complete_share(report):
        return _way(report)
    activity = step_name(found, i)
    sure = found_and_sure(report)
    if not sure:
        return report.say("map_head_loss", activity=activity)
    fixes = fixes_of(report)
    if sure[0] == 0 and report.value("fixes[0].rank") in fixes.get(found.value(f"steps[{i}].id"), ()):
        return report.say("map_head_loss_same", activity=activity)
    return report.say(
        "map_head_loss_fix", activity=activity, fix=report.at(f"fixes[{sure[0]}]").name("activity")
    )


def _largest_loss(found: Reader) -> int | None:
    lost = [
        (step["n_left"] or 0, -i) for i, step in enumerate(found.items("steps")) if step["name"] is not None
    ]
    n, place = max(lost, default=(0, 0))
    return -place if n else None


def _way(report: Reader) -> Sentence:
    found = report.at("map")
    place = {step["id"]: i for i, step in enumerate(found.items("steps"))}
    names = [step_name(found, place[id_]) for id_ in found.items("main_way")]
    if len(names) < 2:
        return report.say("map_head_one", activity=names[0] if names else name("", report.lang))
    if len(names) > LONGEST_WAY:
        names = [*names[:WAY_HEAD], Name("…"), names[-1]]
    return report.say("map_head_way", way=" → ".join(names))


def _help(found: Reader) -> list[Sentence]:
    lines = [found.say("map_sub")]
    if any(step["leave"] for step in found.items("steps")):
        lines.append(found.say(f"map_sub_{found.value('leave')}"))
    if found.value("derived"):
        lines.append(found.say("map_sub_stages"))
    return lines


def covers_of(report: Reader) -> list[Sentence]:
    """Say how much of the log the picture shows, and how well the discovered model fits it."""
    found, lang = report.at("map"), report.lang
    own = sum(step["n_activities"] == 1 for step in found.items("steps"))
    n_all = len(found.items("paths")) + (found.value("hidden.n_paths") or 0)
    total = sum(step["n_activities"] for step in found.items("steps"))
    fields: dict[str, Any] = {
        "steps": Shown(fmt.number(own, lang), own),
        "all_steps": Shown(fmt.number(total, lang), total),
        "paths": found.count("n_shown"),
        "all_paths": Shown(fmt.number(n_all, lang), n_all),
    }
    lines = [_covers(report, found, fields), *_model(report)]
    for key, address in (("map_folded", "hidden.n_steps"), ("map_left_out", "hidden.n_paths")):
        if found.value(address):
            lines.append(report.say(key, count=found.count(address)))
    return lines


def _covers(report: Reader, found: Reader, fields: dict[str, Any]) -> Sentence:
    parts = {
        key: report.share(f"model.explained.{key}.estimate")
        for key in ("journeys", "moves", "conversions")
        if fmt.is_number(report.value(f"model.explained.{key}.estimate"))
    }
    if parts.keys() >= {"journeys", "moves"}:
        return report.say(
            "map_explains_goal" if "conversions" in parts else "map_explains", **fields, **parts
        )
    if not found.value("moves"):
        return report.say("map_covers_steps", **fields)
    return report.say("map_covers", **fields, moves=found.share("moves.estimate"))


def _model(report: Reader) -> list[Sentence]:
    """How well the model of what is shown fits; else that of the whole log."""
    for key, part in (("map_model_shown", "model.explained"), ("map_model", "model")):
        addresses = {measure: f"{part}.{measure}" for measure in ("fitness", "precision")}
        for measure, address in addresses.items():
            if isinstance(report.value(address), dict):
                addresses[measure] = f"{address}.estimate"
        values = {measure: report.value(address) for measure, address in addresses.items()}
        if all(fmt.is_number(value) for value in values.values()):
            shown = {
                measure: Shown(fmt.number(value, report.lang, 2), value, addresses[measure])
                for measure, value in values.items()
            }
            return [report.say(key, **shown)]
    return []


def _rows(found: Reader) -> list[dict[str, Any]]:
    """The most travelled paths."""
    paths = found.items("paths")
    place = {step["id"]: i for i, step in enumerate(found.items("steps"))}
    order = sorted(range(len(paths)), key=lambda i: (-paths[i]["n"], paths[i]["source"], paths[i]["target"]))
    return [
        {
            "source": step_name(found, place[paths[i]["source"]]),
            "target": step_name(found, place[paths[i]["target"]]),
            "n": found.count(f"paths[{i}].n"),
            "share": found.share(f"paths[{i}].share.estimate"),
            "bounds": found.interval(f"paths[{i}].share", "share"),
            "wait": found.duration(f"paths[{i}].wait_s.estimate") if paths[i]["wait_s"] else None,
        }
        for i in order[:TABLE_ROWS]
    ]
