"""Reading a test back moves the ranking as Bayes says: by hand, by simulation, and in the draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from journeymine.fixes.experiments.calibration import calibrate
from journeymine.fixes.experiments.past import PastTest
from journeymine.fixes.experiments.plannable import PlanFacts
from journeymine.fixes.experiments.posterior import posterior, posteriors, recalibrated
from journeymine.fixes.experiments.reranking import rerank
from journeymine.fixes.experiments.stored import StoredFix

from .rankings import estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Sums over the grid against moments of the priors in closed form.
GRID = 2e-3
Z = 1.959963984540054


def fix(name: str, rank: int, mean: float, sd: float, **given: object) -> StoredFix:
    settings = {
        "title": name,
        "label": None,
        "kind": "drop_off",
        "activity": name,
        "attempt": None,
        "segment": None,
        "period": None,
        "predicted": None,
        "reach": estimate(0.5, 0.4, 0.6),
        "per_month": None,
        "net_value": None,
        "cost": 0.0,
        "block": "found",
    }
    effect = estimate(mean, mean - Z * sd, mean + Z * sd)
    return StoredFix(id=name, rank=rank, effect=effect, **{**settings, **given})  # type: ignore[arg-type]


def test_a_test_read_back_moves_the_ranking_as_bayes_says() -> None:
    """Two fixes, A predicted 2.0 +- 0.4 points and B 1.5 +- 0.2; the test of A measured -0.5 +- 0.2.

    A before its test, by the assumption alone (b 0.6 +- 0.2, t^2 0.0225):
        mean 0.6 * 2.0 = 1.2
        variance (b^2 + Var b) s^2 + m^2 Var b + t^2 (m^2 + s^2)
               = (0.36 + 0.04) 0.16 + 4 * 0.04 + 0.0225 (4 + 0.16) = 0.064 + 0.16 + 0.0936 = 0.3176
    A after it, weighted by precision with -0.5 and 0.04:
        mean (1.2 * 0.04 - 0.5 * 0.3176) / (0.3176 + 0.04) = -0.3098
        variance 0.3176 * 0.04 / 0.3576 = 0.03553, that is 0.1885^2; lower bound -0.3098 - 1.96 * 0.1885 = -0.679
    B, whose line has learnt from A: if t were 0.15, y / m = -0.25 would have the variance (b^2 s^2 + t^2 (m^2 + s^2) +
        se^2) / m^2 = (0.0576 + 0.0936 + 0.04) / 4 = 0.0478 and b would be (0.6 / 0.04 - 0.25 / 0.0478) / (1 / 0.04 +
        1 / 0.0478) = 0.213. Such a surprise also says that t is larger; integrated over t (test_calibration), b is
        0.320, and B 0.320 * 1.5 = 0.481 points. It takes the first place.
    """
    past = [PastTest.of("A", 0.020, 0.004, -0.005, 0.002)]
    moved = rerank([fix("A", 1, 0.020, 0.004), fix("B", 2, 0.015, 0.002)], past)
    assert [(one.id, one.rank_before, one.rank_after, one.tested) for one in moved] == [
        ("B", 2, 1, False),
        ("A", 1, 2, True),
    ]
    a, b = moved[1].after, moved[0].after
    assert float(a.estimate) == pytest.approx(-0.003098, rel=GRID)
    assert float(a.lower) == pytest.approx(-0.00679, rel=GRID)
    assert float(b.estimate) == pytest.approx(0.00481, rel=GRID)
    # In the other direction: a test that confirms A keeps it first, drawn back from what was measured.
    kept = rerank(
        [fix("A", 1, 0.020, 0.004), fix("B", 2, 0.015, 0.002)], [PastTest.of("A", 0.020, 0.004, 0.02, 0.002)]
    )
    assert kept[0].id == "A"
    # (1.2 * 0.04 + 2.0 * 0.3176) / 0.3576 = 1.9105
    assert float(kept[0].after.estimate) == pytest.approx(0.019105, rel=GRID)


def test_an_untested_fix_by_the_formula_of_the_design() -> None:
    """a + b m and b^2 s^2 + t^2, where nothing about a, b and t is left open."""
    line = calibrate([PastTest.of(f"{i}", 0.02, 0.0, 0.016, 1e-5) for i in range(40)])
    mean, sd = posterior(0.03, 0.002, line)
    b = line.moments.slope
    assert mean == pytest.approx(line.moments.offset + b * 0.03)
    known = b**2 * 0.002**2 + line.moments.spread_var(0.03, 0.002)
    open_ = line.moments.slope_var * (0.002**2 + 0.03**2) + line.moments.offset_var
    open_ += 2 * 0.03 * line.moments.covariance
    assert sd**2 == pytest.approx(known + open_, rel=1e-9)


def test_posteriors_cover_true_effects() -> None:
    """Worlds drawn from the assumption, ten fixes each, six tested: intervals of all ten hold the truth in 95 %."""
    rng = np.random.default_rng(21)
    inside, error, naive = [], [], []
    for _ in range(60):
        b, t = 0.6 + 0.2 * rng.normal(), abs(0.15 * rng.normal())
        hidden = rng.uniform(0.004, 0.03, 10)
        true = (b + t * rng.normal(size=10)) * hidden
        m = hidden + 0.001 * rng.normal(size=10)
        y = true[:6] + 0.003 * rng.normal(size=6)
        ids = [f"f{i}" for i in range(10)]
        past = [PastTest.of(ids[i], float(m[i]), 0.001, float(y[i]), 0.003) for i in range(6)]
        found = np.array(posteriors(m.tolist(), [0.001] * 10, ["drop_off"] * 10, ids, past))
        inside.append(np.abs(found[:, 0] - true) <= Z * found[:, 1])
        error.append((found[:, 0] - true) ** 2)
        naive.append((np.concatenate([y, m[6:]]) - true) ** 2)
    share = np.mean(inside, axis=0)
    # Fixes of a world share its line, so they are right and wrong together: four standard errors over 60 worlds.
    assert share[:6].mean() == pytest.approx(0.95, abs=0.05)
    assert share[6:].mean() == pytest.approx(0.95, abs=0.07)
    # Better than taking measurements and predictions as they are, for tested and for other fixes.
    assert np.mean(error, axis=0)[:6].mean() < 0.9 * np.mean(naive, axis=0)[:6].mean()
    assert np.mean(error, axis=0)[6:].mean() < 0.7 * np.mean(naive, axis=0)[6:].mean()


def test_the_best_of_many_measurements_is_drawn_back() -> None:
    """Winner's curse: the highest measurement is too high on average, its posterior is not."""
    rng = np.random.default_rng(22)
    raw, shrunk = [], []
    line = calibrate([], unit=0.01)
    for _ in range(400):
        true = (0.6 + 0.2 * rng.normal(size=8) + 0.15 * abs(rng.normal()) * rng.normal(size=8)) * 0.01
        y = true + 0.004 * rng.normal(size=8)
        best = int(y.argmax())
        raw.append(y[best] - true[best])
        shrunk.append(posterior(0.01, 0.0, line, (float(y[best]), 0.004))[0] - true[best])
    # Standard errors of these means are about 0.0001.
    assert np.mean(raw) > 0.002
    assert abs(np.mean(shrunk)) < 0.0005


