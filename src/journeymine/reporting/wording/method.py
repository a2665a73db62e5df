"""How the numbers were computed, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine import _format as fmt
from journeymine.reporting.phrases import Shown, name, say

if TYPE_CHECKING:
    from journeymine.reporting.phrases import Sentence
    from journeymine.reporting.reader import Reader


def idle_sentence(seconds: float | None, chosen: str, lang: str) -> Sentence:
    """Say which silence makes a journey a dropped one."""
    if not fmt.is_number(seconds):
        return say("idle_rule_none", lang)
    key = "idle_rule_auto" if chosen == "auto" else "idle_rule_given"
    return say(key, lang, duration=Shown(fmt.duration(seconds, lang, long=True), seconds, "log.idle.seconds"))


def method_of(report: Reader) -> list[Sentence]:
    """Return the paragraphs of the method section."""
    out = [_chain(report)]
    if report.items("fixes"):
        out.append(report.say("method_effects"))
    out.append(report.say("method_intervals", seed=report.count("provenance.seed")))
    if report.value("tests.n_tested"):
        fields = {name_: report.count(f"tests.{name_}") for name_ in ("n_tested", "n_kept")}
        out.append(report.say("method_tests", level=report.share("tests.level"), **fields))
    else:
        out.append(report.say("method_no_tests"))
    out += [report.say("method_files"), _version(report)]
    return out


def _chain(report: Reader) -> Sentence:
    if not report.value("chain"):
        return report.say("method_chain_missing")
    n = len(report.items("chain.states"))
    return report.say(
        "method_chain",
        n_states=Shown(fmt.number(n, report.lang), n),
        n_visits=report.count("chain.n_visits"),
        n_open=report.count("chain.n_visits_open"),
    )


def _version(report: Reader) -> Sentence:
    return report.say(
        "method_version",
        version=name(report.value("provenance.package_version"), report.lang),
        engine=name(report.value("provenance.engine"), report.lang),
        schema=report.count("schema_version"),
    )
