"""The faults of the demo shop: what each does, how strong it is, and what repairing it means.

===================  ========================================  ==========================================
name                 with the fault                            repaired
===================  ========================================  ==========================================
mobile_sign_in       on a mobile 33 % leave at the account     11 %, as on desktop and in the app
                     sign-in
payment_incident     for 18 days 48 % leave at the payment     12 %, as on every other day
declined_loop        after a declined payment 26 %, 46 %,      22 % leave after each decline; 17 % of
                     66 % leave (1st, 2nd, later decline);     those who stay are declined at each payment
                     the next payment is declined for 45 %
                     of those who stay
quote_wait           a delivery quote takes 2 to 10 days, and  every wait takes half as long
                     8 % of those who wait leave each day
call_centre_rupture  callers from web or app must start        16 %, as for callers who come from the
                     again: 52 % leave                         store
summer_campaign      for three weeks many new mobile           nothing to repair: given page and customer
                     customers arrive, all on the landing      nothing changes, so the effect is 0
                     page (a decoy)
===================  ========================================  ==========================================

Freed drop-outs go on to the other exits in proportion.
"""

from __future__ import annotations

from typing import Final

FAULTS: Final = (
    "mobile_sign_in",
    "payment_incident",
    "declined_loop",
    "quote_wait",
    "call_centre_rupture",
    "summer_campaign",
)
"""Names of all faults, in the order of the table."""

MOBILE_SIGN_IN_DROP: Final = 0.33
INCIDENT_PAYMENT_DROP: Final = 0.48
DECLINED_DROPS: Final = {"declined_1": 0.26, "declined_2": 0.46, "declined_3": 0.66}
DECLINED_AGAIN: Final = 0.45
RUPTURE_DROP: Final = 0.52
CAMPAIGN_SHARE: Final = 0.18
"""Share of all customers who come through the summer campaign."""
