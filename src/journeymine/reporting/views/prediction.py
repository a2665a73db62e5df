"""The section on predictions: learnt on the earlier part of the log, judged on the later: how far to trust them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journeymine import _format as fmt
from journeymine.draw.calibration import CalibrationPoint, calibration_plot
from journeymine.reporting.phrases import Shown
from journeymine.reporting.views.markup import picture

if TYPE_CHECKING:
    from journeymine.draw.figure import Figure
    from journeymine.reporting.phrases import Sentence
    from journeymine.reporting.reader import Reader

WIDTHS: Final = {"wide": 560.0, "narrow": 340.0}
MUCH_UNDECIDED: Final = 0.05
CHAIN, RECALIBRATED, FREQUENCY = 0, 1, 2
FACTS: Final = (("slope", "number"), ("auc", "number"), ("skill", "share"), ("next_accuracy", "share"))
COLUMNS: Final = (
    ("skill", "share"),
    ("auc", "number"),
    ("slope", "number"),
    ("log_loss", "number"),
    ("next_accuracy", "share"),
    ("next_top_3", "share"),
    ("next_log_loss", "number"),
)
DIGITS: Final = 2
MENDABLE: Final = ("too_high", "too_low", "too_extreme", "too_timid")
"""What a line that is learnt from journeys that are over can repair."""


def prediction_view(report: Reader) -> dict[str, Any] | None:
    """Collect what the section shows; None where nothing could be judged."""
    if report.value("prediction") is None:
        return None
    found = report.at("prediction")
    return {
        "heading": heading_of(found),
        "sub": _sub(report, found),
        "figures": {kind: picture(prediction_figure(found, width)) for kind, width in WIDTHS.items()},
        "facts": [fact for name, kind in FACTS if (fact := _fact(found, name, kind)) is not None],
        "notes": _notes(found),
        "columns": [found.say(f"prediction_col_{name}") for name, _ in COLUMNS],
        "rows": [_row(found.at(f"models[{i}]")) for i in range(len(found.items("models")))],
        "groups": [_group(found.at(f"groups[{i}]")) for i in range(len(found.items("groups")))],
    }


def heading_of(found: Reader) -> Sentence:
    """Return the finding of the section: what predictions say, and what came."""
    group = found.at(f"groups[{found.value('example')}]")
    when = "_within" if found.value("horizon_s") else ""
    fields: dict[str, Any] = {
        "given": group.share("predicted"),
        "came": group.share("observed.estimate"),
    }
    if when:
        fields["duration"] = found.duration("horizon_s", long=True)
    return found.say(f"prediction_head_{found.value('verdict')}{when}", **fields)


def _sub(report: Reader, found: Reader) -> list[Sentence]:
    # A day is shown in the time zone of the log, which only the root knows.
    cut = report.date("prediction.cut")
    return [
        found.say("prediction_sub", cut=cut, count=found.count("n_judged")),
        found.say("prediction_sub_customers", n=found.count("n_customers"), known=found.count("n_known")),
    ]


def _notes(found: Reader) -> list[Sentence]:
    out = []
    line = found.at(f"models[{RECALIBRATED}]")
    if found.value("verdict") in MENDABLE and _skill(line) > _skill(found.at(f"models[{CHAIN}]")):
        out.append(found.say("prediction_recalibrate", share=line.share("skill.estimate")))
    if (found.value("undecided") or 0.0) > MUCH_UNDECIDED:
        out.append(found.say("prediction_undecided", share=found.share("undecided")))
    if found.value("horizon_s"):
        out.append(found.say("prediction_horizon", duration=found.duration("horizon_s", long=True)))
    if not found.value("n_steps"):
        out.append(found.say("prediction_no_steps"))
    if found.value("n_unseen"):
        out.append(found.say("prediction_unseen", count=found.count("n_unseen")))
    return out


def _skill(model: Reader) -> float:
    return float(model.value("skill.estimate") or 0.0)


def _fact(found: Reader, name: str, kind: str) -> dict[str, Any] | None:
    """One number that sums up, with its interval and what it means; beside it the baseline to beat."""
    chain = found.at(f"models[{CHAIN}]")
    if chain.value(name) is None:
        return None
    other = FREQUENCY if name == "next_accuracy" else None
    beside = found.at(f"models[{other}]") if other is not None else None
    return {
        "value": _number(chain, name, kind),
        "bounds": _bounds(chain, name, kind),
        "label": found.say(f"prediction_fact_{name}"),
        "beside": beside.say("prediction_beside_base", value=_number(beside, name, kind))
        if beside is not None and beside.value(name) is not None
        else None,
    }


def _row(model: Reader) -> dict[str, Any]:
    return {
        "label": model.say(f"prediction_model_{model.value('model')}"),
        "is_chain": model.value("model") == "chain",
        "cells": [
            {"value": _number(model, name, kind), "bounds": _bounds(model, name, kind)}
            if model.value(name) is not None and not _is_trivial(model, name)
            else None
            for name, kind in COLUMNS
        ],
    }


def _is_trivial(model: Reader, name: str) -> bool:
    """Whether a number says nothing: the base rate against itself."""
    return model.value("model") == "frequency" and name in ("skill", "auc", "slope")


def _number(part: Reader, name: str, kind: str) -> Any:
    address = f"{name}.estimate"
    return part.share(address) if kind == "share" else _decimal(part, address)


def _decimal(part: Reader, address: str) -> Shown:
    """Show a number without a unit."""
    value = part.value(address)
    ref = f"{part.prefix}{address}" if part.has_refs and value is not None else None
    return Shown(fmt.number(value, part.lang, DIGITS), value, ref)


def _bounds(part: Reader, name: str, kind: str) -> Sentence | None:
    if not fmt.is_number(part.value(f"{name}.lower")):
        return None
    if kind == "share":
        return part.interval(name, "share")
    low, high = (_decimal(part, f"{name}.{end}") for end in ("lower", "upper"))
    return part.say("interval", lower=low, upper=high)


def _group(group: Reader) -> dict[str, Any]:
    return {
        "given": group.share("predicted"),
        "came": group.share("observed.estimate"),
        "bounds": group.interval("observed", "share"),
        "n": group.count("n"),
    }


def prediction_figure(found: Reader, width: float) -> Figure:
    """Draw predictions against outcomes at one width."""
    example = found.value("example")
    points = []
    for i, group in enumerate(found.items("groups")):
        part = found.at(f"groups[{i}]")
        fields = {"given": part.share("predicted"), "came": part.share("observed.estimate")}
        points.append(
            CalibrationPoint(
                predicted=group["predicted"],
                observed=group["observed"]["estimate"],
                lower=group["observed"]["lower"],
                upper=group["observed"]["upper"],
                n=group["n"],
                title=found.say("prediction_point", n=part.count("n"), **fields).text,
                label=f"{fields['given']} → {fields['came']}" if i == example else "",
            )
        )
    return calibration_plot(
        points,
        lang=found.lang,
        alt=heading_of(found).text,
        x_label=found.say("prediction_axis_given").text,
        y_label=found.say("prediction_axis_came").text,
        width=width,
    )
