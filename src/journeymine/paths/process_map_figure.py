"""The picture of a process map for notebooks and files, in English."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np

from journeymine import _format as fmt
from journeymine.draw.process_map import MapBand, MapPath, MapStep, process_map
from journeymine.draw.text import clean, cut

if TYPE_CHECKING:
    from journeymine.draw.process_map_svg import MapFigure
    from journeymine.paths.process_map import ProcessMap

NO_NAME = "(no name)"
FEW = 0.05
"""Share of the journeys below which what is lost is not the conclusion."""


def figure_of(found: ProcessMap) -> MapFigure:
    """Draw a map."""
    return process_map(
        [_step(found, i) for i in range(len(found.steps.ids))],
        [_path(found, e) for e in range(len(found.source))],
        [_band(found, i) for i in range(len(found.stages.ids))],
        found.layout,
        alt=conclusion(found),
    )


def fragment_of(found: ProcessMap) -> str:
    """A map in a notebook: the picture and one sentence; no script, no style sheet."""
    return f"<figure>{figure_of(found).svg('static')}<figcaption>{html.escape(caption(found))}</figcaption></figure>"


def conclusion(found: ProcessMap) -> str:
    """Say where journeys are lost, or else the main way."""
    from journeymine.paths.process_map import lost_most

    lost = lost_most(found)
    n_lost = float(np.nansum(found.leave.estimate * found.leave.n))
    if found.has_goal and lost and n_lost >= FEW * int(found.reach.n[0]):
        return f"Most journeys are lost after {step_name(found, lost[0])}"
    return f"The most travelled way: {' → '.join(step_name(found, i) for i in found.main_way)}"


def caption(found: ProcessMap) -> str:
    """Say how much of the log the picture shows."""
    moves = found.share_moves.at()
    shown = f"{conclusion(found)}. Shown: {found.n_shown} of {found.n_paths} paths"
    if moves:
        shown += f", which carry {fmt.share(float(moves['estimate']), 'en')} of all moves"
    return f"{shown}. Orange: {'drop-out before the goal' if found.has_goal else 'journeys end here'}."


def step_name(found: ProcessMap, i: int) -> str:
    """Name of a step as it is shown: cut, never empty."""
    shown = cut(found.name(i))
    return shown if shown.strip() else NO_NAME


def _step(found: ProcessMap, i: int) -> MapStep:
    leave = float(found.leave.estimate[i])
    known = bool(np.isfinite(leave))
    reach, repeat = float(found.reach.estimate[i]), float(np.nan_to_num(found.repeat.estimate[i]))
    members = found.steps.members[i]
    names = ", ".join(clean(found.activities[code], 60) for code in members[:8])
    note = f"{names}: {fmt.share(reach, 'en')} of journeys"
    if known:
        note += f"; {fmt.share(leave, 'en')} of visits {'are dropped' if found.has_goal else 'end the journey'} here"
    return MapStep(
        id=found.steps.ids[i],
        name=step_name(found, i),
        reach=reach,
        leave=leave if known else None,
        repeat=repeat,
        is_goal=i in found.goal,
        is_fold=len(members) > 1,
        note=note,
    )


def _path(found: ProcessMap, e: int) -> MapPath:
    source, target = int(found.source[e]), int(found.target[e])
    n, share = int(found.path_n[e]), float(found.share.estimate[e])
    names = f"{step_name(found, source)} → {step_name(found, target)}"
    note = f"{names}: {fmt.number(n, 'en')} times, {fmt.share(share, 'en')} of visits"
    if found.wait_s is not None and np.isfinite(found.wait_s.estimate[e]):
        note += f", median {fmt.duration(float(found.wait_s.estimate[e]), 'en')}"
    return MapPath(
        source=found.steps.ids[source],
        target=found.steps.ids[target],
        n=n,
        share=share,
        shown=e < found.n_shown,
        is_backbone=bool(found.in_backbone[e]),
        place=e,
        note=note,
    )


def _band(found: ProcessMap, i: int) -> MapBand:
    name = found.stages.names[i]
    fallback = f"Stage {i + 1}" if found.stages.derived else "In no stage"
    return MapBand(name=cut(name) if name else fallback, reach=float(found.stage_reach.estimate[i]))
