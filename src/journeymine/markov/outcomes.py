"""What the analytics of a chain are handed out as: numbers of states and numbers of moves, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.errors import OptionError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.uncertainty import Estimates

    Ints = NDArray[np.int64]

START = "(start)"
WON, LOST = 0.95, 0.05


@dataclass(frozen=True, slots=True, eq=False)
class StateOutcomes:
    """What awaits a journey in each state, as `analytics.py` finds it.

    Attributes
    ----------
    states
        Names, shape (k,).
    of_state
        By quantity, shape (k,). Of `chain_outcomes`: `conversion`, `drop_out` (of a journey that is there now),
        `visits` (per journey), `visits_given_goal` (per journey that converts), `remaining_steps` and
        `remaining_seconds` until the journey ends, `steps_to_goal` and `seconds_to_goal` of those that convert,
        `remaining_value` (money still to come). Of `passage_outcomes`: `reach`, `steps`, `seconds`.
        Of `committor_outcomes`: `committor`.
    of_start
        The same for a journey that has not begun, shape (); without visits.
    n_draws
        Bootstrap replicates.
    """

    states: tuple[str, ...]
    of_state: Mapping[str, Estimates]
    of_start: Mapping[str, Estimates]
    n_draws: int

    def to_frame(self) -> pd.DataFrame:
        """One row a quantity and state, journeys that have not begun first: state, quantity, estimate, lower, upper, n.

        Quantities that are not available (seconds without times, the time to a goal nobody reaches) are nan.
        """
        import pandas as pd

        parts = [(START, name, *_numbers(values)) for name, values in self.of_start.items()]
        for name, values in self.of_state.items():
            parts += [(state, name, *_numbers(values, i)) for i, state in enumerate(self.states)]
        return pd.DataFrame(parts, columns=["state", "quantity", "estimate", "lower", "upper", "n"])

    def without_goal(self) -> StateOutcomes:
        """What is left where nothing is a success: how often states are visited, and how much is still to come."""
        kept = ("visits", "remaining_steps", "remaining_seconds")
        of_state, of_start = (
            {name: values for name, values in part.items() if name in kept}
            for part in (self.of_state, self.of_start)
        )
        return StateOutcomes(self.states, of_state, of_start, self.n_draws)

    def settled(self, *, won: float = WON, lost: float = LOST, quantity: str = "conversion") -> pd.DataFrame:
        """Points of no return: states after which the outcome is settled.

        A state whose interval of `quantity` lies wholly above `won` ("won") or wholly below `lost` ("lost").

        Returns
        -------
        DataFrame
            state, outcome, estimate, lower, upper, n; surest first.

        Raises
        ------
        OptionError
            Not 0 <= lost < won <= 1, or no such quantity.
        """
        import pandas as pd

        if not 0 <= lost < won <= 1:
            problem = f"won is {shown(won)} and lost {shown(lost)}, expected 0 <= lost < won <= 1."
            raise OptionError(problem, hint=f"pass won={WON}, lost={LOST}.")
        share = _known(self.of_state, quantity)
        found = np.flatnonzero((share.lower > won) | (share.upper < lost))
        nearness = np.minimum(share.estimate, 1 - share.estimate)[found]
        rows = [
            (self.states[i], "won" if share.lower[i] > won else "lost", *_numbers(share, i))
            for i in found[np.lexsort((found, nearness))].tolist()
        ]
        return pd.DataFrame(rows, columns=["state", "outcome", "estimate", "lower", "upper", "n"])

    def __repr__(self) -> str:
        names = ", ".join(self.of_state)
        return (
            f"StateOutcomes of {len(self.states)} states, {self.n_draws:,} draws: {names}\n"
            "Next: .to_frame(), .settled()"
        )


@dataclass(frozen=True, slots=True, eq=False)
class EdgeOutcomes:
    """What each move is worth.

    Attributes
    ----------
    names
        Names of the columns: the states, the goal, dropping out.
    edges
        Pairs (source, column), shape (m, 2).
    of_edge
        By quantity, shape (m,): `given_goal`, the share of the move among the moves from its source of the journeys
        that will convert (p_ij h_j / h_i); `slope`, d conversion / d p_ij, the other exits giving way in proportion;
        `elasticity`, (p_ij / c) slope: by how many per cent conversion changes when the move becomes one per cent
        more frequent; `change`, h_j - h_i: how much the move changes the journey's own conversion.
    n_draws
        Bootstrap replicates.
    """

    names: tuple[str, ...]
    edges: Ints
    of_edge: Mapping[str, Estimates]
    n_draws: int

    def to_frame(self, quantity: str) -> pd.DataFrame:
        """One row an edge: source, target, n (departures), estimate, lower, upper.

        Raises
        ------
        OptionError
            No such quantity.
        """
        import pandas as pd

        values = _known(self.of_edge, quantity)
        return pd.DataFrame(
            {
                "source": [self.names[i] for i in self.edges[:, 0]],
                "target": [self.names[j] for j in self.edges[:, 1]],
                "n": values.n,
                "estimate": values.estimate,
                "lower": values.lower,
                "upper": values.upper,
            }
        )

    def turning_points(self, top: int = 10) -> pd.DataFrame:
        """The moves between states after which conversion differs most from before: columns of `to_frame`.

        Only moves whose interval lies on one side of 0, the surest large ones first: by the bound nearer to 0.
        """
        k = len(self.names) - 2
        frame = self.to_frame("change")[self.edges[:, 1] < k]
        sure = np.maximum(np.maximum(frame["lower"], -frame["upper"]), 0.0)
        frame = frame.assign(sure=sure)[sure > 0]
        frame = frame.sort_values(["sure", "source", "target"], ascending=[False, True, True], kind="stable")
        return frame.drop(columns="sure").head(top).reset_index(drop=True)

    def __repr__(self) -> str:
        return (
            f"EdgeOutcomes of {len(self.edges)} moves, {self.n_draws:,} draws: {', '.join(self.of_edge)}\n"
            'Next: .to_frame("elasticity"), .turning_points()'
        )


def _known(quantities: Mapping[str, Estimates], name: str) -> Estimates:
    if name not in quantities:
        names = ", ".join(quantities)
        raise OptionError(f"quantity is {shown(name)}, expected one of {names}.", hint="pass one of these.")
    return quantities[name]


def _numbers(values: Estimates, at: int | tuple[()] = ()) -> tuple[float, float, float, int]:
    return (
        float(values.estimate[at]),
        float(values.lower[at]),
        float(values.upper[at]),
        int(values.n[at]),
    )
