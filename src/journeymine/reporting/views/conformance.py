"""The section "Against the designed journey": who keeps to it, what others do instead, and what goes with that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journeymine import _format as fmt
from journeymine.draw.svg import Rect, decoration
from journeymine.reporting.phrases import Name, Shown, name
from journeymine.reporting.views.markup import drawn

if TYPE_CHECKING:
    from journeymine.reporting.phrases import Sentence
    from journeymine.reporting.reader import Reader

SHOWN: Final = 8
WORTH_A_ROW: Final = 0.005
"""Share of journeys below which a deviation is only in report.json, but for the first three."""
FEW: Final = 30
"""Journeys that a value of a segment needs to be named."""
MAX_CHIPS: Final = 16
NAMED: Final = 4
BAR: Final = 110.0
PARTS: Final = ("complete", "stopped", "open", "deviating")


def conformance_view(report: Reader) -> dict[str, Any] | None:
    """Collect what the section shows; None without a designed journey."""
    if report.value("conformance") is None:
        return None
    found = report.at("conformance")
    rows = found.items("deviations")
    worth = sum(row["share"]["estimate"] >= WORTH_A_ROW for row in rows)
    shown = [found.at(f"deviations[{i}]") for i in range(min(len(rows), SHOWN, max(worth, 3)))]
    largest = max((row["share"]["estimate"] for row in rows), default=0.0) or 1.0
    has_goal = report.value("log.end_states") is not None
    has_conversion = any(row.value("conversion") is not None for row in shown)
    has_time = any(row.value("time_s") is not None for row in shown)
    return {
        "heading": heading_of(found),
        "parts": _parts(found),
        "total": found.say("conformance_sub_parts", n=found.count("n")),
        "interval": found.say(
            "conformance_interval", share=found.share("share.estimate"), **found.share_bounds("share")
        ),
        "design": _design_title(found),
        "chips": _chips(found),
        "rows": [_row(row, largest, is_stage=found.value("source") == "stages") for row in shown],
        "has_conversion": has_conversion,
        "has_time": has_time,
        "time_title": found.say("conformance_col_time" if has_goal else "conformance_col_time_all"),
        "rest": _rest(found, len(shown)),
        "segments": _segments(found),
        "notes": _notes(found, has_goal=has_goal, has_conversion=has_conversion, has_time=has_time),
    }


def heading_of(found: Reader) -> Sentence:
    """Return the finding of the section."""
    has_stages = found.value("source") == "stages"
    if not found.items("deviations"):
        return found.say("conformance_head_all_stages" if has_stages else "conformance_head_all")
    first = found.at("deviations[0]")
    kind = first.value("kind")
    if has_stages and kind == "order":
        kind = "back"
    return found.say(f"conformance_head_{kind}", share=found.share("share.estimate"), step=first.name("step"))


def _parts(found: Reader) -> list[Sentence]:
    """How the journeys divide; parts without a journey are left out."""
    # Where every stage may be left out, to keep to the order is to be a whole run.
    in_order = found.value("source") == "stages" and not found.items("required")
    keys = {"complete": "in_order"} if in_order else {}
    return [
        found.say(f"conformance_part_{keys.get(part, part)}", n=found.count(f"n_{part}"))
        for part in PARTS
        if found.value(f"n_{part}")
    ]


def _design_title(found: Reader) -> Sentence:
    if found.value("source") != "stages":
        is_list = found.value("source") == "list"
        has_choice = bool(found.items("optional"))
        return found.say(
            f"conformance_design{'' if is_list else '_steps'}{'_optional' if has_choice else ''}"
        )
    required = found.items("required")
    if not required:
        return found.say("conformance_design_stages")
    return found.say("conformance_design_required", names=_joined(required, found))


def _chips(found: Reader) -> list[dict[str, Any]]:
    steps = found.items("steps")
    optional = set(found.items("optional")) if found.value("source") != "stages" else set()
    chips: list[dict[str, Any]] = [
        {"name": name(step, found.lang), "is_gap": step in optional} for step in steps
    ]
    if len(chips) <= MAX_CHIPS:
        return chips
    more = found.say("path_more", count=fmt.number(len(chips) - MAX_CHIPS, found.lang))
    return [*chips[: MAX_CHIPS - 1], {"name": more, "is_gap": True}, chips[-1]]


def _row(row: Reader, largest: float, *, is_stage: bool) -> dict[str, Any]:
    kind = row.value("kind")
    key = "back" if is_stage and kind == "order" else kind
    share = row.value("share.estimate") or 0.0
    bar = Rect(x=0, y=0, width=max(BAR * share / largest, 1.0), height=8, radius=2)
    return {
        "label": row.say(f"conformance_row_{key}", step=row.name("step")),
        "share": row.share("share.estimate"),
        "bounds": row.interval("share", "share"),
        "bar": drawn(decoration((bar,), BAR, 8, kind="share")),
        "conversion": _points(row),
        "time": _time(row),
    }


def _points(row: Reader) -> dict[str, Any] | None:
    if row.value("conversion") is None:
        return None
    estimate, lower, upper = row.effect("conversion")
    return {
        "value": estimate,
        "bounds": row.say("interval", lower=lower, upper=upper),
        "tone": _tone(row, "conversion", good=1),
    }


def _time(row: Reader) -> dict[str, Any] | None:
    if row.value("time_s") is None:
        return None
    parts = {
        part: _signed(row.duration(f"time_s.{part}"), row.value(f"time_s.{part}"))
        for part in ("estimate", "lower", "upper")
    }
    return {
        "value": parts["estimate"],
        "bounds": row.say("interval", lower=parts["lower"], upper=parts["upper"]),
        "tone": _tone(row, "time_s", good=-1),
    }


def _signed(shown: Shown, value: float) -> Shown:
    return Shown(f"+{shown}", shown.value, shown.ref) if value > 0 else shown


def _tone(row: Reader, key: str, *, good: int) -> str:
    """Whether the whole interval is on the good or on the bad side."""
    low, high = row.value(f"{key}.lower") * good, row.value(f"{key}.upper") * good
    if max(low, high) < 0:
        return "worse"
    return "better" if min(low, high) > 0 else "none"


def _rest(found: Reader, n_shown: int) -> Sentence | None:
    rest = len(found.items("deviations")) - n_shown
    return (
        found.say("conformance_rest", count=Shown(fmt.number(rest, found.lang), rest)) if rest > 0 else None
    )


def _segments(found: Reader) -> list[Sentence]:
    """The segments that differ, or that none does."""
    said = []
    tested = False
    for i, segment in enumerate(found.items("segments")):
        tested |= segment["p_value"] is not None
        values = [
            j for j, value in enumerate(segment["values"]) if value["share"] and value["share"]["n"] >= FEW
        ]
        if not segment["kept"] or len(values) < 2:
            continue
        values.sort(key=lambda j: (segment["values"][j]["share"]["estimate"], j))
        low, high = (found.at(f"segments[{i}].values[{j}]") for j in (values[0], values[-1]))
        said.append(
            found.say(
                "conformance_segment",
                column=found.name(f"segments[{i}].column"),
                low=low.share("share.estimate"),
                low_value=low.name("value"),
                high=high.share("share.estimate"),
                high_value=high.name("value"),
            )
        )
    return said if said or not tested else [found.say("conformance_segment_none")]


def _notes(found: Reader, *, has_goal: bool, has_conversion: bool, has_time: bool) -> list[Sentence]:
    notes = []
    if has_conversion or has_time:
        notes.append(found.say("conformance_cost_note" if has_conversion else "conformance_cost_note_time"))
    if found.value("source") != "stages" or found.items("required"):
        notes.append(found.say("conformance_open_note" if has_goal else "conformance_open_note_plain"))
    ignored = found.items("ignored")
    if ignored:
        items = [
            found.say(
                "conformance_ignored_item",
                activity=found.name(f"ignored[{i}].activity"),
                share=found.share(f"ignored[{i}].share.estimate"),
            ).text
            for i in range(min(len(ignored), NAMED))
        ]
        notes.append(
            found.say(
                "conformance_ignored",
                count=Shown(fmt.number(len(ignored), found.lang), len(ignored)),
                names=_list(items, len(ignored), found),
            )
        )
    if found.items("missing"):
        notes.append(found.say("conformance_missing", names=_joined(found.items("missing"), found)))
    if found.value("n_without_step"):
        notes.append(found.say("conformance_without_step", n=found.count("n_without_step")))
    if (found.value("sample") or 1.0) < 1:
        notes.append(found.say("conformance_sample", share=found.share("sample")))
    elif found.value("n_left_out"):
        notes.append(found.say("conformance_left_out", n=found.count("n_left_out")))
    return notes


def _joined(names: list[Any], found: Reader) -> Name:
    return _list([str(name(each, found.lang)) for each in names[:NAMED]], len(names), found)


def _list(items: list[str], n: int, found: Reader) -> Name:
    text = ", ".join(items)
    return Name(found.say("conformance_more", names=text).text if n > len(items) else text)
