"""Cases of each unit that is resampled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import ints

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine

    Ints = NDArray[np.int64]


def cases_by_unit(engine: DuckDBEngine, log: Canonical) -> Ints:
    """Cases of each unit, shape (n_units,)."""
    rows = engine.fetch(f"SELECT unit, COUNT(*) AS n FROM {log.cases} GROUP BY unit ORDER BY unit")
    cases = np.zeros(log.n_units, np.int64)
    cases[ints(rows["unit"])] = ints(rows["n"])
    return cases
