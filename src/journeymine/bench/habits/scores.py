"""The answer of a habit: scores without an interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from journeymine.fixes.fix import Fix


def as_scores(fixes: Sequence[Fix], scores: Iterable[float]) -> pd.DataFrame:
    """One row for each fix; the bounds repeat the score, since habits have none.

    Examples
    --------
    >>> from journeymine.fixes.fix import Fix
    >>> as_scores([Fix(kind="drop_off", activity="Pay")], [3]).to_dict("records")
    [{'fix_id': 'drop_off:Pay', 'estimate': 3.0, 'lower': 3.0, 'upper': 3.0}]
    """
    values = [float(score) for score in scores]
    ids = [fix.id for fix in fixes]
    return pd.DataFrame({"fix_id": ids, "estimate": values, "lower": values, "upper": values})
