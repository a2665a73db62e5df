"""Intervals hold the truth: small runs of benchmarks/validation/coverage.py, and worlds of a few cases.

The long version (500 logs a world) prints 94 to 96 % for every quantity; 93 % for the conversion where open
journeys meet customers who differ: late visits are watched less often, and they are those of other customers.
Here 25 logs a world are read through the public API; bounds are three binomial standard errors around 95 %.
"""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from journeymine.counts.chain import DROP, GOAL, ChainCounts
from journeymine.markov.fit import fit_chain
from journeymine.simulate import sample_chain
from journeymine.uncertainty import share_of_units, unit_matrix

if TYPE_CHECKING:
    from types import ModuleType

pytestmark = pytest.mark.simulation
LOGS = 25


@pytest.fixture(scope="module")
def coverage() -> ModuleType:
    """The benchmark as a module."""
    path = Path(__file__).parents[2] / "benchmarks" / "validation" / "coverage.py"
    spec = importlib.util.spec_from_file_location("coverage_benchmark", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def lowest(logs: int, level: float = 0.95) -> float:
    """Three standard errors below the level: reached by chance in 1 of 700 runs."""
    return level - 3 * math.sqrt(level * (1 - level) / logs)


@pytest.mark.parametrize("world", ["independent", "repeated", "open", "open_repeated"])
def test_intervals_hold_the_truth(coverage: ModuleType, world: str) -> None:
    rows = [row for seed in range(LOGS) for row in coverage.outcomes(world, 9000 + seed)]
    table = coverage.table(rows)
    for units in ("customers", "buckets"):
        held = table["coverage"][units]
        assert held["conversion"] >= lowest(LOGS)
        # Shares of one log hardly depend on each other: five are worth four, as the long version shows.
        shares = round(0.8 * table.loc[(units, "transition share"), "numbers"])
        assert abs(held["transition share"] - 0.95) <= 0.95 - lowest(shares)
        assert held["conversion from a state"] >= lowest(LOGS)
        assert held["visits"] >= lowest(LOGS)
    assert table.loc[("customers", "transition share"), "numbers"] >= 5 * LOGS


def test_intervals_of_rows_alone_would_not(coverage: ModuleType) -> None:
    """Where customers repeat and differ, intervals that take cases for independent are too narrow."""
    sampled = coverage.sample("repeated", 1)
    counts = coverage.read(sampled).count_chain()
    clustered = fit_chain(counts, n_draws=200).conversion()
    reached = sampled.events.groupby("case_id")["activity"].agg(lambda names: "Goal" in set(names))
    share = float(reached.mean())
    naive = 2 * 1.96 * np.sqrt(share * (1 - share) / len(reached))
    assert clustered is not None
    assert clustered["estimate"] == pytest.approx(share, abs=0.005)
    assert clustered["upper"] - clustered["lower"] > 1.2 * naive


def test_what_every_observed_move_would_give(coverage: ModuleType) -> None:
    """40 % open, fast and slow exits: counting all moves misses the truth by far more than its interval."""
    sampled = coverage.sample("open", 2)
    log = coverage.read(sampled)
    chain = log.fit_markov(n_draws=200)
    found = chain.conversion()
    assert found is not None
    assert found["lower"] <= sampled.truth.conversion <= found["upper"]
    events = sampled.events.sort_values(["case_id", "timestamp"])
    following = events.groupby("case_id")["activity"].shift(-1)
    over = events["timestamp"] <= events["timestamp"].max() - pd.Timedelta(days=30)
    keep = (events["activity"] != "Goal") & (following.notna() | over)
    moves = pd.crosstab(events["activity"][keep], following[keep].fillna("drop"))
    shares = moves.div(moves.sum(axis=1), axis=0).reindex(columns=["A", "B", "Goal"]).to_numpy()
    naive = float(np.linalg.solve(np.eye(2) - shares[:, :2], shares[:, 2])[0])
    assert naive > found["upper"] + 0.1


@pytest.mark.parametrize("n", [6, 12, 30])
def test_a_few_cases(n: int) -> None:
    """Intervals stay within 0 and 1, are never nan where something was counted, and are wide."""
    import journeymine as jm

    for seed in range(4):
        options: dict[str, Any] = {"cases_per_customer": 2.0, "customer_sd": 1.0} if seed % 2 else {}
        world = sample_chain(
            [[0.2, 0.5, 0.1, 0.2], [0.1, 0.0, 0.5, 0.4]], [0.8, 0.2], n, seed, days=400.0, **options
        )
        log = jm.read_log(
            world.events,
            case_id="case_id",
            customer_id="customer_id",
            activity="activity",
            timestamp="timestamp",
            threads=1,
        )
        if "Goal" not in log.activities:
            continue
        chain = log.journeys("Goal", idle="30d").fit_markov(n_draws=200, seed=seed)
        visits = np.bincount(chain.counts.source, weights=chain.counts.n, minlength=len(chain.states))
        for values in (chain.edge_share, chain.hit, chain.converted):
            assert np.isfinite(values.lower).all()
            assert np.isfinite(values.upper).all()
            assert (values.lower >= 0).all()
            assert (values.upper <= 1).all()
            assert (values.lower <= values.estimate + 1e-12).all()
            assert (values.estimate <= values.upper + 1e-12).all()
            assert (values.lower < values.upper).all()
        assert np.isfinite(chain.visit.lower).all()
        assert (visits > 0).all()
        assert float(chain.converted.upper - chain.converted.lower) > 1.2 / np.sqrt(n + 4) * 0.8
        for share in (log.transitions().share,):
            assert (share.lower >= 0).all()
            assert (share.upper <= 1).all()


@pytest.mark.parametrize("n", [6, 30])
def test_conversion_of_a_few_cases_is_covered(n: int) -> None:
    """Independent cases, counted in plain numbers: the share of a handful keeps at least its level nearly."""
    rng = np.random.default_rng(0)
    held = []
    for _ in range(600):
        truth = rng.uniform(0.1, 0.9)  # of a single share the coverage of so few rows jumps
        won = (rng.random(n) < truth).astype(float)
        zero = np.zeros(n, int)
        one = share_of_units(
            unit_matrix(np.arange(n), zero, won, (n, 1)), unit_matrix(np.arange(n), zero, np.ones(n), (n, 1))
        )
        held.append(bool(one.lower[0] <= truth <= one.upper[0]))
    assert np.mean(held) >= lowest(600)


@pytest.mark.parametrize(("customers", "visits"), [(4, 10), (8, 10)])
def test_a_state_that_few_customers_visit(customers: int, visits: int) -> None:
    """Many visits by few customers in a log of many: the customers who were there are what counts."""
    rng = np.random.default_rng(1)
    held = []
    for _ in range(600):
        trials = 1 + rng.poisson(visits - 1, customers)
        wins = rng.binomial(trials, rng.beta(1, 2, customers))
        ids, zero = np.arange(customers), np.zeros(customers, int)
        one = share_of_units(
            unit_matrix(ids, zero, wins, (1000, 1)), unit_matrix(ids, zero, trials, (1000, 1))
        )
        held.append(bool(one.lower[0] <= 1 / 3 <= one.upper[0]))
    assert np.mean(held) >= 0.92


@pytest.mark.parametrize("customers", [4, 8])
def test_conversion_of_few_customers_with_many_cases(customers: int) -> None:
    """The same of the chain's conversion: ten cases of each of a handful of customers who differ."""
    rng = np.random.default_rng(2)
    held = []
    for seed in range(400):
        cases = 1 + rng.poisson(9, customers)
        won = rng.binomial(cases, rng.beta(1, 2, customers))
        unit = np.repeat(np.arange(customers), 2)
        n = np.stack([won, cases - won], axis=1).ravel()
        zero, none = np.zeros(len(n), np.int64), np.zeros(customers, np.int64)
        counts = ChainCounts(
            states=("A",),
            activity=np.zeros(1, np.int64),
            unit=unit[n > 0],
            cell=zero[n > 0],
            source=zero[n > 0],
            target=np.tile([GOAL, DROP], customers)[n > 0],
            n=n[n > 0],
            wait_us=np.zeros(int((n > 0).sum())),
            start_unit=np.arange(customers),
            start_cell=none,
            start_state=none,
            start_n=cases,
            cells=((),),
            cell_customers=np.array([customers]),
            n_units=customers,
        )
        found = fit_chain(counts, n_draws=200, seed=seed).conversion()
        assert found is not None
        held.append(found["lower"] <= 1 / 3 <= found["upper"])
    assert np.mean(held) >= 0.92
