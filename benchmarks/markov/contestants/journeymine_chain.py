"""journeymine: every absorbing quantity of states and moves, a first passage and a committor, all with intervals."""

from __future__ import annotations

import numpy as np
from _work import N_BUCKETS, N_STATES, counts, n_draws, report

from journeymine.counts.chain import DROP, GOAL, ChainCounts
from journeymine.markov.analytics import chain_outcomes
from journeymine.markov.estimation import ChainModel
from journeymine.markov.passage_outcomes import committor_outcomes, passage_outcomes
from journeymine.markov.rows import edge_matrices, simultaneous_rows
from journeymine.uncertainty import share_of_units

STORED, N_DRAWS = counts(), n_draws()
TARGET = STORED["target"]
CHAIN = ChainCounts(
    states=tuple(f"state {i:02d}" for i in range(N_STATES)),
    activity=np.arange(N_STATES),
    unit=STORED["unit"],
    cell=np.zeros_like(STORED["unit"]),
    source=STORED["source"],
    target=np.select([TARGET == N_STATES, TARGET == N_STATES + 1], [GOAL, DROP], TARGET),
    n=STORED["n"],
    wait_us=STORED["wait_us"],
    start_unit=STORED["start_unit"],
    start_cell=np.zeros_like(STORED["start_unit"]),
    start_state=STORED["start_state"],
    start_n=STORED["start_n"],
    cells=((),),
    cell_customers=np.array([500_000]),
    n_units=N_BUCKETS,
    buckets=True,
)


def work() -> tuple[int, float]:
    model = ChainModel(CHAIN)
    moves, departures = edge_matrices(CHAIN, model.edges)
    share_of_units(moves, departures, model.edges[:, 0], buckets=True)
    simultaneous_rows(moves, departures, model.edges[:, 0], buckets=True)
    states, _ = chain_outcomes(model, value=50.0, n_draws=N_DRAWS)
    passage_outcomes(model, ["state 07"], n_draws=N_DRAWS)
    committor_outcomes(model, ["state 03"], ["(goal)"], n_draws=N_DRAWS)
    return N_DRAWS, float(states.of_start["conversion"].estimate)


report(work)
