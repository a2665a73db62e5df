"""Results as they show in a notebook: the same pictures and sentences as in the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journeymine.reporting import words
from journeymine.reporting.numbers import rounded
from journeymine.reporting.render import fragment_fixes
from journeymine.reporting.sections.fixes import fixes_section, tests_section
from journeymine.reporting.sections.overview import log_section, stages_section
from journeymine.reporting.sections.ranking import ranking_section

if TYPE_CHECKING:
    from journeymine.fixes.ranking import FixRanking
    from journeymine.log import EventLog


def ranking_html(ranking: FixRanking, log: EventLog, lang: str = "en") -> str:
    """Table and forest plot of ranked fixes."""
    assert log.found is not None
    part: dict[str, Any] = rounded(
        {
            "log": log_section(log, log.variants(1), lang),
            "fixes": fixes_section(ranking),
            "ranking": ranking_section(ranking),
            "tests": tests_section(ranking, log.found.segments),
            "activities": [],
            "conversion": ranking.conversion.at(),
            "stages": stages_section(log.stages),
        }
    )
    for fix in part["fixes"]:
        fix["title"] = words.fix_title(fix, lang, log.roles.timezone)
        fix["next_step"] = words.next_step(fix, lang, log.roles.timezone)
    return fragment_fixes(part, lang)
