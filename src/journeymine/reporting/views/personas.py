"""The personas section: a card for each kind of customers, or one sentence that there is only one kind."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from journeymine import _format as fmt
from journeymine.draw.svg import Rect, decoration
from journeymine.draw.text import clean
from journeymine.reporting.phrases import Shown, name, spelled
from journeymine.reporting.views.markup import drawn

if TYPE_CHECKING:
    from journeymine.reporting.phrases import Sentence
    from journeymine.reporting.reader import Reader

MOST_CARDS, MOST_MARKS, MOST_CHIPS, MOST_SEGMENTS = 6, 3, 6, 2
NOTICED: Final = 0.05
"""Visits per journey, or probability, by which a mark must differ to be told."""
LARGEST_LIFT: Final = 10.0
"""A larger one counts as this one where marks are put in order: then the other's share is nearly nothing."""
RARE: Final = 0.005
MANY_VISITS: Final = 1.5
BAR: Final = 120.0


def personas_view(report: Reader) -> dict[str, Any] | None:
    """Collect what the section shows; None where no personas were looked for."""
    n = len(report.items("personas.list"))
    if not n:
        return None
    member = report.value("personas.member")
    if n == 1:
        return {
            "heading": report.say(f"personas_head_one_{member}"),
            "sub": [report.say(f"personas_one_{member}", count=_members(report)), *_warnings(report)],
            "cards": [],
            "rest": None,
        }
    people = [_Persona.of(report, i) for i in range(n)]
    titles = _titles(people)
    return {
        "heading": heading_of(report),
        "sub": [report.say(f"personas_sub_{member}"), _stability(report), *_warnings(report)],
        "cards": [_card(*pair) for pair in zip(people[:MOST_CARDS], titles, strict=False)],
        "rest": _rest(report, n),
    }


def heading_of(report: Reader) -> Sentence:
    """Return the finding of the section: how many kinds, and how far their conversions are apart."""
    rows = report.items("personas.list")
    member, count = report.value("personas.member"), spelled(len(rows), report.lang)
    if "unstable" in report.items("personas.warnings"):
        return report.say(f"personas_head_unstable_{member}", count=count)
    known = [i for i, row in enumerate(rows) if row["conversion"]]
    if not known:
        return report.say(f"personas_head_plain_{member}", count=count)
    low = min(known, key=lambda i: rows[i]["conversion"]["estimate"])
    high = max(known, key=lambda i: rows[i]["conversion"]["estimate"])
    if rows[low]["conversion"]["upper"] >= rows[high]["conversion"]["lower"]:
        return report.say(f"personas_head_plain_{member}", count=count)
    low_share, high_share = (report.share(f"personas.list[{i}].conversion.estimate") for i in (low, high))
    return report.say(f"personas_head_{member}", count=count, low=low_share, high=high_share)


def _members(report: Reader) -> Shown:
    return report.count("personas.n_members")


def _stability(report: Reader) -> Sentence:
    """How far kinds found afresh agree with these."""
    parts = {}
    for part in ("estimate", "lower", "upper"):
        address = f"personas.stability.{part}"
        value = report.value(address)
        parts[part] = Shown(fmt.number(value, report.lang, 2), value, address if report.has_refs else None)
    return report.say("personas_stability", **parts)


def _warnings(report: Reader) -> list[Sentence]:
    return [report.say(f"personas_warning_{key}") for key in report.items("personas.warnings")]


def _rest(report: Reader, n: int) -> Sentence | None:
    if n <= MOST_CARDS:
        return None
    return report.say("personas_rest", count=Shown(fmt.number(n - MOST_CARDS, report.lang), n - MOST_CARDS))


@dataclass(frozen=True, slots=True)
class _Persona:
    """One persona, with its marks by how much they tell."""

    at: Reader
    marks: tuple[int, ...]

    @classmethod
    def of(cls, report: Reader, i: int) -> _Persona:
        at = report.at(f"personas.list[{i}]")
        visits = {row["state"]: _size(row["visits"]) for row in report.items("chain.outcomes")}
        weights = {j: _weight(mark, visits) for j, mark in enumerate(at.items("marks"))}
        told = [j for j, weight in weights.items() if weight > 0]
        return cls(at, tuple(sorted(told, key=lambda j: (-round(weights[j], 9), j))))


def _size(estimate: Any) -> float:
    return float(estimate["estimate"]) if estimate else 0.0


def _weight(mark: dict[str, Any], visits: dict[str, float]) -> float:
    """How much a mark tells: by amount and by proportion; what is done more tells more than what is not."""
    more = mark["share"] > mark["others"]
    gap = abs(mark["share"] - mark["others"])
    if gap < NOTICED or not mark["lift"]:
        return 0.0
    sure = mark["lift"]["lower"] if more else 1 / max(mark["lift"]["upper"], 1 / LARGEST_LIFT)
    # What follows a step that few journeys come to says little about most.
    often = min(visits.get(mark["source"], 1.0), 1.0) if mark["kind"] == "move" else 1.0
    return float(often * min(gap, 1.0) * math.log(min(max(sure, 1.0), LARGEST_LIFT)) * (1.0 if more else 0.5))


