"""Numbers as they stand in `report.json`."""

from __future__ import annotations

import math
from typing import Any

SIGNIFICANT_DIGITS = 9


def rounded(value: Any) -> Any:
    """Plain JSON with floats of nine significant digits, and null for what is not a number.

    Nine digits are more than any interval is worth, and hide the last bits in which machines differ.

    Examples
    --------
    >>> rounded({"share": 1 / 3, "n": 3, "wait_s": float("nan"), "names": ("a",)})
    {'share': 0.333333333, 'n': 3, 'wait_s': None, 'names': ['a']}
    """
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item) for item in value]
    if isinstance(value, float):
        # Adding zero turns -0.0 into 0.0.
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}") + 0.0 if math.isfinite(value) else None
    return value
