"""The part of the chain section that says how far it can be trusted: each check in a sentence, and the order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journeymine import _format as fmt
from journeymine.reporting.phrases import Shown, spelled

if TYPE_CHECKING:
    from journeymine.reporting.phrases import Sentence
    from journeymine.reporting.reader import Reader

SMALLEST_P: Final = 0.0001
LOOKS: Final = {
    "holds": "fine",
    "small": "some",
    "matters": "look",
    "unclear": "some",
    "not_available": "some",
}


def trust_view(report: Reader) -> dict[str, Any]:
    """Collect the checks, what they mean together, and the comparison of orders."""
    n = len(report.items("chain.checks"))
    return {
        "trust": trust_heading(report) if n else None,
        "checks": [_check(report.at(f"chain.checks[{i}]"), report) for i in range(n)],
        "order": _order(report),
        "orders": _orders(report),
    }


def trust_heading(report: Reader) -> Sentence:
    """What the checks mean together."""
    checks = report.items("chain.checks")
    verdicts = [check["verdict"] for check in checks]
    what: Any = None
    for i, verdict in enumerate(verdicts):
        if verdict == "matters":
            check = report.at(f"chain.checks[{i}]")
            one = report.say(f"chain_on_{check.value('name')}", by=check.name("by"))
            what = one if what is None else report.say("chain_and", first=what, second=one)
    if what is not None:
        return report.say("chain_trust_matters", what=what)
    if not any(verdict in ("holds", "small") for verdict in verdicts):
        return report.say("chain_trust_unknown")
    if "unclear" in verdicts:
        return report.say("chain_trust_unclear")
    return report.say("chain_trust_holds")


def _check(check: Reader, report: Reader) -> dict[str, Any]:
    verdict, which = check.value("verdict"), check.value("name")
    by = check.name("by")
    said: list[Sentence]
    if verdict == "not_available":
        said = [check.say(f"chain_missing_{check.value('reason') or 'too_little'}")]
    else:
        said = [
            check.say(
                f"chain_check_{verdict}_{which}",
                by=by,
                effect=check.share("effect.estimate"),
                lower=check.share("effect.lower"),
                upper=check.share("effect.upper"),
                count=check.count("n_groups"),
            )
        ]
    if verdict == "matters" and check.items("worst"):
        said.append(_where(check, report))
    if check.value("consequence") != "none":
        said.append(check.say(f"chain_advice_{check.value('consequence')}", by=by))
    return {
        "look": LOOKS[verdict],
        "label": check.say(f"chain_label_{verdict}"),
        "title": check.say(f"chain_title_{which}", by=by),
        "said": said,
    }


def _where(check: Reader, report: Reader) -> Sentence:
    """The state that adds most to a deviation, and where its rows are furthest apart."""
    worst = check.at("worst[0]")
    follows = {"goal": "chain_follows_goal", "dropped": "chain_follows_dropped"}.get(worst.value("end"))
    if follows is None:
        follows = "chain_follows" if worst.value("target") is not None else "chain_follows_rare"
    return check.say(
        "chain_where",
        state=worst.name("state"),
        group=_group(check, worst, report),
        follows=check.say(follows, target=worst.name("target")),
        share=worst.share("share"),
        usual=worst.share("usual"),
    )


def _group(check: Reader, worst: Reader, report: Reader) -> Sentence:
    which = check.value("name")
    if worst.value("at_start"):
        return check.say("chain_group_start")
    if worst.value("group") is None:
        return check.say(f"chain_group_rare_{which}")
    if which == "stationarity":
        begin, _, end = str(worst.value("group")).partition(" to ")
        days = [
            fmt.date(f"{text}+00:00" if "T" in text else f"{text}T00:00+00:00", report.lang)
            for text in (begin, end)
        ]
        if days[0] == days[1] or fmt.MISSING in days:
            days = [begin.replace("T", " "), end.replace("T", " ")]
        return check.say("chain_group_stationarity", begin=days[0], end=days[1])
    return check.say(f"chain_group_{which}", by=check.name("by"), group=worst.name("group"))


def _order(report: Reader) -> Sentence | None:
    """Which memory is enough, and why not a longer one."""
    found = report.value("chain.order")
    if not found:
        return None
    chosen, tried = found["chosen"], [row["order"] for row in found["table"] if row["order"] is not None]
    reason = report.say(f"chain_order_{found['reason']}")
    key = "chain_order_none" if chosen == 0 else "chain_order_one" if chosen == 1 else "chain_order_more"
    return report.say(
        key,
        reason=reason,
        order=spelled(chosen, report.lang),
        number=Shown(fmt.number(chosen, report.lang), chosen),
        top=spelled(max(tried), report.lang),
    )


def _orders(report: Reader) -> list[dict[str, Any]]:
    rows = []
    for i, row in enumerate(report.items("chain.order.table")):
        at = report.at(f"chain.order.table[{i}]")
        bounds = {part: _number(at, f"heldout_per_journey.{part}") for part in ("lower", "upper")}
        rows.append(
            {
                "name": at.count("order") if row["order"] is not None else at.say("chain_order_variable"),
                "contexts": at.count("n_contexts"),
                "parameters": at.count("n_parameters"),
                "heldout": _number(at, "heldout_per_journey.estimate"),
                "bounds": at.say("interval", **bounds),
                "bic": at.count("bic"),
                "p_value": _p_value(at) if fmt.is_number(row["p_value"]) else None,
                "chosen": bool(row["chosen"]),
            }
        )
    return rows


def _number(at: Reader, address: str) -> str:
    return fmt.number(at.value(address), at.lang, 3)


def _p_value(at: Reader) -> Shown:
    value = at.value("p_value")
    least = f"< {fmt.number(SMALLEST_P, at.lang, 4)}"
    text = fmt.number(value, at.lang, 4) if value >= SMALLEST_P else least
    return Shown(text, value, f"{at.prefix}p_value" if at.has_refs else None)
