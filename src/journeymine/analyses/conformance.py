"""Holding the journeys of a log against the designed journey."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.conformance import count_profiles, drop_paths, make_paths
from journeymine.errors import NotEnoughDataError
from journeymine.fixes.what_if.cells import merged_cells
from journeymine.paths.reach import estimate_reach
from journeymine.paths.row_tests import GroupedDrops, row_test
from journeymine.process.alignment_costs import MAX_EVENTS
from journeymine.process.conformance import Conformance, SegmentShares
from journeymine.process.designed import designed_journey
from journeymine.process.deviation_costs import classes, fitness, found_deviations, one, shares
from journeymine.process.deviations import compare_paths
from journeymine.uncertainty import N_DRAWS, Estimates, benjamini_hochberg, share_of_units, unit_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.conformance import ProfileCounts
    from journeymine.log import EventLog
    from journeymine.process.designed import Designed, Expected, Unexpected
    from journeymine.process.deviations import ComparedPaths

    Ints = NDArray[np.int64]

MAX_PATHS = 10_000
"""Distinct paths that are aligned; where there are more, the journeys of some customers are compared."""
MAX_VALUES = 20
OTHER = "(other)"


def check_conformance(
    log: EventLog,
    expected: Expected | None = None,
    *,
    unexpected: Unexpected = "ignore",
    whole: bool = False,
    n_draws: int = N_DRAWS,
    seed: int = 0,
) -> Conformance:
    """Hold every journey against the designed one.

    A converted journey that is over is held against the whole design. Others are held against it as far as they
    went: a journey that is under way has not skipped what is still to come, and leaving is counted as drop-out, not
    as a deviation. Without a goal every journey that is over is held against the whole design.

    Parameters
    ----------
    expected
        The design: see `designed_journey`; None for the order of the stages.
    unexpected
        "ignore" leaves activities outside the design out of the comparison, "count" makes them inserted steps.
    whole
        Whether dropped journeys are held against the whole design too: what they no longer did is then skipped.

    Raises
    ------
    OptionError
        The design names something that is not an activity of the log.
    NotEnoughDataError
        There is no design, or no journey has a step of it.
    """
    required = tuple(stage.id for stage in log.stages if getattr(stage, "required", False))
    designed = designed_journey(
        expected, log.stages, log.activities, required=required, unexpected=unexpected
    )
    names = tuple(dict.fromkeys([*designed.steps, *(step for _, step in designed.step_of)]))
    number = {name: i for i, name in enumerate(names)}
    code = {name: i for i, name in enumerate(log.activities)}
    tables, paths = make_paths(
        log.engine,
        log.canonical,
        log.found,
        [(code[name], number[step]) for name, step in designed.step_of],
        by_visit=designed.by_visit,
        dropped_too=whole,
        top=MAX_PATHS,
        longest=MAX_EVENTS,
    )
    if not len(paths.n):
        hint = "name activities that the journeys contain in expected."
        raise NotEnoughDataError("no journey has a step of the designed journey.", hint=hint)
    compared = compare_paths(designed, paths, names)
    counts = count_profiles(log.engine, log.canonical, tables, compared.profile)
    drop_paths(log.engine, tables)
    cells = log.found.cells if log.found else ((),)
    cell_of = merged_cells(np.bincount(counts.cell, weights=counts.n, minlength=len(cells)).astype(np.int64))[
        0
    ]
    kept = shares(counts, np.column_stack([compared.kept, compared.kept & compared.whole_run]))
    n_complete, n_stopped, n_open, n_deviating = classes(counts, compared)
    ignored, ignored_share = _ignored(log, designed)
    has_goal = bool(log.found and log.found.goal)
    return Conformance(
        designed=designed,
        share=one(kept, 0),
        complete=one(kept, 1),
        n=int(paths.n.sum()),
        n_complete=n_complete,
        n_stopped=n_stopped,
        n_open=n_open,
        n_deviating=n_deviating,
        fitness=fitness(compared, paths.n),
        deviations=found_deviations(counts, compared, cell_of, has_goal=has_goal, n_draws=n_draws, seed=seed),
        n_kinds=compared.n_found,
        segments=_segments(log, counts, compared),
        n_without_step=paths.n_without_step,
        n_left_out=paths.n_journeys - int(paths.n.sum()),
        n_paths=len(set(paths.paths)),
        sample=paths.sample,
        ignored=ignored,
        ignored_share=ignored_share,
    )


def _ignored(log: EventLog, designed: Designed) -> tuple[tuple[str, ...], Estimates]:
    """Activities outside the design, those of most journeys first, and the share of journeys with each."""
    counts = log.activity_counts
    share = estimate_reach(counts)
    outside = set(designed.ignored)
    own = [code for code, name in enumerate(log.activities) if name in outside]
    own.sort(key=lambda code: (-int(counts.n_cases[code]), code))
    chosen = Estimates(share.estimate[own], share.lower[own], share.upper[own], share.n[own])
    return tuple(log.activities[code] for code in own), chosen


def _segments(log: EventLog, counts: ProfileCounts, compared: ComparedPaths) -> tuple[SegmentShares, ...]:
    """Share of journeys that keep to the design by segment value, with a test for each segment."""
    if log.found is None or not log.found.segments:
        return ()
    cells = log.found.cells
    n_of_cell = np.bincount(counts.cell, weights=counts.n, minlength=len(cells)).astype(int)
    kept = np.where(compared.kept[counts.profile], counts.n, 0)
    found = []
    for column, segment in enumerate(log.found.segments):
        names, value_of = _values([cell[column] for cell in cells], n_of_cell)
        others = [cell[:column] + cell[column + 1 :] for cell in cells]
        place = {other: i for i, other in enumerate(dict.fromkeys(others))}
        stratum = np.array([place[other] for other in others])
        value = value_of[counts.cell]
        shape = (counts.n_units, len(names))
        share = share_of_units(
            unit_matrix(counts.unit, value, kept, shape),
            unit_matrix(counts.unit, value, counts.n, shape),
            buckets=counts.buckets,
        )
        departing = (counts.n - kept).astype(float)
        data = GroupedDrops(
            counts.unit, stratum[counts.cell], value, counts.n.astype(float), departing, counts.n_units
        )
        test = row_test(data, len(names))
        found.append((segment, names, share, None if test is None else test.p_value))
    tested = [p for _, _, _, p in found if p is not None]
    q = iter(benjamini_hochberg(np.array(tested)).tolist())
    return tuple(
        SegmentShares(segment, names, share, p, None if p is None else next(q))
        for segment, names, share, p in found
    )


def _values(of_cell: list[str], n_of_cell: Ints) -> tuple[tuple[str, ...], Ints]:
    """Values of a segment and the number of each cell's: the twenty commonest, the others joined."""
    often: Counter[str] = Counter()
    for value, n in zip(of_cell, n_of_cell.tolist(), strict=True):
        often[value] += n
    ranked = sorted(often, key=lambda value: (-often[value], value))
    kept = sorted(ranked[:MAX_VALUES])
    names = tuple(kept) if len(kept) == len(ranked) else (*kept, OTHER)
    place = {value: i for i, value in enumerate(kept)}
    return names, np.array([place.get(value, len(kept)) for value in of_cell], dtype=np.int64)
