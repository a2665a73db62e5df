"""One log of the benchmark: its events with what a ranker may know, the fixes, and the truth that it may not."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
        Its rows, `cleaned`; `events.attrs` holds the `Facts`.
    fixes
        What is to be ranked.
    truth
        Exact change of the conversion share of each fix, by id.
    """

    events: pd.DataFrame
    fixes: tuple[Fix, ...]
    truth: dict[str, float]


def make_log(key: LogKey, n_draws: int = N_DRAWS) -> BenchLog:
    """Simulate a log of the benchmark and clean it, the same for every ranker."""
    from journeymine.simulate.worlds import journeys, world

    known = world(key.shape, key.scenario)
    frame, truth = journeys(key.shape, key.scenario, n=key.n, seed=key.seed)
    events = cleaned(frame)
    replace(Facts.of(frame), n_draws=n_draws).write(events)
    effects = dict(zip(truth["fix_id"].astype(str), truth["effect"].astype(float), strict=True))
    return BenchLog(events, tuple(known.fixes), effects)


def cleaned(frame: pd.DataFrame) -> pd.DataFrame:
    """What a careful analyst does before any ranker: no case of more than 60 rows (bots), no row twice.

    Rows without a time stay: what to do with them is for the ranker to say. The rule does not know the scenario; only
    "dirty" logs have anything to clean (the longest journey of the others has about half as many steps).

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [("bot", i) for i in range(61)] + [("a", 1), ("a", 1), ("a", 2)]
    >>> cleaned(pd.DataFrame(rows, columns=["case_id", "timestamp"])).to_dict("list")
    {'case_id': ['a', 'a'], 'timestamp': [1, 2]}
    """
    from journeymine.simulate.worlds.known import MAX_EVENTS

    length = frame.groupby("case_id")["case_id"].transform("size")
    kept = frame[((length <= MAX_EVENTS) | frame["case_id"].isna()) & ~frame.duplicated()]
    return kept.reset_index(drop=True)


def true_sets(key: LogKey, sets: list[dict[str, object]]) -> list[float]:
    """Exact effects of sets of fixes done together."""
    from journeymine.simulate.worlds import world

    known = world(key.shape, key.scenario)
    return [float(known.joint_effect(list(one["ids"]))) for one in sets]  # type: ignore[call-overload]
