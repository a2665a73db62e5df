"""The one module that imports pm4py (AGPL-3.0): what it discovers, converts and measures for us.

pm4py never sees a log here, only counts, variants and models. Activities go in as codes of one width, since it joins
names with commas in places, and come out under their names; nothing it does depends on the order of rows.
"""

from __future__ import annotations

import json
import sys
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from journeymine.errors import OptionError
from journeymine.process.tree import SILENT, Operator, Tree, activity, folded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType

    from journeymine.counts.graph import GraphCounts

    Variant = tuple[tuple[str, ...], int]

OPERATOR_NAMES: dict[Operator, str] = {
    "sequence": "SEQUENCE",
    "exclusive": "XOR",
    "parallel": "PARALLEL",
    "loop": "LOOP",
}
CLEANING = 0.05
"""Share below which the heuristics miner cleans edges away first: the default of pm4py."""
MOST_REPLAYED_EVENTS = 2_000_000
ALIGN_S = 60.0
ALIGN_ONE_S = 5.0
R4PM_OPTIONS = {
    "cost_fn": {"model_move_cost": 1, "log_move_cost": 1, "sync_move_cost": 0, "silent_move_cost": 0},
    "max_states": 2_000_000,
}


@dataclass(frozen=True, slots=True, eq=False)
class Net:
    """A Petri net of pm4py with its markings: (net, initial marking, final marking)."""

    net: Any
    initial: Any
    final: Any

    @property
    def parts(self) -> tuple[Any, Any, Any]:
        """What pm4py's functions take."""
        return self.net, self.initial, self.final

    @property
    def size(self) -> tuple[int, int, int]:
        """Places, transitions, arcs."""
        return len(self.net.places), len(self.net.transitions), len(self.net.arcs)


def load_pm4py() -> ModuleType:
    """pm4py, without its banner."""
    sys._pm4py_welcome_shown = True  # type: ignore[attr-defined] # noqa: SLF001
    import pm4py

    return pm4py  # type: ignore[no-any-return]


def to_process_tree(tree: Tree) -> Any:
    """A process tree of pm4py."""
    load_pm4py()
    from pm4py.objects.process_tree.obj import Operator as Theirs
    from pm4py.objects.process_tree.obj import ProcessTree

    def made(node: Tree, below: list[Any]) -> Any:
        if not below:
            return ProcessTree(label=node.activity)
        parent = ProcessTree(operator=Theirs[OPERATOR_NAMES[node.operator]], children=below)
        for child in below:
            child.parent = parent
        return parent

    return folded(tree, made)


def from_process_tree(theirs: Any, names: Mapping[str, str] | None = None) -> Tree:
    """Our tree of one of pm4py.

    Parameters
    ----------
    names
        Name of each label; by default the labels are the names.

    Raises
    ------
    OptionError
        It has an operator that block-structured models of journeys do not have.
    """
    known = {long: short for short, long in OPERATOR_NAMES.items()}
    done: list[Tree] = []
    waiting = [(theirs, False)]
    while waiting:
        node, ready = waiting.pop()
        if node.operator is None:
            label = node.label
            done.append(SILENT if label is None else activity(names[label] if names else str(label)))
        elif not ready:
            waiting.append((node, True))
            waiting.extend((child, False) for child in reversed(list(node.children)))
        else:
            if node.operator.name not in known:
                raise OptionError(
                    f"process tree: the operator {node.operator.name} is not known.",
                    found="sequence, exclusive choice, parallel and loop are.",
                )
            first = len(done) - len(node.children)
            below = tuple(done[first:])
            del done[first:]
            if node.operator.name == "LOOP" and len(below) == 3:
                # Older files write the exit of a loop as a third child.
                done.append(Tree("sequence", (Tree("loop", below[:2]), below[2])))
            else:
                done.append(Tree(known[node.operator.name], below))
    return done[0]


def tree_net(tree: Tree) -> Net:
    """Petri net of a tree, reduced."""
    pm4py = load_pm4py()
    return Net(*pm4py.convert_to_petri_net(to_process_tree(tree)))


def to_bpmn(model: Tree | Net) -> Any:
    """BPMN model of a tree or net."""
    pm4py = load_pm4py()
    return (
        pm4py.convert_to_bpmn(to_process_tree(model))
        if isinstance(model, Tree)
        else pm4py.convert_to_bpmn(*model.parts)
    )


