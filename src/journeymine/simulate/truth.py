"""The true effect of every repair, by backward recursion over the days: exact, no simulation.

Let h[d, i] be the probability of reaching the goal from state i entered on day d. Moves with lag 0 stay on
the day, the others lead to days already solved:

    (I - (1 - drop_d) C_0) h_d = (1 - drop_d) (c_goal + sum over l >= 1 of C_l h_{d + l})

Only the payment incident depends on the day, so after it h is constant and solves (I - (1 - drop) sum_l
C_l) h = r.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.simulate import states as st
from journeymine.simulate.kernel import GROUPS, N_LAGS, Kernel, make_kernel
from journeymine.simulate.starts import first_state_shares

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.simulate.settings import ShopSettings
    from journeymine.simulate.starts import Starts

SAVED = 0.2
DECIMALS = 12
"""Truth is rounded: the last bits of a linear solve differ between machines."""
TEXT = ("fault", "fix_id", "kind", "activity", "column", "value")
COLUMNS = (*TEXT, "period_start", "period_end", "effect", "base")


def goal_probability(kernel: Kernel, incident: tuple[int, int]) -> NDArray[np.float64]:
    """Probability of reaching the goal, shape (end of the incident + 1, groups, states before the goal).

    Entry d is for states entered on day d; the last entry holds for every later day.
    """
    n = st.N_BEFORE
    begin, end = incident
    lagged = kernel.moves[:, :n, :n, None] * kernel.lags[None, :n, :n, :]
    goal = kernel.moves[:, :n, st.ORDER]
    stay = 1.0 - kernel.drop[:, :, :n]
    h = np.zeros((end + N_LAGS, len(GROUPS), n))
    h[end:] = (_resolvent(stay[0], lagged.sum(axis=3)) @ goal[..., None])[..., 0]
    same_day = [_resolvent(stay[phase], lagged[..., 0]) for phase in (0, 1)]
    later = lagged[..., 1:].reshape(len(GROUPS), n, -1)
    for day in range(end - 1, -1, -1):
        # (lags, groups, states) -> (groups, states x lags), in the order of `later`
        ahead = np.moveaxis(h[day + 1 : day + N_LAGS], 0, -1).reshape(len(GROUPS), -1, 1)
        h[day] = (same_day[begin <= day] @ (goal[..., None] + later @ ahead))[..., 0]
    return h[: end + 1]


def _resolvent(stay: NDArray[np.float64], within: NDArray[np.generic]) -> NDArray[np.float64]:
    """(I - stay * within)^-1 * stay, for each group."""
    matrix = np.eye(st.N_BEFORE) - stay[:, :, None] * np.asarray(within, dtype=np.float64)
    return np.asarray(np.linalg.inv(matrix) * stay[:, None, :], dtype=np.float64)


def conversion(kernel: Kernel, starts: Starts, incident: tuple[int, int]) -> float:
    """Share of the journeys that reach the goal, averaged over the starts that happened."""
    if not len(starts.day):
        return float("nan")
    return float(np.sum(start_weights(starts, incident) * goal_probability(kernel, incident)))


def start_weights(starts: Starts, incident: tuple[int, int]) -> NDArray[np.float64]:
    """Share of the journeys by start day (those after the incident as one), group and first state."""
    shape = (incident[1] + 1, len(GROUPS), len(st.SOURCES))
    cell = np.ravel_multi_index((np.minimum(starts.day, incident[1]), starts.group, starts.source), shape)
    counts = np.bincount(cell, minlength=int(np.prod(shape))).reshape(shape)
    return np.asarray(counts @ first_state_shares() / len(starts.day))


def true_effects(settings: ShopSettings, starts: Starts) -> pd.DataFrame:
    """Table of the true effects: the base, each active fault, each activity with drop-outs."""
    import pandas as pd

    incident = settings.incident
    kernel = make_kernel(settings.faults, settings.slow)
    weights = start_weights(starts, incident)

    def share(changed: Kernel) -> float:
        return float(np.sum(weights * goal_probability(changed, incident)))

    base = share(kernel)
    rows: list[dict[str, object]] = [{"fault": "none", "kind": "base", "base": round(base, DECIMALS)}]
    for name in settings.faults:
        repaired = make_kernel([f for f in settings.faults if f != name], settings.slow)
        rows.append(_fault_row(name, settings) | {"effect": round(share(repaired) - base, DECIMALS)})
    for activity in dict.fromkeys(s.activity for s in st.BEFORE_GOAL.values()):
        effect = round(share(kernel.save(activity, SAVED)) - base, DECIMALS)
        rows.append(
            {"kind": "save_20", "activity": activity, "fix_id": f"drop_off:{activity}", "effect": effect}
        )
    blank: dict[str, object] = dict.fromkeys(TEXT, "") | {"effect": np.nan, "base": np.nan}
    frame = pd.DataFrame([blank | row for row in rows], columns=list(COLUMNS))
    for column in ("period_start", "period_end"):
        frame[column] = pd.to_datetime(frame[column], utc=True).astype("datetime64[us, UTC]")
    return frame


def _fault_row(name: str, settings: ShopSettings) -> dict[str, object]:
    """Say where a fault sits, and so what its repair is about."""

    def period(days: tuple[int, int]) -> dict[str, object]:
        start, end = (settings.date(d).isoformat() for d in days)
        return {"period_start": start, "period_end": end}

    moments = [f"{settings.date(d).isoformat()}T00:00:00Z" for d in settings.incident]
    places: dict[str, dict[str, object]] = {
        "mobile_sign_in": {
            "kind": "segment",
            "activity": "Account sign-in",
            "column": "platform",
            "value": "mobile",
            "fix_id": "drop_off:Account sign-in:platform=mobile",
        },
        "payment_incident": {
            "kind": "period",
            "activity": "Payment",
            "fix_id": f"incident:Payment:{'/'.join(moments)}",
            **period(settings.incident),
        },
        "declined_loop": {
            "kind": "loop",
            "activity": "Payment declined",
            "fix_id": "loop:Payment declined:Payment",
        },
        "quote_wait": {
            "kind": "wait",
            "activity": "Delivery quote requested",
            "fix_id": "wait:Delivery quote requested",
        },
        "call_centre_rupture": {
            "kind": "channel",
            "activity": "Call centre contact",
            "value": "web or app",
            "fix_id": "channel_switch:Call centre contact",
        },
        "summer_campaign": {
            "kind": "decoy",
            "column": "source",
            "value": "summer campaign",
            **period(settings.campaign),
        },
    }
    return {"fault": name} | places[name]
