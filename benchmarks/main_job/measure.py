"""One run of one contestant in a fresh process: what it reports, and what the system saw."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FEW_LINES = 15


class ContestantTimeoutError(Exception):
    """A contestant did not finish in time."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run.

    Attributes
    ----------
    stages
        Wall and CPU seconds by step, `job` among them: without starting Python and importing packages.
    found
        What was counted, to hold contestants against each other.
    process_cpu, peak_mb
        CPU seconds and peak resident memory of the whole process.
    """

    stages: dict[str, dict[str, float]]
    found: dict[str, Any]
    process_cpu: float
    peak_mb: float


def run_once(python: str, script: str, log: Path, timeout_s: float) -> Run:
    """Run a contestant on a log.

    Raises
    ------
    ContestantTimeoutError
        It took longer than `timeout_s`.
    """
    command = [python, str(HERE / "contestants" / f"{script}.py"), str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        late = threading.Event()

        def stop() -> None:
            late.set()
            child.kill()

        timer = threading.Timer(timeout_s, stop)
        timer.start()
        # Drained aside: a full pipe of complaints must not hold the child up.
        errors: list[str] = []
        assert child.stdout is not None
        assert child.stderr is not None
        drain = threading.Thread(target=lambda: errors.extend(child.stderr or []), daemon=True)
        drain.start()
        output = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        timer.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        drain.join()
    if late.is_set():
        raise ContestantTimeoutError(script)
    if child.returncode:
        raise RuntimeError(f"{script} failed ({child.returncode}):\n{''.join(errors[-FEW_LINES:])}")
    told = json.loads(output.splitlines()[-1])
    return Run(told["stages"], told["found"], usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
