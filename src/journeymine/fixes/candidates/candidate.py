"""`Candidate`: a fix that the log lets one estimate, with the visits it is about and those it is compared with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from journeymine.fixes.fix import Fix
    from journeymine.paths.row_tests import RowTest

    Ints = NDArray[np.int64]

Block = Literal["found", "assumed", "user"]

LEVEL: Final = 0.05
"""False discoveries among the tests that are kept."""
ASSUMED_SHARE: Final = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class ScopedDrops:
    """Visits and drops of one activity that a fix is about, or that it is compared with; shape (m,).

    `n_all` counts all visits: how much there is to gain. `n` and `drops` count those watched long enough: how it goes.
    """

    unit: Ints
    cell: Ints
    stratum: Ints
    n_all: NDArray[np.float64]
    n: NDArray[np.float64]
    drops: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TestedRow:
    """One test of the family: a row of the chain against what it is compared by.

    Attributes
    ----------
    state
        Index of the state in the chain.
    column
        Segment column; None where anything else is compared.
    test
        The test itself, clustered by customer.
    q_value
        Adjusted over the whole family (Benjamini and Hochberg 1995).
    kept
        Whether it is among the discoveries.
    about
        "segment", "period", "attempt", "channel", "step" (skipped), "contact" (missing) or "late" (a contact).
    target
        What else the test is about: the activity a loop runs through, the step that is skipped.
    """

    __test__ = False

    state: int
    column: int | None
    test: RowTest
    q_value: float
    kept: bool
    about: str = "segment"
    target: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A fix whose effect can be estimated.

    Attributes
    ----------
    state
        Index of the state in the chain of first order.
    kind
        Where the reference comes from: "segment", "period", "attempt" (the first one), "channel" (the channel before),
        "step" (journeys that took it; `drops` are then all that were lost later), or "assumed" where a share is
        assumed. What is done is `fix.kind`.
    everywhere
        All visits of the activity.
    scope
        Visits the fix is about.
    reference
        Visits it is compared with; None where a share is assumed.
    column, value
        Segment column and value; None where the fix is for all.
    period_us
        Start and end of the period; None otherwise.
    ongoing
        Whether the period reaches the end of what was watched.
    fix
        What is done, with its id.
    block
        "found" in the data, "assumed", or the "user"'s own.
    test
        The test that found it; None for what nobody tested.
    shrinkage
        Share of the excess that is believed, from 0 to 1: it was found and scored on the same customers. None where
        nothing was found.
    """

    state: int
    kind: str
    everywhere: ScopedDrops
    scope: ScopedDrops
    reference: ScopedDrops | None = None
    column: int | None = None
    value: str | None = None
    period_us: tuple[int, int] | None = None
    ongoing: bool = False
    fix: Fix = field(kw_only=True)
    block: Block = field(kw_only=True)
    test: TestedRow | None = field(default=None, kw_only=True)
    shrinkage: float | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Tests and candidates.

    Attributes
    ----------
    tests
        The family of tests, kept or not.
    candidates
        Those found in the data, then the assumed ones.
    pools
        State -> group of each cell, where a segment column was kept: small cells may lean on their own group only.
    """

    tests: tuple[TestedRow, ...]
    candidates: tuple[Candidate, ...]
    pools: Mapping[int, Ints]

    @property
    def n_kept(self) -> int:
        """Tests that were kept."""
        return sum(row.kept for row in self.tests)
