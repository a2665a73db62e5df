"""Shorter waits on counts: cells, draws, and what happens where there is little to go by."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.counts.waits import LEFT, PASSED, SILENT, ActivityWaits, WaitCounts
from journeymine.errors import OptionError
from journeymine.fixes.what_if import waits as module
from journeymine.fixes.what_if.operators import passes_more
from journeymine.fixes.what_if.waits import MIN_CELL_VISITS, SHAPES, WaitModel, pass_ratio
from journeymine.uncertainty import bootstrap_weights

EXACT = 1e-9
DAY = 86_400_000_000


def simulated(n: int, seed: int, *, silent: bool, n_cells: int = 1, rate: float = 0.12) -> ActivityWaits:
    """Log-normal waits (1.0, 0.8) in days against exponential patience; one visit a unit."""
    rng = np.random.default_rng(seed)
    wait, patience = np.exp(1.0 + 0.8 * rng.standard_normal(n)), rng.exponential(1 / rate, n)
    time = np.round(np.minimum(wait, patience) * DAY).astype(np.int64)
    kind = np.where(patience < wait, SILENT if silent else LEFT, PASSED)
    return counts_of(np.arange(n), rng.integers(0, n_cells, n), kind, time)


def counts_of(unit: np.ndarray, cell: np.ndarray, kind: np.ndarray, time: np.ndarray) -> ActivityWaits:
    seen = kind != SILENT
    key, place = np.unique(np.floor(32 * np.log2(time[seen] + 1.0)), return_inverse=True)
    low, high = np.full(len(key), 2**62), np.zeros(len(key), np.int64)
    np.minimum.at(low, place, time[seen])
    np.maximum.at(high, place, time[seen])
    bin_ = np.full(len(unit), -1)
    bin_[seen] = place
    mean = np.bincount(place, time[seen]) / np.bincount(place)
    return ActivityWaits(
        unit, cell, kind, bin_, np.ones(len(unit), np.int64), mean, low, high, int(unit.max()) + 1
    )


@pytest.fixture
def all_bins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bins as counted: what merged bins stand for depends on who is counted."""
    monkeypatch.setattr(module, "MAX_BINS", 10_000)


ONE_CELL = np.zeros(4, np.int64)


@pytest.mark.parametrize("silent", [False, True])
def test_truth_with_its_interval(*, silent: bool) -> None:
    """The ratio is within 2 % at 20,000 visits, and the bootstrap's spread is that between logs."""
    many = np.exp(1.0 + 0.8 * np.random.default_rng(1).standard_normal(1_000_000))
    truth = np.exp(-0.06 * many).mean() / np.exp(-0.12 * many).mean()
    waits = simulated(20_000, 4, silent=silent)
    one = pass_ratio(waits, np.ones((1, waits.n_units)), 0.5, ONE_CELL, 1)
    assert float(one[0, 0]) == pytest.approx(truth, rel=0.02)
    logs = [simulated(1_500, seed, silent=silent) for seed in range(60)]
    ratios = [pass_ratio(w, np.ones((1, w.n_units)), 0.5, ONE_CELL, 1)[0, 0] for w in logs]
    draws = np.concatenate(
        [pass_ratio(logs[0], w, 0.5, ONE_CELL, 1) for w in bootstrap_weights(1_500, 200, 0)]
    )
    # The spread of 60 logs is known to 9 %; three of these, and what one log's bootstrap adds.
    assert draws.std() == pytest.approx(np.std(ratios), rel=0.35)
    assert np.mean(ratios) == pytest.approx(truth, abs=4 * np.std(ratios) / np.sqrt(60))


@pytest.mark.parametrize("silent", [False, True])
def test_fewer_bins_change_little(monkeypatch: pytest.MonkeyPatch, *, silent: bool) -> None:
    """All bins against 96: a thousandth of the ratio, a tenth of its standard error."""
    waits = simulated(4_000, 2, silent=silent)
    assert waits.n_bins > 1.5 * module.MAX_BINS
    weights = next(iter(bootstrap_weights(4_000, 20, 0)))
    few = pass_ratio(waits, weights, 0.5, ONE_CELL, 1)
    assert WaitModel(waits, ONE_CELL, 1).n_bins <= module.MAX_BINS
    monkeypatch.setattr(module, "MAX_BINS", 10_000)
    many = pass_ratio(waits, weights, 0.5, ONE_CELL, 1)
    assert WaitModel(waits, ONE_CELL, 1).n_bins == waits.n_bins
    assert np.abs(few / many - 1).max() < 1e-3


