"""Where journeys depart from the design, and which journeys those that do are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from journeymine.process.alignment import align_all, alignment_costs

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from journeymine.counts.conformance import StepPaths
    from journeymine.process.alignment import Move
    from journeymine.process.designed import Designed

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

Kind = Literal["skipped", "inserted", "repeated", "order"]
MAX_LISTED = 30
"""Deviations that are listed, the commonest first."""
MAX_COSTED = 12
"""Deviations whose cost is worked out."""


@dataclass(frozen=True, slots=True, order=True)
class Deviation:
    """A way to depart from the design.

    Attributes
    ----------
    kind
        "skipped": the design asks for the step, the journey goes past it and never does it. "order": the first time
        it does the step is not where the design has it. "repeated": it does it in its place and again elsewhere.
        With stages, "order" is to go back to a stage after a later one. "inserted": the design does not know the step.
    step
        Name of the step.
    """

    kind: Kind
    step: str


def deviations(
    moves: Sequence[Move], steps: Collection[str], *, by_visit: bool = False
) -> frozenset[Deviation]:
    """Deviations of an alignment.

    What a step is called depends on the first time it is done, as far as the alignment allows: a name that looked at
    what comes later would differ between journeys that go on and journeys that end there.

    Parameters
    ----------
    steps
        Steps of the design.
    by_visit
        Whether steps are stages: to go back to one is a matter of order, whether it was visited before or not.

    Examples
    --------
    >>> found = deviations([("both", "a"), ("model", "b"), ("both", "c"), ("log", "b"), ("log", "c")], "abc")
    >>> sorted((each.kind, each.step) for each in found)
    [('order', 'b'), ('repeated', 'c')]
    """
    found, first = set(), dict[str, str]()
    for kind, name in moves:
        if kind == "model":
            continue
        if first.setdefault(name, kind) == "both" and kind == "log" and not by_visit:
            found.add(Deviation("repeated", name))
        elif kind == "log":
            found.add(Deviation("order" if name in steps else "inserted", name))
    return frozenset(found) | {
        Deviation("skipped", name) for kind, name in moves if kind == "model" and name not in first
    }


def visit_moves(
    path: Sequence[str], stages: Sequence[str], required: Collection[str], *, whole: bool
) -> list[Move]:
    """A path of visits as moves: a visit to an earlier stage than one that was seen before is out of place.

    Parameters
    ----------
    path
        Names of the stages visited, and perhaps of steps that are no stage.
    stages
        Stages in order.
    required
        Stages that may not be passed over.
    whole
        Whether the path had to come to the end.

    Examples
    --------
    >>> visit_moves(["a", "c", "b", "c"], ["a", "b", "c"], ["b"], whole=True)
    [('both', 'a'), ('model', 'b'), ('both', 'c'), ('log', 'b'), ('both', 'c')]
    """
    place = {name: i for i, name in enumerate(stages)}
    moves: list[Move] = []
    reached = -1

    def passed_over(until: int) -> list[Move]:
        return [("model", name) for name in stages[reached + 1 : until] if name in required]

    for name in path:
        if place.get(name, -1) < reached or name not in place:
            moves.append(("log", name))
            continue
        moves += passed_over(place[name])
        reached = place[name]
        moves.append(("both", name))
    return moves + (passed_over(len(stages)) if whole else [])


@dataclass(frozen=True, slots=True)
class Chances:
    """Steps by what a journey had the chance to do differently, up to its goal.

    Attributes
    ----------
    found
        Deviations up to the goal.
    done
        Steps done in their place.
    passed
        Steps whose place is followed by a step of the design that was done: done or left out, the journey went on.
    went_on
        Steps done in their place after which anything followed.
    """

    found: frozenset[Deviation]
    done: frozenset[str]
    passed: frozenset[str]
    went_on: frozenset[str]

    def departs(self, deviation: Deviation) -> bool:
        """Whether the journey shows the deviation where others had the chance to."""
        return deviation in self.found and (deviation.kind != "skipped" or deviation.step in self.passed)

    def keeps(self, deviation: Deviation) -> bool:
        """Whether the journey had the chance and did not take it: those with the deviation are held against these.

        Who leaves early has no time to deviate. So a skipped or misplaced step is held against journeys that did the
        step in its place and went on to another one, a repeated step against those that went on after the first time.
        """
        if deviation in self.found:
            return False
        if deviation.kind == "inserted":
            return bool(self.done)
        return deviation.step in (self.went_on if deviation.kind == "repeated" else self.passed & self.done)


def chances(
    moves: Sequence[Move], goal_at: int, steps: Collection[str], *, by_visit: bool = False
) -> Chances:
    """What a journey did and could have done, up to its goal: what comes later cannot have changed it.

    Parameters
    ----------
    goal_at
        Steps of the journey up to the goal; -1 without it. Who reaches the goal has gone on.
    steps, by_visit
        As for `deviations`.
    """
    before = _until(moves, goal_at)
    together = [place for place, (kind, _) in enumerate(before) if kind == "both"]
    events = [place for place, (kind, _) in enumerate(before) if kind != "model"]
    end = len(before)
    last_together = end if goal_at >= 0 else max(together, default=-1)
    last_event = end if goal_at >= 0 else max(events, default=-1)
    return Chances(
        deviations(before, steps, by_visit=by_visit),
        frozenset(before[place][1] for place in together),
        frozenset(
            name for place, (kind, name) in enumerate(before) if kind != "log" and place < last_together
        ),
        frozenset(before[place][1] for place in together if place < last_event),
    )


def _until(moves: Sequence[Move], goal_at: int) -> Sequence[Move]:
    """Moves up to the goal."""
    if goal_at < 0:
        return moves
    done = 0
    for place, (kind, _) in enumerate(moves):
        done += kind != "model"
        if done > goal_at:
            return moves[:place]
    return moves


@dataclass(frozen=True, slots=True, eq=False)
class ComparedPaths:
    """Paths held against a design.

    Attributes
    ----------
    cost, worst
        Cost of each path, and the most it could be (its steps and the shortest run of the design), shape (m,).
    complete
        Whether the path is a whole run of the design, shape (m,).
    listed
        The commonest deviations, by journeys.
    n_listed
        Journeys of each; shape (len(listed),).
    n_found
        Distinct deviations, those that are not listed included.
    profile
        Profile of each path, shape (m,): paths of one profile agree in all that follows.
    kept, whole_run
        Of each profile: no deviation; a whole run of the design. Shape (p,).
    has
        Of each profile and listed deviation, shape (p, len(listed)).
    departs, keeps
        Of each profile and the first `MAX_COSTED` deviations: which side of the comparison it is on.
    """

    cost: Ints
    worst: Ints
    complete: Flags
    listed: tuple[Deviation, ...]
    n_listed: Ints
    n_found: int
    profile: Ints
    kept: Flags
    whole_run: Flags
    has: Flags
    departs: Flags
    keeps: Flags


def compare_paths(designed: Designed, paths: StepPaths, names: Sequence[str]) -> ComparedPaths:
    """Align every path with the design: all of it, or as much of it as the journey had time for.

    Parameters
    ----------
    names
        Name of each step number in `paths`.
    """
    traces = [tuple(names[step] for step in path) for path in paths.paths]
    cost, moves = _held_against(designed, traces, paths.whole)
    steps, by_visit = frozenset(designed.steps), designed.by_visit
    found = [deviations(each, steps, by_visit=by_visit) for each in moves]
    chance = [
        chances(each, goal, steps, by_visit=by_visit)
        for each, goal in zip(moves, paths.goal_at.tolist(), strict=True)
    ]
    often: dict[Deviation, int] = {}
    for each, n in zip(found, paths.n.tolist(), strict=True):
        for deviation in each:
            often[deviation] = often.get(deviation, 0) + n
    listed = tuple(sorted(often, key=lambda deviation: (-often[deviation], deviation))[:MAX_LISTED])
    complete = alignment_costs(designed.tree, traces) == 0
    shortest = int(alignment_costs(designed.tree, [()])[0])
    rows = [
        (
            not each,
            bool(whole),
            *(deviation in each for deviation in listed),
            *(side.departs(deviation) for deviation in listed[:MAX_COSTED]),
            *(side.keeps(deviation) for deviation in listed[:MAX_COSTED]),
        )
        for each, whole, side in zip(found, complete, chance, strict=True)
    ]
    kinds = {row: number for number, row in enumerate(dict.fromkeys(rows))}
    table = np.array(list(kinds), dtype=bool).reshape(len(kinds), -1)
    parts = np.split(table[:, 2:], np.cumsum([len(listed), len(listed[:MAX_COSTED])]), axis=1)
    return ComparedPaths(
        cost=cost,
        worst=np.array([len(trace) + shortest for trace in traces], dtype=np.int64),
        complete=complete,
        listed=listed,
        n_listed=np.array([often[deviation] for deviation in listed], dtype=np.int64),
        n_found=len(often),
        profile=np.array([kinds[row] for row in rows], dtype=np.int64),
        kept=table[:, 0],
        whole_run=table[:, 1],
        has=parts[0],
        departs=parts[1],
        keeps=parts[2],
    )


def _held_against(
    designed: Designed, traces: Sequence[tuple[str, ...]], whole: Flags
) -> tuple[Ints, list[Sequence[Move]]]:
    """Cost and moves of each path; equal paths are aligned once."""
    costs: dict[tuple[bool, tuple[str, ...]], int] = {}
    moves: dict[tuple[bool, tuple[str, ...]], Sequence[Move]] = {}
    keys = list(zip(whole.tolist(), traces, strict=True))
    for to_the_end in (True, False):
        own = [trace for flag, trace in dict.fromkeys(keys) if flag == to_the_end]
        if designed.by_visit:
            found = alignment_costs(designed.tree, own, prefix=not to_the_end).tolist()
            read = [visit_moves(trace, designed.steps, designed.required, whole=to_the_end) for trace in own]
        else:
            aligned = align_all(designed.tree, own, prefix=not to_the_end)
            found, read = [each.cost for each in aligned], [list(each.moves) for each in aligned]
        for trace, cost, each in zip(own, found, read, strict=True):
            costs[to_the_end, trace], moves[to_the_end, trace] = cost, each
    return np.array([costs[key] for key in keys], dtype=np.int64), [moves[key] for key in keys]
