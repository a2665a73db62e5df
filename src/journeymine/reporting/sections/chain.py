"""The conversion chain as plain numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from journeymine.markov.chain import MarkovChain


MOST_SENSITIVITIES = 50


def chain_section(chain: MarkovChain | None) -> dict[str, Any] | None:
    """The conversion chain."""
    if chain is None:
        return None
    strongest = np.lexsort(
        (np.arange(len(chain.edges)), -np.nan_to_num(np.abs(chain.slope.estimate), nan=-1))
    )
    names = chain.columns
    return {
        "states": list(chain.states),
        "n_folded": chain.counts.n_folded,
        "attempts": 1,
        "n_visits": chain.counts.n_visits,
        "n_visits_open": chain.counts.n_unwatched,
        "visits": [chain.visit.at(i) for i in range(len(chain.states))],
        "events_to_goal": chain.events.at(),
        "seconds_to_goal": chain.seconds.at(),
        "sensitivity": [
            {
                "source": names[chain.edges[e, 0]],
                "target": names[chain.edges[e, 1]],
                **(chain.slope.at(e) or {}),
            }
            for e in strongest[:MOST_SENSITIVITIES].tolist()
            if chain.slope.at(e) is not None
        ],
    }