def _titles(people: list[_Persona]) -> list[Sentence]:
    """A name for each persona: the mark that tells most and that no other one is named by."""
    used: set[str] = set()
    titles = []
    for persona in people:
        said = [_named(persona.at.at(f"marks[{j}]")) for j in persona.marks]
        free = next((sentence for sentence in said if sentence.text not in used), None)
        title = free or persona.at.say("personas_nameless", number=persona.at.count("number"))
        used.add(title.text)
        titles.append(title)
    return titles


def _named(mark: Reader) -> Sentence:
    """A mark as the name of a persona."""
    kind, share = _kind(mark), mark.value("share")
    if share > mark.value("others"):
        how = "many" if kind == "state" and share >= MANY_VISITS else "more"
    else:
        how = "rare" if share < NOTICED else "less"
    return mark.say(f"personas_name_{kind}_{how}", source=mark.name("source"), target=mark.name("target"))


def _kind(mark: Reader) -> str:
    kind = str(mark.value("kind"))
    if kind != "move":
        return "start_goal" if mark.value("end") == "goal" and kind == "start" else kind
    if mark.value("end"):
        return str(mark.value("end"))
    return "again" if mark.value("source") == mark.value("target") else "move"


def _card(person: _Persona, title: Sentence) -> dict[str, Any]:
    persona = person.at
    return {
        "title": title,
        "facts": [
            {
                "label": persona.say(f"personas_{key}"),
                "value": getattr(persona, kind)(f"{key}.estimate"),
                "bounds": persona.interval(key, kind),
                "bar": _bar(persona.value(f"{key}.estimate"), token) if token else None,
            }
            for key, kind, token in (
                ("size", "share", "data"),
                ("conversion", "share", "good"),
                ("events", "amount", None),
            )
            if persona.value(key)
        ],
        "marks": [_mark(persona.at(f"marks[{j}]")) for j in person.marks[:MOST_MARKS]],
        "segments": [_segment(persona.at(f"segments[{j}]")) for j in _segments(persona)],
        "chips": _chips(persona),
        "end": persona.value("path_end"),
        "end_label": persona.say(f"personas_end_{persona.value('path_end')}")
        if persona.value("path_end")
        else None,
        "path_share": persona.share("path_share.estimate"),
    }


def _bar(share: float, token: str) -> Any:
    full = Rect(x=0, y=0, width=BAR, height=6, fill="line", radius=3)
    part = Rect(x=0, y=0, width=max(BAR * share, 2.0), height=6, fill=token, radius=3)
    return drawn(decoration((full, part), BAR, 6, kind="bar"))


def _mark(mark: Reader) -> dict[str, Any]:
    """What marks a persona: what it does, how often, how often the others do it, and the ratio."""
    kind = _kind(mark)
    is_state = kind == "state"
    show = "amount" if is_state else "share"
    return {
        "what": mark.say(f"personas_mark_{kind}", source=mark.name("source"), target=mark.name("target")),
        "share": mark.say(
            f"personas_{'visits' if is_state else 'shares'}",
            share=getattr(mark, show)("share"),
            others=getattr(mark, show)("others"),
        ),
        "lift": _lift(mark),
    }


def _lift(mark: Reader) -> Sentence:
    """The ratio in words; where one side hardly ever does it the ratio says nothing."""
    if mark.value("others") < RARE:
        return mark.say("personas_only")
    if mark.value("share") < RARE:
        return mark.say("personas_never")
    return mark.say("personas_lift", lift=mark.amount("lift.estimate"))


def _segments(persona: Reader) -> list[int]:
    """Values that are more frequent than among the others, the largest difference first."""
    rows = persona.items("segments")
    more = [j for j, row in enumerate(rows) if row["share"] - row["others"] >= NOTICED]
    return sorted(more, key=lambda j: (rows[j]["others"] - rows[j]["share"], j))[:MOST_SEGMENTS]


def _segment(segment: Reader) -> Sentence:
    return segment.say(
        "personas_segment",
        column=segment.name("column"),
        value=segment.name("value"),
        share=segment.share("share"),
        others=segment.share("others"),
    )


def _chips(persona: Reader) -> list[dict[str, Any]]:
    """The typical path; repeats are folded, the middle of a long one is left out."""
    runs = [(step, len(list(same))) for step, same in groupby(persona.items("path"))]
    chips: list[dict[str, Any]] = []
    for step, times in runs:
        shown, full = name(step, persona.lang), clean(step)
        more = Shown(f"×{fmt.number(times, persona.lang)}", times) if times > 1 else None
        chips.append({"name": shown, "times": more, "is_gap": False, "full": full if full != shown else None})
    if len(chips) <= MOST_CHIPS:
        return chips
    hidden = persona.say("path_more", count=fmt.number(len(chips) - MOST_CHIPS + 1, persona.lang))
    gap = {"name": hidden, "times": None, "is_gap": True, "full": None}
    return [*chips[: MOST_CHIPS - 3], gap, *chips[-2:]]
