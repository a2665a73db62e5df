"""The what-if on a first-order chain of everybody: no segments, no attempts, a shorter wait loses in proportion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.bench.habits.pooled_chain import converts, move_counts, shares, start_shares
from journeymine.bench.habits.scores import as_scores
from journeymine.bench.habits.steps import NOBODY, steps_of

if TYPE_CHECKING:
    import pandas as pd

    from journeymine.bench.habits.steps import Bools, Floats, Steps
    from journeymine.fixes.fix import Fix


def markov(events: pd.DataFrame, fixes: list[Fix], seed: int) -> pd.DataFrame:
    """Rank by the change of conversion on the pooled chain."""
    steps = steps_of(events)
    rows, start = shares(move_counts(steps)), start_shares(steps)
    base = converts(start, rows)
    return as_scores(fixes, [converts(*_changed(steps, start, rows, fix)) - base for fix in fixes])


def _changed(steps: Steps, start: Floats, rows: Floats, fix: Fix) -> tuple[Floats, Floats]:
    """Start and rows under the fix; as they are where nobody met the activity."""
    here, changed = steps.code(fix.activity), rows.copy()
    if here == NOBODY:
        return start, rows
    if fix.kind == "remove_step":
        return _without(start, rows, here, fix.fraction, fix.rho)
    if fix.kind == "loop":
        target = here if fix.target is None else steps.code(fix.target)
        # On a first-order chain all attempts are the first one: bringing them to it changes nothing.
        if target != NOBODY and fix.share is not None:
            changed[here] = shrunk(rows[here], target, 1.0 - fix.share)
    elif fix.kind == "reroute":
        changed[here] = _rerouted(steps, rows[here], fix)
    else:
        changed[here] = _dropping_less(steps, rows[here], here, fix)
    return start, changed


def shrunk(row: Floats, column: int, factor: float) -> Floats:
    """Multiply one share of a row; the freed mass goes to the other exits in proportion.

    Examples
    --------
    >>> shrunk(np.array([0.5, 0.3, 0.2]), 0, 0.5).round(3).tolist()
    [0.25, 0.45, 0.3]
    """
    kept = row * np.where(np.arange(len(row)) == column, factor, 1.0)
    others = 1.0 - row[column]
    if others <= 0:
        return row
    kept[np.arange(len(row)) != column] *= (1.0 - kept[column]) / others
    return kept


def _without(start: Floats, rows: Floats, here: int, share: float, rho: float) -> tuple[Floats, Floats]:
    """A share of the entries goes where the step leads, its drop-outs rescued by `rho`."""
    exits = rows[here].copy()
    exits[here] = 0.0
    exits /= max(exits.sum(), 1e-300)
    onward = exits.copy()
    onward[-1] = 0.0
    if onward.sum() <= 0:
        return start, rows
    onward /= onward.sum()
    lands = (1.0 - exits[-1] + rho * exits[-1]) * onward
    lands[-1] += (1.0 - rho) * exits[-1]
    changed = rows + np.outer(share * rows[:, here], lands)
    changed[:, here] -= share * rows[:, here]
    if share >= 1.0:
        changed[here] = rows[here]
    begins = start.copy()
    begins[here] *= 1.0 - share
    # Journeys that start there and convert or drop at once have no state to start in: an extra one holds them.
    return _with_entry(begins, changed, share * start[here], lands)


def _with_entry(start: Floats, rows: Floats, share: float, lands: Floats) -> tuple[Floats, Floats]:
    if share == 0.0:
        return start, rows
    k = len(rows)
    wider = np.zeros((k + 1, k + 3))
    wider[:k, :k], wider[:k, k + 1 :] = rows[:, :k], rows[:, k:]
    wider[k, :k], wider[k, k + 1 :] = lands[:k], lands[k:]
    return np.append(start, share), wider


def _rerouted(steps: Steps, row: Floats, fix: Fix) -> Floats:
    to = steps.code(fix.to)
    if to == NOBODY:
        return row
    sent = np.zeros(len(row))
    if fix.target is None:
        sent[: len(steps.names)] = row[: len(steps.names)] * fix.fraction
        sent[to] = 0.0
    elif steps.code(fix.target) != NOBODY:
        sent[steps.code(fix.target)] = row[steps.code(fix.target)] * fix.fraction
    moved = row - sent
    moved[to] += sent.sum()
    return moved


def _dropping_less(steps: Steps, row: Floats, here: int, fix: Fix) -> Floats:
    """Drop-out by a share, or brought to that of visits outside the scope; a wait loses in proportion to it."""
    visits = steps.activity == here
    inside = visits & steps.scope(fix)
    saved = _saved(steps, inside, visits & ~inside, fix)
    before = row[-1]
    if before <= 0 or not visits.any():
        return row
    return shrunk(
        row, len(row) - 1, 1.0 - fix.rho * saved / max((visits & (steps.next == steps.drop)).sum(), 1)
    )


def _saved(steps: Steps, inside: Bools, outside: Bools, fix: Fix) -> float:
    """Drop-outs in the scope that would not happen."""
    lost = steps.next == steps.drop
    now = float((lost & inside).sum())
    if not fix.to_reference:
        return fix.fraction * now
    if not inside.any() or not outside.any():
        return 0.0
    return now - float(inside.sum()) * float(lost[outside].mean())


markov.intervals = False  # type: ignore[attr-defined]
