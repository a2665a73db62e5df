"""Under the paths: how concentrated they are, and the repeats, loops and sequences that tell most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journeymine import _format as fmt
from journeymine.draw.text import clean
from journeymine.reporting.phrases import name

if TYPE_CHECKING:
    from journeymine.reporting.phrases import Sentence
    from journeymine.reporting.reader import Reader

FEW: Final = 10


def patterns_view(report: Reader) -> dict[str, Any]:
    """Collect what is shown under the paths."""
    rows = [i for i, row in enumerate(report.items("patterns")) if row.get("place")]
    rows.sort(key=lambda i: report.items("patterns")[i]["place"])
    shown = [report.at(f"patterns[{i}]") for i in rows]
    has_ends = any(row.value("conversion") for row in shown)
    return {
        "variety": variety_sentences(report),
        "heading": _heading(report, shown) if shown else None,
        "sub": report.say("patterns_sub" if has_ends else "patterns_sub_no_goal"),
        "has_ends": has_ends,
        "rows": [_row(row) for row in shown],
    }


def variety_sentences(report: Reader) -> list[Sentence]:
    """Say how concentrated the paths are."""
    total = report.value("variety.n_variants") or 0
    if not total:
        return []
    counts = {"total": report.count("variety.n_variants"), "once": report.count("variety.n_once")}
    i = next((i for i, row in enumerate(report.items("variety.coverage")) if row["n_variants"] == FEW), None)
    if total <= FEW or i is None:
        said = [report.say("patterns_few", n_variants=counts["total"], once=counts["once"])]
    else:
        covered = report.share(f"variety.coverage[{i}].share.estimate")
        said = [report.say("patterns_concentration", share=covered, **counts)]
        said += [report.say("patterns_half", n=report.count("variety.n_variants_half"))]
    known = report.at("variety").value("known.estimate")
    if not fmt.is_number(known):
        return said
    if known == 0:
        return [*said, report.say("patterns_unknown")]
    return [*said, report.say("patterns_known", share=report.share("variety.known.estimate"))]


def _heading(report: Reader, rows: list[Reader]) -> Sentence:
    """The most telling pattern, if its difference is beyond the noise; else the commonest."""
    first = rows[0]
    if first.value("is_sure"):
        return report.say(
            "patterns_head_ends",
            pattern=_path(first),
            conversion=first.share("conversion.estimate"),
            activity=first.name("activities[0]"),
            other=first.share("conversion_other.estimate"),
        )
    return report.say("patterns_head", pattern=_path(first), share=first.share("share.estimate"))


def _path(row: Reader) -> Any:
    """A pattern in one name."""
    return name(" → ".join(clean(step) for step in row.items("activities")), row.lang)


def _row(row: Reader) -> dict[str, Any]:
    ends = row.value("difference") is not None
    difference, low, high = row.effect("difference") if ends else (None, None, None)
    return {
        "chips": [_chip(step, row.lang) for step in row.items("activities")],
        "share": row.share("share.estimate"),
        "share_bounds": row.interval("share", "share"),
        "conversion": row.share("conversion.estimate") if row.value("conversion") else None,
        "conversion_bounds": row.interval("conversion", "share"),
        "other": row.share("conversion_other.estimate") if row.value("conversion_other") else None,
        "other_bounds": row.interval("conversion_other", "share"),
        "difference": difference,
        "difference_bounds": row.say("interval", lower=low, upper=high) if ends else None,
        "tone": _tone(row) if ends else "",
    }


def _tone(row: Reader) -> str:
    """Colour of a difference: grey where it is within the noise."""
    if not row.value("is_sure"):
        return "noise"
    return "better" if row.value("difference.estimate") > 0 else "worse"


def _chip(step: Any, lang: str) -> dict[str, Any]:
    shown, full = name(step, lang), clean(step)
    return {"name": shown, "full": full if full != shown else None}
