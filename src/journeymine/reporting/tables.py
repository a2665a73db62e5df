"""Tables for spreadsheets: CSV that no spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

# A cell that starts so is run as a formula by spreadsheets.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def to_csv(table: pa.Table) -> bytes:
    r"""Write an Arrow table as CSV: UTF-8, RFC 4180 quoting, CRLF between rows, null as nothing.

    Texts that a spreadsheet would run as a formula get a leading apostrophe; numbers stay numbers.

    Examples
    --------
    >>> import pyarrow as pa
    >>> to_csv(pa.table({"activity": ["=cmd()", "Pay"], "n": [1, -2]}))
    b"activity,n\r\n'=cmd(),1\r\nPay,-2\r\n"
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([_cell(name) for name in table.column_names])
    for batch in table.to_batches():
        columns = [column.to_pylist() for column in batch.columns]
        writer.writerows([_cell(value) for value in row] for row in zip(*columns, strict=True))
    # A text that is not valid Unicode must not stop the run.
    return buffer.getvalue().encode("utf-8", "replace")


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # Shortest text that reads back as the same number, without a bare exponent of whole numbers.
        return repr(value)
    if isinstance(value, int):
        return value
    text = value if isinstance(value, str) else _text(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
