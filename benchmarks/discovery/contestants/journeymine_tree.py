"""journeymine: canonical events, the directly-follows graph, IMd (the job); then what the tree is worth."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "main_job" / "contestants"))

import numpy as np  # the peers are not charged for their imports, so neither is this
import pandas as pd
import pyarrow as pa
from _stages import Stages

from journeymine.analyses.model import discover
from journeymine.reading import read_log


def main() -> None:
    stages = Stages()
    roles = {"case_id": "case_id", "activity": "activity", "timestamp": "timestamp"}
    log = stages.time("read_log", lambda: read_log(sys.argv[1], threads=2, **roles))
    model = stages.time("discover", lambda: discover(log))
    stages.add("job", "read_log", "discover")
    stages.peak("job")
    stages.found |= {"n_events": log.n_events, "n_leaves": len(model.root.activities) if model.root else 0}
    stages.time("discover(noise=0.2)", lambda: discover(log, 0.2))
    stages.time("variants", lambda: model.variants)
    stages.time("coverage", lambda: model.coverage)
    stages.time("fitness", lambda: model.fitness)
    stages.time("precision", lambda: model.precision)
    stages.found |= {
        "n_variants": model.variants.n_variants, "fitness": model.fitness, "precision": model.precision,
        "coverage": model.coverage, "versions": [np.__version__, pd.__version__, pa.__version__],
    }  # fmt: skip
    stages.print()


if __name__ == "__main__":
    main()
