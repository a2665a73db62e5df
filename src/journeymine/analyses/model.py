"""Discovering the process of a log, and saying what a simplified picture of it still explains."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Literal

from journeymine._checks import check_choice
from journeymine.counting.simplify import count_explained
from journeymine.counting.triples import count_triples
from journeymine.counting.variant_list import list_variants
from journeymine.errors import OptionError, shown
from journeymine.process import pm4py_bridge
from journeymine.process.explained import Explained, estimate_explained
from journeymine.process.inductive import discover_tree
from journeymine.process.model import ProcessModel
from journeymine.process.replay import loosened

if TYPE_CHECKING:
    from collections.abc import Callable

    from journeymine.counts.variants import VariantCounts
    from journeymine.log import EventLog
    from journeymine.process.simplify import Simplified

Algorithm = Literal["inductive", "inductive_variants", "heuristics"]


def discover(log: EventLog, noise: float = 0.0, algorithm: Algorithm = "inductive") -> ProcessModel:
    """Discover the process of a log.

    Parameters
    ----------
    noise
        Share of the most frequent alternative below which a move is taken for noise, from 0 to below 1; at 0 the
        inductive models allow every journey of the log (of its 5,000 most frequent variants).
    algorithm
        "inductive": inductive miner on the directly-follows graph, IMd, with noise IMfD (Leemans, Fahland, van der
        Aalst 2016): counts one graph, whatever the size of the log; at noise 0, blocks that miss a variant are
        loosened, which the graph alone cannot tell. "inductive_variants": inductive miner on the
        5,000 most frequent variants, IM, with noise IMf, by pm4py: slower, often more precise. "heuristics":
        heuristics net by pm4py; cleans away edges below `noise`, at least below 0.05.

    Raises
    ------
    OptionError
        The noise or the algorithm is not one of these.

    Examples
    --------
    >>> import journeymine as jm
    >>> log = jm.read_log(jm.demo_log_path(), case_id="journey_id", activity="activity", timestamp="timestamp")
    >>> discover(log).algorithm
    'inductive'
    """
    check_choice("algorithm", algorithm, Algorithm)
    noise = _checked_noise(noise)
    count = cache(partial(list_variants, log.engine, log.canonical))
    if algorithm == "inductive_variants":
        root = pm4py_bridge.inductive_from_variants(_named(count()), noise)
        return ProcessModel(algorithm, noise, root, None, count)
    graph = log.graph_counts
    if algorithm == "heuristics":
        triples = count_triples(log.engine, log.canonical)
        return ProcessModel(algorithm, noise, None, pm4py_bridge.heuristics_net(graph, triples, noise), count)
    tree = discover_tree(graph, noise=noise)
    if noise == 0:
        tree = loosened(tree, [path for path, _ in _named(count())])
    return ProcessModel(algorithm, noise, tree, None, count)


def _named(counted: VariantCounts) -> list[tuple[tuple[str, ...], int]]:
    """Variants as names with their number of cases."""
    names = counted.activities
    return [
        (tuple(names[code] for code in path), n)
        for path, n in zip(counted.paths, counted.n.tolist(), strict=True)
    ]


def _checked_noise(noise: float) -> float:
    if isinstance(noise, bool) or not isinstance(noise, (int, float)) or not 0 <= noise < 1:
        raise OptionError(
            f"noise is {shown(noise)}, expected a number from 0 to below 1.", hint="pass noise=0.2."
        )
    return float(noise)


def explain(
    log: EventLog, simplified: Simplified, *, variants: Callable[[], VariantCounts] | None = None
) -> Explained:
    """What a simplified picture still explains: journeys, events, moves, conversions, and how well its model fits.

    Parameters
    ----------
    simplified
        A picture of the graph of this log.
    variants
        Where the variants come from that the model of the picture is measured on; by default they are counted.

    Examples
    --------
    >>> import journeymine as jm
    >>> from journeymine.process.simplify import simplify
    >>> log = jm.read_log(jm.demo_log_path(), case_id="journey_id", activity="activity", timestamp="timestamp")
    >>> picture = simplify(log.graph_counts, max_activities=10)
    >>> found = explain(log, picture)
    >>> found.events["estimate"] > found.journeys["estimate"]
    True
    """
    moves = list(zip(simplified.source.tolist(), simplified.target.tolist(), strict=True))
    counts = count_explained(log.engine, log.canonical, log.found, simplified.codes, moves)
    count = variants or partial(list_variants, log.engine, log.canonical)
    model = ProcessModel("inductive", 0.0, discover_tree(simplified.shown), None, count)
    return estimate_explained(counts, simplified, model)
