"""journeymine: canonical events and transitions with intervals (the job), then each further count by itself."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pandas as pd  # the peers are not charged for importing it, so neither is this
import pyarrow as pa
from _stages import Stages

from journeymine.reading import read_log

if TYPE_CHECKING:
    from journeymine.log import EventLog

GOAL = "Activity 10"
THREADS = 2
MEMORY_LIMIT = "1500MB"


def read(path: str) -> EventLog:
    return read_log(
        path,
        case_id="case_id",
        activity="activity",
        timestamp="timestamp",
        threads=THREADS,
        memory_limit=MEMORY_LIMIT,
    )


def main() -> None:
    stages = Stages()
    log = stages.time("read_log", lambda: read(sys.argv[1]))
    transitions = stages.time("transitions", log.transitions)
    stages.add("job", "read_log", "transitions")
    stages.peak("job")
    counts = transitions.counts
    stages.found |= {
        "n_events": log.n_events,
        "n_cases": log.n_cases,
        "n_pairs": len(counts.n),
        "n_moves": int(counts.n.sum()),
        "pandas": pd.__version__,
        "pyarrow": pa.__version__,
    }
    stages.time("variants(100)", lambda: log.variants(100))
    journeys = stages.time("journeys(goal)", lambda: log.journeys(goal=GOAL))
    stages.time("end_states", lambda: journeys.end_states)
    stages.time("fit_markov()", journeys.fit_markov)
    stages.time("rank_fixes()", journeys.rank_fixes)
    stages.time("activity_counts", lambda: log.activity_counts)
    stages.time("departure_waits", lambda: log.departure_waits)
    stages.time("ledger", lambda: log.ledger)
    stages.peak("ledger")
    stages.print()


if __name__ == "__main__":
    main()
