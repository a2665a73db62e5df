"""The data quality section: checks, the ledger, the ties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journeymine.draw.text import cut
from journeymine.reporting.phrases import Name, spelled
from journeymine.reporting.wording.quality import checks_of, rule_name

if TYPE_CHECKING:
    from journeymine.reporting.reader import Reader

EXAMPLE_MAX: Final = 120
MAX_EXAMPLES: Final = 5


def quality_view(report: Reader) -> dict[str, Any]:
    """Collect what the data quality section shows."""
    checks = checks_of(report)
    n_look = sum(check.level == "look" for check in checks)
    heading = (
        report.say("quality_head_look", count=spelled(n_look, report.lang))
        if n_look
        else report.say("quality_head_fine")
    )
    ledger = [
        _ledger_row(report, kind, i)
        for kind in ("rejected", "noted")
        for i in range(len(report.items(f"ledger.{kind}")))
    ]
    return {"heading": heading, "checks": checks, "ledger": ledger}


def _ledger_row(report: Reader, kind: str, i: int) -> dict[str, Any]:
    row = report.at(f"ledger.{kind}[{i}]")
    return {
        "rule": rule_name(str(row.value("rule")), report.lang),
        "n": row.count("n"),
        "done": report.say(f"done_{kind}"),
        "kind": kind,
        "examples": [Name(cut(text, EXAMPLE_MAX)) for text in row.items("examples")[:MAX_EXAMPLES]],
    }
