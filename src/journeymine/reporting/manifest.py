"""`run.json`: all that differs between two runs of the same input (time, id, paths, versions, threads)."""

from __future__ import annotations

import platform
import secrets
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from journeymine import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

MANIFEST = "run.json"
PROGRAM = "journeymine"
PACKAGES = ("duckdb", "lifelines", "numpy", "pandas", "pm4py", "pyarrow", "scipy", "statsmodels")


def describe_run(
    files: list[dict[str, Any]], source: Sequence[str | Path], threads: int | None
) -> dict[str, Any]:
    """Plain data of `run.json`.

    Parameters
    ----------
    files
        Path, size and sha256 of each file of the run.
    source
        What was read; a `Path` is written in full, a text as it is.
    threads
        Number of threads that the engine used.

    Examples
    --------
    >>> run = describe_run([], ["SELECT 1"], 2)
    >>> run["program"], run["threads"], run["source"]
    ('journeymine', 2, ['SELECT 1'])
    """
    now = datetime.now(UTC)
    return {
        "schema_version": 1,
        "program": PROGRAM,
        "version": __version__,
        "run_id": f"{now:%Y-%m-%dT%H%M%SZ}-{secrets.token_hex(4)}",
        "made_at": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        "threads": threads,
        "source": [str(item.absolute()) if isinstance(item, Path) else item for item in source],
        "files": files,
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
