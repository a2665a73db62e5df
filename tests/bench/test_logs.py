"""Logs of the benchmark: cleaned the same for everybody, and readable from their facts alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from journeymine.bench import own
from journeymine.bench.facts import N_DRAWS, Facts
from journeymine.bench.habits.drops import drops
from journeymine.bench.habits.steps import steps_of
from journeymine.bench.logs import LogKey, cleaned, make_log
from journeymine.bench.own import journeymine
from journeymine.simulate.worlds import SCENARIOS, SHAPES, journeys, world

if TYPE_CHECKING:
    from collections.abc import Callable

N, ENOUGH = 700, 1500
"""Journeys; and so many that our ranker finds somebody at every fix."""
LONGEST = 60
"""Rows of a case from which it is a bot; simulated journeys have at most 34 of 10,000, bots 150."""


@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if name != "dirty"])
def test_sound_logs_pass_as_they_are(scenario: str) -> None:
    shape = SHAPES[SCENARIOS.index(scenario) % len(SHAPES)]
    frame, _ = journeys(shape, scenario, n=N, seed=3)
    pd.testing.assert_frame_equal(make_log(LogKey(shape, scenario, N, 3)).events, frame)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_ranker_gets_dirty_logs_without_bots_and_copies(shape: str) -> None:
    frame, _ = journeys(shape, "dirty", n=N, seed=3)
    events = make_log(LogKey(shape, "dirty", N, 3)).events
    assert frame.duplicated().any()
    assert frame.groupby("case_id").size().max() > LONGEST
    assert not events.duplicated().any()
    assert events.groupby("case_id").size().max() <= LONGEST
    # What the loader rejects stays, so that a ranker has to face it.
    assert events["timestamp"].isna().any()
    sound = frame[frame["case_id"].str.startswith("J")]
    assert set(events["case_id"]) == set(sound["case_id"])
    assert events.index.tolist() == list(range(len(events)))


def test_habits_no_longer_count_bots() -> None:
    log = make_log(LogKey("shop", "dirty", N, 3))
    assert steps_of(log.events).n_cases == N
    raw, _ = journeys("shop", "dirty", n=N, seed=3)
    assert steps_of(raw).n_cases > N
    first, second = (drops(frame, list(log.fixes), 0)["estimate"].tolist() for frame in (log.events, raw))
    assert first != second


def test_cleaning_twice_is_cleaning_once_and_no_row_is_made_up() -> None:
    frame, _ = journeys("service", "dirty", n=N, seed=4)
    once = cleaned(frame)
    pd.testing.assert_frame_equal(cleaned(once), once)
    assert len(once.merge(frame.drop_duplicates(), how="inner")) == len(once)


def test_a_case_of_sixty_rows_is_kept_and_rows_without_a_case_too() -> None:
    rows = [("long", i) for i in range(60)] + [("bot", i) for i in range(61)] + [(None, 0), (None, 1)]
    found = cleaned(pd.DataFrame(rows, columns=["case_id", "timestamp"]))
    assert found["case_id"].value_counts().to_dict() == {"long": 60}
    assert found["case_id"].isna().sum() == 2


@pytest.mark.parametrize("scenario", ["markov", "dirty"])
def test_our_ranker_reads_the_frame_as_the_world_does(scenario: str) -> None:
    """The world knows what is dirty; our ranker gets the same events from the facts alone."""
    log = make_log(LogKey("subscription", scenario, N, 5))
    raw, _ = journeys("subscription", scenario, n=N, seed=5)
    facts = Facts.of(log.events)
    ours, known = own._read(log.events, facts), world("subscription", scenario).read(raw)
    assert (ours.n_events, ours.n_cases, ours.n_customers) == (
        known.n_events,
        known.n_cases,
        known.n_customers,
    )
    assert ours.end_states is not None
    assert known.end_states is not None
    assert list(ours.end_states.n) == list(known.end_states.n)
    pd.testing.assert_frame_equal(ours.transitions().to_frame(), known.transitions().to_frame())


def test_our_ranker_does_not_ask_which_world_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    log = make_log(LogKey("shop", "dirty", ENOUGH, 1), 20)

    def told(*names: object) -> None:
        raise AssertionError(f"asked for the world {names}")

    monkeypatch.setattr("journeymine.simulate.worlds.world", told)
    monkeypatch.setattr("journeymine.simulate.worlds.build.world", told)
    answer = journeymine(log.events, list(log.fixes), 0)
    renamed = log.events.copy()
    renamed.attrs.update(shape="", scenario="")
    pd.testing.assert_frame_equal(journeymine(renamed, list(log.fixes), 0), answer)


@pytest.mark.parametrize("ranker", [drops, journeymine])
def test_a_ranker_runs_on_the_frame_of_the_public_interface(ranker: Callable[..., Any]) -> None:
    frame, truth = journeys("subscription", "markov", n=ENOUGH, seed=2)
    frame.attrs["n_draws"] = 20
    answer = ranker(frame, list(world("subscription", "markov").fixes), 0)
    assert set(answer["fix_id"]) == set(truth["fix_id"])


def test_the_facts_of_the_frame_are_those_of_the_benchmark() -> None:
    frame, _ = journeys("service", 3, n=50)
    facts, told = Facts.of(frame), Facts.of(make_log(LogKey("service", "loop_memory", 50, 0), 77).events)
    assert (facts.n_draws, told.n_draws) == (N_DRAWS, 77)
    assert (facts.scenario, facts.goal, facts.end) == ("loop_memory", ("Case resolved",), ("Case withdrawn",))
    for name in ("goal", "end", "idle", "segments", "shape", "scenario"):
        assert getattr(facts, name) == getattr(told, name)
