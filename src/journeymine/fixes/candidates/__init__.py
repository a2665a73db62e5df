"""Candidates: fixes of every kind that the counts suggest, and the users' own."""

from journeymine.fixes.candidates.candidate import (
    ASSUMED_SHARE,
    LEVEL,
    Block,
    Candidate,
    Found,
    ScopedDrops,
    TestedRow,
)
from journeymine.fixes.candidates.cells import (
    MAX_VALUES,
    MIN_CUSTOMERS_OF_VALUE,
    OTHER,
    CellValues,
    cell_values,
)
from journeymine.fixes.candidates.evidence import Evidence
from journeymine.fixes.candidates.given import as_fixes
from journeymine.fixes.candidates.scopes import cells_of
from journeymine.fixes.candidates.search import assumed_candidates, find_candidates, search_candidates
from journeymine.fixes.candidates.steps import gain_of_step
from journeymine.fixes.candidates.time import time_candidates
from journeymine.fixes.candidates.user import resolve_fixes

__all__ = [
    "ASSUMED_SHARE",
    "LEVEL",
    "MAX_VALUES",
    "MIN_CUSTOMERS_OF_VALUE",
    "OTHER",
    "Block",
    "Candidate",
    "CellValues",
    "Evidence",
    "Found",
    "ScopedDrops",
    "TestedRow",
    "as_fixes",
    "assumed_candidates",
    "cell_values",
    "cells_of",
    "find_candidates",
    "gain_of_step",
    "resolve_fixes",
    "search_candidates",
    "time_candidates",
]
