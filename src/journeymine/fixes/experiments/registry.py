"""`experiments.json`: the tests of the past, beside the runs whose fixes they tested."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from journeymine._whole_file import write_text
from journeymine.errors import OptionError, SourceError, shown
from journeymine.fixes.experiments.past import PastTest

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

NAME = "experiments.json"
SCHEMA_VERSION = 1


def registry_beside(run: str | os.PathLike[str]) -> Path:
    """Where the registry of a run folder is: beside it, so that it outlives the run.

    Examples
    --------
    >>> registry_beside("out/report").as_posix()
    'out/experiments.json'
    """
    return Path(run).parent / NAME


def read_registry(path: str | os.PathLike[str]) -> tuple[PastTest, ...]:
    """Past tests of a registry; none if there is no such file yet.

    Raises
    ------
    SourceError
        The file is not a registry, or one of another version.
    """
    where = shown(str(path))
    try:
        data: Any = json.loads(Path(path).read_bytes())
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or "it is not JSON"
        raise SourceError(
            f"{where} cannot be read: {reason}.", hint="repair it, or name another with --registry."
        ) from error
    version = data.get("schema_version") if isinstance(data, dict) else None
    if version != SCHEMA_VERSION or not isinstance(data.get("tests"), list):
        raise SourceError(
            f"{where} is not a registry of tests of schema_version {SCHEMA_VERSION}.",
            found=f"schema_version {shown(version)}",
            hint="name another file with --registry; it is made where it is missing.",
        )
    return tuple(_test(row, i, where) for i, row in enumerate(data["tests"], start=1))


def write_registry(path: str | os.PathLike[str], past: Sequence[PastTest]) -> Path:
    """Write a registry; the old one stays until the new one is complete.

    Raises
    ------
    OutputError
        It cannot be written there.
    """
    out = Path(path)
    data = {"schema_version": SCHEMA_VERSION, "program": "journeymine", "tests": [t.to_dict() for t in past]}
    text = json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    write_text(out, text)
    return out


def with_test(past: Sequence[PastTest], test: PastTest) -> tuple[PastTest, ...]:
    """Past tests and one more; it takes the place of an earlier reading of the same experiment.

    Examples
    --------
    >>> first, again = (PastTest.of("a", 0.01, 0.001, y, 0.002) for y in (0.004, 0.006))
    >>> [test.measured for test in with_test([first], again)]
    [0.006]
    """
    kept = [one for one in past if one.experiment != test.experiment]
    return (*kept, test)


def _test(row: Any, place: int, where: str) -> PastTest:
    try:
        return PastTest.from_dict(row)
    except (TypeError, AttributeError, OptionError) as error:
        raise SourceError(
            f"{where}: test {place} is not complete: {str(error).splitlines()[0]}",
            hint="repair it or take it out.",
        ) from error
