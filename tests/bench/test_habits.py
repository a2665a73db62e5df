"""The habits: counted by hand, and held against the numbers of the design note."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from journeymine.bench.habits.drivers import drivers
from journeymine.bench.habits.drops import drops
from journeymine.bench.habits.funnel import funnel
from journeymine.bench.habits.markov import markov, shrunk
from journeymine.bench.habits.odds_ratio import odds_ratio
from journeymine.bench.habits.pooled_chain import converts
from journeymine.bench.habits.removal import removal
from journeymine.bench.habits.step_matrix import step_matrix
from journeymine.bench.habits.steps import steps_of
from journeymine.fixes.fix import Fix

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., pd.DataFrame]

SOLVED = 1e-12
"""Two linear solves of the same 3 x 3 system."""

# Four convert; two are lost at Pay, one at Form, one leaves by an end after Form.
JOURNEYS = [
    ["Visit", "Form", "Pay", "Order"],
    ["Visit", "Form", "Pay", "Order"],
    ["Visit", "Form", "Pay", "Fail", "Pay", "Order"],
    ["Visit", "Pay", "Order", "Visit"],
    ["Visit", "Form", "Pay"],
    ["Visit", "Form", "Pay", "Fail", "Pay"],
    ["Visit", "Form"],
    ["Visit", "Form", "Left"],
]
FORM, PAY = Fix(kind="remove_step", activity="Form"), Fix(kind="drop_off", activity="Pay", share=0.5)
LOOP = Fix(kind="loop", activity="Pay", target="Fail", share=0.5)


def scores(ranker: Callable[..., pd.DataFrame], events: pd.DataFrame, *fixes: Fix) -> list[float]:
    answer = ranker(events, list(fixes), 0)
    assert answer["fix_id"].tolist() == [fix.id for fix in fixes]
    return answer["estimate"].tolist()


def test_journeys_are_cut_after_the_goal_and_ends_are_drop_outs(make_frame: Make) -> None:
    steps = steps_of(make_frame(JOURNEYS))
    assert steps.names == ("Fail", "Form", "Pay", "Visit")
    assert steps.n_cases == 8
    assert int((steps.next == steps.goal).sum()) == 4
    assert int((steps.next == steps.drop).sum()) == 4
    # The Visit after an order is no step.
    assert int((steps.activity == steps.code("Visit")).sum()) == 8


def test_drops_counts_who_was_lost_at_the_step(make_frame: Make) -> None:
    assert scores(drops, make_frame(JOURNEYS), FORM, PAY, LOOP) == [2, 2, 0]


def test_drops_counts_in_the_segment_and_the_period_only(make_frame: Make) -> None:
    events = make_frame(JOURNEYS, platform=["mobile", "web"] * 4)
    mobile = Fix(kind="drop_off", activity="Form", segment=("platform", "mobile"))
    late = Fix(kind="incident", activity="Form", period=("2026-01-12", "2026-02-01"))
    assert scores(drops, events, mobile, late) == [1, 1]


def test_drivers_is_exposure_times_difference(make_frame: Make) -> None:
    # Seven of eight meet the form: three of them convert; the one who does not converts.
    form = 7 / 8 * (1 - 3 / 7)
    # Two of eight meet a failed payment: one of them converts; of the others three of six do.
    fail = 2 / 8 * (3 / 6 - 1 / 2)
    assert scores(drivers, make_frame(JOURNEYS), FORM, LOOP) == pytest.approx([form, fail])


def test_odds_ratio_adds_one_to_each_count(make_frame: Make) -> None:
    # Met the form: 4 lost, 3 won; not: 0 lost, 1 won.
    assert scores(odds_ratio, make_frame(JOURNEYS), FORM) == pytest.approx([np.log(5 * 2 / (4 * 1))])


def test_funnel_loses_in_the_order_of_the_usual_path(make_frame: Make) -> None:
    # Visit 8, Form after it 7, Pay after that 5, goal 3.
    visit = Fix(kind="drop_off", activity="Visit")
    assert scores(funnel, make_frame(JOURNEYS), visit, FORM, PAY, LOOP) == [1, 2, 2, 0]


def test_step_matrix_compares_places_of_lost_and_converted(make_frame: Make) -> None:
    # Form: 4 of 4 lost and 3 of 4 converted stand there, both at the second place.
    assert scores(step_matrix, make_frame(JOURNEYS), FORM) == pytest.approx([1 - 3 / 4])


WORKED = np.array([[0.20, 0.50, 0, 0.05, 0.25], [0.10, 0, 0.60, 0, 0.30], [0, 0.15, 0.10, 0.55, 0.20]])


def worked_journeys(n: int) -> list[list[str]]:
    """Journeys of the worked example of the design note, walked."""
    rng, names = np.random.default_rng(7), ["Visit", "Form", "Pay", "Order"]
    found = []
    for _ in range(n):
        path, state = [], 0
        while state < 3:
            path.append(names[state])
            state = int(rng.choice(5, p=WORKED[state]))
        found.append([*path, "Order"] if state == 3 else path)
    return found


def test_markov_gives_the_worked_example_of_the_design(make_frame: Make) -> None:
    """0.340796 now; removing the form and rescuing everybody 0.496124, at rho 0.5 0.415091; halving the loop."""
    start = np.array([1.0, 0, 0])
    assert converts(start, WORKED) == pytest.approx(0.340796, abs=5e-7)
    form = WORKED.copy()
    form[1] = shrunk(WORKED[1], 4, 0.5)
    assert converts(start, form) - converts(start, WORKED) == pytest.approx(0.074295, abs=5e-7)


@pytest.mark.parametrize(
    ("fix", "expected"),
    [
        (Fix(kind="remove_step", activity="Form"), 0.496124),
        (Fix(kind="remove_step", activity="Form", rho=0.5), 0.415091),
        (Fix(kind="remove_step", activity="Form", rho=0.0), 0.340796),
        (Fix(kind="loop", activity="Pay", share=0.5), 0.340796),
        (Fix(kind="loop", activity="Pay", target="Form", share=0.5), 0.340796 + 0.010048),
        (Fix(kind="drop_off", activity="Pay", share=0.5), 0.340796 + 0.043959),
    ],
    ids=lambda value: value.id if isinstance(value, Fix) else str(value),
)
def test_markov_on_exact_rows_of_the_worked_example(
    fix: Fix, expected: float, make_frame: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are set to the published ones, so that the what-if alone is tested."""
    events = make_frame(worked_journeys(200))
    steps = steps_of(events)
    order = [steps.code(name) for name in ("Visit", "Form", "Pay")]
    rows = np.zeros((3, 5))
    rows[np.ix_(order, [*order, 3, 4])] = WORKED
    monkeypatch.setattr("journeymine.bench.habits.markov.move_counts", lambda _: rows)
    if fix.kind == "drop_off":
        # Half of the drop-outs that were counted, whatever the rows say.
        assert (steps.next[steps.activity == steps.code("Pay")] == steps.drop).any()
    assert scores(markov, events, fix)[0] == pytest.approx(expected - 0.340796, abs=1.1e-6)


