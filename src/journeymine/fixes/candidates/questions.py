"""`Question`: one test of the family, and what it proposes if its answer is yes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from journeymine.fixes.candidates.candidate import LEVEL, Candidate, TestedRow
from journeymine.uncertainty import benjamini_hochberg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from journeymine.fixes.candidates.excess import Excess
    from journeymine.paths.row_tests import RowTest


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Question:
    """Something that is tested about one activity.

    Attributes
    ----------
    state, column, about, target
        As in `TestedRow`.
    test
        Whether groups differ at all.
    proposals
        The candidates to make if the test is kept.
    excesses
        What was compared, whether the test is kept or not: these tell how large true differences are in this log.
    """

    state: int
    about: str
    test: RowTest
    proposals: Callable[[], Sequence[Candidate]]
    excesses: Callable[[], Sequence[Excess]]
    column: int | None = None
    target: str | None = None


def one_sided(test: RowTest, worse: bool) -> RowTest:
    """The same test where only one direction matters: half the p value if the groups differ that way.

    Those who try again, or who take a way round, are expected to do better or worse without anything being wrong;
    counted as discoveries such differences would let noise pass elsewhere.

    Examples
    --------
    >>> from journeymine.paths.row_tests import RowTest
    >>> [one_sided(RowTest(4.0, 1, 0.04, 1.0), worse).p_value for worse in (True, False)]
    [0.02, 0.98]
    """
    return replace(test, p_value=test.p_value / 2 if worse else 1 - test.p_value / 2)


def ask(questions: Sequence[Question]) -> tuple[tuple[TestedRow, ...], list[Candidate]]:
    """All tests as one family, false discoveries controlled, and the candidates of those that are kept."""
    q_values = benjamini_hochberg(np.array([question.test.p_value for question in questions]))
    tests = tuple(
        TestedRow(
            asked.state, asked.column, asked.test, float(q), bool(q <= LEVEL), asked.about, asked.target
        )
        for asked, q in zip(questions, q_values, strict=True)
    )
    found = [
        replace(candidate, test=tested)
        for asked, tested in zip(questions, tests, strict=True)
        if tested.kept
        for candidate in asked.proposals()
    ]
    return tests, found
