"""The picture of the map, drawn from the numbers and places of `report.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journeymine import _format as fmt
from journeymine.draw.layout.graph import layout_of_dict
from journeymine.draw.process_map import MapBand, MapPath, MapStep, MapWords, process_map
from journeymine.draw.text import clean
from journeymine.reporting.phrases import Name, name

if TYPE_CHECKING:
    from journeymine.draw.process_map_svg import MapFigure
    from journeymine.reporting.reader import Reader

MAX_NAMES: Final = 8


def map_figure(report: Reader, alt: str) -> MapFigure:
    """Draw the map of a report."""
    found = report.at("map")
    fixes = fixes_of(report)
    words = MapWords(lang=report.lang, reach=report.say("map_reach", share="{share}").text)
    place = {step["id"]: i for i, step in enumerate(found.items("steps"))}
    return process_map(
        [_step(found, i, fixes) for i in range(len(found.items("steps")))],
        [_path(found, e, place) for e in range(len(found.items("paths")))],
        [_band(found, i) for i in range(len(found.items("stages")))],
        layout_of_dict(found.value("layout")),
        alt=alt,
        words=words,
    )


def step_name(found: Reader, i: int) -> Name:
    """Name of a step as it is shown; a shared one says how many it stands for."""
    if found.value(f"steps[{i}].name") is None:
        return Name(found.say("map_other", count=found.count(f"steps[{i}].n_activities")).text)
    return found.name(f"steps[{i}].name")


def stage_name(found: Reader, i: int) -> Name:
    """Name of a stage as it is shown."""
    own = found.value(f"stages[{i}].name")
    if own is not None:
        return name(own, found.lang)
    key = "map_stage" if found.value("derived") else "map_rest"
    return Name(found.say(key, number=fmt.number(i + 1, found.lang)).text)


def fixes_of(report: Reader) -> dict[str, tuple[int, ...]]:
    """Ranks of the fixes that were found in the data, by the id of the step they repair."""
    step_of = {
        activity: step["id"] for step in report.items("map.steps") for activity in step.get("activities", ())
    }
    out: dict[str, tuple[int, ...]] = {}
    for fix in report.items("fixes"):
        if fix.get("block") == "found" and fix["activity"] in step_of:
            id_ = step_of[fix["activity"]]
            out[id_] = (*out.get(id_, ()), fix["rank"])
    return out


def _step(found: Reader, i: int, fixes: dict[str, tuple[int, ...]]) -> MapStep:
    step = found.at(f"steps[{i}]")
    leave = step.value("leave.estimate")
    names = ", ".join(clean(activity, 60) for activity in step.items("activities")[:MAX_NAMES])
    fields = {"names": names, "reach": step.share("reach.estimate")}
    note = (
        step.say("map_note_step", **fields)
        if leave is None
        else step.say(f"map_note_step_{found.value('leave')}", **fields, leave=step.share("leave.estimate"))
    )
    return MapStep(
        id=step.value("id"),
        name=step_name(found, i),
        reach=step.value("reach.estimate"),
        leave=leave,
        repeat=step.value("repeat.estimate") or 0.0,
        is_goal=step.value("goal"),
        is_fold=step.value("name") is None,
        fixes=fixes.get(step.value("id"), ()),
        note=note.text,
        ref=step.prefix.removesuffix(".") if step.has_refs else None,
    )


def _path(found: Reader, e: int, place: dict[str, int]) -> MapPath:
    path = found.at(f"paths[{e}]")
    fields = {
        "source": step_name(found, place[path.value("source")]),
        "target": step_name(found, place[path.value("target")]),
        "times": path.count("n"),
        "share": path.share("share.estimate"),
    }
    wait = path.duration("wait_s.estimate") if path.value("wait_s") else None
    note = (
        path.say("map_note_path_wait", **fields, wait=wait) if wait else path.say("map_note_path", **fields)
    )
    return MapPath(
        source=path.value("source"),
        target=path.value("target"),
        n=path.value("n"),
        share=path.value("share.estimate"),
        shown=e < found.value("n_shown"),
        is_backbone=path.value("backbone"),
        place=e,
        note=note.text,
        wait=str(wait) if wait else "",
        ref=f"{path.prefix}share.estimate" if path.has_refs else None,
    )


def _band(found: Reader, i: int) -> MapBand:
    stage = found.at(f"stages[{i}]")
    return MapBand(
        name=stage_name(found, i),
        reach=stage.value("reach.estimate"),
        ref=f"{stage.prefix}reach.estimate" if stage.has_refs else None,
    )
