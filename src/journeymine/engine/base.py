"""What journeymine asks of an engine: four methods and a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from journeymine.engine.dialect import Dialect


class Engine(Protocol):
    """An SQL engine that holds the events and does the counting."""

    name: str
    dialect: Dialect

    def execute(self, sql: str) -> None:
        """Run a statement that returns nothing."""

    def fetch(self, sql: str) -> dict[str, np.ndarray]:
        """Run a query and return its columns as NumPy arrays, rows in the order of the query."""

    def fetch_table(self, sql: str) -> pa.Table:
        """Run a query and return an Arrow table."""

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table visible to queries under `name`."""