@pytest.mark.usefixtures("all_bins")
def test_weights_are_copies_of_units() -> None:
    waits = simulated(300, 1, silent=False, n_cells=2)
    weights = np.random.default_rng(2).integers(0, 3, (3, 300)).astype(float)
    cells = np.arange(2)
    found = WaitModel(waits, cells, 2)
    # Cells lean by how many visits there are, whatever the draw.
    for draw, row in zip(found.ratio(weights, 0.5), weights, strict=True):
        n = waits.n * row[waits.unit].astype(np.int64)
        copied = WaitModel(dataclasses.replace(waits, n=n), cells, 2)
        copied.lean = found.lean
        assert copied.ratio(np.ones((1, 300)), 0.5)[0] == pytest.approx(draw, rel=EXACT)


def test_buckets_together_are_everybody() -> None:
    waits = simulated(2_000, 3, silent=False)
    bucket = dataclasses.replace(waits, unit=waits.unit % 7, n_units=7)
    whole = dataclasses.replace(waits, unit=waits.unit * 0, n_units=1)
    found = [pass_ratio(w, np.ones((1, w.n_units)), 0.5, ONE_CELL, 1)[0, 0] for w in (waits, bucket, whole)]
    assert found[1] == pytest.approx(found[0], rel=EXACT)
    assert found[2] == pytest.approx(found[0], rel=EXACT)


def test_order_of_entries_does_not_matter() -> None:
    waits = simulated(500, 6, silent=True, n_cells=3)
    shuffle = np.random.default_rng(0).permutation(500)
    mixed = dataclasses.replace(
        waits, **{name: getattr(waits, name)[shuffle] for name in ("unit", "cell", "kind", "bin", "n")}
    )
    weights = next(iter(bootstrap_weights(500, 5, 0)))
    a, b = (pass_ratio(w, weights, 0.5, np.arange(3), 3) for w in (waits, mixed))
    assert np.array_equal(a, b)


@pytest.mark.usefixtures("all_bins")
def test_small_cells_lean_on_everybody() -> None:
    """A cell of 50 visits takes a quarter of its own ratio; cells that never wait take everybody's."""
    many, few = simulated(2_000, 1, silent=True), simulated(50, 2, silent=True, rate=0.5)
    both = counts_of(
        np.arange(2_050),
        np.repeat([0, 1], [2_000, 50]),
        np.concatenate([many.kind, few.kind]),
        np.concatenate([np.where(w.bin < 0, 0, w.mean_us[np.maximum(w.bin, 0)]) for w in (many, few)]).astype(
            np.int64
        ),
    )
    ones = np.ones((1, 2_050))
    found = WaitModel(both, np.arange(3), 3).ratio(ones, 0.5)[0]
    alone = [
        WaitModel(
            dataclasses.replace(
                both, **{name: getattr(both, name)[here] for name in ("unit", "cell", "kind", "bin", "n")}
            ),
            np.zeros(2, np.int64),
            1,
        ).ratio(ones, 0.5)[0, 0]
        for here in (both.cell == 0, both.cell == 1)
    ]
    pooled = WaitModel(both, np.zeros(3, np.int64), 1).ratio(ones, 0.5)[0, 0]
    lean = 50 / MIN_CELL_VISITS
    assert alone[1] - pooled > 0.1
    assert found == pytest.approx([alone[0], lean * alone[1] + (1 - lean) * pooled, pooled], rel=EXACT)


@pytest.mark.parametrize("kinds", [[SILENT] * 3, [LEFT] * 3])
def test_nobody_went_on(kinds: list[int]) -> None:
    waits = counts_of(np.arange(3), np.zeros(3, int), np.array(kinds), np.full(3, DAY))
    assert WaitModel(waits, ONE_CELL, 1).ratio(np.ones((2, 3)), 0.5).tolist() == [[1.0], [1.0]]


def test_nobody_left() -> None:
    waits = counts_of(np.arange(3), np.zeros(3, int), np.full(3, PASSED), np.arange(1, 4) * DAY)
    model = WaitModel(waits, ONE_CELL, 2)
    assert model.ratio(np.ones((1, 3)), 0.5) == pytest.approx(1.0, rel=EXACT)
    assert not model.silent
    assert model.leaving(np.ones((1, 3))).tolist() == [0.0]


