"""RICE with measured numbers: reach, impact and confidence from the log, effort from the user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rice:
    """One fix as product people score it.

    Attributes
    ----------
    reach
        Journeys a month that meet what is fixed.
    impact
        Effect on a journey that meets it.
    confidence
        Probability that the net value is above 0.
    effort
        In the unit of the user.
    score
        reach x impact x confidence / effort: what is surely gained a month for a unit of effort.
    """

    reach: float
    impact: float
    confidence: float
    effort: float
    score: float

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers."""
        return {name: getattr(self, name) for name in self.__slots__}


def rice(
    effect: Floats,
    confidence: Floats,
    *,
    reach: Floats,
    volume: float | None,
    effort: Floats,
) -> tuple[Rice | None, ...]:
    """RICE of every fix; None where the effort or the journeys a month are not known, or nobody meets the fix.

    Parameters
    ----------
    effect
        On all journeys, shape (n_fixes,).
    reach
        Share of journeys that meet what is fixed, shape (n_fixes,).
    volume
        Journeys a month.
    effort
        nan where it was not given, shape (n_fixes,).

    Examples
    --------
    >>> one = rice(np.array([0.01]), np.array([0.9]), reach=np.array([0.2]), volume=5000.0, effort=np.array([3.0]))
    >>> one[0].reach, round(one[0].impact, 6), round(one[0].score, 6)
    (1000.0, 0.05, 15.0)
    """
    if volume is None:
        return (None,) * len(effect)
    rows = zip(effect.tolist(), confidence.tolist(), reach.tolist(), effort.tolist(), strict=True)
    return tuple(_one(gain, sure, share, volume, work) for gain, sure, share, work in rows)


def _one(effect: float, confidence: float, reach: float, volume: float, effort: float) -> Rice | None:
    if np.isnan(effort) or not reach > 0:
        return None
    met, impact = reach * volume, effect / reach
    return Rice(met, impact, confidence, effort, met * impact * confidence / effort)
