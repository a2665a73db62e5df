"""Our own ranker as one contestant among others: `log.rank_fixes` with the fixes of the world as candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journeymine.bench.facts import Facts

if TYPE_CHECKING:
    import pandas as pd

    from journeymine.fixes.fix import Fix
    from journeymine.log import EventLog

_ROLES: Final = ("case_id", "customer_id", "activity", "timestamp", "channel", "value")
_COPIED: Final = (
    "estimate",
    "lower",
    "upper",
    "p_best",
    "above_zero",
    "flags",
    "rank",
    "rank_lower",
    "rank_upper",
)


def journeymine(events: pd.DataFrame, fixes: list[Fix], seed: int) -> pd.DataFrame:
    """Rank by exact what-ifs on the chain, adjusted for the segments."""
    return _ranked(events, fixes, seed, None)


def journeymine_classes(events: pd.DataFrame, fixes: list[Fix], seed: int) -> pd.DataFrame:
    """Rank inside latent classes of customers."""
    return _ranked(events, fixes, seed, "classes")


def _ranked(events: pd.DataFrame, fixes: list[Fix], seed: int, heterogeneity: str | None) -> pd.DataFrame:
    facts = Facts.of(events)
    log: Any = _read(events, facts)
    ranking = log.rank_fixes(
        candidates=list(fixes), heterogeneity=heterogeneity, seed=seed, n_draws=facts.n_draws
    )
    found = ranking.to_frame().rename(columns={"id": "fix_id"})
    # Only what was asked about: a ranking may also hold what it found itself.
    found = found[found["fix_id"].isin([fix.id for fix in fixes])]
    answer: pd.DataFrame = found[["fix_id", *(name for name in _COPIED if name in found)]].reset_index(
        drop=True
    )
    answer.attrs["n_classes"] = _most_classes(ranking)
    answer.attrs["sets"] = _sets(ranking)
    return answer


def _read(events: pd.DataFrame, facts: Facts) -> EventLog:
    """The log as a user would read it who knows the facts: nothing here asks which world it is."""
    from journeymine.reading import read_log

    roles: dict[str, Any] = {name: name for name in _ROLES if name in events}
    log = read_log(events, **roles)
    end = [name for name in facts.end if name in log.activities]  # a small log may have none
    return log.journeys(list(facts.goal), end=end or None, idle=facts.idle, segments=list(facts.segments))


def _most_classes(ranking: Any) -> int | None:
    """The largest number of classes in any cell of the segments; 1 where nothing was corrected."""
    classes = getattr(ranking, "classes", None)
    return None if classes is None else int(max(classes.n_classes, default=1))


def _sets(ranking: Any) -> list[dict[str, Any]]:
    """Sets of fixes that were evaluated jointly."""
    return [
        {"ids": [str(name) for name in found["ids"]], "effect": float(found["effect"]["estimate"])}
        for found in (plain(one) for one in getattr(ranking, "sets", None) or ())
    ]


def plain(one: Any) -> dict[str, Any]:
    """A set as a mapping, whether the ranking holds mappings or objects that can become one."""
    found: dict[str, Any] = one.to_dict() if hasattr(one, "to_dict") else dict(one)
    return found
