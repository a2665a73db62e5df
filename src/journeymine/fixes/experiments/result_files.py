"""Results of a test as files: totals by arm, or one row a customer; CSV, JSON or Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.errors import DataError, SourceError, listed, shown
from journeymine.fixes.experiments.result_data import ResultData

if TYPE_CHECKING:
    import os

    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

NAMES = {
    "arm": ("arm", "group", "variant", "variation"),
    "customer_id": ("customer_id", "customer", "user_id", "user"),
    "n": ("n", "customers", "users", "visitors"),
    "conversions": ("conversions", "successes"),
    "converted": ("converted", "conversion", "success"),
    "before": ("before",),
    "week": ("week",),
    "date": ("date",),
}
ARMS = {
    "control": ("control", "c", "a", "holdout", "baseline", "off", "0"),
    "treatment": ("treatment", "treated", "t", "b", "test", "variant", "on", "1"),
}
YES, NO = ("1", "1.0", "true", "yes"), ("0", "0.0", "false", "no")


def read_results(path: str | os.PathLike[str]) -> ResultData:
    """Read the results of a test.

    Parameters
    ----------
    path
        ``.csv``, ``.json`` (a list of objects) or ``.parquet``. Totals have the columns ``arm, n, conversions``,
        customers ``customer_id, arm, converted`` and, for CUPED, ``before``. A column ``week`` tells looks apart.
        Arms are "control" and "treatment" (or "a" and "b", "0" and "1", …).

    Raises
    ------
    SourceError
        The file cannot be read.
    DataError
        It has other columns, arms or values.
    """
    where = Path(path)
    return results_of_frame(_frame(where), shown(str(path)))


def results_of_frame(frame: pd.DataFrame, where: str = "the table") -> ResultData:
    """The same of a table.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [("control", 1000, 100), ("treatment", 1000, 120)]
    >>> results_of_frame(pd.DataFrame(rows, columns=["arm", "n", "conversions"])).conversions.tolist()
    [[100, 120]]
    """
    frame = _renamed(frame)
    each = "customer_id" in frame
    _check_columns(frame, ("customer_id", "arm", "converted") if each else ("arm", "n", "conversions"), where)
    arm = _arms(frame["arm"], where)
    week, names = _weeks(frame, where)
    date = None if "date" not in frame or frame.empty else str(frame["date"].iloc[0])
    if not each:
        n, won = _whole(frame["n"], "n", where), _whole(frame["conversions"], "conversions", where)
        data = ResultData(_table(week, arm, n), _table(week, arm, won), names, date=date)
    else:
        _check_customers(frame, arm, where)
        converted = _yes_or_no(frame["converted"], where)
        before = _numbers(frame["before"], "before", where) if "before" in frame else None
        n, won = _table(week, arm, np.ones(len(arm), np.int64)), _table(week, arm, converted.astype(np.int64))
        data = ResultData(n, won, names, arm, converted, before, week, date)
    _check_totals(data, where)
    return data


def _frame(path: Path) -> pd.DataFrame:
    import pandas as pd

    where, kind = shown(str(path)), path.suffix.lower()
    if kind not in (".csv", ".json", ".parquet"):
        raise SourceError(
            f"{where} is no file of results.", hint="expected a file that ends in .csv, .json or .parquet."
        )
    try:
        if kind == ".parquet":
            return pd.read_parquet(path)
        if kind == ".csv":
            return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        return _json_frame(path, where)
    except FileNotFoundError as error:
        raise SourceError(f"{where} does not exist.", hint="check the path.") from error
    except (OSError, ValueError) as error:
        raise SourceError(f"{where} cannot be read: {str(error).splitlines()[0]}.") from error


def _json_frame(path: Path, where: str) -> pd.DataFrame:
    import json

    import pandas as pd

    rows: Any = json.loads(path.read_bytes())
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SourceError(
            f"{where} is not a list of objects.",
            hint='write [{"arm": "control", "n": 1000, "conversions": 90}, …].',
        )
    return pd.DataFrame(rows)


def _renamed(frame: pd.DataFrame) -> pd.DataFrame:
    plain = {name: str(name).strip().casefold() for name in frame.columns}
    given = {synonym: name for name, synonyms in NAMES.items() for synonym in reversed(synonyms)}
    found: dict[Any, str] = {}
    for column, text in plain.items():
        # The first of several synonyms counts; the others are left as they are.
        if text in given and given[text] not in found.values():
            found[column] = given[text]
    return frame[list(found)].rename(columns=found)


def _check_columns(frame: pd.DataFrame, needed: tuple[str, ...], where: str) -> None:
    missing = [name for name in needed if name not in frame]
    if missing:
        raise DataError(
            f"{where} has no column {listed(missing)}.",
            found=listed(frame.columns) or "none of the known columns",
            hint='totals have "arm, n, conversions"; customers have "customer_id, arm, converted".',
        )
    if frame.empty:
        raise DataError(f"{where} has no rows.")


def _arms(column: pd.Series[Any], where: str) -> Ints:
    known = {name: i for i, arm in enumerate(ARMS) for name in ARMS[arm]}
    texts = [str(value).strip().casefold() for value in column]
    if unknown := sorted({text for text in texts if text not in known}):
        raise DataError(
            f"{where} has arms that are neither control nor treatment.",
            found=listed(shown(text) for text in unknown),
            hint="call the arms control and treatment; one plan is about two arms.",
        )
    arm = np.array([known[text] for text in texts], np.int64)
    if len(set(arm.tolist())) != 2:
        raise DataError(f"{where} has only one arm.", found=listed(sorted(set(texts))))
    return arm


def _weeks(frame: pd.DataFrame, where: str) -> tuple[Ints, tuple[str, ...]]:
    if "week" not in frame:
        return np.zeros(len(frame), np.int64), ()
    texts = [str(value).strip() for value in frame["week"]]
    numeric = all(text.removesuffix(".0").isdecimal() for text in texts)
    # 10 comes after 9; other names, such as 2026-W07, sort as texts.
    key = {text: (int(float(text)) if numeric else 0, text) for text in texts}
    names = sorted(set(texts), key=key.__getitem__)
    if "" in names:
        raise DataError(f"{where} has rows without a week.")
    place = {name: i for i, name in enumerate(names)}
    return np.array([place[text] for text in texts], np.int64), tuple(names)


def _table(week: Ints, arm: Ints, n: Ints) -> Ints:
    table = np.zeros((int(week.max()) + 1, 2), np.int64)
    np.add.at(table, (week, arm), n)
    return table


def _check_customers(frame: pd.DataFrame, arm: Ints, where: str) -> None:
    ids = frame["customer_id"].astype(str)
    if not ids.duplicated().any():
        return
    in_both = len(set(ids[arm == 0]) & set(ids[arm == 1]))
    if in_both:
        raise DataError(
            f"{where} has {in_both} customers in both arms.",
            hint="deal customers by the rule of the plan (audience.assignment); leave the mixed ones out knowingly.",
        )
    raise DataError(
        f"{where} has customers more than once.", hint="keep one row a customer: the first visit."
    )


def _numbers(column: pd.Series[Any], name: str, where: str) -> Floats:
    try:
        values = np.array([np.nan if value is None or value == "" else float(value) for value in column])
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: {name} has values that are no numbers.", found=str(error)) from error
    if not np.isfinite(values).all():
        raise DataError(f"{where}: {name} has {int((~np.isfinite(values)).sum())} missing values.")
    return values


def _whole(column: pd.Series[Any], name: str, where: str) -> Ints:
    values = _numbers(column, name, where)
    wrong = values[(values < 0) | (values != np.round(values))]
    if len(wrong):
        raise DataError(f"{where}: {name} is {shown(float(wrong[0]))}, expected whole numbers from 0.")
    return values.astype(np.int64)


def _yes_or_no(column: pd.Series[Any], where: str) -> Floats:
    texts = [str(value).strip().casefold() for value in column]
    if unknown := sorted({text for text in texts if text not in YES + NO}):
        raise DataError(
            f"{where}: converted has values that are neither 0 nor 1.",
            found=listed(shown(text) for text in unknown),
        )
    return np.array([text in YES for text in texts], dtype=float)


def _check_totals(data: ResultData, where: str) -> None:
    if (data.conversions > data.n).any():
        raise DataError(
            f"{where} has more conversions than customers.",
            hint="count each customer once: those who met the fix, and those of them who converted.",
        )
    if (data.n.sum(axis=0) == 0).any():
        raise DataError(f"{where} has an arm without customers.")
