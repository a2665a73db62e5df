"""The funnel section: where journeys are lost on the way to the goal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journeymine import _format as fmt
from journeymine.draw.funnel import FunnelBar, FunnelCell, funnel_bars
from journeymine.reporting.views.markup import picture

if TYPE_CHECKING:
    from journeymine.draw.figure import Figure
    from journeymine.reporting.phrases import Name, Sentence, Shown
    from journeymine.reporting.reader import Reader

WIDTHS: Final = {"wide": 1050.0, "middle": 650.0, "narrow": 340.0}
MUCH_UNDECIDED: Final = 0.05
LITTLE: Final = 0.01
"""Below this no loss on the way is worth a headline."""
PARTS: Final = (("skipped", "n_skipped"), ("lost", "n_lost"), ("open", "n_open"))


def funnel_view(report: Reader) -> dict[str, Any]:
    """Collect what the funnel section shows."""
    if not report.value("funnel"):
        return {"heading": report.say("funnel_head_missing"), "missing": report.say("funnel_missing")}
    return {
        "heading": heading_of(report),
        "missing": None,
        "sub": _sub(report),
        "figures": {kind: picture(funnel_figure(report, width)) for kind, width in WIDTHS.items()},
        "wait": _wait(report),
        "notes": _notes(report),
    }


def heading_of(report: Reader) -> Sentence:
    """Return the finding of the section."""
    steps = report.items("funnel.steps")
    last = report.name(f"funnel.steps[{len(steps) - 1}].name")
    if not report.value("funnel.closed") or len(steps) == 1:
        address = f"funnel.steps[{len(steps) - 1}].reached.estimate"
        share = report.share("funnel.entered.estimate" if len(steps) == 1 else address)
        return report.say("funnel_head_reach", share=share, target=last)
    largest = report.value("funnel.largest.step")
    if largest is None:
        return report.say("funnel_head_none", target=last)
    source, loss = _step_and_loss(report, largest)
    if (report.value(f"funnel.steps[{largest}].loss.estimate") or 0) < LITTLE:
        return report.say("funnel_head_little", loss=loss, target=last)
    if report.value("funnel.largest.is_clear"):
        target = report.name(f"funnel.steps[{largest + 1}].name")
        return report.say("funnel_head_loss", source=source, target=target, loss=loss)
    lost = [_lost_share(step) for step in steps[:-1]]
    second = max((i for i in range(len(lost)) if i != largest), key=lambda i: (lost[i], -i))
    other, other_loss = _step_and_loss(report, second)
    return report.say("funnel_head_two", first=source, first_loss=loss, second=other, second_loss=other_loss)


def _step_and_loss(report: Reader, step: int) -> tuple[Name, Shown]:
    address = f"funnel.steps[{step}]"
    return report.name(f"{address}.name"), report.share(f"{address}.loss.estimate")


def _lost_share(step: dict[str, Any]) -> float:
    """Share of the journeys that enter which is lost after a step."""
    reached, loss = step.get("reached") or {}, step.get("loss") or {}
    return float(reached.get("estimate") or 0.0) * float(loss.get("estimate") or 0.0)


def _sub(report: Reader) -> list[Sentence]:
    closed, window = report.value("funnel.closed"), report.value("funnel.within_s")
    count = report.count("funnel.n_entered")
    out = [
        report.say(
            "funnel_sub_entered",
            count=count,
            entered=report.share("funnel.entered.estimate"),
            first=report.name("funnel.steps[0].name"),
        )
        if closed
        else report.say("funnel_sub_all", count=count)
    ]
    key = f"funnel_{'order' if closed else 'any_order'}{'_window' if window else ''}"
    duration = report.duration("funnel.within_s", long=True)
    out.append(report.say(key, duration=duration) if window else report.say(key))
    return [*out, report.say("funnel_estimates" if _has_open(report) else "funnel_plain")]


def _has_open(report: Reader) -> bool:
    return any(step.get("n_open") for step in report.items("funnel.steps"))


def _has_waits(report: Reader) -> bool:
    return any(step.get("wait_s") for step in report.items("funnel.steps"))


def _wait(report: Reader) -> Sentence | None:
    """What the column of times shows."""
    if not _has_waits(report):
        return None
    return report.say("funnel_wait" if report.value("funnel.closed") else "funnel_wait_open")


def _notes(report: Reader) -> list[Sentence]:
    out = []
    if (report.value("funnel.undecided") or 0.0) > MUCH_UNDECIDED:
        out.append(report.say("funnel_undecided", undecided=report.share("funnel.undecided")))
    rule = report.value("funnel.rule")
    return out if rule == "configured" else [*out, report.say(f"funnel_rule_{rule}")]


def funnel_figure(report: Reader, width: float) -> Figure:
    """Draw the funnel at one width."""
    columns = _columns(report, width)
    steps = [
        _bar(report, i, tuple(column for column, _ in columns))
        for i in range(len(report.items("funnel.steps")))
    ]
    return funnel_bars(
        steps,
        lang=report.lang,
        alt=heading_of(report).text,
        legend=_legend(report, steps),
        columns=[head for _, head in columns],
        width=width,
    )


def _columns(report: Reader, width: float) -> list[tuple[str, str]]:
    """Keys and heads of the columns that have something to show and room."""
    wanted = {
        "n": width == WIDTHS["wide"],
        "reached": True,
        "loss": bool(report.value("funnel.closed")),
        "wait_s": _has_waits(report),
    }
    heads = ((key, f"funnel_col_{key.removesuffix('_s')}") for key, is_shown in wanted.items() if is_shown)
    return [(key, report.say(head).text) for key, head in heads]


def _bar(report: Reader, i: int, columns: tuple[str, ...]) -> FunnelBar:
    step = report.at(f"funnel.steps[{i}]")
    steps = report.items("funnel.steps")
    entered = report.value("funnel.n_entered") or 1
    others = [(kind, step.value(key) / entered) for kind, key in PARTS]
    n = step.value("n") / entered
    if report.value("funnel.closed"):
        is_last = i == len(steps) - 1
        onward = n if is_last else steps[i + 1]["n"] / entered
        parts = [("end" if is_last else "on", onward), *others]
    else:
        parts = [("on", n), *others]
    reached = step.value("reached")
    has_whisker = reached and (i > 0 or not report.value("funnel.closed"))
    return FunnelBar(
        name=step.name("name"),
        parts=tuple(parts),
        interval=(reached["estimate"], reached["lower"], reached["upper"]) if has_whisker else None,
        cells=tuple(
            _cell(step, key, first=i == 0 and bool(report.value("funnel.closed"))) for key in columns
        ),
    )


def _cell(step: Reader, key: str, *, first: bool) -> FunnelCell:
    if key == "n":
        shown = step.count("n")
        return FunnelCell(text=shown, ref=shown.ref)
    if not fmt.is_number(step.value(f"{key}.estimate")):
        return FunnelCell()
    kind = "duration" if key == "wait_s" else "share"
    shown = getattr(step, kind)(f"{key}.estimate")
    # That all who enter are at the first step has no interval.
    bounds = None if first and key == "reached" else step.interval(key, kind)
    return FunnelCell(text=shown, note=bounds.text if bounds else "", ref=shown.ref)


def _legend(report: Reader, steps: list[FunnelBar]) -> list[tuple[str, str]]:
    """The kinds of parts that are drawn, and the whisker."""
    drawn = {kind for step in steps for kind, share in step.parts if share > 0}
    late = "_window" if report.value("funnel.within_s") else ""
    names = {"on": "on", "end": "end", "skipped": "skipped", "lost": f"lost{late}", "open": "open"}
    if not report.value("funnel.closed"):
        names |= {"on": "reach", "lost": "reach_not"}
    out = [(kind, report.say(f"funnel_key_{key}").text) for kind, key in names.items() if kind in drawn]
    return [*out, ("whisker", report.say("funnel_key_whisker").text)]
