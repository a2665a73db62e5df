"""An omnichannel shop with known faults: an event log, and what repairing each fault would truly bring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.simulate.faults import FAULTS
from journeymine.simulate.kernel import make_kernel
from journeymine.simulate.log_frame import event_frame, journey_frame
from journeymine.simulate.settings import ShopSettings, make_settings
from journeymine.simulate.starts import draw_starts
from journeymine.simulate.truth import true_effects
from journeymine.simulate.walk import walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Shop:
    """A simulated shop.

    Attributes
    ----------
    events
        One row an event: journey_id, customer_id, activity, timestamp (UTC), channel, platform, country,
        customer_type, source, value, score, survey, comment.
    truth
        One row a repair: fault, fix_id, kind, activity, column, value, period_start, period_end, effect;
        the row with fault "none" holds the base conversion in `base`.
    journeys
        One row a journey, with what no log shows: `reaches_goal` when followed to its end, and `cut`, whether
        the log ends before the journey does.
    settings
        What the shop was made from.
    """

    events: pd.DataFrame
    truth: pd.DataFrame
    journeys: pd.DataFrame
    settings: ShopSettings

    def __repr__(self) -> str:
        return (
            f"Shop({len(self.events):,} events, {len(self.journeys):,} journeys, "
            f"faults: {', '.join(self.settings.faults) or 'none'}; next: .events, .truth)"
        )


def shop(
    n_customers: int = 6000,
    *,
    seed: int = 0,
    faults: Sequence[str] = FAULTS,
    weeks: int = 26,
    start: str = "2026-01-05",
    slow: float = 1.0,
    null: bool = False,
) -> Shop:
    """Simulate an omnichannel shop with documented faults and their exact effects.

    Customers have a platform (mobile, desktop, app), a country and a type (new, returning); given these and
    the source of the journey, the journey up to the order is a semi-Markov chain that counts in days, so
    the truth is computed, not simulated. The number and the days of a customer's journeys are drawn before,
    and independently of, how any of them goes. The log ends with its last day: journeys under way are cut
    there.

    Parameters
    ----------
    n_customers
        Customers, about two journeys each in half a year.
    seed
        Same seed, same log.
    faults
        Names of the faults that are present (`journeymine.simulate.FAULTS`; sizes in `simulate/faults.py`).
    weeks, start
        Length and first day of the log.
    slow
        Stretches the waits between steps; with few weeks it leaves many journeys open at the end.
    null
        No faults at all: drop-out depends on the activity alone.

    Returns
    -------
    Shop
        Events, truth, journeys and settings. An effect is the change of the share of journeys that reach
        "Order placed" (all of them followed to their ends, averaged over the journeys that started) when
        exactly that fault is repaired.

    Examples
    --------
    >>> world = shop(300, seed=1)
    >>> world.events.columns.tolist()[:4]
    ['journey_id', 'customer_id', 'activity', 'timestamp']
    >>> world.truth.loc[world.truth["fault"] == "summer_campaign", "effect"].tolist()
    [0.0]
    """
    settings = make_settings(n_customers, seed, () if null else faults, weeks, start, slow)
    who, how, what = np.random.default_rng(settings.seed).spawn(3)
    starts = draw_starts(settings, who)
    steps = walk(make_kernel(settings.faults, settings.slow), starts, settings, how)
    return Shop(
        events=event_frame(steps, starts, settings, what),
        truth=true_effects(settings, starts),
        journeys=journey_frame(steps, starts, settings),
        settings=settings,
    )