def bpmn_of_net(net: Net) -> str:
    """BPMN file of a Petri net, without positions, as pm4py writes it."""
    pm4py = load_pm4py()
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.bpmn"
        pm4py.write_bpmn(to_bpmn(net), str(path), auto_layout=False)
        return path.read_text(encoding="utf-8")


def inductive_from_variants(variants: Sequence[Variant], noise: float) -> Tree:
    """Inductive miner on variants: IM, with noise IMf (Leemans, Fahland, van der Aalst 2013 and 2014)."""
    load_pm4py()
    from collections import Counter

    from pm4py.algo.discovery.inductive.dtypes.im_ds import IMDataStructureUVCL
    from pm4py.algo.discovery.inductive.variants.im import IMUVCL
    from pm4py.algo.discovery.inductive.variants.imf import IMFUVCL
    from pm4py.objects.process_tree.utils import generic

    code, names = _codes(name for path, _ in variants for name in path)
    coded = Counter({tuple(code[name] for name in path): n for path, n in variants})
    settings = {"noise_threshold": noise, "multiprocessing": False, "disable_fallthroughs": False}
    miner = IMFUVCL(settings) if noise else IMUVCL(settings)
    found = generic.fold(miner.apply(IMDataStructureUVCL(coded), settings))
    generic.tree_sort(found)
    return from_process_tree(found, names)


def heuristics_net(
    graph: GraphCounts, triples: Mapping[tuple[str, str, str], int], noise: float = 0.0
) -> Net:
    """Petri net of the heuristics miner (Weijters and Ribeiro 2011).

    Parameters
    ----------
    triples
        How often three activities follow each other directly; decides loops of length two.
    noise
        Edges below this share of their source's strongest are cleaned away first; at least 0.05.
    """
    pm4py = load_pm4py()
    from pm4py.algo.discovery.heuristics.variants import classic

    code, names = _codes(graph.activities)
    edges = _coded_edges(graph, code)
    window: dict[tuple[str, str], int] = {}
    for (a, _, c), n in triples.items():
        pair = (code[a], code[c])
        window[pair] = window.get(pair, 0) + n
    found = classic.apply_heu_dfg(
        edges,
        activities=list(names),
        activities_occurrences={code[a]: int(graph.n[i]) for i, a in enumerate(graph.activities)},
        start_activities=_coded_ends(graph, graph.starts, code),
        end_activities=_coded_ends(graph, graph.ends, code),
        dfg_window_2=window,
        freq_triples={(code[a], code[b], code[c]): n for (a, b, c), n in triples.items()},
        parameters={classic.Parameters.DFG_PRE_CLEANING_NOISE_THRESH: max(noise, CLEANING)},
    )
    return _labelled(Net(*pm4py.convert_to_petri_net(found)), names)


def _coded_edges(graph: GraphCounts, code: Mapping[str, str]) -> dict[tuple[str, str], int]:
    sources, targets = graph.follows.nonzero()
    names = graph.activities
    return {
        (code[names[i]], code[names[j]]): int(graph.follows[i, j])
        for i, j in zip(sources.tolist(), targets.tolist(), strict=True)
    }


def _coded_ends(graph: GraphCounts, counts: Any, code: Mapping[str, str]) -> dict[str, int]:
    return {code[a]: int(counts[i]) for i, a in enumerate(graph.activities) if counts[i]}


def replay_precision(model: Tree | Net, variants: Sequence[Variant]) -> float | None:
    """Precision by escaping edges with pm4py's token replay; None for a log too large to be replayed.

    Where silent steps give a choice token replay decides for one, so this may differ from the exact number.
    """
    if sum(n * len(path) for path, n in variants) > MOST_REPLAYED_EVENTS:
        return None
    load_pm4py()
    from pm4py.algo.evaluation.precision import algorithm

    net, code = _coded_net(model, variants)
    log = _log([(path, n) for path, n in variants], code)
    found = algorithm.apply(
        log,
        *net.parts,
        variant=algorithm.Variants.ETCONFORMANCE_TOKEN,
        parameters={"show_progress_bar": False},
    )
    return float(found)


