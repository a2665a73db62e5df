"""Why a fix is believed, what would change our mind, and what to be careful about: a few sentences from its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journeymine import _format as fmt
from journeymine.reporting.phrases import name
from journeymine.reporting.wording import fixes as words
from journeymine.reporting.wording.fix_numbers import (
    amounts_shown,
    effect_number,
    effect_shown,
    listed,
    times_shown,
)

if TYPE_CHECKING:
    from journeymine.reporting.phrases import Sentence, Shown
    from journeymine.reporting.reader import Reader

WEAK_E: Final = 1.05
"""An E-value below this says that nothing is needed to explain an association away."""
SMALL_RHO: Final = 0.005
HARDLY_SHRUNK: Final = 0.95
"""Above this share the list says that found differences are shrunk, and the fix need not."""


def why_of(fix: Reader, outcome: str) -> list[Sentence]:
    """Say why the number is believed."""
    out = [_difference(fix)]
    if fix.value("evidence") == "experiment":
        out.append(fix.say("fix_why_measured"))
    elif fix.value("evidence") == "adjusted":
        out.append(fix.say("fix_why_adjusted"))
    if fix.value("exposure"):
        out.append(_say_estimate(fix, "fix_why_exposure", effect_shown(fix, "exposure", "conversion")))
    if fix.value("negative_control") and not control_fails(fix):
        out.append(_say_estimate(fix, "fix_why_control", amounts_shown(fix, "negative_control")))
    if fix.value("above_zero") and words.is_sure(fix):
        out.append(fix.say("fix_why_sure"))
    return out


def _difference(fix: Reader) -> Sentence:
    kind = words.kind_of(fix)
    if kind in words.NEEDS_REFERENCE and not words.has_reference(fix):
        kind = "assumed"
    fields = words.common_fields(fix) | words.shares_of(fix)
    return fix.say(f"fix_why_{kind}", saved=words.saved_of(fix), **fields)


def _say_estimate(fix: Reader, key: str, shown: tuple[Shown, Shown, Shown]) -> Sentence:
    estimate, lower, upper = shown
    return fix.say(key, effect=estimate, bounds=fix.say("interval", lower=lower, upper=upper))


def control_fails(fix: Reader) -> bool:
    """Whether the fix shows an effect on what came before it."""
    lower, upper = (fix.value(f"negative_control.{part}") for part in ("lower", "upper"))
    return fmt.is_number(lower) and fmt.is_number(upper) and not lower <= 0 <= upper


def mind_of(fix: Reader, outcome: str) -> list[Sentence]:
    """Say what would have to be so, or be seen, for us to drop the fix."""
    out = []
    if not words.is_sure(fix):
        _, lower, upper = effect_shown(fix, "effect", outcome)
        out.append(fix.say("fix_mind_unsure", lower=lower, upper=upper))
    if control_fails(fix):
        out.append(_say_estimate(fix, "fix_mind_control", amounts_shown(fix, "negative_control")))
    out += _rescued(fix, outcome) + _unseen(fix)
    if words.can_be_tested(fix):
        # The plan's effect is a change of the share that reaches the goal, whatever is ranked.
        out.append(fix.say("fix_mind_plan", mde=effect_number(fix, "plan.mde", "conversion")))
    if "not_standardised" in fix.items("why_grade"):
        out.append(fix.say("fix_mind_not_standardised"))
    if fix.value("evidence") not in {"adjusted", "experiment"}:
        out.append(fix.say("fix_mind_association"))
    return out


def _rescued(fix: Reader, outcome: str) -> list[Sentence]:
    """Say what the gain rests on: that those rescued behave like the rest."""
    zero, place = fix.value("rho_zero"), fix.value("rho_break_even")
    if fix.value("evidence") == "experiment":
        return []
    rows = [row for row in fix.items("effect_rho") if fmt.is_number(row.get("rho")) and row["rho"] < 1]
    out = []
    if rows and fix.value("kind") != "reroute":
        first = fix.share("effect_rho[0].rho")
        effect = effect_number(fix, "effect_rho[0].effect", outcome)
        out.append(fix.say("fix_mind_rho", first=first, effect=effect))
    if fmt.is_number(zero) and zero > SMALL_RHO:
        out.append(fix.say("fix_mind_worth", rho=fix.share("rho_zero")))
    elif zero is None and fix.value("effect_rho"):
        out.append(fix.say("fix_mind_not_worth"))
    if fmt.is_number(place) and place > max(SMALL_RHO, zero or 0.0):
        out.append(fix.say("fix_mind_place", rho=fix.share("rho_break_even")))
    return out


def _unseen(fix: Reader) -> list[Sentence]:
    """Say how strong something unseen would have to be (the E-value of VanderWeele and Ding 2017)."""
    e, bound = times_shown(fix, "e_value"), times_shown(fix, "e_value_bound")
    if e is None or bound is None or e.value < WEAK_E or fix.value("evidence") == "experiment":
        return []
    if bound.value < WEAK_E:
        return [fix.say("fix_mind_e_value_weak", e=e)]
    return [fix.say("fix_mind_e_value", e=e, bound=bound)]


def caveats_of(fix: Reader) -> list[Sentence]:
    """Say what to be careful about, one sentence a flag."""
    return [sentence for flag in fix.items("flags") if (sentence := _caveat(fix, flag))]


def _caveat(fix: Reader, flag: str) -> Sentence | None:
    if flag == "positivity":
        cells = [name(cell, fix.lang) for cell in fix.items("overlap.cells_without")]
        if cells:
            return fix.say("fix_caveat_positivity", cells=listed(cells, fix.lang))
        return fix.say("fix_caveat_positivity_unnamed")
    if flag == "selected":
        shrinkage = fix.value("shrinkage")
        if fmt.is_number(shrinkage) and shrinkage > HARDLY_SHRUNK:
            return None
        if fmt.is_number(shrinkage):
            return fix.say("fix_caveat_selected", shrinkage=fix.share("shrinkage"))
        return fix.say("fix_caveat_selected_plain")
    known = {"mixed_state", "interaction", "few_visits", "silent_waits", "carry_over"}
    return fix.say(f"fix_caveat_{flag}") if flag in known else None


def ties_of(fix: Reader, ranks: dict[str, Shown]) -> Sentence | None:
    """Name the fixes that cannot be told from this one, by their numbers."""
    others = sorted((ranks[other] for other in fix.items("tied_with") if other in ranks), key=_value)
    return fix.say("fix_ties", others=listed(others, fix.lang)) if others else None


def _value(shown: Shown) -> int:
    return int(shown.value)