def test_markov_brings_a_segment_to_the_others(make_frame: Make) -> None:
    # Mobile: 3 of 4 lost at Visit; web: 1 of 4. Brought to the others: 2 of 8 are saved.
    journeys = [["Visit"]] * 3 + [["Visit", "Order"]] + [["Visit"]] + [["Visit", "Order"]] * 3
    events = make_frame(journeys, platform=["mobile"] * 4 + ["web"] * 4)
    fix = Fix(kind="drop_off", activity="Visit", segment=("platform", "mobile"))
    assert scores(markov, events, fix) == pytest.approx([2 / 8], abs=SOLVED)


def test_markov_reroutes_and_repairs_switches(make_frame: Make) -> None:
    journeys = [["Visit", "Mail"], ["Visit", "Mail"], ["Visit", "Chat", "Order"], ["Visit", "Chat", "Order"]]
    reroute = Fix(kind="reroute", activity="Visit", target="Mail", to="Chat", share=0.5)
    assert scores(markov, make_frame(journeys), reroute) == pytest.approx([0.25], abs=SOLVED)


def test_removal_is_the_relative_loss(make_frame: Make) -> None:
    # Without Form only the journey that skips it converts: one of the four conversions... on the chain.
    events = make_frame([["Visit", "Form", "Order"]] * 3 + [["Visit", "Order"]])
    assert scores(removal, events, FORM) == pytest.approx([3 / 4], abs=SOLVED)


@pytest.mark.parametrize("ranker", [drops, drivers, odds_ratio, funnel, step_matrix, removal, markov])
def test_row_order_does_not_matter_and_nobody_there_is_zero(
    ranker: Callable[..., pd.DataFrame], make_frame: Make
) -> None:
    events = make_frame(JOURNEYS, channel=list("aabbabab"))
    shuffled = events.sample(frac=1, random_state=3)
    shuffled.attrs.update(events.attrs)
    nobody = Fix(kind="wait", activity="Never seen")
    fixes = [FORM, PAY, LOOP, Fix(kind="wait", activity="Form"), nobody]
    first, second = (ranker(e, fixes, 0) for e in (events, shuffled))
    pd.testing.assert_frame_equal(first, second)
    assert first["estimate"].iloc[-1] == pytest.approx(0.0, abs=0.7)  # odds of one in each count
    assert np.isfinite(first["estimate"]).all()
