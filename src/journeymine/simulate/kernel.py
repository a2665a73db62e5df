"""The shop as arrays: a day-indexed semi-Markov chain for each group of customers.

Arrays are indexed by group g = (platform, country, customer type), state i, next state j, lag l in days and
phase p (0 = ordinary day, 1 = day of the payment incident).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from journeymine.simulate import faults as fault
from journeymine.simulate import states as st

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

N_LAGS = st.MAX_LAG + 1
GROUPS: tuple[tuple[str, str, str], ...] = tuple(
    (p, c, t) for p in st.PLATFORMS for c in st.COUNTRIES for t in st.CUSTOMER_TYPES
)
MOBILE = np.array([g[0] == "mobile" for g in GROUPS])


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """A shop with some of its faults.

    Attributes
    ----------
    moves
        Shape (groups, states, states): where those who go on go; rows sum to 1, or 0 if nobody goes on.
    lags
        Shape (states, states, lags): days until the next step, for each move that exists.
    drop
        Shape (phases, groups, states): share for whom nothing follows.
    """

    moves: NDArray[np.float64]
    lags: NDArray[np.float64]
    drop: NDArray[np.float64]

    def save(self, activity: str, share: float) -> Kernel:
        """Keep `share` of those who would leave at an activity, whatever their history."""
        drop = self.drop.copy()
        drop[:, :, states_of(activity)] *= 1.0 - share
        return replace(self, drop=drop)


def states_of(activity: str) -> list[int]:
    """States before the goal that the log shows as `activity`."""
    return [st.CODE[key] for key, s in st.BEFORE_GOAL.items() if s.activity == activity]


def make_kernel(faults: Collection[str], slow: float = 1.0) -> Kernel:
    """Build the shop with the given faults, every other one repaired."""
    routes = dict(st.ROUTES)
    if "declined_loop" in faults:
        for key in ("payment_2", "payment_3"):
            again = f"declined_{key[-1]}"
            routes[key] = (
                ("order", 1.0 - fault.DECLINED_AGAIN, "now"),
                (again, fault.DECLINED_AGAIN, "now"),
            )
    factor = 1.0 if "quote_wait" in faults else 0.5
    leave, quote_lag = quote(factor)
    return Kernel(_moves(routes), _lags(routes, quote_lag, slow), _drop(faults, leave))


def quote(factor: float) -> tuple[float, NDArray[np.float64]]:
    """Drop-out and days of the delivery quote when every wait is scaled by `factor`.

    Waits and patience compete: who waits w days is still there with probability (1 - leave per day) ** w. The
    drop-out is exact for w * factor; the quote reaches the log on that day, counted up to a whole one.
    """
    days = np.arange(N_LAGS)
    stay = np.array(st.QUOTE_DAYS) * (1.0 - st.QUOTE_LEAVE_PER_DAY) ** (days * factor)
    lag = np.zeros(N_LAGS)
    np.add.at(lag, np.ceil(days * factor).astype(np.int64), stay)
    return float(1.0 - stay.sum()), lag / stay.sum()


def _moves(routes: dict[str, tuple[tuple[str, float, str], ...]]) -> NDArray[np.float64]:
    moves = np.zeros((len(GROUPS), len(st.STATES), len(st.STATES)))
    for g, values in enumerate(GROUPS):
        for key, exits in routes.items():
            for target, weight, _ in exits:
                taste = math.prod(st.TASTES.get((v, key, target), 1.0) for v in values)
                moves[g, st.CODE[key], st.CODE[target]] = weight * taste
    total = moves.sum(axis=2, keepdims=True)
    shares: NDArray[np.float64] = np.divide(moves, total, out=np.zeros_like(moves), where=total > 0)
    return shares


def _lags(
    routes: dict[str, tuple[tuple[str, float, str], ...]], quote_lag: NDArray[np.float64], slow: float
) -> NDArray[np.float64]:
    named = {name: _stretched(*shape, slow) for name, shape in st.LAGS.items()}
    for name, shares in st.FIXED_LAGS.items():
        named[name] = np.pad(np.array(shares), (0, N_LAGS - len(shares)))
    named["quote"] = quote_lag
    lags = np.zeros((len(st.STATES), len(st.STATES), N_LAGS))
    for key, exits in routes.items():
        for target, _, lag in exits:
            lags[st.CODE[key], st.CODE[target]] = named[lag]
    return lags


def _stretched(same_day: float, ratio: float, slow: float) -> NDArray[np.float64]:
    if same_day >= 1.0:
        same_day, slow = 1.0, 1.0
    same_day, ratio = same_day / slow, 1.0 - (1.0 - ratio) / slow
    later = ratio ** np.arange(st.MAX_LAG)
    shares: NDArray[np.float64] = np.r_[same_day, (1.0 - same_day) * later / later.sum()]
    return shares


def _drop(faults: Collection[str], leave: float) -> NDArray[np.float64]:
    drop = np.tile([s.drop for s in st.STATES.values()], (2, len(GROUPS), 1))
    drop[:, :, st.CODE["quote_requested"]] = leave
    if "mobile_sign_in" in faults:
        drop[:, MOBILE, st.CODE["sign_in"]] = fault.MOBILE_SIGN_IN_DROP
    if "payment_incident" in faults:
        drop[1][:, states_of("Payment")] = fault.INCIDENT_PAYMENT_DROP
    if "declined_loop" in faults:
        for key, share in fault.DECLINED_DROPS.items():
            drop[:, :, st.CODE[key]] = share
    if "call_centre_rupture" in faults:
        drop[:, :, st.CODE["call_from_digital"]] = fault.RUPTURE_DROP
    return drop