def test_flag_of_silence() -> None:
    left = np.array([LEFT] * 95 + [SILENT] * 5 + [PASSED] * 10)
    few = counts_of(np.arange(110), np.zeros(110, int), left, np.full(110, DAY))
    assert not WaitModel(few, ONE_CELL, 1).silent
    assert WaitModel(simulated(100, 0, silent=True), ONE_CELL, 1).silent


def test_sensitivity_surrounds_the_estimate() -> None:
    """Impatience that comes early has done its harm by half the wait; late one has not."""
    model = WaitModel(simulated(2_000, 0, silent=True), ONE_CELL, 1)
    found = model.sensitivity(0.5)[:, 0]
    assert SHAPES == (0.0, 0.5, 1.0, 1.5)
    assert found[0] == pytest.approx(1.0, rel=EXACT)
    assert np.all(np.diff(found) > 0)
    assert found[2] == model.ratio(np.ones((1, 2_000)), 0.5)[0, 0]


@pytest.mark.parametrize("kappa", [-0.1, float("nan"), float("inf")])
def test_a_factor_that_is_none(kappa: float) -> None:
    model = WaitModel(simulated(50, 0, silent=True), ONE_CELL, 1)
    with pytest.raises(OptionError, match="kappa is"):
        model.ratio(np.ones((1, 50)), kappa)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), silent=st.booleans(), n_cells=st.integers(1, 4))
def test_kappa_one_changes_nothing_and_longer_waits_lose(seed: int, n_cells: int, *, silent: bool) -> None:
    waits = simulated(120, seed, silent=silent, n_cells=n_cells)
    weights = np.random.default_rng(seed).integers(0, 3, (3, 120)).astype(float)
    model = WaitModel(waits, np.arange(n_cells), n_cells)
    found = np.stack([model.ratio(weights, kappa) for kappa in (0.0, 0.3, 0.7, 1.0, 1.6)])
    assert found[3] == pytest.approx(1.0, rel=EXACT)
    assert np.all(np.diff(found, axis=0) <= EXACT)


rows = st.lists(st.integers(0, 20), min_size=4, max_size=4).filter(lambda row: sum(row) > 0)


@settings(max_examples=100, deadline=None)
@given(row=rows, ratio=st.floats(0, 5))
def test_changed_rows_are_rows(row: list[int], ratio: float) -> None:
    before = np.array([row], float) / sum(row)
    change = passes_more(before, np.array([0]), np.array([ratio])).change
    after = before + change
    assert after.sum() == pytest.approx(1.0, rel=EXACT)
    assert after.min() >= -EXACT
    going, went = before[0, :-1].sum(), after[0, :-1].sum()
    assert went == pytest.approx(min(ratio * going, 1.0) if going else 0.0, abs=EXACT)
    # The mix of where people go on to stays.
    assert after[0, :-1] * going == pytest.approx(before[0, :-1] * went, abs=EXACT)


def test_activities_are_taken_apart() -> None:
    counts = WaitCounts(
        unit=np.array([0, 1, 1, 2]),
        cell=np.array([0, 0, 1, 0]),
        activity=np.array([3, 5, 5, 5]),
        kind=np.array([PASSED, PASSED, SILENT, LEFT]),
        bin=np.array([0, 2, -1, 1]),
        n=np.array([4, 3, 2, 1]),
        bin_activity=np.array([3, 5, 5]),
        mean_us=np.array([9.0, 1.0, 2.0]),
        low_us=np.array([9, 1, 2]),
        high_us=np.array([9, 1, 2]),
        n_units=3,
    )
    assert counts.activities.tolist() == [3, 5]
    five = counts.of(5)
    assert (five.bin.tolist(), five.mean_us.tolist(), five.passed.tolist()) == (
        [1, -1, 0],
        [1.0, 2.0],
        [0.0, 3.0],
    )
    assert five.share_silent == pytest.approx(2 / 3)
    none = counts.of(4)
    assert (len(none.n), none.n_bins, none.share_silent) == (0, 0, 0.0)
    assert WaitModel(none, ONE_CELL, 1).ratio(np.ones((1, 3)), 0.5).tolist() == [[1.0]]
