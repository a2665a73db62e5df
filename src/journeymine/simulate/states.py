"""The map of the demo shop: its states, who goes where, and how long it takes.

A state is an activity plus what the customer's history adds to it: the attempt number in the payment loop,
the channel a caller comes from, whether the parcel was late. The log shows the activity only.

Drop-out belongs to the state alone. Platform, country and customer type choose where a journey starts and
where it goes, never whether it is given up; the faults (`faults.py`) are the only exceptions. Two details
keep it so:

* platform and country change nothing before the sign-in, so the platforms' mix at the sign-in is that of the
  starts, in each country and customer type;
* callers who come from the product page and those who come by way of the store leave the product page after
  the same days, in a fixed proportion, so that their mix at the call centre is the same in every segment
  and week.
"""

from __future__ import annotations

from typing import Final, NamedTuple

PLATFORMS: Final = ("mobile", "desktop", "app")
COUNTRIES: Final = ("FR", "GB", "BE", "CH", "IE")
CUSTOMER_TYPES: Final = ("new", "returning")
SOURCES: Final = ("organic search", "paid search", "social", "newsletter", "direct", "summer campaign")
CAMPAIGN: Final = SOURCES.index("summer campaign")

PLATFORM_SHARES: Final = (0.42, 0.36, 0.22)
COUNTRY_SHARES: Final = (0.38, 0.24, 0.16, 0.12, 0.10)

GOAL: Final = "Order placed"


class State(NamedTuple):
    """A state: the activity that the log shows, its channel, and the share for whom nothing follows."""

    activity: str
    channel: str  # "digital" = the app on platform "app", else the web
    drop: float


BEFORE_GOAL: Final[dict[str, State]] = {
    "newsletter": State("Newsletter click", "e-mail", 0.20),
    "landing": State("Landing page", "digital", 0.46),
    "home": State("Home page", "digital", 0.13),
    "search": State("Search", "digital", 0.11),
    "product": State("Product page", "digital", 0.10),
    "wish_list": State("Wish list", "digital", 0.20),
    "reviews": State("Reviews read", "digital", 0.10),
    "store": State("Store visit", "store", 0.15),
    "call_from_digital": State("Call centre contact", "call centre", 0.16),
    "call_from_store": State("Call centre contact", "call centre", 0.16),
    "basket": State("Basket", "digital", 0.14),
    "sign_in": State("Account sign-in", "digital", 0.11),
    "delivery": State("Delivery choice", "digital", 0.07),
    "quote_requested": State("Delivery quote requested", "digital", 0.0),  # its drop-out: QUOTE_LEAVE_PER_DAY
    "quote_received": State("Delivery quote received", "e-mail", 0.09),
    "payment_1": State("Payment", "digital", 0.12),
    "payment_2": State("Payment", "digital", 0.12),
    "payment_3": State("Payment", "digital", 0.12),
    "declined_1": State("Payment declined", "digital", 0.22),
    "declined_2": State("Payment declined", "digital", 0.22),
    "declined_3": State("Payment declined", "digital", 0.22),
}

AFTER_GOAL: Final[dict[str, State]] = {
    "order": State(GOAL, "digital", 0.0),
    "confirmed": State("Order confirmed", "e-mail", 0.0),
    "late": State("Parcel late", "e-mail", 0.0),
    "delivered": State("Parcel delivered", "e-mail", 0.42),
    "delivered_late": State("Parcel delivered", "e-mail", 0.36),
    "complaint": State("Complaint", "call centre", 0.30),
    "call_after": State("Call centre contact", "call centre", 0.35),
    "return": State("Return requested", "digital", 0.0),
    "refund": State("Refund paid", "e-mail", 0.60),
    "nps_promoter": State("Survey NPS", "e-mail", 0.55),
    "nps_passive": State("Survey NPS", "e-mail", 0.95),
    "nps_detractor": State("Survey NPS", "e-mail", 0.80),
    "csat": State("Survey CSAT", "e-mail", 1.0),
    "ces": State("Survey CES", "e-mail", 1.0),
    "review": State("Review written", "digital", 0.85),
    "recommended": State("Recommended to a friend", "digital", 1.0),
}

STATES: Final[dict[str, State]] = BEFORE_GOAL | AFTER_GOAL
CODE: Final[dict[str, int]] = {key: i for i, key in enumerate(STATES)}
N_BEFORE: Final = len(BEFORE_GOAL)
ORDER: Final = CODE["order"]

MAX_LAG: Final = 10
"""Longest wait between two steps before the goal, in days: a longer `idle` ends no living journey."""

# Name -> (share on the same day, ratio of one day's share to the day before's); the rest lies on days
# 1..MAX_LAG.
LAGS: Final[dict[str, tuple[float, float]]] = {
    "now": (1.0, 0.0),
    "soon": (0.86, 0.50),
    "later": (0.40, 0.68),
    "contact": (0.55, 0.60),
}
FIXED_LAGS: Final[dict[str, tuple[float, ...]]] = {  # shares by day, from day 0; not stretched by `slow`
    "parcel": (0.0, 0.05, 0.30, 0.35, 0.20, 0.10),
    "overdue": (0.0, 0.0, 0.0, 0.0, 0.0, 0.30, 0.40, 0.30),
    "week": (0.0, 0.10, 0.20, 0.20, 0.15, 0.10, 0.10, 0.10, 0.05),
}
QUOTE_DAYS: Final = (0.0, 0.0, 0.08, 0.15, 0.20, 0.18, 0.14, 0.10, 0.07, 0.05, 0.03)
"""Days until the delivery quote is there, if the customer is still waiting for it."""
QUOTE_LEAVE_PER_DAY: Final = 0.08
"""Share of the customers waiting for a quote who leave each day (patience is exponential)."""

