"""Designs drawn elsewhere: PTML and BPMN files read as process trees, with the standard library only."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from typing import TYPE_CHECKING

from journeymine.errors import OptionError, SourceError, shown
from journeymine.process.flow_graph import END, START, FlowGraph, GateKind
from journeymine.process.tree import SILENT, Operator, Tree, activity, loop, sequence

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    Element = ET.Element

MAX_BYTES = 50_000_000
PTML_OPERATORS: dict[str, Operator] = {
    "sequence": "sequence",
    "xor": "exclusive",
    "and": "parallel",
    "xorLoop": "loop",
    "defLoop": "loop",
}
GATES: dict[str, GateKind] = {
    "exclusiveGateway": "xor",
    "eventBasedGateway": "xor",
    "parallelGateway": "and",
    "inclusiveGateway": "or",
}
EVENTS = ("startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent")
BLOCKS = ("subProcess", "transaction", "adHocSubProcess")


def read_design(path: Path, known: Collection[str] = ()) -> Tree:
    """Read a design.

    Parameters
    ----------
    path
        A BPMN (.bpmn) or process tree (.ptml) file.
    known
        Activities of the log: an event of a BPMN file is a step if it bears the name of one.

    Raises
    ------
    SourceError
        The file cannot be read.
    OptionError
        It cannot be written as a process tree.
    """
    where = shown(str(path))
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SourceError(
                f"the designed journey {where} is larger than 50 MB.", hint="name a smaller model."
            )
        text = path.read_bytes()
    except OSError as error:
        problem = f"the designed journey {where} cannot be read: {error.strerror or error}."
        raise SourceError(problem, hint="check expected in [journey].") from None
    try:
        root = ET.fromstring(text, ET.XMLParser(target=_Builder()))  # noqa: S314 - see _Builder
    except _TypeDeclared:
        raise SourceError(
            f"{where} declares a document type, which is not read.", hint="save it without."
        ) from None
    except (ET.ParseError, ValueError, LookupError) as error:
        raise SourceError(
            f"{where} is not readable XML: {error}.", hint="save it again as BPMN or PTML."
        ) from None
    return _ptml(root, where) if path.suffix.lower() == ".ptml" else _bpmn(root, where, known)


class _TypeDeclared(Exception):  # noqa: N818 - never leaves this module
    """The document declares a type, and perhaps entities that grow without end."""


class _Builder(ET.TreeBuilder):
    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise _TypeDeclared


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _ptml(root: Element, where: str) -> Tree:
    tree = next((element for element in root.iter() if _tag(element) == "processTree"), None)
    nodes: dict[str, Element] = {}
    children: dict[str, list[str]] = {}
    for element in () if tree is None else tree:
        if _tag(element) == "parentsNode":
            children.setdefault(element.get("sourceId", ""), []).append(element.get("targetId", ""))
        else:
            nodes[element.get("id", "")] = element
    first = "" if tree is None else tree.get("root", "")
    # Parents before children; then from the leaves upwards, so that deep trees need no recursion.
    order, seen = [first], {first}
    for key in order:
        for child in children.get(key, []):
            if child in seen or child not in nodes:
                raise OptionError(
                    f"{where} is not a tree: node {shown(child)}.", hint="save the model again."
                )
            seen.add(child)
            order.append(child)
    made: dict[str, Tree] = {}
    for key in reversed(order):
        if key not in nodes:
            raise OptionError(f"{where} holds no process tree.", hint="name a PTML file of a process tree.")
        made[key] = _ptml_node(nodes[key], [made[child] for child in children.get(key, [])], where)
    return made[first]


def _ptml_node(element: Element, below: list[Tree], where: str) -> Tree:
    tag, label = _tag(element), element.get("name", "")
    if tag == "automaticTask" or (tag == "manualTask" and label in ("", "tau")):
        return SILENT
    if tag == "manualTask":
        return activity(label)
    operator = PTML_OPERATORS.get(tag)
    if operator is None or not below or (operator == "loop" and len(below) < 2):
        raise OptionError(
            f"{where} has a node of kind {shown(tag)} that cannot be read.",
            hint="use sequences, choices, parallels and loops.",
        )
    if operator == "loop":
        rounds = loop(below[0], below[1])
        return sequence(rounds, *below[2:]) if below[2:] else rounds
    return Tree(operator, tuple(below))


def _bpmn(root: Element, where: str, known: Collection[str]) -> Tree:
    processes = [element for element in root.iter() if _tag(element) == "process"]
    # Of the pools of a collaboration, the one with most steps is the journey.
    sizes = [sum(_is_task(element) for element in process.iter()) for process in processes]
    if not processes or not max(sizes):
        raise OptionError(f"{where} holds no process with a task.", hint="name a BPMN 2.0 file.")
    return _block(list(processes[sizes.index(max(sizes))]), where, frozenset(known))


def _is_task(element: Element) -> bool:
    tag = _tag(element)
    return tag in ("task", "callActivity") or tag.endswith("Task")


def _block(elements: list[Element], where: str, known: frozenset[str]) -> Tree:
    """Tree of the elements of a process or of a sub-process."""
    flows = [element for element in elements if _tag(element) == "sequenceFlow"]
    nodes = {element.get("id", ""): element for element in elements if _is_node(element)}
    outgoing = Counter(flow.get("sourceRef", "") for flow in flows)
    incoming = Counter(flow.get("targetRef", "") for flow in flows)
    conditional = {
        flow.get("sourceRef", "") for flow in flows if any(_tag(e) == "conditionExpression" for e in flow)
    }
    graph = FlowGraph()
    for key, element in nodes.items():
        tag = _tag(element)
        gate = GATES.get(tag)
        if gate is None and tag.endswith("Gateway"):
            raise OptionError(
                f"{where}: {shown(tag)} cannot be read.", hint="use exclusive or parallel gateways."
            )
        graph.node(f"{key} in", gate or "xor")
        parts = gate or ("or" if key in conditional else "and")
        graph.node(f"{key} out", parts if outgoing[key] > 1 else "xor")
        graph.node(f"{key} done", "xor")
        graph.edge(f"{key} in", f"{key} done", SILENT if gate else _step(element, where, known))
        graph.edge(f"{key} done", f"{key} out", SILENT)
        host = element.get("attachedToRef") if tag == "boundaryEvent" else None
        if host in nodes:
            graph.node(f"{host} done", "xor")
            graph.edge(f"{host} done", f"{key} in", SILENT)
        elif not incoming[key]:
            graph.edge(START, f"{key} in", SILENT)
        if not outgoing[key]:
            graph.edge(f"{key} out", END, SILENT)
    for flow in flows:
        source, target = flow.get("sourceRef", ""), flow.get("targetRef", "")
        if source in nodes and target in nodes:
            graph.edge(f"{source} out", f"{target} in", SILENT)
    return graph.tree(where)


def _is_node(element: Element) -> bool:
    tag = _tag(element)
    if tag in BLOCKS:
        # A sub-process that an event starts is no part of the usual course.
        return element.get("triggeredByEvent") != "true"
    return _is_task(element) or tag in EVENTS or tag.endswith("Gateway")


def _step(element: Element, where: str, known: frozenset[str]) -> Tree:
    name = (
        " ".join((element.get("name") or "").split())
        if element.get("name") not in known
        else element.get("name")
    )
    inner: Iterable[Element] = [part for part in element if _is_node(part)]
    if _tag(element) in BLOCKS and inner:
        return _block(list(element), where, known)
    if not name or (_tag(element) in EVENTS and name not in known):
        return SILENT
    return activity(name)
