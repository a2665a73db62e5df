"""The few places where SQL engines differ, each a named hook; everything else is the common subset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Dialect:
    """SQL text that differs between engines. This one is DuckDB's."""

    name: str = "duckdb"

    def quote(self, identifier: str) -> str:
        """Quote an identifier.

        Examples
        --------
        >>> print(Dialect().quote('my "own" column'))
        "my ""own"" column"
        """
        return '"' + identifier.replace('"', '""') + '"'

    def literal(self, value: str) -> str:
        """Write a text value.

        Examples
        --------
        >>> Dialect().literal("o'x")
        "'o''x'"
        """
        return "'" + value.replace("'", "''") + "'"

    def text(self, expression: str) -> str:
        """Cast to text."""
        return f"CAST({expression} AS VARCHAR)"

    def epoch_us(self, expression: str) -> str:
        """Microseconds since 1970-01-01 UTC of a timestamp with time zone."""
        return f"epoch_us({expression})"

    def bucket(self, expression: str, n_buckets: int) -> str:
        """Bucket of a text id: the first 60 bits of its md5, modulo `n_buckets`; the same on every engine."""
        return f"CAST(CAST('0x' || substr(md5({expression}), 1, 15) AS BIGINT) % {n_buckets} AS INTEGER)"

    def key(self, expression: str) -> str:
        """64-bit hash of a text, for use inside one run only; collisions are checked by the caller."""
        return f"hash({expression})"

    def ordered_path(self, code: str, position: str, n_codes: int | None = None) -> str:
        """The codes of a group as one ordered list.

        Where it is known that codes are below `n_codes`, place and code are sorted as one number: twice as fast.
        """
        if n_codes is None:
            return f"list({code} ORDER BY {position})"
        packed = f"list_sort(list(CAST({position} AS BIGINT) * {n_codes} + {code}))"
        return f"list_transform({packed}, lambda x: CAST(x % {n_codes} AS INTEGER))"

    def floor_div(self, a: str, b: str) -> str:
        """Integer division of non-negative integers."""
        return f"({a} // {b})"

    def quantile(self, expression: str, share: float) -> str:
        """Exact quantile, interpolated between two neighbouring values; 0.5 is the median."""
        return f"quantile_cont({expression}, {share!r})"

    def quantile_disc(self, expression: str, share: float) -> str:
        """Exact quantile that is a value of the data: the smallest one that covers the share."""
        return f"quantile_disc({expression}, {share!r})"

    def word(self, path: str, point: Callable[[str], str]) -> str:
        """A list of codes as a text; `point` writes the number of the character of a code.

        Examples
        --------
        >>> Dialect().word("path", lambda code: f"{code} + 256")
        "array_to_string(list_transform(path, lambda c: chr(c + 256)), '')"
        """
        return f"array_to_string(list_transform({path}, lambda c: chr({point('c')})), '')"

    def matches(self, expression: str, regex: str) -> str:
        """Whether a regular expression is found anywhere in a text."""
        return f"regexp_matches({expression}, {self.literal(regex)})"

    def log2_bin(self, expression: str, per_octave: int) -> str:
        """Bin of a non-negative integer on a log scale: floor(per_octave * log2(x + 1))."""
        return f"CAST(floor({per_octave} * log2(CAST({expression} AS DOUBLE) + 1)) AS INTEGER)"