def alignment_costs(
    net: Net, variants: Sequence[Variant], *, most_s: float = ALIGN_S
) -> tuple[list[int] | None, int, str]:
    """Costs of optimal alignments with a Petri net: (cost of each variant or None, shortest run, what was done).

    r4pm where it is installed, else pm4py with a time limit. The costs are None when a limit stopped the search, and
    the text says so.
    """
    empty: Variant = ((), 1)
    costs, text = _costs_by_r4pm(net, [*variants, empty])
    if costs is None:
        costs, text = _costs_by_pm4py(net, [*variants, empty], most_s)
    return (None, 0, text) if costs is None else (costs[:-1], costs[-1], text)


def _costs_by_r4pm(net: Net, variants: Sequence[Variant]) -> tuple[list[int] | None, str]:
    try:
        import r4pm
    except ImportError:
        return None, "r4pm is not installed"
    coded, code = _coded_net(net, variants)
    align = next(binding["id"] for binding in r4pm.list_bindings() if binding["name"] == "align_trace")
    costs = []
    try:
        asked = {"net": r4pm.petri_net.from_pm4py(*coded.parts), "options": R4PM_OPTIONS}
        for path, _ in variants:
            text = json.dumps({**asked, "trace": [code[name] for name in path]})
            found = r4pm.call_binding(align, text)
            costs.append(int((json.loads(found) if isinstance(found, str) else found)["cost"]))
    except Exception as error:  # it raises nothing more special where its search did not end
        return None, f"r4pm gave up: {error}"
    return costs, "aligned by r4pm"


def _costs_by_pm4py(net: Net, variants: Sequence[Variant], most_s: float) -> tuple[list[int] | None, str]:
    load_pm4py()
    from pm4py.algo.conformance.alignments.petri_net import algorithm
    from pm4py.objects.petri_net.utils import check_soundness

    coded, code = _coded_net(net, variants)
    log = _log([(path, 1) for path, _ in variants], code)
    keys, one_s = algorithm.Parameters, min(ALIGN_ONE_S, most_s)
    limits = {
        keys.PARAM_MAX_ALIGN_TIME: most_s,
        keys.PARAM_MAX_ALIGN_TIME_TRACE: one_s,
        keys.SHOW_PROGRESS_BAR: False,
    }
    with warnings.catch_warnings():
        # Its solver warns of its own old calls; turned into errors they would pass for an unsound net.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        if not check_soundness.check_easy_soundness_net_in_fin_marking(*coded.parts):
            return None, "the net cannot be brought to its end"
        found = algorithm.apply_log(log, *coded.parts, parameters=limits)
    if any(one is None or "cost" not in one for one in found):
        return None, f"pm4py found no alignments within {most_s:g} s, and {one_s:g} s for each variant"
    # Deviations cost 10,000 each and silent steps 1: what is left over is silent.
    return [int(one["cost"]) // 10_000 for one in found], "aligned by pm4py"


def _codes(names: Any) -> tuple[dict[str, str], dict[str, str]]:
    """Name -> code and back; codes sort as the names do."""
    known = sorted(set(names))
    code = {name: f"a{place:07d}" for place, name in enumerate(known)}
    return code, {short: name for name, short in code.items()}


def _coded_net(model: Tree | Net, variants: Sequence[Variant]) -> tuple[Net, dict[str, str]]:
    """The net with codes as labels, and the codes of all activities."""
    net = tree_net(model) if isinstance(model, Tree) else model
    labels = {t.label for t in net.net.transitions if t.label is not None}
    code, _ = _codes(labels | {name for path, _ in variants for name in path})
    return _labelled(net, code), code


def _labelled(net: Net, names: Mapping[str, str]) -> Net:
    """A copy of a net under other labels."""
    from copy import deepcopy

    copy, initial, final = deepcopy(net.parts)
    for transition in copy.transitions:
        if transition.label is not None:
            transition.label = names[transition.label]
    return Net(copy, initial, final)


def _log(variants: Sequence[Variant], code: Mapping[str, str]) -> Any:
    """A log in which all cases of a variant are one and the same trace object."""
    from pm4py.objects.log.obj import Event, EventLog, Trace

    log = EventLog()
    for place, (path, n) in enumerate(variants):
        trace = Trace(
            [Event({"concept:name": code[name]}) for name in path], attributes={"concept:name": str(place)}
        )
        for _ in range(n):
            log.append(trace)
    return log
