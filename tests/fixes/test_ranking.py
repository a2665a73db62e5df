"""The ranking: two blocks, sorted by the lower bound, one numbering; money and months; from a log to fixes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import journeymine as jm
from journeymine.fixes.assembly import Material, Scale, rank_all
from journeymine.fixes.candidates import find_candidates
from journeymine.fixes.ranking import iso
from journeymine.fixes.what_if.what_if import WhatIf
from journeymine.uncertainty import Estimates

A = [[0.20, 0.50, 0.00, 0.05, 0.25], [0.10, 0.00, 0.60, 0.00, 0.30], [0.00, 0.15, 0.10, 0.55, 0.20]]
B = [[0.20, 0.50, 0.00, 0.05, 0.25], [0.07, 0.00, 0.38, 0.00, 0.55], [0.00, 0.15, 0.10, 0.55, 0.20]]

Make = Callable[..., Any]


def ranked(world: Any, scale: Scale | None = None, *, seed: int = 0, effects: Any = None) -> tuple[Any, ...]:
    found = find_candidates(world.chain, world.drops, ["platform"])
    if effects is None:
        effects = WhatIf(world.chain, world.chain, found.candidates).estimate(n_draws=300, seed=seed)
    reach = [Estimates(np.array(0.5), np.array(0.4), np.array(0.6), np.int64(9)) for _ in found.candidates]  # type: ignore[arg-type]
    material = Material(
        found.candidates, effects, reach, [7] * len(reach), scale or Scale(), world.chain.n_starts
    )
    return rank_all(material).fixes


def test_two_lists_and_one_numbering(fix_world: Make) -> None:
    fixes = ranked(fix_world([A, B], 2000, cell_names=[("web",), ("app",)], seed=1))
    assert [fix.rank for fix in fixes] == [1, 2, 3, 4]
    assert [fix.block for fix in fixes] == ["found", "assumed", "assumed", "assumed"]
    first = fixes[0]
    assert (first.activity, first.reference.kind) == ("S1", "segment")
    assert first.segment is not None
    assert (first.segment.column, first.segment.value) == ("platform", "app")
    assert first.id == "drop_off:S1:platform=app"
    lower = [float(fix.effect.lower) for fix in fixes[1:]]
    assert lower == sorted(lower, reverse=True)
    assert sum(fix.p_best for fix in fixes[1:]) == pytest.approx(1.0)
    assert first.p_best == 1.0
    for fix in fixes:
        assert fix.rank_lower <= fix.rank <= fix.rank_upper
        assert (fix.rank_lower > 1) == (fix.block == "assumed")
        assert float(fix.effect.lower) <= float(fix.effect.estimate) <= float(fix.effect.upper)
        assert fix.evidence == "association"
        assert fix.audience_n == 7
        assert int(fix.effect.n) == 2000
        assert fix.per_month is None
        assert fix.net_value is None
        assert fix.above_zero
        assert fix.simultaneous.lower <= float(fix.effect.estimate) <= fix.simultaneous.upper


def test_months_and_money(fix_world: Make) -> None:
    world = fix_world([A], 400)
    value_draws = np.random.default_rng(0).normal(50, 1, 300)
    fixes = ranked(world, Scale("conversion", 1000.0, 50.0, value_draws))
    for fix in fixes:
        assert float(fix.per_month.estimate) == pytest.approx(1000 * float(fix.effect.estimate))
        assert float(fix.per_month.lower) == pytest.approx(1000 * float(fix.effect.lower))
        assert float(fix.money_per_month.estimate) == pytest.approx(50_000 * float(fix.effect.estimate))
        assert float(fix.money_per_month.lower) == pytest.approx(50_000 * float(fix.effect.lower), rel=0.1)
        assert float(fix.net_value.estimate) == pytest.approx(12 * float(fix.money_per_month.estimate))
    assert ranked(world, Scale("conversion", 1000.0))[0].money_per_month is None


def test_ids_break_ties(fix_world: Make) -> None:
    """Fixes with equal bounds are ranked by effect, then by name: never by chance."""
    world = fix_world([A], 300)
    found = find_candidates(world.chain, world.drops)
    effects = WhatIf(world.chain, world.chain, found.candidates).estimate(n_draws=50)
    rng = np.random.default_rng(0)
    one = rng.normal(0.02, 0.001, (50, 1))
    same = dataclasses.replace(
        effects,
        effect=np.array([0.02, 0.02, 0.01]),
        effect_draws=np.hstack([one, one, rng.normal(0.01, 0.001, (50, 1))]),
    )
    fixes = ranked(world, effects=same)
    assert [fix.activity for fix in fixes[:2]] == ["S0", "S1"]
    assert fixes[0].rank_upper == 2
    assert fixes[1].rank_lower == 1
    assert fixes[0].tied_with == (fixes[1].id,)


def test_iso_times() -> None:
    assert iso(0) == "1970-01-01T00:00:00Z"
    assert iso(1_767_225_600_000_001) == "2026-01-01T00:00:00.000001Z"
    assert iso(-1_000_000) == "1969-12-31T23:59:59Z"


# -------------------------------------------------------------------------------------------------- from a log


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    """Journeys of 700 customers on two platforms; half of those on the app are lost after sign-in."""
    rng = np.random.default_rng(12)
    rows = []
    for case in range(1400):
        app = case // 2 % 2 == 1
        at = pd.Timestamp("2026-01-01") + pd.Timedelta(days=float(rng.uniform(0, 300)))
        path = ["visit"]
        if rng.random() < 0.8:
            path.append("sign-in")
            if rng.random() < (0.5 if app else 0.75):
                path.append("pay")
                if rng.random() < 0.8:
                    path.append("order")
        rows += [
            (f"c{case}", f"k{case // 2}", name, at + pd.Timedelta(hours=i), "app" if app else "web", 40.0)
            for i, name in enumerate(path)
        ]
    return pd.DataFrame(rows, columns=["case", "customer", "what", "when", "platform", "money"])


def rank(frame: pd.DataFrame, *, threads: int | None = 1, seed: int = 3) -> Any:
    log = jm.read_log(
        frame,
        case_id="case",
        customer_id="customer",
        activity="what",
        timestamp="when",
        value="money",
        threads=threads,
    )
    return log.journeys("order", idle="7d", segments="platform").rank_fixes(n_draws=200, seed=seed)


def test_the_planted_fault_is_first(events: pd.DataFrame) -> None:
    ranking = rank(events)
    first = ranking.fixes[0]
    assert first.activity == "sign-in"
    assert first.segment is not None
    assert first.segment.value == "app"
    truth = 0.5 * 0.8 * (0.75 - 0.5) * 0.8
    assert float(first.effect.lower) < truth < float(first.effect.upper)
    lost = events[events["platform"].eq("app")].groupby("case")["what"].agg(["last", "size"])
    gone = events.loc[events["case"].isin(lost.index[lost["last"] == "sign-in"]), "customer"]
    assert first.audience_n <= gone.nunique()
    assert float(first.reach.estimate) == pytest.approx(0.4, abs=0.04)
    assert ranking.n_kept == 1
    assert ranking.unit == "customers"
    frame = ranking.to_frame()
    assert list(frame["rank"]) == list(range(1, len(frame) + 1))
    assert frame.loc[0, "segment"] == "platform = app"
    months = float(first.per_month.estimate) / float(first.effect.estimate)
    assert months == pytest.approx(1400 / 300 * 30.4375, rel=0.02)
    assert float(first.money_per_month.estimate) == pytest.approx(40 * float(first.per_month.estimate))
    assert "sign-in" in repr(ranking)
    assert len(repr(ranking).splitlines()) <= 12


def test_rows_threads_and_runs_do_not_matter(events: pd.DataFrame) -> None:
    one = rank(events).to_frame()
    for other in (
        rank(events.sample(frac=1, random_state=1)).to_frame(),
        rank(events, threads=2).to_frame(),
    ):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    another = rank(events, seed=4).to_frame()
    assert (another["estimate"] == one["estimate"]).all()
    assert (another["lower"] != one["lower"]).any()
