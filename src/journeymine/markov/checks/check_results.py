"""What the checks of a chain say: one result a check, with the states where it deviates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from journeymine.markov.checks.check_words import sentence, title

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from journeymine.markov.checks.check_shifts import Shift
    from journeymine.markov.checks.check_tests import Deviation

TEST_LEVEL = 0.05
"""p values from here on are no sign of a deviation; also the false discovery rate of the states."""
MOST_WORST = 3
MOST_LINES = 10


@dataclass(frozen=True, slots=True)
class StateCheck:
    """What a check says about one state.

    Attributes
    ----------
    state
        Its name.
    found
        Test and effect within the state.
    q_value
        p value corrected for the number of states (Benjamini and Hochberg 1995).
    contribution
        Part of the deviation over all states that is found here; at least 0.
    group, target, shift
        Where the rows are furthest apart: names, shares and their difference.
    """

    state: str
    found: Deviation
    q_value: float
    contribution: float
    group: str
    target: str
    shift: Shift


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a chain.

    Attributes
    ----------
    name
        "first_order", "homogeneity" or "stationarity".
    by
        What is compared: "previous", the name of a segment column, or "period".
    groups
        Names of the groups.
    found
        Test and effect over all states; None if it is not available.
    states
        The same for each state that could be compared, those that add most to the deviation first.
    verdict
        "holds": no sign of a deviation, and none that matters is possible; "small": a deviation beyond chance that
        does not matter; "matters"; "unclear": no sign of a deviation, but one that matters is possible; or
        "not available".
    consequence
        What to do: "none", "attempts" (states by attempt), "order" (a longer memory), "segments" (a chain for each
        value), "periods" (a chain for the last period), "more_data".
    reason
        Why it is not available: "no_sequences", "no_calendar", "one_group", "too_little".
    attempts
        Of a first-order property whose deviation matters: how far the rows are apart by the number of the visit
        to the state in its journey (1, 2, 3 or later).
    """

    name: str
    by: str
    groups: tuple[str, ...]
    found: Deviation | None
    states: tuple[StateCheck, ...]
    verdict: str
    consequence: str
    reason: str | None = None
    attempts: Deviation | None = None

    @property
    def worst(self) -> tuple[StateCheck, ...]:
        """The states that add most to the deviation, of those that deviate beyond chance; at most three."""
        return tuple(one for one in self.states if one.q_value < TEST_LEVEL)[:MOST_WORST]

    @property
    def sentence(self) -> str:
        """The check in one or two English sentences."""
        return sentence(self)

    def to_frame(self) -> pd.DataFrame:
        """One row a state: p and corrected p, effect with its interval, and where the rows are furthest apart."""
        import pandas as pd

        rows = [
            {
                "state": one.state,
                "statistic": one.found.statistic,
                "df": one.found.df,
                "p_value": one.found.p_value,
                "q_value": one.q_value,
                "effect": one.found.effect,
                "lower": one.found.lower,
                "upper": one.found.upper,
                "n": one.found.n,
                "contribution": one.contribution,
                "group": one.group,
                "target": one.target,
                "share": one.shift.share,
                "usual": one.shift.usual,
            }
            for one in self.states
        ]
        return pd.DataFrame(rows, columns=None if rows else ["state"])


@dataclass(frozen=True, slots=True)
class ChainChecks:
    """All checks of a chain; `chain.checks` makes them.

    Attributes
    ----------
    checks
        The first-order property, homogeneity over each segment, stationarity.
    """

    checks: tuple[Check, ...]

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks)

    def __len__(self) -> int:
        return len(self.checks)

    def __getitem__(self, index: int) -> Check:
        return self.checks[index]

    def to_frame(self) -> pd.DataFrame:
        """One row a check; `effect` is the share of moves that go elsewhere."""
        import pandas as pd

        return pd.DataFrame([_row(check) for check in self.checks])

    def __repr__(self) -> str:
        lines = [f"{len(self.checks)} checks of the chain"]
        shown = self.checks if len(self.checks) <= MOST_LINES else self.checks[: MOST_LINES - 1]
        lines += [_line(check) for check in shown]
        if len(shown) < len(self.checks):
            lines.append(f"  and {len(self.checks) - len(shown)} more")
        return "\n".join([*lines, "Next: .to_frame(), [0].sentence, [0].to_frame()"])


def _line(check: Check) -> str:
    if check.found is None:
        return f"  {title(check)}: {check.verdict} ({check.reason})"
    found = check.found
    return (
        f"  {title(check)}: {check.verdict}; {found.effect:.2%} of moves depend on it "
        f"({found.lower:.2%} to {found.upper:.2%}), p = {found.p_value:.2g}, n = {found.n:,}"
    )


def _row(check: Check) -> dict[str, object]:
    found = check.found
    nan = float("nan")
    return {
        "check": check.name,
        "by": check.by,
        "statistic": nan if found is None else found.statistic,
        "df": nan if found is None else found.df,
        "p_value": nan if found is None else found.p_value,
        "effect": nan if found is None else found.effect,
        "lower": nan if found is None else found.lower,
        "upper": nan if found is None else found.upper,
        "n": 0 if found is None else found.n,
        "verdict": check.verdict,
        "worst": "; ".join(one.state for one in check.worst),
    }
