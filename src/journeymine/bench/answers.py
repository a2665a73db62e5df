"""What a ranker answered, checked: one row for each fix, numbers that are numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from journeymine.errors import DataError, listed, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from journeymine.fixes.fix import Fix

NEEDED: Final = ("fix_id", "estimate", "lower", "upper")
PLACES: Final = ("rank", "rank_lower", "rank_upper")


class AnswerError(DataError):
    """A ranker returned what cannot be scored; names the ranker."""


def checked_answer(answer: Any, fixes: Sequence[Fix], ranker: str) -> list[dict[str, Any]]:
    """Plain rows in the order of `fixes`.

    Parameters
    ----------
    answer
        Frame with `fix_id, estimate, lower, upper`, and where the ranker knows them `p_best`, `above_zero`,
        `flags`, `rank`, `rank_lower`, `rank_upper`.

    Raises
    ------
    AnswerError
        Not a frame, columns or fixes are missing, unknown or doubled, a number is missing or infinite, an
        interval is upside down or does not hold its estimate.

    Examples
    --------
    >>> import pandas as pd
    >>> from journeymine.fixes.fix import Fix
    >>> fix = Fix(kind="drop_off", activity="Pay")
    >>> frame = pd.DataFrame({"fix_id": [fix.id], "estimate": 0.01, "lower": 0.005, "upper": 0.02})
    >>> checked_answer(frame, [fix], "mine")
    [{'id': 'drop_off:Pay', 'estimate': 0.01, 'lower': 0.005, 'upper': 0.02}]
    """
    by_id = _rows(answer, [fix.id for fix in fixes], ranker)
    return [_row(by_id[fix.id], fix.id, ranker) for fix in fixes]


def _rows(answer: Any, wanted: list[str], ranker: str) -> dict[str, dict[str, Any]]:
    columns = getattr(answer, "columns", None)
    if columns is None or not hasattr(answer, "to_dict"):
        raise _wrong(ranker, f"returned {shown(answer)}", "a DataFrame")
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise _wrong(ranker, f"returned no column {listed(missing)}", listed(NEEDED), listed(columns))
    rows = _records(answer)
    ids = [str(row["fix_id"]) for row in rows]
    for what, names in (
        ("unknown fixes", sorted(set(ids) - set(wanted))),
        ("nothing on", sorted(set(wanted) - set(ids))),
        ("several rows on", sorted({name for name in ids if ids.count(name) > 1})),
    ):
        if names:
            raise _wrong(ranker, f"returned {what} {listed(names)}", "one row for each fix")
    return dict(zip(ids, rows, strict=True))


def _records(answer: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in answer.to_dict("records")]


def _row(row: dict[str, Any], name: str, ranker: str) -> dict[str, Any]:
    found: dict[str, Any] = {"id": name}
    for key in NEEDED[1:]:
        found[key] = _number(row[key], key, name, ranker)
    if not found["lower"] <= found["estimate"] <= found["upper"]:
        bounds = f"{found['lower']:g} to {found['upper']:g}"
        raise _wrong(
            ranker,
            f"returned {found['estimate']:g} in {bounds} for {shown(name)}",
            "lower <= estimate <= upper",
        )
    if _given(row, "p_best"):
        found["p_best"] = _number(row["p_best"], "p_best", name, ranker)
        if not 0 <= found["p_best"] <= 1:
            raise _wrong(
                ranker, f"returned p_best {found['p_best']:g} for {shown(name)}", "a share from 0 to 1"
            )
    found |= {key: int(_number(row[key], key, name, ranker)) for key in PLACES if _given(row, key)}
    if _given(row, "above_zero"):
        found["above_zero"] = bool(row["above_zero"])
    if _given(row, "flags"):
        flags = row["flags"]
        found["flags"] = sorted(
            flags.replace(",", " ").split() if isinstance(flags, str) else map(str, flags)
        )
    return found


def _given(row: dict[str, Any], key: str) -> bool:
    value = row.get(key)
    return value is not None and not (isinstance(value, float) and math.isnan(value))


def _number(value: Any, key: str, name: str, ranker: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise _wrong(ranker, f"returned {key} {shown(value)} for {shown(name)}", "a finite number")
    return number


def _wrong(ranker: str, problem: str, expected: str, found: str | None = None) -> AnswerError:
    return AnswerError(
        f"ranker {shown(ranker)} {problem}, expected {expected}.",
        found=found,
        hint="a ranker returns a DataFrame with fix_id, estimate, lower, upper: one row for each fix.",
    )