# Where those who go on go: state -> (next state, weight, lag). Weights are scaled to 1.
ROUTES: Final[dict[str, tuple[tuple[str, float, str], ...]]] = {
    "newsletter": (("product", 0.70, "now"), ("home", 0.20, "now"), ("landing", 0.10, "now")),
    "landing": (("product", 0.60, "soon"), ("search", 0.25, "now"), ("home", 0.15, "now")),
    "home": (("search", 0.45, "now"), ("product", 0.55, "now")),
    "search": (("product", 0.80, "now"), ("search", 0.20, "now")),
    "product": (
        ("product", 0.24, "soon"),
        ("basket", 0.46, "soon"),
        ("wish_list", 0.09, "now"),
        ("reviews", 0.12, "now"),
        ("search", 0.12, "soon"),
        ("store", 0.08, "contact"),
        ("call_from_digital", 0.05, "contact"),
    ),
    "wish_list": (("product", 0.45, "later"), ("basket", 0.55, "later")),
    "reviews": (("product", 0.35, "soon"), ("basket", 0.65, "soon")),
    "store": (("basket", 0.45, "later"), ("product", 0.25, "soon"), ("call_from_store", 0.30, "now")),
    "call_from_digital": (("product", 0.55, "soon"), ("basket", 0.45, "soon")),
    "call_from_store": (("product", 0.55, "soon"), ("basket", 0.45, "soon")),
    "basket": (("sign_in", 0.85, "soon"), ("product", 0.15, "later")),
    "sign_in": (("delivery", 1.0, "now"),),
    "delivery": (("payment_1", 0.74, "now"), ("quote_requested", 0.26, "now")),
    "quote_requested": (("quote_received", 1.0, "quote"),),
    "quote_received": (("payment_1", 1.0, "soon"),),
    "payment_1": (("order", 0.83, "now"), ("declined_1", 0.17, "now")),
    "payment_2": (("order", 0.83, "now"), ("declined_2", 0.17, "now")),
    "payment_3": (("order", 0.83, "now"), ("declined_3", 0.17, "now")),
    "declined_1": (("payment_2", 1.0, "soon"),),
    "declined_2": (("payment_3", 1.0, "soon"),),
    "declined_3": (("payment_3", 1.0, "soon"),),
    "order": (("confirmed", 1.0, "now"),),
    "confirmed": (("delivered", 0.86, "parcel"), ("late", 0.14, "overdue")),
    "late": (("delivered_late", 0.74, "contact"), ("complaint", 0.26, "contact")),
    "delivered": (
        ("nps_promoter", 0.26, "week"),
        ("nps_passive", 0.12, "week"),
        ("nps_detractor", 0.07, "week"),
        ("return", 0.22, "week"),
        ("review", 0.20, "week"),
        ("recommended", 0.08, "week"),
        ("complaint", 0.05, "later"),
    ),
    "delivered_late": (
        ("nps_promoter", 0.05, "week"),
        ("nps_passive", 0.13, "week"),
        ("nps_detractor", 0.34, "week"),
        ("return", 0.24, "week"),
        ("complaint", 0.24, "later"),
    ),
    "complaint": (("call_after", 0.70, "soon"), ("refund", 0.30, "week")),
    "call_after": (("csat", 0.75, "later"), ("refund", 0.25, "week")),
    "return": (("refund", 0.88, "week"), ("call_after", 0.12, "week")),
    "refund": (("ces", 1.0, "later"),),
    "nps_promoter": (("recommended", 0.60, "later"), ("review", 0.40, "later")),
    "nps_passive": (("review", 1.0, "later"),),
    "nps_detractor": (("complaint", 1.0, "later"),),
    "review": (("recommended", 1.0, "later"),),
}

# (column value, state, next state) -> factor of the weight. Nothing by platform or country before the sign-
# in.
TASTES: Final[dict[tuple[str, str, str], float]] = {
    ("returning", "product", "basket"): 1.45,
    ("returning", "reviews", "basket"): 1.30,
    ("CH", "delivery", "quote_requested"): 1.60,
    ("IE", "delivery", "quote_requested"): 1.30,
    ("GB", "delivery", "quote_requested"): 0.85,
    ("app", "delivery", "quote_requested"): 0.75,
}

SOURCE_SHARES: Final[dict[str, tuple[float, ...]]] = {  # by customer type, in the order of SOURCES
    "new": (0.36, 0.22, 0.20, 0.02, 0.20, 0.0),
    "returning": (0.20, 0.10, 0.08, 0.27, 0.35, 0.0),
}
FIRST_STATES: Final[dict[str, dict[str, float]]] = {  # by source
    "organic search": {"product": 0.50, "home": 0.30, "landing": 0.20},
    "paid search": {"landing": 0.45, "product": 0.55},
    "social": {"landing": 0.40, "product": 0.50, "home": 0.10},
    "newsletter": {"newsletter": 1.0},
    "direct": {"home": 0.70, "product": 0.30},
    "summer campaign": {"landing": 1.0},
}
