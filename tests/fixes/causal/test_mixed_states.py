"""Two activities under one name: found where the past betrays them, not found where there is one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.sequences import SequenceCounts
from journeymine.fixes.causal.mixed_states import StateMixture, mixed_states
from journeymine.markov.checks.check_groups import by_step_before
from journeymine.markov.checks.check_tables import moves_by_state
from journeymine.markov.checks.check_tests import deviation, table_of

A, B, FORM, CODE = range(4)
STATES = ("A", "B", "Form", "Code")
RUNS = 40


def mixture_world(
    n: int,
    seed: int,
    *,
    told: float = 0.0,
    kinds: bool = False,
    journeys: int = 1,
    attempts: float = 0.0,
    buckets: bool = False,
) -> SequenceCounts:
    """From A or B to the form, which is of two kinds with drop-outs .1 and .5, or of one with .3.

    `told`: how often A or B says which; `kinds`: customers stay with one kind; `attempts`: what each visit of the
    form adds to its drop-out. From the form half go back to it by way of a code or at once, the others convert.
    """
    rng = np.random.default_rng(seed)
    codes: list[int] = []
    length, last, unit = [], [], []
    own = rng.random(n) < 0.5
    for customer in range(n):
        for _ in range(journeys):
            start = int(rng.integers(2))
            path = [start]
            kind = bool(own[customer]) if kinds else bool(start) if rng.random() < told else None
            at, attempt = FORM, 0
            while True:
                path.append(at)
                if at == CODE:
                    at = FORM
                    if rng.random() < 0.3:
                        last.append(DROP)
                        break
                    continue
                either = rng.random() < 0.5 if kind is None and told else kind
                drop = 0.3 if either is None else 0.1 if either else 0.5
                drop += attempts * attempt
                attempt += 1
                u = rng.random()
                if u < drop or u >= drop + (1 - drop) * 0.5:
                    last.append(DROP if u < drop else GOAL)
                    break
                at = FORM if u < drop + (1 - drop) * 0.2 else CODE
            codes += path
            length.append(len(path))
            unit.append(customer % 200 if buckets else customer)
    begin = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    zero = np.zeros(len(unit), np.int64)
    return SequenceCounts(
        STATES,
        np.array(codes),
        begin,
        np.array(last),
        np.array(unit),
        zero,
        zero + 1,
        ((),),
        max(unit) + 1,
        buckets,
    )


def form_is_mixed(sequences: SequenceCounts) -> bool:
    return mixed_states(sequences)[FORM].mixed


def test_found_where_the_step_before_tells() -> None:
    found = [form_is_mixed(mixture_world(600, seed, told=1.0)) for seed in range(20)]
    assert sum(found) == 20


def test_found_where_the_step_before_tells_half_the_time() -> None:
    found = [form_is_mixed(mixture_world(1500, seed, told=0.6)) for seed in range(10)]
    assert sum(found) >= 8


def test_found_where_customers_repeat_their_kind() -> None:
    worlds = [mixture_world(700, seed, kinds=True, journeys=4) for seed in range(20)]
    found = [mixed_states(world)[FORM] for world in worlds]
    assert sum(state.mixed for state in found) >= 16
    before, repeats = found[0].before, found[0].repeats
    assert before is not None
    assert repeats is not None
    assert before.q_value > 0.01  # the step before knows nothing of it


@pytest.mark.parametrize("setting", [{}, {"journeys": 3}, {"attempts": 0.15}, {"buckets": True}])
def test_one_activity_is_left_alone(setting: dict[str, float]) -> None:
    """Also where drop-out grows with the attempt, which is held fixed; no state of the log is called mixed."""
    alarms = sum(
        any(state.mixed for state in mixed_states(mixture_world(500, seed, **setting)))
        for seed in range(RUNS)
    )
    assert alarms <= 2  # 5 %


def test_p_values_are_no_smaller_than_they_say() -> None:
    p = np.array(
        [
            one.p_value
            for seed in range(RUNS)
            for state in mixed_states(mixture_world(400, seed, journeys=2))
            for one in (state.before, state.repeats)
            if one is not None
        ]
    )
    assert len(p) > 2 * RUNS
    assert (p < 0.05).mean() <= 0.10


def test_effect_is_the_distance_of_the_rows() -> None:
    """Rows of the two kinds differ by .4 in drop-out, .2 in the goal, .12 and .08 in coming back; half are of each.

    The step before tells on the first attempt only: later it is the form itself, or the code.
    """
    world = mixture_world(8000, 1, told=1.0)
    first = world.n_sequences / (world.code == FORM).sum()
    expected = np.sqrt(first * 0.25 * (0.4**2 + 0.2**2 + 0.12**2 + 0.08**2) / 2)
    state = mixed_states(world)[FORM]
    assert state.before is not None
    assert state.before.effect == pytest.approx(expected, abs=0.01)  # its standard error is 0.004


def test_one_cell_and_first_attempts_equal_the_check_of_a_chain() -> None:
    """Without repeats and with one cell it is the deviation that `chain.checks` prints."""
    world = mixture_world(2000, 2, told=0.7)
    keep = np.array(
        [
            len(set(world.code[a:b].tolist())) == b - a
            for a, b in zip(world.begin[:-1], world.begin[1:], strict=True)
        ]
    )
    world = world.take(keep)
    world = replace(world, unit=world.unit % 60, n_units=60, buckets=True)
    tables = {moves.state: table_of(moves) for moves in moves_by_state(by_step_before(world))}
    expected, found = deviation(tables[FORM]), mixed_states(world)[FORM].before
    assert expected is not None
    assert found is not None
    assert found.effect == pytest.approx(expected.effect, abs=1e-9)
    assert found.p_value == pytest.approx(expected.p_value, rel=1e-6)


def test_pairs_by_plain_loops() -> None:
    """The effect of repeats: mean product of what two visits of a customer depart from their row by."""
    world = mixture_world(300, 3, kinds=True, journeys=3)
    rows: dict[int, list[np.ndarray]] = {}
    visits = []
    for s in range(world.n_sequences):
        attempt = 0
        path = world.code[world.begin[s] : world.begin[s + 1]].tolist()
        for place, state in enumerate(path):
            if state != FORM:
                continue
            target = path[place + 1] if place + 1 < len(path) else int(world.last[s])
            step = np.zeros(6)
            step[{GOAL: 4, DROP: 5}.get(target, target)] = 1
            stratum = min(attempt, 2)
            rows.setdefault(stratum, []).append(step)
            visits.append((int(world.unit[s]), stratum, step))
            attempt += 1
    mean = {stratum: np.mean(steps, axis=0) for stratum, steps in rows.items()}
    products = [
        (a - mean[p]) @ (b - mean[q])
        for i, (u, p, a) in enumerate(visits)
        for v, q, b in visits[i + 1 :]
        if u == v
    ]
    repeats = mixed_states(world)[FORM].repeats
    assert repeats is not None
    assert repeats.n == len(products)
    assert repeats.effect == pytest.approx(np.sqrt(np.mean(products) / 2), abs=1e-9)


def key(states: tuple[StateMixture, ...]) -> list[float]:
    return [one.p_value for s in states for one in (s.before, s.repeats) if one is not None]


def test_same_for_counted_and_for_single_sequences() -> None:
    world = mixture_world(500, 4, told=0.5, journeys=2)
    twice = replace(world, n=world.n * 2)
    apart = SequenceCounts(
        world.states,
        np.tile(world.code, 2),
        np.concatenate([world.begin, world.begin[1:] + world.begin[-1]]),
        np.tile(world.last, 2),
        np.tile(world.unit, 2),
        np.tile(world.cell, 2),
        np.tile(world.n, 2),
        world.cells,
        world.n_units,
    )
    assert key(mixed_states(twice)) == pytest.approx(key(mixed_states(apart)), rel=1e-6)


def test_few_visits_say_nothing() -> None:
    state = mixed_states(mixture_world(20, 5, told=1.0))[FORM]
    assert (state.before, state.repeats, state.mixed) == (None, None, False)
