"""Environments of the contestants: each peer gets its own, pinned, made once."""

from __future__ import annotations

import subprocess
import sys
import venv
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Contestant:
    """A script of `contestants/` and what it needs.

    Attributes
    ----------
    name
        What the table calls it.
    script
        File name without `.py`.
    requirements
        Pinned packages of its environment; none: the environment that runs the benchmark.
    """

    name: str
    script: str
    requirements: tuple[str, ...] = ()


OURS = Contestant("journeymine", "journeymine_counts")
IMPORT = Contestant("import journeymine", "journeymine_import")
BARE_SORT = Contestant("DuckDB bare sort", "bare_sort")
PEERS = (
    # journeymine's own dependencies hold pandas below 3, so this is pm4py as our users have it.
    Contestant(
        "pm4py, pandas 2", "pm4py_dfg", ("pm4py==2.7.23.11", "pandas==2.3.3", "numpy<2.5", "pyarrow>=15")
    ),
    Contestant("pm4py, pandas 3", "pm4py_dfg", ("pm4py==2.7.23.11", "pandas>=3,<4", "pyarrow>=15")),
    Contestant("retentioneering", "retentioneering_matrix", ("retentioneering==5.2.4", "pyarrow>=15")),
)
ALL = (IMPORT, OURS, BARE_SORT, *PEERS)


def interpreter(contestant: Contestant, folder: Path) -> str:
    """Path of the Python that runs a contestant; makes its environment if it is not there or not as pinned."""
    if not contestant.requirements:
        return sys.executable
    home = folder / contestant.name.replace(", ", "-").replace(" ", "")
    python, stamp = home / "bin" / "python", home / "requirements.txt"
    wanted = "\n".join(contestant.requirements) + "\n"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"Making an environment for {contestant.name} …", file=sys.stderr)
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([str(python), "-m", "pip", "install", "-qq", *contestant.requirements], check=True)
        stamp.write_text(wanted)
    return str(python)
