"""The texts of `report.json`, in one place: titles, next steps, headline, findings, checks, warnings.

Every text is built from the numbers of one report dict, so the same dict can be told in any language.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journeymine.reporting.phrases import check_language
from journeymine.reporting.reader import Reader
from journeymine.reporting.wording.fixes import next_step_of, title_of
from journeymine.reporting.wording.head import findings_of, headline_of
from journeymine.reporting.wording.method import idle_sentence, method_of
from journeymine.reporting.wording.quality import checks_of
from journeymine.reporting.wording.warnings import warnings_of

if TYPE_CHECKING:
    from collections.abc import Mapping

Plain = dict[str, Any]


def _reader(report: Mapping[str, Any], lang: str) -> Reader:
    return Reader(report, check_language(lang))


def fix_title(fix: Mapping[str, Any], lang: str, timezone: str | None = None) -> str:
    """Name a fix by what it would do.

    Parameters
    ----------
    fix
        One entry of `fixes`; its `title` is not read.
    lang
        `en` or `fr`.
    timezone
        Time zone in which days are named.

    Examples
    --------
    >>> fix = {"activity": "Sign-in", "segment": {"column": "platform", "value": "mobile"}, "period": None,
    ...        "reference": {"kind": "segment", "value": 0.1, "n": 4000}}
    >>> fix_title(fix, "en")
    'Lose fewer customers at “Sign-in” (platform = mobile)'
    """
    return title_of(_reader(fix, lang), timezone).text


def next_step(fix: Mapping[str, Any], lang: str, timezone: str | None = None) -> str:
    """Say what to do next about a fix.

    Examples
    --------
    >>> fix = {"activity": "Basket", "reference": {"kind": "assumed", "value": 0.08, "n": 10}}
    >>> next_step(fix, "en")
    'Find out why customers leave at “Basket”, then A/B test the best idea'
    """
    return next_step_of(_reader(fix, lang), timezone).text


def headline(report: Mapping[str, Any], lang: str) -> str:
    """Say the conclusion of a report.

    Examples
    --------
    >>> headline({"log": {"n_cases": 6, "end_states": None}}, "en")
    'What 6 journeys look like; name a goal to see what is lost'
    """
    return headline_of(_reader(report, lang)).text


def findings(report: Mapping[str, Any], lang: str) -> list[Plain]:
    """Return the findings: at most four, each with key, params and text.

    Examples
    --------
    >>> findings({"log": {"n_cases": 6, "end_states": None}}, "en")
    []
    """
    return [
        {"key": key, "params": lead.params | body.params, "text": f"{lead.text} {body.text}"}
        for key, lead, body in findings_of(_reader(report, lang))
    ]


def quality(report: Mapping[str, Any], lang: str) -> list[Plain]:
    """Return the checks of the data: key, level, value and text.

    Examples
    --------
    >>> quality({"log": {"n_cases": 6}, "ledger": {"rows_read": 42, "rows_kept": 42}}, "en")[0]["value"]
    '42 of 42 rows'
    """
    return [
        {"key": check.key, "level": check.level, "value": str(check.value), "text": check.meaning.text}
        for check in checks_of(_reader(report, lang))
    ]


def warnings_text(report: Mapping[str, Any], lang: str) -> list[Plain]:
    """Return the warnings: key, params and text.

    Examples
    --------
    >>> [row["key"] for row in warnings_text({"log": {"n_cases": 6, "end_states": None}}, "en")]
    ['few_cases', 'no_goal']
    """
    return [
        {"key": sentence.key.removeprefix("warning_"), "params": sentence.params, "text": sentence.text}
        for sentence in warnings_of(_reader(report, lang))
    ]


def idle_rule(seconds: float | None, chosen: str, lang: str) -> str:
    r"""Say which silence makes a journey a dropped one.

    Parameters
    ----------
    seconds
        The silence; None if the log has no times.
    chosen
        `given` or `auto`.
    lang
        `en` or `fr`.

    Examples
    --------
    >>> idle_rule(2592000, "given", "en")[:59]
    'A journey without the goal counts as dropped after 30\xa0days '
    """
    return idle_sentence(seconds, chosen, check_language(lang)).text


def method(report: Mapping[str, Any], lang: str) -> list[str]:
    """Return the paragraphs that say how the numbers were computed.

    Examples
    --------
    >>> method({"provenance": {"seed": 0}}, "en")[1]
    'Intervals are 95% intervals; customers, not events, were resampled (seed 0).'
    """
    return [sentence.text for sentence in method_of(_reader(report, lang))]


__all__ = [
    "findings",
    "fix_title",
    "headline",
    "idle_rule",
    "method",
    "next_step",
    "quality",
    "warnings_text",
]
