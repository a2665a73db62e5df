"""Settings of the demo shop and the calendar that follows from them."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from journeymine.errors import OptionError, listed, shown, suggestion
from journeymine.simulate.faults import FAULTS

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_WEEKS = 4


@dataclass(frozen=True, slots=True)
class ShopSettings:
    """What a shop is made from; the same settings give the same log.

    The incident lies in the first half of the log, the campaign in the second; both are shortened in logs
    of less than half a year. Days count from the first day of the log; a period ends before its end day.

    Examples
    --------
    >>> s = ShopSettings(n_customers=100)
    >>> s.n_days, s.incident, s.campaign
    (182, (44, 62), (126, 147))
    >>> s.date(44).isoformat()
    '2026-02-18'
    """

    n_customers: int = 6000
    seed: int = 0
    faults: tuple[str, ...] = FAULTS
    weeks: int = 26
    start: str = "2026-01-05"
    slow: float = 1.0

    def __post_init__(self) -> None:
        if self.n_customers < 1:
            raise OptionError(f"n_customers is {self.n_customers}, expected at least 1.")
        if self.seed < 0:
            raise OptionError(f"seed is {self.seed}, expected a whole number from 0.")
        if self.weeks < MIN_WEEKS:
            raise OptionError(f"weeks is {self.weeks}, expected at least {MIN_WEEKS}.")
        if not self.slow >= 1.0:
            raise OptionError(f"slow is {self.slow}, expected a factor of at least 1.")
        for name in self.faults:
            if name not in FAULTS:
                raise OptionError(
                    f"faults: {shown(name)} is not a fault of the shop.",
                    found=listed(FAULTS),
                    hint=suggestion(name, FAULTS, "use one of the names above."),
                )
        try:
            dt.date.fromisoformat(self.start)
        except ValueError:
            raise OptionError(
                f"start is {shown(self.start)}, expected a date.", hint='write it as "2026-01-05".'
            ) from None

    @property
    def n_days(self) -> int:
        """Days in the log."""
        return 7 * self.weeks

    @property
    def incident(self) -> tuple[int, int]:
        """First day of the payment incident and the day after its last."""
        first = self.n_days * 22 // 91
        return first, first + max(3, min(18, self.n_days // 10))

    @property
    def campaign(self) -> tuple[int, int]:
        """First day of the summer campaign and the day after its last."""
        first = self.n_days * 9 // 13
        return first, first + max(3, min(21, self.n_days // 8))

    def date(self, day: int) -> dt.date:
        """Date of a day of the log."""
        return dt.date.fromisoformat(self.start) + dt.timedelta(days=day)

    def to_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return asdict(self) | {"faults": list(self.faults)}


def make_settings(
    n_customers: int, seed: int, faults: Sequence[str], weeks: int, start: str, slow: float
) -> ShopSettings:
    """Check the arguments of `shop` and put the faults into the order of the table."""
    if isinstance(faults, str):
        faults = (faults,)
    plain = ShopSettings(int(n_customers), int(seed), tuple(faults), int(weeks), str(start), float(slow))
    ordered = tuple(name for name in FAULTS if name in plain.faults)
    return ShopSettings(plain.n_customers, plain.seed, ordered, plain.weeks, plain.start, plain.slow)
