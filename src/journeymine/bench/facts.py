"""What a ranker is told about a log beside its rows: `events.attrs`, plain JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from journeymine.errors import OptionError, listed

if TYPE_CHECKING:
    import pandas as pd

N_DRAWS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The same for every ranker; nothing here tells the truth.

    Attributes
    ----------
    goal, end
        Activities that are a conversion, and those that end a journey without one.
    idle
        Silence after which a journey counts as dropped, such as "14d".
    segments
        Columns that may be adjusted for.
    shape, scenario
        Which world it is, for tables. The world also knows its truth: to ask for it is cheating, and none of our
        rankers looks at these two.
    n_draws
        Replicates that a ranker with a bootstrap is asked to make.

    Examples
    --------
    >>> import pandas as pd
    >>> events = pd.DataFrame({"activity": ["Visit"]})
    >>> Facts(goal=("Order",), idle="14d").write(events)
    >>> events.attrs["goal"], Facts.of(events).idle
    (['Order'], '14d')
    """

    goal: tuple[str, ...]
    end: tuple[str, ...] = ()
    idle: str = "14d"
    segments: tuple[str, ...] = ()
    shape: str = ""
    scenario: str = ""
    n_draws: int = N_DRAWS

    def write(self, events: pd.DataFrame) -> None:
        """Put the facts into the attributes of a frame."""
        plain: dict[str, Any] = asdict(self)
        events.attrs.update({k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()})

    @classmethod
    def of(cls, events: pd.DataFrame) -> Facts:
        """Read the facts of a frame; raises `OptionError` where they are missing."""
        known = cls.__dataclass_fields__
        found: dict[str, Any] = {str(key): value for key, value in events.attrs.items() if key in known}
        if "goal" not in found:
            raise OptionError(
                "events.attrs says no goal, so there is no conversion to explain.",
                found=listed(found) or "nothing",
                hint='set events.attrs["goal"] = ["Order placed"].',
            )
        plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in found.items()}
        return cls(**plain)
