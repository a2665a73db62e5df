"""What all logs of a world say about a ranker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from journeymine.bench.estimates import Figure, mean_over_logs, share_over_logs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from journeymine.bench.scoring import FixScore, Score


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """Scores of one ranker, pooled; every figure is None where there is nothing to compute it from.

    Attributes
    ----------
    scores
        One a log.
    """

    scores: tuple[Score, ...]

    def of_logs(self, value: Callable[[Score], float | None]) -> Figure | None:
        """Mean of a number of each log."""
        pairs = [(found, score.log) for score in self.scores if (found := value(score)) is not None]
        return mean_over_logs([found for found, _ in pairs], [log for _, log in pairs])

    def share_of_logs(self, hit: Callable[[Score], bool | None]) -> Figure | None:
        """Share of logs for which something holds."""
        pairs = [(found, score.log) for score in self.scores if (found := hit(score)) is not None]
        return share_over_logs([found for found, _ in pairs], [log for _, log in pairs])

    @property
    def coverage(self) -> Figure | None:
        """Share of (log, fix) pairs whose interval holds the truth."""
        return self._share_of_fixes(lambda fix: fix.is_covered)

    @property
    def place_coverage(self) -> Figure | None:
        """Share of (log, fix) pairs whose interval of places holds the true one."""
        return self._share_of_fixes(lambda fix: fix.place_covered)

    @property
    def mean_abs_log_ratio(self) -> Figure | None:
        """Mean |log(predicted / true)| over (log, fix) pairs."""
        pairs = [(abs(fix.log_ratio), log) for fix, log in self._fixes() if fix.log_ratio is not None]
        return mean_over_logs([value for value, _ in pairs], [log for _, log in pairs])

    def flagged(self, flag: str) -> Figure | None:
        """Share of logs in which any fix carries a flag."""
        return self.share_of_logs(lambda score: flag in score.flags)

    def bias_of_fixes(self) -> dict[tuple[str, str, str], Figure]:
        """Mean ratio of predicted by true of each (shape, scenario, fix)."""
        ratios: dict[tuple[str, str, str], list[float]] = {}
        logs: dict[tuple[str, str, str], list[object]] = {}
        for score in self.scores:
            for fix in score.fixes:
                if fix.log_ratio is not None:
                    key = (score.log.shape, score.log.scenario, fix.id)
                    ratios.setdefault(key, []).append(fix.estimate / fix.true)
                    logs.setdefault(key, []).append(score.log)
        found = {key: mean_over_logs(ratios[key], [repr(log) for log in logs[key]]) for key in ratios}
        return {key: figure for key, figure in found.items() if figure is not None}

    def _fixes(self) -> Iterable[tuple[FixScore, object]]:
        return ((fix, score.log) for score in self.scores for fix in score.fixes)

    def _share_of_fixes(self, hit: Callable[[FixScore], bool | None]) -> Figure | None:
        pairs = [(found, log) for fix, log in self._fixes() if (found := hit(fix)) is not None]
        return share_over_logs([found for found, _ in pairs], [log for _, log in pairs])


def summarise(
    scores: Iterable[Score],
    *,
    ranker: str,
    scenarios: Sequence[str] | None = None,
    shapes: Sequence[str] | None = None,
    n: int | None = None,
) -> Summary:
    """Pool the scores of a ranker, of some worlds and one size."""
    return Summary(
        tuple(
            score
            for score in scores
            if score.ranker == ranker
            and (scenarios is None or score.log.scenario in scenarios)
            and (shapes is None or score.log.shape in shapes)
            and (n is None or score.log.n == n)
        )
    )
