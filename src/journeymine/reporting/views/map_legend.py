"""The legend of the map: only what the picture holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journeymine.draw.svg import Circle, Path, Rect, Text, decoration
from journeymine.reporting.views.map_figure import fixes_of
from journeymine.reporting.views.markup import drawn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.draw.svg import Mark
    from journeymine.reporting.reader import Reader


def legend_of(report: Reader) -> list[dict[str, Any]]:
    """Return a sign and a word for everything that occurs."""
    found = report.at("map")
    steps, paths = found.items("steps"), found.items("paths")
    leave = found.value("leave")
    occurs = {
        "forward": any(not path["back"] for path in paths),
        "back": any(path["back"] for path in paths),
        leave: any(step["leave"] and step["leave"]["estimate"] for step in steps),
        "loop": any(step["repeat"] and step["repeat"]["estimate"] for step in steps),
        "goal": any(step["goal"] for step in steps),
        "fix": bool(fixes_of(report)),
    }
    return [
        {"sign": drawn(decoration(_signs(kind), 34, 16, kind="sg")), "word": report.say(f"map_legend_{kind}")}
        for kind, is_there in occurs.items()
        if is_there
    ]


def _signs(kind: str) -> Sequence[Mark]:
    if kind == "forward":
        return (
            Path(d=("M", 1, 8, "H", 25), stroke="edge", stroke_width=5),
            Path(d=("M", 24, 3, "L", 33, 8, "L", 24, 13, "Z"), stroke=None, fill="edge"),
        )
    if kind == "back":
        return (
            Path(d=("M", 1, 8, "H", 25), stroke="back", stroke_width=3, dash="6 4"),
            Path(d=("M", 24, 3, "L", 33, 8, "L", 24, 13, "Z"), stroke=None, fill="back"),
        )
    if kind == "loop":
        return (Text(x=17, y=13, text="↻", size=15, weight=600, fill="back", anchor="middle"),)
    if kind == "goal":
        return (
            Circle(x=17, y=8, r=8, fill="good"),
            Path(d=("M", 13.2, 8.2, "l", 3, 3, "l", 5, -6), stroke="on", stroke_width=2),
        )
    if kind == "fix":
        return (
            Rect(x=9, y=0, width=16, height=16, radius=8, fill="ink"),
            Text(x=17, y=12, text="1", size=11, weight=700, fill="card", anchor="middle"),
        )
    return (Path(d=("M", 4, 5, "h", 12, "q", 7, 0, 7, 7, "v", 4), stroke="bad", stroke_width=7),)