def test_fat_tails_draw_a_surprise_back_less() -> None:
    normal, fat = (calibrate([], unit=0.01, tails=tails) for tails in (None, 3.0))
    surprise = (0.03, 0.001)
    assert posterior(0.01, 0.001, fat, surprise)[0] > posterior(0.01, 0.001, normal, surprise)[0]
    assert posterior(0.01, 0.001, fat)[1] > posterior(0.01, 0.001, normal)[1]


def test_nothing_changes_without_usable_tests() -> None:
    effect, draws = np.array([0.01, 0.02]), np.random.default_rng(1).normal(0.01, 0.002, (50, 2))
    broken = PastTest("e", "a", "drop_off", "conversion", 0.01, 0.002, 0.02, 0.001, flags=("sample_ratio",))
    for past in ([], [broken]):
        found = recalibrated(effect, draws, ["drop_off"] * 2, ["a", "b"], past)
        assert found.effect is effect
        assert found.draws is draws
        assert found.calibration is None
        assert found.tested == (False, False)


def test_draws_have_the_moments_of_the_posterior() -> None:
    rng = np.random.default_rng(2)
    base = rng.normal(size=(500, 3)) @ np.array([[1, 0.8, 0], [0, 0.6, 0], [0, 0, 1]])
    effect = np.array([0.02, 0.015, 0.01])
    draws = effect + 0.002 * base
    past = [PastTest.of("a", 0.02, 0.002, 0.005, 0.001), PastTest.of("z", 0.03, 0.002, 0.02, 0.002)]
    found = recalibrated(effect, draws, ["drop_off", "drop_off", "loop"], ["a", "b", "c"], past)
    assert found.tested == (True, False, False)
    assert found.draws.mean(axis=0) == pytest.approx(found.effect, rel=1e-9)
    assert found.draws.std(axis=0, ddof=1) == pytest.approx(found.sd, rel=1e-9)
    again = posteriors(
        effect.tolist(),
        draws.std(axis=0, ddof=1).tolist(),
        ["drop_off", "drop_off", "loop"],
        ["a", "b", "c"],
        past,
    )
    assert found.effect == pytest.approx([mean for mean, _ in again])
    assert found.calibration is not None
    assert found.calibration.n_tests == 2


