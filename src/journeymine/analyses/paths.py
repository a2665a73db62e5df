"""Prefix tree and frequent patterns of a log: checks of what is asked, counts, results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.counting.motifs import count_motifs
from journeymine.counting.prefixes import count_prefixes
from journeymine.errors import OptionError, shown
from journeymine.paths.motifs import estimate_motifs
from journeymine.paths.prefixes import estimate_prefix_tree

if TYPE_CHECKING:
    from journeymine.log import EventLog
    from journeymine.paths.motifs import Motifs
    from journeymine.paths.prefixes import PrefixTree

MAX_DEPTH, MAX_LENGTH, MAX_TOP = 20, 8, 1000


def prefix_tree(log: EventLog, *, depth: int = 6, top: int = 40) -> PrefixTree:
    """What journeys do first, then, and how often they convert from there.

    Parameters
    ----------
    depth
        Steps that are followed, 1 to 20.
    top
        Nodes that are listed, the most frequent ones, 1 to 1,000; the others are folded into their parents.

    Examples
    --------
    >>> import journeymine as jm
    >>> log = jm.read_log(jm.demo_log_path(), case_id="journey_id", activity="activity", timestamp="timestamp")
    >>> tree = prefix_tree(log.journeys(goal="Order confirmed"), depth=2, top=3)
    >>> tree.names(1), int(tree.n[0]) == log.n_cases
    (('Product page',), True)
    """
    _check(depth, "depth", MAX_DEPTH)
    _check(top, "top", MAX_TOP)
    return estimate_prefix_tree(count_prefixes(log.engine, log.canonical, log.found, depth=depth, top=top))


def motifs(log: EventLog, *, length: int = 3, top: int = 20) -> Motifs:
    """Frequent patterns: repeats A, A, loops A, B, A, and sequences of `length`, and how often they end well.

    Parameters
    ----------
    length
        Steps of a sequence, 2 to 8.
    top
        Patterns of each kind that are listed, those that most journeys have, 1 to 1,000.
    """
    _check(length, "length", MAX_LENGTH, least=2)
    _check(top, "top", MAX_TOP)
    return estimate_motifs(count_motifs(log.engine, log.canonical, log.found, length=length, top=top))


def _check(value: int, name: str, most: int, *, least: int = 1) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise OptionError(f"{name} is {shown(value)}, expected a whole number from {least} to {most}.")
