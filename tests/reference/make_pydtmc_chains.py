"""Write `pydtmc_chains.json`: what PyDTMC answers about random absorbing chains.

    python -m venv there && there/bin/pip install pydtmc==10.1.0
    there/bin/python tests/reference/make_pydtmc_chains.py

PyDTMC needs Python 3.12 in the version that answers in today's terms, so its answers are stored; where it is installed,
`tests/markov/test_pydtmc.py` also asks it about chains that hypothesis makes up.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

N_CHAINS = 30
PLACE = Path(__file__).with_name("pydtmc_chains.json")


def random_chain(rng: np.random.Generator) -> np.ndarray:
    """A chain of 2 to 8 states with zeros, shape (k, k + 2), rounded so that it is written in full."""
    k = int(rng.integers(2, 9))
    weights = rng.gamma(0.7, size=(k, k + 2)) * (rng.random((k, k + 2)) < 0.7)
    weights[:, k:] += 0.05
    full = np.round(weights / weights.sum(axis=1, keepdims=True), 6)
    full[:, -1] += 1 - full.sum(axis=1)
    return full


def answers(full: np.ndarray) -> dict[str, object]:
    """What PyDTMC says about a chain of k states, the goal and dropping out."""
    import pydtmc

    k = len(full)
    names = [str(i) for i in range(k + 2)]
    chain = pydtmc.MarkovChain(np.vstack([full, np.eye(k + 2)[k:]]), names)
    return {
        "occupation": chain.occupation_matrix.tolist(),
        "visits_after_start": chain.mean_number_visits()[:k, :k].tolist(),
        "absorption": chain.absorption_probabilities().tolist(),
        "steps": chain.absorption_times("mean").tolist(),
        "reach_last": chain.hitting_probabilities([names[k - 1]])[:k].tolist(),
        "committor": chain.committor_probabilities("forward", ["0", names[k + 1]], [names[k - 1], names[k]])[
            :k
        ].tolist(),
        "until_last_or_end": chain.hitting_times("mean", names[k - 1 :])[:k].tolist(),
    }


def main() -> None:
    rng = np.random.default_rng(7)
    chains = [random_chain(rng) for _ in range(N_CHAINS)]
    rows = [{"full": full.tolist(), **answers(full)} for full in chains]
    PLACE.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


if __name__ == "__main__":
    main()
