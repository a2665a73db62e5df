"""Worlds against published numbers: the reference simulator's truth table and the hand-checkable example."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from journeymine.errors import OptionError
from journeymine.fixes.fix import Fix
from journeymine.simulate.worlds.build import world_of
from journeymine.simulate.worlds.plan import Habits, Plan
from journeymine.simulate.worlds.shape import GOAL, Idea, Places, Shape, Step, Wait

if TYPE_CHECKING:
    from journeymine.simulate.worlds.known import World

NOWHERE = Places(
    first="B", hub="C", inert="F", late="P", help="S", switched="C", uneven="B", merged=("B", "F")
)

REFERENCE = Shape(
    name="reference",
    steps={
        "B": Step("Browse", "web", 0.40, {"C": 0.35, "B": 0.25}),
        "C": Step("Consider", "web", 0.20, {"F": 0.55, "S": 0.18, "B": 0.07}),
        "F": Step("Form", "web", 0.16, {"V": 0.70, "S": 0.10}),
        "V": Step("Verification", "web", 0.0, {"P": 1.0}, Wait(1.0, 0.8, 0.12)),
        "P": Step("Pay", "web", 0.16, {GOAL: 0.48, "E": 0.36}),
        "E": Step("Error", "web", 0.22, {"P": 1.0}),
        "S": Step("Support", "phone", 0.45, {"C": 0.3, "F": 0.25}),
    },
    first={"B": 1.0},
    loop=("P", "E"),
    goal=("Conv", "web"),
    left=None,
    ideas=(
        Idea("remove_step", "F"),
        Idea("wait", "V", 0.5),
        Idea("loop", "P", 0.5, target="E"),
        Idea("drop_off", "P", 0.3),
        Idea("drop_off", "S", 0.5),
        Idea("drop_off", "B", 0.1),
    ),
    places=NOWHERE,
    segments={"platform": {"a": 0.5, "b": 0.5}},
    values=(1.0, 1.0),
)
"""The script that made the reference numbers as a table (its waits have no cap)."""

MEMORY = {"E": (0.15, 0.45, 0.70, 0.85)}
# Design note, section 7.1: base in per cent; effects in points, in the order of the ideas.
TABLE = {
    "A": (Habits(), {}, 10.64, (2.15, 2.10, 0.77, 0.86, 0.85, 1.01)),
    "B": (Habits(segment=1.2, help_segment=1.2), {}, 12.39, (1.97, 2.08, 0.71, 0.78, 1.18, 0.91)),
    "C": (Habits(), MEMORY, 10.51, (2.12, 2.07, 0.95, 0.81, 0.84, 0.99)),
    "D": (Habits(intent=1.0), {}, 16.29, (1.79, 2.25, 0.71, 0.74, 0.83, 0.87)),
    "E": (
        Habits(intent=1.0, segment=0.6, help_intent=0.9, help_segment=0.6),
        MEMORY,
        14.47,
        (1.77, 2.03, 1.02, 0.65, 1.40, 0.80),
    ),
}
PRINTED = 0.005 + 1e-9
"""Numbers are printed with two digits."""


def reference(name: str) -> World:
    habits, later, _, _ = TABLE[name]
    shape = replace(REFERENCE, later=later)
    return world_of(Plan(shape, name, "reference", habits=habits, cap_days=float("inf")))


@pytest.mark.parametrize("name", list(TABLE))
def test_the_reference_simulators_truth_table(name: str) -> None:
    _, _, base, effects = TABLE[name]
    here = reference(name)
    assert 100 * here.base == pytest.approx(base, abs=PRINTED)
    assert (100 * here.truth["effect"]).tolist() == pytest.approx(list(effects), abs=PRINTED)


EXAMPLE = replace(
    REFERENCE,
    steps={
        "V": Step("Visit", "web", 0.25, {"V": 0.20, "F": 0.50, GOAL: 0.05}),
        "F": Step("Form", "web", 0.30, {"V": 0.10, "P": 0.60}),
        "P": Step("Pay", "web", 0.20, {"F": 0.15, "P": 0.10, GOAL: 0.55}),
    },
    first={"V": 1.0},
    loop=(),
    ideas=(),
    places=Places(
        first="V", hub="V", inert="F", late="P", help="F", switched="F", uneven="F", merged=("V", "F")
    ),
)
SIX_DIGITS = 5.1e-7


@pytest.fixture(scope="module")
def example() -> World:
    return world_of(Plan(EXAMPLE, "example", "design note, section 6"))


@pytest.mark.parametrize(
    ("fix", "conversion"),
    [
        (Fix(kind="drop_off", activity="Form", share=0.5), 0.340796 + 0.074295),
        (Fix(kind="drop_off", activity="Pay", share=0.5), 0.340796 + 0.043959),
        (Fix(kind="loop", activity="Pay", target="Form", share=0.5), 0.340796 + 0.010048),
        (Fix(kind="loop", activity="Visit", target="Form", share=0.5), 0.340796 - 0.077711),
        (Fix(kind="loop", activity="Pay", share=0.5), 0.340796),
        (Fix(kind="remove_step", activity="Form"), 0.496124),
    ],
    ids=lambda value: value.id if isinstance(value, Fix) else "",
)
def test_the_worked_example(example: World, fix: Fix, conversion: float) -> None:
    assert example.base == pytest.approx(0.340796, abs=SIX_DIGITS)
    assert example.base + example.effect(fix) == pytest.approx(conversion, abs=2 * SIX_DIGITS)


def test_two_fixes_of_the_worked_example_together(example: World) -> None:
    pair = [Fix(kind="drop_off", activity=name, share=0.5) for name in ("Form", "Pay")]
    assert example.joint_effect(pair) == pytest.approx(0.131862, abs=SIX_DIGITS)
    assert sum(example.effect(fix) for fix in pair) == pytest.approx(0.118254, abs=2 * SIX_DIGITS)
    assert example.joint_effect(pair) == example.joint_effect(pair[::-1])


@pytest.mark.parametrize(
    ("fix", "words"),
    [
        (Fix(kind="drop_off", activity="Fomr"), "did you mean 'Form'"),
        (Fix(kind="loop", activity="Pay", target="Nowhere", share=0.5), "no activity before the goal"),
        (Fix(kind="wait", activity="Form"), "nobody waits after 'Form'"),
        (Fix(kind="drop_off", activity="Form", rho=0.5), "do what their type does"),
        (Fix(kind="drop_off", activity="Form", segment=("country", "FR")), "no segment of this world"),
        (Fix(kind="drop_off", activity="Form", segment=("platform", "c")), "no value of platform"),
        (Fix(kind="reroute", activity="Form", to="Nowhere"), "no activity before the goal"),
        (
            Fix(kind="incident", activity="Form", period=("2026-01-05", "2027-01-05")),
            "no part of the calendar",
        ),
    ],
    ids=lambda value: value.id if isinstance(value, Fix) else "",
)
def test_a_fix_that_makes_no_sense_is_refused(example: World, fix: Fix, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        example.effect(fix)


def test_unknown_ids_and_outcomes_are_refused(example: World) -> None:
    with pytest.raises(OptionError, match="no fix of this world"):
        example.effect("drop_off:Form")
    with pytest.raises(OptionError, match="outcome is 'speed'"):
        example.effect(Fix(kind="drop_off", activity="Form"), "speed")