# Four standard errors of a correlation, and of a standard deviation's share, over so many draws.
N_DRAWS = 20_000
NOISE = 4 / np.sqrt(N_DRAWS)


def correlations(draws: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.corrcoef(draws.T))


def test_the_line_is_shared_by_all_fixes() -> None:
    """Covariance of two fixes nobody tested: E[b^2] cov(m1, m2) + Var(b) m1 m2 (a is 0 before five tests).

    Kept apart by draws that are only stretched: those have the correlation of the predictions, here 0.
    """
    effect = np.array([0.020, 0.015])
    draws = effect + 0.001 * np.random.default_rng(5).normal(size=(N_DRAWS, 2))
    past = [PastTest.of("z", 0.03, 0.002, 0.02, 0.004)]
    found = recalibrated(effect, draws, ["drop_off"] * 2, ["a", "b"], past)
    line = calibrate(past, "drop_off").moments
    expected = line.slope_var * effect.prod() / found.sd.prod()
    assert expected > 0.4
    assert correlations(found.draws)[0, 1] == pytest.approx(expected, abs=NOISE)
    # Customers that two predictions share still show.
    same = effect + 0.004 * np.random.default_rng(5).normal(size=(N_DRAWS, 1))
    again = recalibrated(effect, same, ["drop_off"] * 2, ["a", "b"], past)
    common = line.slope_var * effect.prod() + (line.slope**2 + line.slope_var) * 0.004**2
    assert correlations(again.draws)[0, 1] == pytest.approx(common / again.sd.prod(), abs=NOISE)


def test_the_order_of_two_untested_fixes_is_not_made_less_certain_by_the_slope() -> None:
    """P(the smaller one is better): the error of b counts for the difference m1 - m2, not for m1 and for m2.

    Var(difference) = Var(b) (m1 - m2)^2 + 2 E[b^2] s^2 + t^2 (m1^2 + m2^2 + 2 s^2), with the mean of t^2. If each fix
    had a slope of its own, Var(b) (m1^2 + m2^2) would stand in the first place.
    """
    effect, s = np.array([0.020, 0.012]), 0.0005
    draws = effect + s * np.random.default_rng(6).normal(size=(N_DRAWS, 2))
    past = [PastTest.of("z", 0.03, 0.002, 0.02, 0.008)]
    found = recalibrated(effect, draws, ["drop_off"] * 2, ["a", "b"], past)
    line = calibrate(past, "drop_off").moments
    own = line.spread2 * (float(effect @ effect) + 2 * s**2)
    own += 2 * (line.slope**2 + line.slope_var) * s**2
    gap = effect[0] - effect[1]
    shared = stats.norm.cdf(-line.slope * gap / np.sqrt(line.slope_var * gap**2 + own))
    apart = stats.norm.cdf(-(found.effect[0] - found.effect[1]) / np.sqrt(found.sd @ found.sd))
    swapped = float((found.draws[:, 1] > found.draws[:, 0]).mean())
    assert swapped == pytest.approx(shared, abs=NOISE / 2)
    assert swapped < apart - 0.05


def test_kinds_share_all_of_the_slope_but_what_kinds_differ_by() -> None:
    """Var(b) of a kind without tests is that of the others plus 0.1^2; only the rest of it is common to two kinds."""
    effect = np.array([0.020, 0.015, 0.015])
    draws = np.broadcast_to(effect, (N_DRAWS, 3))
    past = [PastTest.of("z", 0.03, 0.002, 0.02, 0.004, kind="wait")]
    found = recalibrated(effect, draws, ["loop", "loop", "drop_off"], ["a", "b", "c"], past)
    line = calibrate(past, "loop").moments
    r = correlations(found.draws)
    within = line.slope_var * effect[0] * effect[1] / (found.sd[0] * found.sd[1])
    between = (line.slope_var - 0.1**2) * effect[0] * effect[2] / (found.sd[0] * found.sd[2])
    assert r[0, 1] == pytest.approx(within, abs=NOISE)
    assert r[0, 2] == pytest.approx(between, abs=NOISE)
    assert between < within - 0.1


