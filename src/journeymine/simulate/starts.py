"""Who starts a journey, and when: drawn before, and independently of, how any journey goes.

A customer has a platform and a country for good, comes for the first time on some day, and after each
journey either comes back (at least two weeks later) or is gone. Neither depends on the outcome of a
journey: buying does not bring anybody back, and a repaired fault would change no start. So the mix of
starts is exogenous, and the effect of a repair can be averaged over the starts that happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.simulate import states as st
from journeymine.simulate.faults import CAMPAIGN_SHARE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.simulate.settings import ShopSettings

WEEKDAYS = (0.95, 0.95, 0.95, 1.00, 1.05, 1.15, 0.95)
"""Weight of each day of the week, from the log's first."""
KNOWN_SHARE = 0.40
"""Customers who have bought before the log begins: returning from their first journey in it."""
CHURN = 0.30
"""Share of the customers who are gone after a journey."""
MAX_JOURNEYS = 12
GAP_DAYS = (14, 120)
GAP_RATIO = 0.965


@dataclass(frozen=True, slots=True, eq=False)
class Starts:
    """Journeys in the order of their starts.

    Attributes
    ----------
    customer, day, group, source
        Integer arrays, one entry a journey: customer number, day of the log, group (`kernel.GROUPS`), source
        (`states.SOURCES`).
    """

    customer: NDArray[np.int64]
    day: NDArray[np.int64]
    group: NDArray[np.int64]
    source: NDArray[np.int64]


def draw(shares: NDArray[np.float64], u: NDArray[np.float64]) -> NDArray[np.int64]:
    """Draw categories with the given shares by inverting uniforms."""
    cumulative = np.cumsum(shares) / np.sum(shares)
    return np.minimum(np.searchsorted(cumulative, u, side="right"), len(shares) - 1)


def draw_starts(settings: ShopSettings, rng: np.random.Generator) -> Starts:
    """Draw the customers and their journeys' starts."""
    n = settings.n_customers
    u = rng.random((6, n))
    in_campaign = (u[0] < CAMPAIGN_SHARE) & ("summer_campaign" in settings.faults)
    platform = np.where(in_campaign, st.PLATFORMS.index("mobile"), draw(np.array(st.PLATFORM_SHARES), u[1]))
    country = draw(np.array(st.COUNTRY_SHARES), u[2])
    known = (u[3] < KNOWN_SHARE) & ~in_campaign
    first = _first_days(settings, u[4], known, in_campaign)
    days = _journey_days(first, in_campaign, rng)
    customer, visit = np.nonzero((days >= 0) & (days < settings.n_days))
    day = days[customer, visit]
    returning = (known[customer] | (visit > 0)).astype(np.int64)
    source = _sources(returning, in_campaign[customer], rng.random(len(customer)))
    group = (platform[customer] * len(st.COUNTRIES) + country[customer]) * 2 + returning
    order = np.lexsort((customer, day))
    return Starts(customer[order], day[order], group[order], source[order])


def _first_days(
    settings: ShopSettings,
    u: NDArray[np.float64],
    known: NDArray[np.bool_],
    in_campaign: NDArray[np.bool_],
) -> NDArray[np.int64]:
    weights = np.resize(np.array(WEEKDAYS), settings.n_days)
    begin, end = settings.campaign
    # Known customers are in the middle of their gaps when the log begins: most come early.
    early = np.asarray(weights * GAP_RATIO ** np.arange(settings.n_days), dtype=np.float64)
    first = np.where(known, draw(early, u), draw(weights, u))
    return np.where(in_campaign, begin + draw(weights[begin:end], u), first)


def _journey_days(
    first: NDArray[np.int64], in_campaign: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Days of all journeys of each customer, -1 where there is none."""
    shortest, longest = GAP_DAYS
    shape = (len(first), MAX_JOURNEYS - 1)
    gaps = shortest + draw(np.asarray(GAP_RATIO ** np.arange(longest), dtype=np.float64), rng.random(shape))
    again = np.logical_and.accumulate(rng.random(shape) >= CHURN, axis=1)
    # Nobody comes back from the campaign: it changes who comes for three weeks, and only then.
    again &= ~in_campaign[:, None]
    later = np.where(again, first[:, None] + np.cumsum(gaps, axis=1), -1)
    return np.concatenate([first[:, None], later], axis=1)


def _sources(
    returning: NDArray[np.int64], in_campaign: NDArray[np.bool_], u: NDArray[np.float64]
) -> NDArray[np.int64]:
    by_type = [draw(np.array(st.SOURCE_SHARES[t]), u) for t in st.CUSTOMER_TYPES]
    return np.where(in_campaign, st.CAMPAIGN, np.where(returning == 1, by_type[1], by_type[0]))


def first_state_shares() -> NDArray[np.float64]:
    """Share of each state before the goal among the first steps, by source."""
    shares = np.zeros((len(st.SOURCES), st.N_BEFORE))
    for i, source in enumerate(st.SOURCES):
        for key, share in st.FIRST_STATES[source].items():
            shares[i, st.CODE[key]] = share
    return shares
