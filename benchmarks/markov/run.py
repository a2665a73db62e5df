"""Estimate a chain of 40 states from a million journeys, with 1,000 bootstrap replicates of every absorbing quantity.

    python benchmarks/markov/run.py                 # three rounds, a few minutes
    python benchmarks/markov/run.py --repeat 1 --only journeymine "NumPy loop"

Run it with the Python that has journeymine installed. Counting is done before the clock starts; peers get environments
of their own under --env-dir and are asked for fewer replicates, which are multiplied. See README.md here.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from simulated import N_JOURNEYS, counts_file, paths_file

HERE = Path(__file__).resolve().parent
N_DRAWS = 1000
TARGET_S = 5.0


@dataclass(frozen=True, slots=True)
class Contestant:
    """A script of `contestants/`, what its environment needs (nothing: ours), and the replicates it is asked for."""

    name: str
    script: str
    requirements: tuple[str, ...] = ()
    draws: int = N_DRAWS
    journeys: int | None = None
    """Whole journeys that it is given instead of counts."""


ALL = (
    Contestant("journeymine", "journeymine_chain"),
    Contestant("NumPy loop", "numpy_loop"),
    Contestant("PyDTMC", "pydtmc_chain", ("pydtmc>=10.1,<11",), 20),
    Contestant(
        "ChannelAttribution", "channel_attribution", ("ChannelAttribution==2.2.5", "matplotlib"), 1, 100_000
    ),
)


def interpreter(contestant: Contestant, folder: Path, base: str) -> str:
    """Python of a contestant; makes its environment if it is not there or not as pinned."""
    if not contestant.requirements:
        return sys.executable
    home = folder / f"markov-{contestant.script}"
    python, stamp = home / "bin" / "python", home / "requirements.txt"
    wanted = "\n".join(contestant.requirements) + "\n"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"Making an environment for {contestant.name} …", file=sys.stderr)
        if base == sys.executable:
            venv.create(home, with_pip=True, clear=True)
        else:
            subprocess.run([base, "-m", "venv", "--clear", str(home)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-qq", *contestant.requirements], check=True)
        stamp.write_text(wanted)
    return str(python)


def run_once(python: str, contestant: Contestant, counts: Path) -> dict[str, float]:
    """One run in a fresh process on one thread; seconds are those of the work, scaled to 1,000 replicates."""
    command = [
        python,
        str(HERE / "contestants" / f"{contestant.script}.py"),
        str(counts),
        str(contestant.draws),
    ]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **threads})
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    scale = N_DRAWS / found["replicates"]
    return {**found, "wall": found["wall"] * scale, "cpu": found["cpu"] * scale}


def main() -> None:
    """Print medians, ratios and whether all found the same conversion."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--journeys", type=int, default=N_JOURNEYS)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=[c.name for c in ALL], default=[c.name for c in ALL])
    parser.add_argument("--env-dir", type=Path, default=HERE.parent / ".envs")
    parser.add_argument("--data-dir", type=Path, default=HERE.parent / ".data")
    parser.add_argument("--peer-python", default=sys.executable, help="PyDTMC 10 needs Python 3.12")
    options = parser.parse_args()
    chosen = [c for c in ALL if c.name in options.only]
    counts = counts_file(options.data_dir, options.journeys)
    pythons = {c.name: interpreter(c, options.env_dir, options.peer_python) for c in chosen}
    runs: dict[str, list[dict[str, float]]] = {c.name: [] for c in chosen}
    for round_ in range(1, options.repeat + 1):
        for c in chosen:
            print(f"round {round_} of {options.repeat}: {c.name}", file=sys.stderr)
            given = paths_file(options.data_dir, c.journeys) if c.journeys else counts
            runs[c.name].append(run_once(pythons[c.name], c, given))
    medians = {
        name: {unit: statistics.median(run[unit] for run in rows) for unit in ("wall", "cpu")}
        for name, rows in runs.items()
    }
    print(
        f"{options.journeys:,} journeys, 40 states, 200 buckets, {N_DRAWS:,} replicates; "
        f"Python {platform.python_version()}"
    )
    print(f"{'':18} {'wall s':>9} {'CPU s':>9} {'CPU, times journeymine':>24}")
    ours = medians.get("journeymine")
    for name, value in medians.items():
        ratio = f"{value['cpu'] / ours['cpu']:.1f}" if ours else ""
        print(f"{name:18} {value['wall']:9.2f} {value['cpu']:9.2f} {ratio:>24}")
    found = [runs[c.name][0]["conversion"] for c in chosen if not c.journeys]
    agree = max(found) - min(found) < 1e-9
    print(f"conversion {found[0]:.6f}; contestants agree: {'yes' if agree else 'NO: ' + repr(found)}")
    if ours:
        # One thread: on a busy machine CPU seconds are what the wall clock shows on an idle one.
        print(f"journeymine below {TARGET_S:g} s of CPU: {'yes' if ours['cpu'] < TARGET_S else 'NO'}")


if __name__ == "__main__":
    main()
