"""Coverage curve and entropy against plain loops, known distributions and scipy; counts of counts against the paths."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from journeymine.counts.variety import VarietyCounts
from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.paths.variants import estimate_variants
from journeymine.paths.variety import chao_shen, coverage_curve, estimate_entropy
from journeymine.reading import read_log
from journeymine.uncertainty import wilson

if TYPE_CHECKING:
    from journeymine.log import EventLog

    Pairs = list[tuple[int, int]]


def counts_of(pairs: Pairs) -> VarietyCounts:
    """Counts of counts of (variant, customer) pairs, one a case."""
    size = Counter(variant for variant, _ in pairs)
    spread = Counter(variant for variant, _ in set(pairs))
    all_sizes = sorted(Counter((size[v], spread[v]) for v in size).items(), reverse=True)
    own = Counter((unit, variant) for variant, unit in pairs)
    units = sorted(Counter((u, size[v], spread[v], n) for (u, v), n in own.items()).items())
    columns = [np.array([key[i] for key, _ in units]) for i in range(4)]
    return VarietyCounts(
        np.array([s for (s, _), _ in all_sizes]), np.array([c for (_, c), _ in all_sizes]),
        np.array([n for _, n in all_sizes]), *columns, np.array([n for _, n in units]),
        max(unit for _, unit in pairs) + 1,
    )  # fmt: skip


def make(cases: list[tuple[str, str]]) -> EventLog:
    """A log of (path, customer)."""
    rows = [(i, what, who) for i, (path, who) in enumerate(cases) for what in path.split()]
    columns = {name: [row[i] for row in rows] for i, name in enumerate(("case", "what", "who"))}
    return read_log(pa.table(columns), case_id="case", activity="what", customer_id="who", threads=1)


def plain_chao_shen(pairs: Pairs) -> float:
    """The formula, variant by variant."""
    size, spread = Counter(v for v, _ in pairs), Counter(v for v, _ in set(pairs))
    n, m = len(pairs), len({unit for _, unit in pairs})
    coverage = 1 - sum(size[v] for v in size if spread[v] == 1) / n
    total = 0.0
    for v in size:
        share = coverage * size[v] / n
        total -= share * math.log2(share) / (1 - (1 - coverage * spread[v] / m) ** m)
    return total


PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6)), min_size=2, max_size=30)


@given(PAIRS)
@settings(max_examples=80, deadline=None)
def test_entropy_equals_the_formula_and_the_jackknife_leaves_out_one_customer(pairs: Pairs) -> None:
    counts = counts_of(pairs)
    entropy = estimate_entropy(counts)
    size = Counter(v for v, _ in pairs)
    assert entropy.observed == pytest.approx(stats.entropy(list(size.values()), base=2), abs=1e-12)
    shared = {v for v in size if len({u for w, u in pairs if w == v}) > 1}
    assert float(entropy.known.estimate) == pytest.approx(sum(size[v] for v in shared) / len(pairs))
    rests = [[pair for pair in pairs if pair[1] != unit] for unit in sorted({u for _, u in pairs})]
    if not shared or any(max(Counter(v for v, _ in set(r)).values(), default=0) < 2 for r in rests):
        assert entropy.bits.at() is None
        return
    assert float(entropy.bits.estimate) == pytest.approx(plain_chao_shen(pairs), abs=1e-9)
    left = [plain_chao_shen(rest) for rest in rests]
    m = len(left)
    deviation = math.sqrt((m - 1) / m * sum((x - sum(left) / m) ** 2 for x in left))
    upper = float(entropy.bits.estimate) + stats.t.ppf(0.975, m - 1) * deviation
    assert float(entropy.bits.upper) == pytest.approx(upper, abs=1e-8)


@given(PAIRS)
@settings(max_examples=60, deadline=None)
def test_the_curve_is_the_share_of_the_most_frequent(pairs: Pairs) -> None:
    curve = coverage_curve(counts_of(pairs))
    sizes = sorted(Counter(v for v, _ in pairs).values(), reverse=True)
    expected = [sum(sizes[:k]) / len(pairs) for k in curve.n_variants.tolist()]
    assert curve.share.estimate.tolist() == pytest.approx(expected)
    assert curve.n_variants[-1] == len(sizes)
    assert (curve.share.lower <= curve.share.estimate).all()
    assert (curve.share.upper >= curve.share.estimate).all()
    for share in (0.1, 0.3, 0.5, 0.8, 1.0):
        k = curve.n_variants_for(share)
        assert sum(sizes[:k]) >= share * len(pairs) - 1e-9 > sum(sizes[: k - 1]) - 2e-9 * len(pairs)


def test_the_interval_is_wilsons_where_customers_have_one_case_each() -> None:
    counts = counts_of([(0 if i < 60 else 1 if i < 90 else i, i) for i in range(100)])
    curve = coverage_curve(counts)
    assert curve.n_variants.tolist() == [1, 2, 3, 5, 10, 12]
    assert curve.share.estimate.round(9).tolist() == [0.6, 0.9, 0.91, 0.93, 0.98, 1.0]
    low, high = wilson(60, 100)
    assert (float(curve.share.lower[0]), float(curve.share.upper[0])) == pytest.approx(
        (float(low), float(high)), abs=2e-3
    )
    assert curve.to_frame().columns.tolist() == ["n_variants", "estimate", "lower", "upper", "n"]
    assert repr(curve).splitlines()[-1].startswith("Next:")


def test_equals_share_a_place_so_their_order_says_nothing() -> None:
    one = coverage_curve(counts_of([(0, 0), (0, 1), (1, 2), (1, 3), (2, 4), (3, 5)]))
    two = coverage_curve(counts_of([(1, 0), (1, 1), (0, 2), (0, 3), (3, 4), (2, 5)]))
    for name in ("estimate", "lower", "upper"):
        assert getattr(one.share, name).tolist() == getattr(two.share, name).tolist()


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "a b", "b a", "a a b"]), st.sampled_from("xyz")), min_size=1
    )
)
@settings(max_examples=12, deadline=None)
def test_counts_of_counts_come_from_the_engine(cases: list[tuple[str, str]]) -> None:
    variants = make(cases).variants(1)
    paths = {path: i for i, path in enumerate(sorted({path for path, _ in cases}))}
    who = {name: i for i, name in enumerate(sorted({name for _, name in cases}))}
    expected = counts_of([(paths[path], who[name]) for path, name in cases])
    found = variants.counts.variety
    assert found is not None
    for name in ("size", "spread", "n_variants", "unit", "unit_size", "unit_own"):
        assert sorted(getattr(found, name).tolist()) == sorted(getattr(expected, name).tolist()), name
    assert variants.coverage.share.estimate.tolist() == coverage_curve(expected).share.estimate.tolist()
    got, plain = variants.entropy.bits, estimate_entropy(expected).bits
    for part in ("estimate", "lower", "upper"):
        assert float(getattr(got, part)) == pytest.approx(float(getattr(plain, part)), nan_ok=True)
    size = Counter(path for path, _ in cases)
    assert variants.n_once == sum(n == 1 for n in size.values())


def test_one_case_a_customer_is_the_published_estimator() -> None:
    # Chao and Shen (2003) with one case a unit: coverage 1 - f1 / n, inclusion 1 - (1 - C x / n)^n.
    sizes = [10, 6, 3, 1, 1]
    n, c = sum(sizes), 1 - 2 / sum(sizes)
    expected = -sum(c * x / n * math.log2(c * x / n) / (1 - (1 - c * x / n) ** n) for x in sizes)
    pairs = [(v, 0) for v, x in enumerate(sizes) for _ in range(x)]
    counts = counts_of([(v, i) for i, (v, _) in enumerate(pairs)])
    assert chao_shen(counts.size, counts.spread, counts.n_variants, n) == pytest.approx(expected)


def test_what_a_log_cannot_say() -> None:
    alone = estimate_entropy(counts_of([(i, i) for i in range(9)]))
    assert (alone.bits.at(), alone.normalised.at()) == (None, None)
    assert alone.observed == pytest.approx(math.log2(9))
    assert "not available" in repr(alone)
    same = estimate_entropy(counts_of([(0, i) for i in range(9)]))
    assert (float(same.bits.estimate), float(same.normalised.estimate), same.observed) == (0.0, 0.0, 0.0)
    one = estimate_entropy(counts_of([(0, 0)]))
    assert one.bits.at() is None


def simulated(share: np.ndarray, n_customers: int, loyal: float, rng: np.random.Generator) -> Pairs:
    """Four cases a customer, who keeps to a habit with probability `loyal`."""
    unit = np.repeat(np.arange(n_customers), 4)
    habit = rng.choice(len(share), p=share, size=n_customers)[unit]
    fresh = rng.choice(len(share), p=share, size=len(unit))
    chosen = np.where(rng.random(len(unit)) < loyal, habit, fresh)
    return list(zip(chosen.tolist(), unit.tolist(), strict=True))


@pytest.mark.parametrize("loyal", [0.0, 0.5])
def test_the_interval_holds_the_true_entropy(loyal: float) -> None:
    share = 1 / np.arange(1, 61)
    share /= share.sum()
    true, rng, hits, plain = float(stats.entropy(share, base=2)), np.random.default_rng(11), 0, []
    for _ in range(60):
        entropy = estimate_entropy(counts_of(simulated(share, 100, loyal, rng)))
        hits += bool(entropy.bits.lower <= true <= entropy.bits.upper)
        plain.append(entropy.observed)
    # 60 runs at 95 %: fewer than 51 would be a chance of one in a thousand.
    assert hits >= 51
    assert np.mean(plain) < true - 0.05


@pytest.mark.parametrize("share", [0, -1, 1.5, "half", True])
def test_a_share_is_above_nothing_and_at_most_all(share: Any) -> None:
    with pytest.raises(OptionError, match="share is"):
        coverage_curve(counts_of([(0, 0)])).n_variants_for(share)


def test_variants_that_were_counted_without_their_variety_say_so() -> None:
    from dataclasses import replace

    counts = make([("a b", "x")]).variants().counts
    with pytest.raises(NotEnoughDataError, match="was not counted"):
        estimate_variants(replace(counts, variety=None)).coverage  # noqa: B018
