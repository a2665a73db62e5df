"""One log of the benchmark: its events with what a ranker may know, the fixes, and the truth that it may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from journeymine.bench.facts import N_DRAWS, Facts

if TYPE_CHECKING:
    import pandas as pd

    from journeymine.fixes.fix import Fix


@dataclass(frozen=True, slots=True, order=True)
class LogKey:
    """What names a log: the same key gives the same rows."""

    shape: str
    scenario: str
    n: int
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class BenchLog:
    """A simulated log.

    Attributes
    ----------
    events
        Its rows; `events.attrs` holds the `Facts`.
    fixes
        What is to be ranked.
    truth
        Exact change of the conversion share of each fix, by id.
    """

    events: pd.DataFrame
    fixes: tuple[Fix, ...]
    truth: dict[str, float]


def make_log(key: LogKey, n_draws: int = N_DRAWS) -> BenchLog:
    """Simulate a log of the benchmark."""
    from journeymine.simulate.worlds import journeys, world

    known = world(key.shape, key.scenario)
    events, truth = journeys(key.shape, key.scenario, n=key.n, seed=key.seed)
    Facts(
        goal=_names(known.goal),
        end=_names(known.end),
        idle=str(known.idle),
        segments=_names(known.segments),
        shape=key.shape,
        scenario=key.scenario,
        n_draws=n_draws,
    ).write(events)
    effects = dict(zip(truth["fix_id"].astype(str), truth["effect"].astype(float), strict=True))
    return BenchLog(events, tuple(known.fixes), effects)


def true_sets(key: LogKey, sets: list[dict[str, object]]) -> list[float]:
    """Exact effects of sets of fixes done together."""
    from journeymine.simulate.worlds import world

    known = world(key.shape, key.scenario)
    return [float(known.joint_effect(list(one["ids"]))) for one in sets]  # type: ignore[call-overload]


def _names(names: object) -> tuple[str, ...]:
    if names is None:
        return ()
    return (names,) if isinstance(names, str) else tuple(map(str, names))  # type: ignore[call-overload]
