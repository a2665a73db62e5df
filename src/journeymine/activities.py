"""Activity names: cleaned by pattern, renamed, grouped, then coded by their place in the sorted list."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class NameRules:
    r"""How raw names become activities: patterns first, then renaming, then grouping.

    Attributes
    ----------
    clean
        Pairs (regular expression, replacement), applied in order.
    rename
        Old name -> new name.
    group
        New name -> the names it stands for.

    Examples
    --------
    >>> rules = NameRules(clean=((r"/\d+", "/<id>"),), group={"Help": ("chat", "call")})
    >>> [rules.apply(name) for name in ("page/17", "chat", "pay")]
    ['page/<id>', 'Help', 'pay']
    """

    clean: tuple[tuple[str, str], ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    group: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def apply(self, name: str) -> str:
        """The activity that a raw name stands for; blank if nothing of it is left."""
        for pattern, replacement in self.clean:
            name = re.sub(pattern, replacement, name)
        name = self.rename.get(name, name)
        for new, old in self.group.items():
            if name in old:
                return new
        return name


MAX_NAME = 500


def short_name(name: str) -> str:
    """A name of at most 500 characters; a longer one is cut and told apart by a hash of the whole.

    Examples
    --------
    >>> len(short_name("x" * 10_000_000)), short_name("pay")
    (500, 'pay')
    """
    if len(name) <= MAX_NAME:
        return name
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{name[: MAX_NAME - 9]}…{mark}"


def code_names(raw_names: Iterable[str], rules: NameRules) -> tuple[tuple[str, ...], dict[str, int]]:
    """Activities in the order of their code points, and the code of each raw name.

    Raw names that are blank after cleaning have no code: their events are rejected, and counted.
    """
    named = {raw: short_name(rules.apply(raw)) for raw in raw_names}
    activities = tuple(sorted({name for name in named.values() if name.strip()}))
    code = {name: i for i, name in enumerate(activities)}
    return activities, {raw: code[name] for raw, name in named.items() if name in code}
