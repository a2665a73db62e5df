"""`journeys`: the event log that a user would have, and the truth about every fix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine._checks import time_us
from journeymine.errors import OptionError, shown
from journeymine.simulate.worlds.build import world
from journeymine.simulate.worlds.dirt import soiled
from journeymine.simulate.worlds.plan import START
from journeymine.simulate.worlds.walk import Steps, walk
from journeymine.uncertainty import generator

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.simulate.worlds.known import World

    Ints = NDArray[np.int64]
    Objects = NDArray[np.object_]

RETURNING = 0.08
"""Share of the journeys that are a customer's second one; a customer keeps his intent."""
DAY_US = 86_400_000_000
VALUE_SHAPE = 4.0
"""Gamma shape of the money of a conversion: most carts are half to twice the mean."""


def journeys(
    shape: str = "shop", scenario: str | int = "markov", n: int = 10_000, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Simulate journeys of a known world, as the event log that a user would have.

    Parameters
    ----------
    shape, scenario
        See `world`.
    n
        Journeys that start. Where a scenario cuts the log, some of them lie outside it.
    seed
        Same seed, same log.

    Returns
    -------
    frame
        One row an event, in the order of time: case_id, customer_id, activity, timestamp (UTC, microseconds), channel,
        platform, source, value (money, at the goal only). `frame.attrs` says how to read it, as plain JSON: goal, end,
        idle, segments, shape, scenario.
    truth
        fix_id and effect: the exact change of the share of the starts that convert when the world has the fix,
        averaged over the population of types. `truth.attrs["fixes"]` says what each fix is, in the same order:
        plain mappings for `Fix.from_dict`; `world(shape, scenario).fixes` are the same.

    Raises
    ------
    OptionError
        There is no such shape or scenario, or n or seed is no whole number.

    Notes
    -----
    Steps follow each other after a minute to two hours, except where there is a wait of days. Starts are spread over 26
    weeks and the log follows all of them to their ends. In "open_journeys" they are spread over four weeks and the log
    stops with the last start; in "left_truncated" over fourteen weeks with steps up to four days apart, and the log
    begins in the third week. In "drift" and "null" nothing starts in the two days before the calendar changes, so that
    no journey meets both sides of a change in the step that changes.

    Examples
    --------
    >>> frame, truth = journeys("shop", "markov", n=200, seed=1)
    >>> frame.columns.tolist()
    ['case_id', 'customer_id', 'activity', 'timestamp', 'channel', 'platform', 'source', 'value']
    >>> truth.columns.tolist(), bool((truth["effect"] > 0).all())
    (['fix_id', 'effect'], True)
    >>> frame.attrs["goal"], truth.attrs["fixes"][1]["share"]
    (['Order placed'], 0.5)
    """
    here = world(shape, scenario)
    _check(n, seed)
    frame, truth = simulate(here, int(n), int(seed)), here.truth
    frame.attrs.update(_facts(here))
    truth.attrs["fixes"] = [fix.to_dict() for fix in here.fixes]
    return frame, truth


def _facts(here: World) -> dict[str, Any]:
    """What a ranker may know beside the rows; `journeymine.bench.facts` reads it."""
    return {
        "goal": [here.goal],
        "end": list(here.end),
        "idle": here.idle,
        "segments": list(here.segments),
        "shape": here.shape,
        "scenario": here.scenario,
    }


def simulate(here: World, n: int, seed: int) -> pd.DataFrame:
    """The event log of a world."""
    rng = generator(seed, f"world {here.shape} {here.scenario}")
    customer, kind, first_day = _starts(here, n, rng)
    steps = walk(here.plan, here.chains, kind, first_day, rng)
    frame = _frame(here, steps, customer, kind, rng)
    return soiled(frame, rng) if here.plan.dirty else frame


def _check(n: object, seed: object) -> None:
    for name, value, least in (("n", n, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise OptionError(f"{name} is {shown(value)}, expected a whole number from {least}.")


def _starts(here: World, n: int, rng: np.random.Generator) -> tuple[Ints, Ints, NDArray[np.float64]]:
    """Customer, type and first day of each journey."""
    people, grid = here.population, here.population.grid
    length = np.array([phase.stop - phase.first for phase in here.plan.phases], float)
    phase = rng.choice(len(length), size=n, p=length / length.sum())
    first = np.array([p.first for p in here.plan.phases], float)
    day = first[phase] + length[phase] * rng.random(n)
    n_second = int(RETURNING * n) if n > 1 else 0
    customer = np.arange(n)
    customer[n - n_second :] = rng.integers(0, n - n_second, n_second)
    intent = rng.integers(0, grid[1], n)[customer]
    cells = people.share.reshape(grid[0], grid[1], -1).sum(axis=1)
    cumulative = np.cumsum(cells / cells.sum(axis=1, keepdims=True), axis=1)
    cell = (cumulative[phase] < rng.random(n)[:, None]).sum(axis=1).clip(0, cells.shape[1] - 1)
    return customer, (phase * grid[1] + intent) * cells.shape[1] + cell, day


def _frame(here: World, steps: Steps, customer: Ints, kind: Ints, rng: np.random.Generator) -> pd.DataFrame:
    """Events as a table, cut as the scenario says."""
    import pandas as pd

    chains, shape, people = here.chains, here.plan.shape, here.population
    ends = [shape.goal, shape.left or shape.goal]
    activity = np.array([*chains.activity, *(name for name, _ in ends)], dtype=object)
    channel = np.array([*chains.channel, *(name for _, name in ends)], dtype=object)
    value = np.full(len(steps.state), np.nan)
    goal = np.flatnonzero(steps.state == chains.k)
    noise = rng.gamma(VALUE_SHAPE, 1 / VALUE_SHAPE, len(goal))
    value[goal] = np.round(chains.value[kind[steps.journey[goal]]] * noise, 2)
    begin, after = time_us(START), np.rint(steps.day * DAY_US).astype(np.int64)
    of = steps.journey
    columns: dict[str, object] = {
        "case_id": _names("J", len(kind))[of],
        "customer_id": _names("C", len(kind))[customer[of]],
        "activity": activity[steps.state],
        "timestamp": pd.to_datetime(begin + after, unit="us", utc=True).as_unit("us"),
        "channel": channel[steps.state],
    }
    for column, values in zip(people.columns, people.values, strict=True):
        columns[column] = np.array(values, dtype=object)[people.value(column)[kind[of]]]
    keep = _kept(here, steps)
    frame = pd.DataFrame(columns | {"value": value})[keep]
    order = np.lexsort((of[keep], steps.day[keep]))
    return frame.iloc[order].reset_index(drop=True)


def _kept(here: World, steps: Steps) -> NDArray[np.bool_]:
    """Events that lie in the log."""
    plan = here.plan
    kept = steps.day >= plan.cut_front
    return kept & (steps.day <= plan.phases[-1].stop) if plan.cut_back else kept


def _names(letter: str, n: int) -> Objects:
    width = max(5, len(str(n)))
    return np.array([f"{letter}{i:0{width}d}" for i in range(1, n + 1)], dtype=object)