def test_a_measured_fix_keeps_little_of_the_line() -> None:
    """Given its measurement, of the line the part of the measurement's error is left: (1 - gain) of the covariance."""
    effect = np.array([0.020, 0.015])
    draws = effect + 0.001 * np.random.default_rng(7).normal(size=(N_DRAWS, 2))
    past = [PastTest.of("a", 0.02, 0.001, 0.008, 0.003)]
    found = recalibrated(effect, draws, ["drop_off"] * 2, ["a", "b"], past)
    own, other = calibrate([], "drop_off", unit=0.02).moments, calibrate(past, "drop_off").moments
    before = posterior(0.02, draws[:, 0].std(ddof=1), calibrate([], "drop_off", unit=0.02))[1] ** 2
    left = 0.003**2 / (before + 0.003**2)
    expected = left * np.sqrt(own.slope_var * other.slope_var) * effect.prod() / found.sd.prod()
    assert correlations(found.draws)[0, 1] == pytest.approx(expected, abs=NOISE)


def test_draws_do_not_depend_on_the_order_of_the_fixes() -> None:
    effect = np.array([0.020, 0.015])
    draws = effect + 0.001 * np.random.default_rng(8).normal(size=(50, 2))
    past = [PastTest.of("a", 0.03, 0.002, 0.02, 0.004)]
    one = recalibrated(effect, draws, ["loop", "wait"], ["a", "b"], past)
    other = recalibrated(effect[::-1], draws[:, ::-1], ["wait", "loop"], ["b", "a"], past)
    assert (one.draws == other.draws[:, ::-1]).all()


def test_a_fix_that_does_nothing_stays_nothing() -> None:
    past = [PastTest.of("z", 0.03, 0.002, 0.02, 0.002)]
    found = recalibrated(np.zeros(1), np.zeros((50, 1)), ["drop_off"], ["a"], past)
    assert (found.draws == 0).all()


def test_a_prediction_without_spread_gets_one() -> None:
    past = [PastTest.of("z", 0.03, 0.002, 0.02, 0.002)]
    found = recalibrated(np.array([0.01]), np.full((4000, 1), 0.01), ["drop_off"], ["a"], past)
    # Four standard errors of a standard deviation over 4,000 draws.
    assert found.draws.std() == pytest.approx(float(found.sd[0]), rel=0.05)


def test_two_tests_of_one_fix_count_together() -> None:
    twice = [PastTest.of("a", 0.02, 0.002, y, 0.002) for y in (0.004, 0.008)]
    once = [PastTest.of("a", 0.02, 0.002, 0.006, 0.002 / np.sqrt(2))]
    both = [posteriors([0.02], [0.002], ["drop_off"], ["a"], past) for past in (twice, once)]
    assert both[0][0] == pytest.approx(both[1][0])


def test_net_value_decides_the_order_where_it_is_known() -> None:
    """1,000 of money for a point, costs of 1,200 and 0: the dearer fix has the larger effect and the lower value."""
    dear = fix("dear", 1, 0.02, 0.001, net_value=800.0, cost=1200.0)
    free = fix("free", 2, 0.01, 0.001, net_value=1000.0, cost=0.0)
    moved = rerank([dear, free], [PastTest.of("z", 0.02, 0.001, 0.016, 0.001)])
    assert [one.id for one in moved] == ["free", "dear"]


def test_blocks_stay_in_their_order() -> None:
    fixes = [fix("found", 1, 0.001, 0.0005), fix("assumed", 2, 0.02, 0.001, block="assumed")]
    moved = rerank(fixes, [PastTest.of("z", 0.02, 0.001, 0.016, 0.001)])
    assert [one.id for one in moved] == ["found", "assumed"]


def test_predictions_that_already_carry_tests_start_from_what_they_were() -> None:
    past = [PastTest.of("z", 0.02, 0.001, 0.016, 0.001)]
    carried = fix("a", 1, 0.009, 0.004, predicted=estimate(0.012, 0.012 - Z * 0.001, 0.012 + Z * 0.001))
    plain = fix("a", 1, 0.012, 0.001)
    one, other = rerank([carried], past)[0], rerank([plain], past)[0]
    assert float(one.after.estimate) == pytest.approx(float(other.after.estimate))
    assert float(one.before.estimate) == 0.009


def test_facts_are_frozen() -> None:
    with pytest.raises(AttributeError):
        PlanFacts("conversion", "x", {}).metric = "y"  # type: ignore[misc]
