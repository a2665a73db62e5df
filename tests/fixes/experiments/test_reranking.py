"""`experiment read` says what a new run with the same past tests says, up to the noise of draws."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from journeymine.fixes.decision.decisions import Decisions, decide
from journeymine.fixes.experiments.past import PastTest
from journeymine.fixes.experiments.posterior import recalibrated
from journeymine.fixes.experiments.reranking import rerank
from journeymine.fixes.experiments.stored import StoredFix

from .rankings import estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.uncertainty import Estimates

    Floats = NDArray[np.float64]

N_DRAWS = 8000
# A quantile read off so many draws lies between two of them.
QUANTILE = 0.01
Z = 1.959963984540054
SHARPNESS = (8.0, 5.0, 3.2, 2.6, 2.3, 2.1, 2.05, 1.5, 1.0, 0.4, 0.2)
"""Effects over their standard errors. Those from 2.0 to 2.5 are above zero alone, and not in a list of eleven."""
BLOCKS = ("found", "user", "found", "found", "user", "found", "found", "assumed", "found", "assumed", "found")
KINDS = ("drop_off", "loop") * 6


def world(seed: int) -> tuple[list[str], Floats, Floats]:
    rng = np.random.default_rng(seed)
    sd = rng.uniform(0.0005, 0.003, len(SHARPNESS))
    effect = sd * np.array(SHARPNESS)
    draws = effect + sd * rng.normal(size=(N_DRAWS, len(sd)))
    return [f"f{i}" for i in range(len(sd))], effect, draws


def decided(ids: list[str], effect: Floats, draws: Floats, **money: Any) -> dict[str, tuple[int, Any, Any]]:
    """Rank, effect and net value of each fix, as `fixes.assembly` decides: the assumed ones after the others."""
    found: dict[str, tuple[int, Any, Any]] = {}
    for assumed in (False, True):
        group = [i for i, block in enumerate(BLOCKS) if (block == "assumed") == assumed]
        settings = {**money, "cost": money["cost"][group]} if "cost" in money else dict(money)
        names = [ids[i] for i in group]
        one: Decisions = decide(
            names, effect[group], draws[:, group], n=10_000, reach=np.full(len(group), 0.5), **settings
        )
        begin = len(found)
        for place, name in enumerate(names):
            low, high = float(one.effect.lower[place]), float(one.effect.upper[place])
            shown = estimate(float(one.effect.estimate[place]), low, high)
            found[name] = (begin + int(one.rank[place]), shown, float(one.net.estimate[place]))
    return found


def stored(ids: list[str], draws: Floats, found: dict[str, Any], cost: Floats | None) -> list[StoredFix]:
    """The fixes as a report holds them."""
    fixes = [
        StoredFix(
            id=name,
            title=name,
            label=None,
            rank=found[name][0],
            kind=KINDS[i],
            activity=name,
            attempt=None,
            segment=None,
            period=None,
            effect=found[name][1],
            predicted=None,
            reach=estimate(0.5, 0.4, 0.6),
            per_month=None,
            net_value=None if cost is None else found[name][2],
            cost=0.0 if cost is None else float(cost[i]),
            block=BLOCKS[i],
            sd=float(draws[:, i].std(ddof=1)),
        )
        for i, name in enumerate(ids)
    ]
    return sorted(fixes, key=lambda fix: fix.rank)


PASTS = {
    "one test": [PastTest.of("f3", 0.004, 0.0015, 0.006, 0.001)],
    "tests of others": [
        PastTest.of(f"z{i}", 0.01, 0.001, y, 0.001, kind="loop")
        for i, y in enumerate((0.009, 0.0101, 0.0095))
    ],
    "a test that failed": [PastTest.of("f0", 0.01, 0.001, -0.004, 0.0005)],
}


@pytest.mark.parametrize("money", [False, True])
@pytest.mark.parametrize("past", PASTS.values(), ids=PASTS.keys())
@pytest.mark.parametrize("seed", range(2))
def test_the_order_is_that_of_a_new_run(seed: int, past: list[PastTest], money: bool) -> None:
    ids, effect, draws = world(seed)
    cost = np.random.default_rng(seed).uniform(0, 4000, len(ids))
    settings: dict[str, Any] = {"value": 50.0, "volume": 1000.0, "cost": cost} if money else {}
    report = stored(ids, draws, decided(ids, effect, draws, **settings), cost if money else None)
    known = recalibrated(effect, draws, KINDS[: len(ids)], ids, past)
    again = decided(ids, known.effect, known.draws, common_error=True, **settings)
    moved = rerank(report, past)
    order = [one.id for one in moved]
    for one in moved:
        new, size = again[one.id][1], float(known.sd[ids.index(one.id)])
        assert float(one.after.estimate) == pytest.approx(float(new.estimate), rel=1e-9)
        assert float(one.after.lower) == pytest.approx(float(new.lower), abs=QUANTILE * size)
        assert float(one.after.upper) == pytest.approx(float(new.upper), abs=QUANTILE * size)
    by_run = sorted(order, key=lambda name: again[name][0])
    assert order == by_run
    assert [one.rank_after for one in moved] == list(range(1, len(ids) + 1))


def test_bounded_intervals_do_not_count_as_noise() -> None:
    """2.2 standard errors in a list of eleven: the report shows 0 as the lower bound, the prediction stays as sharp."""
    past = [PastTest.of("z", 0.01, 0.001, 0.008, 0.001)]
    plain = _one("a", estimate(0.0022, 0.0022 - Z * 0.001, 0.0022 + Z * 0.001))
    shown = replace(plain, effect=estimate(0.0022, 0.0, 0.0022 + Z * 0.001), sd=0.001)
    for bound in ("lower", "upper"):
        one, other = (float(getattr(rerank([fix], past)[0].after, bound)) for fix in (plain, shown))
        assert one == pytest.approx(other, rel=1e-9)


def test_effects_that_do_not_stand_above_the_noise_of_the_list_reach_zero() -> None:
    """Alone 3.5 standard errors are above zero; tenfold company that says nothing raises the bar (5 % / 11)."""
    past = [PastTest.of(f"z{i}", 0.01, 0.0, 0.01, 0.0001) for i in range(12)]
    sharp = replace(_one("a", estimate(0.0026, 0.0006, 0.0046)), sd=0.001)
    noise = [
        replace(_one(f"n{i}", estimate(0.0001, -0.002, 0.002)), sd=0.001, block="user") for i in range(10)
    ]
    alone, listed = rerank([sharp], past), rerank([sharp, *noise], past)
    assert float(alone[0].after.lower) > 0
    assert float(next(one for one in listed if one.id == "a").after.lower) == 0
    # The assumed ones are judged on their own.
    apart = rerank([sharp, *(replace(one, block="assumed") for one in noise)], past)
    assert float(apart[0].after.lower) > 0


def test_found_fixes_and_ideas_of_the_user_are_one_list() -> None:
    past = [PastTest.of("idea", 0.02, 0.001, 0.03, 0.001)]
    fixes = [
        replace(_one("found", estimate(0.01, 0.008, 0.012)), sd=0.001, rank=1),
        replace(_one("idea", estimate(0.009, 0.007, 0.011)), sd=0.001, rank=2, block="user"),
    ]
    assert [(one.id, one.rank_after) for one in rerank(fixes, past)] == [("idea", 1), ("found", 2)]


def test_an_empty_report_has_no_order() -> None:
    assert rerank([], [PastTest.of("z", 0.01, 0.001, 0.008, 0.001)]) == ()


def _one(name: str, effect: Estimates) -> StoredFix:
    return StoredFix(
        id=name,
        title=name,
        label=None,
        rank=1,
        kind="drop_off",
        activity=name,
        attempt=None,
        segment=None,
        period=None,
        effect=effect,
        predicted=None,
        reach=estimate(0.5, 0.4, 0.6),
        per_month=None,
        net_value=None,
        cost=0.0,
        block="found",
    )
