"""Chains of segments: identities with the whole chain, frames, and a simulation of error and coverage."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.markov.estimation import ChainModel
from journeymine.markov.lists import count_lists
from journeymine.markov.segment_chains import segment_chains

if TYPE_CHECKING:
    from journeymine.counts.chain import ChainCounts

EXACT = 1e-9
LOGS = 6
LEAST_COVERAGE = 0.88
"""Six logs of twenty segments: 120 conversions of 0.95 have a standard error of 0.02 at least."""


def simulation() -> Any:
    place = Path(__file__).parents[2] / "benchmarks" / "validation" / "shrinkage.py"
    spec = importlib.util.spec_from_file_location("shrinkage_simulation", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def split(counts: ChainCounts, border: int, cells: tuple[tuple[str, ...], ...]) -> ChainCounts:
    """Customers from `border` on are of the second cell."""
    return dataclasses.replace(
        counts,
        cell=(counts.unit >= border).astype(int),
        start_cell=(counts.start_unit >= border).astype(int),
        cells=cells,
    )


def two_segments() -> ChainCounts:
    """Fifty customers of "new", of whom 10 convert, after 300 of "old", of whom 180 do; some pass b."""
    paths = [["a", "G"]] * 100 + [["a", "b", "G"]] * 80 + [["a"]] * 120
    paths += [["a", "G"]] * 10 + [["a"]] * 40
    counts, _ = count_lists(paths, goal="G", customers=[f"{i:03d}" for i in range(350)])
    return split(counts, 300, (("old",), ("new",)))


def test_a_single_segment_is_the_whole_chain() -> None:
    counts = two_segments()
    found = segment_chains(counts, ["all", "all"], n_draws=200)
    point = ChainModel(counts).point()
    np.testing.assert_allclose(found.matrix("all").to_numpy(), point.moves, atol=EXACT)
    assert found.conversion.estimate[0] == pytest.approx(float(point.solved.conversion), abs=EXACT)


def test_raw_conversion_is_that_of_each_segment() -> None:
    """Every journey is over, so the chain's conversion is the observed one; the shrunk ones lie closer together."""
    found = segment_chains(two_segments(), ["old", "new"], n_draws=200)
    assert found.segments == ("new", "old")
    np.testing.assert_allclose(found.raw_conversion, [10 / 50, 180 / 300], atol=EXACT)
    shrunk = found.conversion.estimate
    assert 0.2 < shrunk[0] < 0.4
    assert 0.55 < shrunk[1] <= 0.6
    assert found.conversion.n.tolist() == [50, 300]
    # Nobody of "new" was seen in b: its row there is everybody's.
    b = found.names.index("b")
    assert found.pooled_weight[0, b] == 1.0
    assert found.matrix("new").loc["b", "(goal)"] == pytest.approx(1.0)
    np.testing.assert_allclose(found.matrix("new").sum(axis=1), 1.0)


def test_frames() -> None:
    found = segment_chains(two_segments(), ["old", "new"], n_draws=200)
    frame = found.to_frame()
    assert frame.columns.tolist() == [
        "segment", "source", "target", "n", "estimate", "lower", "upper", "raw", "pooled_weight",
    ]  # fmt: skip
    assert len(frame) == 2 * 4
    assert frame.groupby("segment")["n"].sum().to_dict() == {"new": 50, "old": 380}
    assert ((frame["lower"] <= frame["estimate"]) & (frame["estimate"] <= frame["upper"])).all()
    unseen = frame[(frame["segment"] == "new") & (frame["source"] == "b")]
    assert unseen["raw"].isna().all()
    assert found.conversion_frame()["segment"].tolist() == ["new", "old"]
    assert len(repr(found).splitlines()) <= 12
    assert repr(found).splitlines()[-1].startswith("Next: ")
    with pytest.raises(OptionError, match="segment is 'odl'"):
        found.matrix("odl")


def test_draws_are_the_same_for_any_order_of_rows() -> None:
    counts = two_segments()
    order = np.random.default_rng(0).permutation(len(counts.n))
    moved = dataclasses.replace(
        counts,
        **{
            name: getattr(counts, name)[order]
            for name in ("unit", "cell", "source", "target", "n", "wait_us")
        },
    )
    one, other = (segment_chains(c, ["old", "new"], n_draws=200, seed=5) for c in (counts, moved))
    for field in ("estimate", "lower", "upper"):
        np.testing.assert_array_equal(getattr(one.share, field), getattr(other.share, field))
        np.testing.assert_array_equal(getattr(one.conversion, field), getattr(other.conversion, field))


def test_without_journeys() -> None:
    counts = two_segments()
    empty = dataclasses.replace(counts, start_n=np.zeros_like(counts.start_n))
    with pytest.raises(NotEnoughDataError):
        segment_chains(empty, ["old", "new"])


@pytest.mark.simulation
def test_error_falls_and_coverage_holds() -> None:
    """A short run of `benchmarks/validation/shrinkage.py`, its hardest world: customers come back, segments differ."""
    world = simulation()
    rows: list[dict[str, object]] = []
    for seed in range(LOGS):
        counts, shares, conversion = world.sample("different, customers come back", 1000 + seed)
        found = segment_chains(counts, world.segment_names(), n_draws=200, seed=seed)
        rows += [row | {"log": seed} for row in world.judged(found, shares, conversion)]
    table = world.table(rows)
    assert (table["mse_ratio"] < 0.8).all()
    assert (table["small_mse_ratio"] < 0.8).all()
    assert (table["coverage"] > LEAST_COVERAGE).all()
