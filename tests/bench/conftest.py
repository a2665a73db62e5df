"""Journeys written by hand, and lines of a journal, for the tests of the benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from journeymine.bench.facts import Facts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def frame_of(
    journeys: Sequence[Sequence[str]], *, hours: float = 1.0, **columns: Sequence[Any]
) -> pd.DataFrame:
    """Journeys as events, one step an hour; `columns` hold a value for each journey."""
    rows = [
        {
            "case_id": f"c{i}",
            "activity": name,
            "timestamp": pd.Timestamp("2026-01-05", tz="UTC")
            + pd.Timedelta(days=i)
            + pd.Timedelta(hours=hours * j),
            **{column: values[i] for column, values in columns.items()},
        }
        for i, journey in enumerate(journeys)
        for j, name in enumerate(journey)
    ]
    events = pd.DataFrame(rows)
    Facts(goal=("Order",), end=("Left",)).write(events)
    return events


@pytest.fixture
def make_frame() -> Callable[..., pd.DataFrame]:
    return frame_of


def line_of(ranker: str = "mine", seed: int = 0, **changes: Any) -> dict[str, Any]:
    """A finished line: three fixes with true effects of 3, 2 and 1 points, predicted well."""
    fixes = [
        {
            "id": name,
            "kind": "drop_off",
            "true": true,
            "estimate": true,
            "lower": 0.5 * true,
            "upper": 2 * true,
        }
        for name, true in (("a", 0.03), ("b", 0.02), ("c", 0.01))
    ]
    line: dict[str, Any] = {
        "shape": "shop",
        "scenario": "markov",
        "n": 10_000,
        "seed": seed,
        "ranker": ranker,
        "calibrated": True,
        "intervals": True,
        "cpu_s": 1.0,
        "peak_mb": 100.0,
        "fixes": fixes,
        "sets": [],
        "n_classes": None,
    }
    for key, value in changes.items():
        if key in ("true", "estimate", "lower", "upper", "p_best", "flags", "above_zero", "rank"):
            for fix, one in zip(fixes, value, strict=True):
                fix[key] = one
        else:
            line[key] = value
    return line


@pytest.fixture
def make_line() -> Callable[..., dict[str, Any]]:
    return line_of
