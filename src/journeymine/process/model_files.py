"""Process models as files that other tools read: PTML, PNML and BPMN, the same bytes for the same model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from journeymine.errors import OptionError, OutputError, shown
from journeymine.process.bpmn import bpmn_text, readable

if TYPE_CHECKING:
    import os

    from journeymine.process.pm4py_bridge import Net
    from journeymine.process.tree import Operator, Tree

SUFFIXES = (".bpmn", ".pnml", ".ptml")
TAGS: dict[Operator, str] = {
    "activity": "manualTask",
    "silent": "automaticTask",
    "sequence": "sequence",
    "exclusive": "xor",
    "parallel": "and",
    "loop": "xorLoop",
}
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def ptml_text(tree: Tree) -> str:
    """A process tree as PTML, the format of ProM and pm4py.

    Examples
    --------
    >>> from journeymine.process.tree import parse_tree
    >>> print(ptml_text(parse_tree("->( 'a', tau )")))
    <?xml version="1.0" encoding="UTF-8"?>
    <ptml>
      <processTree id="tree" name="tree" root="n0">
        <sequence id="n0" name=""/>
        <manualTask id="n1" name="a"/>
        <automaticTask id="n2" name=""/>
        <parentsNode id="e1" sourceId="n0" targetId="n1"/>
        <parentsNode id="e2" sourceId="n0" targetId="n2"/>
      </processTree>
    </ptml>
    <BLANKLINE>
    """
    nodes: list[str] = []
    edges: list[str] = []
    waiting: list[tuple[Tree, int | None]] = [(tree, None)]
    while waiting:
        node, parent = waiting.pop()
        number = len(nodes)
        name = quoteattr(readable(node.activity or ""))
        nodes.append(f'    <{TAGS[node.operator]} id="n{number}" name={name}/>')
        if parent is not None:
            edges.append(f'    <parentsNode id="e{number}" sourceId="n{parent}" targetId="n{number}"/>')
        waiting.extend((child, number) for child in reversed(node.children))
    inner = "\n".join([*nodes, *edges])
    return (
        f'{HEAD}<ptml>\n  <processTree id="tree" name="tree" root="n0">\n{inner}\n  </processTree>\n</ptml>\n'
    )


def pnml_text(net: Net) -> str:
    """A Petri net with its markings as PNML; silent transitions are marked as ProM does.

    Transitions are named by what they are connected to, for the names that pm4py gives are random.
    """
    places = sorted(place.name for place in net.net.places)
    number = {name: f"p{i}" for i, name in enumerate(places)}
    transitions = sorted(net.net.transitions, key=_kind)
    initial = {place.name: n for place, n in net.initial.items()}
    lines = [_place(number[name], name, initial.get(name, 0)) for name in places]
    arcs = []
    for i, transition in enumerate(transitions):
        lines.append(_transition(f"t{i}", transition.label))
        arcs += sorted((number[arc.source.name], f"t{i}") for arc in transition.in_arcs)
        arcs += sorted((f"t{i}", number[arc.target.name]) for arc in transition.out_arcs)
    lines += [f'      <arc id="a{i}" source="{a}" target="{b}"/>' for i, (a, b) in enumerate(arcs)]
    final = sorted((number[place.name], n) for place, n in net.final.items())
    marking = "".join(f'<place idref="{place}"><text>{n}</text></place>' for place, n in final)
    return (
        f'{HEAD}<pnml>\n  <net id="net" type="http://www.pnml.org/version-2009/grammar/pnmlcoremodel">\n'
        f'    <name><text>net</text></name>\n    <page id="page">\n' + "\n".join(lines) + "\n    </page>\n"
        f"    <finalmarkings><marking>{marking}</marking></finalmarkings>\n  </net>\n</pnml>\n"
    )


def _kind(transition: object) -> tuple[bool, str, list[str], list[str]]:
    label = transition.label  # type: ignore[attr-defined]
    before = sorted(arc.source.name for arc in transition.in_arcs)  # type: ignore[attr-defined]
    after = sorted(arc.target.name for arc in transition.out_arcs)  # type: ignore[attr-defined]
    return label is None, label or "", before, after


def _place(key: str, name: str, tokens: int) -> str:
    marked = f"<initialMarking><text>{tokens}</text></initialMarking>" if tokens else ""
    return f'      <place id="{key}"><name><text>{escape(readable(name))}</text></name>{marked}</place>'


def _transition(key: str, label: str | None) -> str:
    silent = f'<toolspecific tool="ProM" version="6.4" activity="$invisible$" localNodeID="{key}"/>'
    name = key if label is None else escape(readable(label), {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
    mark = silent if label is None else ""
    return f'      <transition id="{key}"><name><text>{name}</text></name>{mark}</transition>'


def write_model(path: str | os.PathLike[str], root: Tree | None, net: Net | None) -> Path:
    """Write a model into a file of the kind that its suffix names; beside it first, then renamed.

    Raises
    ------
    OptionError
        The suffix is not .bpmn, .pnml or .ptml, or the model has no tree and a .ptml is asked for.
    OutputError
        The file cannot be written.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES:
        raise OptionError(
            f"cannot save a process model as {shown(target.name)}.",
            found=f"{', '.join(SUFFIXES)} are written.",
            hint=f"save it as {shown(target.with_suffix('.bpmn').name)}." if target.name else None,
        )
    text = _text(suffix, root, net)
    beside = target.with_name(target.name + ".part")
    try:
        beside.write_bytes(text.encode("utf-8", "replace"))
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OutputError(f"cannot write {shown(str(target))}: {error.strerror or error}.") from error
    return target


def _text(suffix: str, root: Tree | None, net: Net | None) -> str:
    from journeymine.process import pm4py_bridge

    if root is None:
        assert net is not None
        if suffix == ".ptml":
            raise OptionError(
                "a heuristics net has no process tree to save as .ptml.", hint="save it as .pnml or .bpmn."
            )
        return pnml_text(net) if suffix == ".pnml" else pm4py_bridge.bpmn_of_net(net)
    if suffix == ".ptml":
        return ptml_text(root)
    return bpmn_text(root) if suffix == ".bpmn" else pnml_text(pm4py_bridge.tree_net(root))
