"""The absorbing chains of all types of customers, and what they are worth: plain linear algebra."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Chains:
    """One absorbing chain for each type of customers.

    Attributes
    ----------
    moves
        Shares of moves, shape (n_types, k, k + 2); the last columns are the goal and dropping out.
    start
        Where journeys start, shape (n_types, k).
    days
        Mean days until the next step of those who go on, shape (n_types, k).
    impatience
        Rate a day of leaving while waiting, shape (n_types, k); 0 where there is no wait.
    waits
        State -> days waited, points of equal weight by type, shape (n_types, n_points).
    share, value
        Share of the journeys, and mean money of a conversion, shape (n_types,).
    activity, channel, attempt
        What the log shows of each state, and the attempt (0 outside loops).
    """

    moves: Floats
    start: Floats
    days: Floats
    impatience: Floats
    waits: dict[int, Floats]
    share: Floats
    value: Floats
    activity: tuple[str, ...]
    channel: tuple[str, ...]
    attempt: tuple[int, ...]

    @property
    def k(self) -> int:
        """Number of states."""
        return len(self.activity)

    def states(self, activity: str) -> list[int]:
        """States of an activity, in the order of the attempts."""
        return [i for i, name in enumerate(self.activity) if name == activity]

    def _from_start(self, gains: Floats) -> Floats:
        """Expected sum of what each visit brings, by type; `gains` has shape (n_types, k)."""
        k = self.k
        future = np.linalg.solve(np.eye(k) - self.moves[:, :, :k], gains[..., None])[..., 0]
        return np.asarray((self.start * future).sum(axis=1))

    def outcome(self, name: str = "conversion") -> float:
        """Mean per start: "conversion", "revenue" or "time" (days from the first step to the last)."""
        if name == "time":
            return float(self.share @ self._from_start(self.days * (1 - self.moves[:, :, -1])))
        converted = self._from_start(self.moves[:, :, self.k])
        return float(self.share @ (converted * (self.value if name == "revenue" else 1.0)))
