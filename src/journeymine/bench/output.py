"""The files of a benchmark beside its journal: the page, the scores and the gates as JSON, a few lines in words."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from journeymine.bench.page import benchmark_page
from journeymine.bench.page_view import gate_row, headline, held_gates
from journeymine.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from journeymine.bench.gates import GateResult
    from journeymine.bench.journal import Line


def write_results(lines: Sequence[Line], out: Path) -> tuple[list[Path], list[str]]:
    """Write page and gates.

    Parameters
    ----------
    lines
        What `run_benchmark` gives.
    out
        Folder.

    Returns
    -------
    paths, words
        Files written, the page first; the gates in words, misses first.
    """
    results = held_gates(lines)
    files = {
        "benchmark.html": benchmark_page(lines),
        "gates.json": json.dumps([_plain(one) for one in results], indent=2, ensure_ascii=False) + "\n",
    }
    paths = [out / name for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        beside = path.with_name(path.name + ".part")
        try:
            beside.write_text(text, encoding="utf-8", newline="\n")
            beside.replace(path)
        except OSError as error:
            raise OutputError(f"cannot write {str(path)!r}: {error.strerror or error}.") from error
    return paths, [f"{headline(results)}.", *_words(results)]


def _plain(result: GateResult) -> dict[str, Any]:
    found = {**asdict(result), "passed": result.passed, "is_enough": result.is_enough}
    # JSON has no infinity: no bound.
    bounds = {key: found[key] if math.isfinite(found[key]) else None for key in ("lower", "upper")}
    return {**found, **bounds}


def _words(results: Sequence[GateResult]) -> list[str]:
    rows = sorted(
        (gate_row(one) for one in results if one.passed is not None), key=lambda row: row["verdict"]
    )
    return [
        f"{row['verdict']}{' (few)' if row['few'] else ''}: {row['text']}, {row['where']}: "
        f"{row['figure']} ({row['interval']}), wanted {row['wanted']}"
        for row in rows
    ]
