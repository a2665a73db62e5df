"""pandas columns as Arrow arrays, for pandas 2 and 3: what is missing stays missing, what is mixed becomes text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

# What `pandas.api.types.infer_dtype` calls object columns that Arrow takes over without changing any value.
_UNIFORM = frozenset({"string", "integer", "floating", "boolean", "decimal", "date", "datetime64", "empty"})


def pandas_arrays(frame: pd.DataFrame) -> tuple[list[str], list[pa.Array]]:
    """Names and columns of a frame; a named index becomes columns, a nameless one is left out.

    Examples
    --------
    >>> import pandas as pd
    >>> names, arrays = pandas_arrays(pd.DataFrame({"id": ["NA", None], "x": [1, "1"]}))
    >>> names, [array.to_pylist() for array in arrays]
    (['id', 'x'], [['NA', None], ['1', '1']])
    """
    import pandas as pd

    names = [_name(label) for label in frame.columns]
    arrays = [_array(frame.iloc[:, place]) for place in range(frame.shape[1])]
    levels = [
        (str(name), frame.index.get_level_values(place).to_series(index=pd.RangeIndex(len(frame))))
        for place, name in enumerate(frame.index.names)
        if name is not None and str(name) not in names
    ]
    return [name for name, _ in levels] + names, [_array(values) for _, values in levels] + arrays


def _name(label: Any) -> str:
    """Column label as text; the levels of a label with several are joined."""
    return "_".join(str(part) for part in label if str(part)) if isinstance(label, tuple) else str(label)


def _array(values: pd.Series) -> pa.Array:
    import pandas as pd
    import pyarrow as pa

    if isinstance(values.dtype, pd.CategoricalDtype):
        return _category(values)
    if values.dtype == object:
        return _objects(values)
    try:
        array = pa.array(values, from_pandas=True)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        return _text(values)
    readable = pa.types.is_dictionary(array.type) or not pa.types.is_nested(array.type)
    return array if readable and not isinstance(array.type, pa.BaseExtensionType) else _text(values)


def _category(values: pd.Series) -> pa.Array:
    """Categories are few: convert them once, then pick."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    codes = values.cat.codes.to_numpy()
    categories = _array(pd.Series(values.cat.categories))
    picked = pa.array(np.where(codes < 0, 0, codes), pa.int64(), mask=codes < 0)
    return categories.take(picked) if len(categories) else pa.nulls(len(values), categories.type)


def _objects(values: pd.Series) -> pa.Array:
    import pandas as pd
    import pyarrow as pa

    if pd.api.types.infer_dtype(values, skipna=True) not in _UNIFORM:
        return _text(values)
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        return _text(values)


def _text(values: pd.Series) -> pa.Array:
    """Each value as text; what pandas takes for missing stays missing."""
    import pyarrow as pa

    missing = values.isna().to_numpy()
    pairs = zip(values, missing, strict=True)
    return pa.array([None if gone else _string(value) for value, gone in pairs], pa.string())


def _string(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    text = value if isinstance(value, str) else str(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
