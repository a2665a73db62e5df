"""The report: results become one dict, and every file of a run is a view of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from journeymine import __version__
from journeymine._progress import make_progress
from journeymine.errors import OptionError, shown
from journeymine.reporting import words
from journeymine.reporting.flat_tables import tables
from journeymine.reporting.numbers import rounded
from journeymine.reporting.results import Results, compute
from journeymine.reporting.sections.chain import chain_section
from journeymine.reporting.sections.conformance import conformance_section
from journeymine.reporting.sections.differences import differences_section
from journeymine.reporting.sections.fixes import fixes_section, tests_section
from journeymine.reporting.sections.friction import (
    friction_score_section,
    friction_section,
    friction_tests_section,
)
from journeymine.reporting.sections.funnel import funnel_section
from journeymine.reporting.sections.map import map_section
from journeymine.reporting.sections.model import model_section
from journeymine.reporting.sections.occupation import occupation_section
from journeymine.reporting.sections.overview import log_section, settings, stages_section
from journeymine.reporting.sections.patterns import patterns_section, variety_section
from journeymine.reporting.sections.personas import personas_section
from journeymine.reporting.sections.prediction import prediction_section
from journeymine.reporting.sections.ranking import ranking_section
from journeymine.reporting.sections.steps import activities_section, transitions_section, variants_section
from journeymine.spec import JourneySpec

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pyarrow as pa

    from journeymine.log import EventLog
    from journeymine.spec import Lang

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Report:
    """A finished report.

    Attributes
    ----------
    data
        What `report.json` holds: the contract that `journeymine schema` prints.
    tables
        File stem -> Arrow table, written as Parquet.
    source, threads
        What was read, and with how many threads: for `run.json` only.
    """

    data: dict[str, Any]
    tables: dict[str, pa.Table]
    source: str = ""
    threads: int | None = None

    @property
    def lang(self) -> str:
        """Language of the texts."""
        return str(self.data["provenance"]["lang"])

    def to_dict(self) -> dict[str, Any]:
        """What `report.json` holds."""
        return self.data

    def json(self) -> str:
        """`report.json`: the same bytes for the same log, settings and seed."""
        return json.dumps(self.data, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"

    def html(self) -> str:
        """`report.html`: one self-contained page."""
        from journeymine.reporting.render import render_html

        return render_html(self.data, self.lang)

    def files(self) -> dict[str, bytes | Callable[[Path], None]]:
        """Every file of the run but `run.json`."""
        from journeymine.reporting.tables import to_csv

        files: dict[str, bytes | Callable[[Path], None]] = {
            "report.html": self.html().encode("utf-8", "replace"),
            "report.json": self.json().encode("utf-8", "replace"),
            "fixes.csv": to_csv(self.tables["fixes"]),
            "transitions.csv": to_csv(self.tables["transitions"]),
        }
        files.update({f"tables/{stem}.parquet": _parquet(table) for stem, table in self.tables.items()})
        return files

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write the run into a folder: new, empty, or that of an earlier run, which is replaced."""
        from journeymine.reporting.folder import write_run

        return write_run(folder, self.files(), source=[self.source], threads=self.threads)

    def __repr__(self) -> str:
        lines = [f"Report: {self.headline}"]
        lines += [f"  {finding['text']}" for finding in self.data["findings"]]
        return "\n".join([*lines, 'Next: .save("out/")'])

    @property
    def headline(self) -> str:
        """The conclusion in one sentence."""
        return words.headline(self.data, self.lang)

    def _repr_html_(self) -> str:
        import html

        page = html.escape(self.html(), quote=True)
        title = html.escape(self.headline, quote=True)
        return f'<iframe srcdoc="{page}" title="{title}" sandbox="" style="width:100%;height:720px;border:0"></iframe>'


def _parquet(table: pa.Table) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        import pyarrow.parquet as pq

        pq.write_table(table, path, compression="zstd")

    return write


def report(
    log: EventLog, *, title: str | None = None, lang: Lang = "en", seed: int = 0, progress: Any = None
) -> Report:
    """Build the report of a log.

    Parameters
    ----------
    log
        A log whose journeys are defined; without `log.journeys(goal=...)` the report has no fixes.
    lang
        "en" or "fr".
    seed
        Seed of the random draws.

    Examples
    --------
    >>> import journeymine as jm
    >>> log = jm.read_log(jm.demo_log_path(), case_id="journey_id", activity="activity", timestamp="timestamp")
    >>> report(log).data["log"]["n_activities"]
    28
    """
    if lang not in ("en", "fr"):
        raise OptionError(f"lang is {shown(lang)}, expected 'en' or 'fr'.")
    spec = JourneySpec(title=title, lang=lang, stage=log.stages)
    return build_report(log, spec=spec, seed=seed, lang=lang, progress=progress)


def build_report(
    log: EventLog,
    *,
    spec: JourneySpec,
    seed: int,
    lang: str,
    progress: Any = None,
    previous: Mapping[str, Any] | None = None,
    registry: Path | None = None,
) -> Report:
    """Compute every result, put the numbers into one dict, then the words that follow from them.

    Parameters
    ----------
    registry
        File of past experiments, which correct the predictions.
    previous
        Layout of the map of the last run: `map.layout` of its report.json.
    """
    found = compute(log, spec, make_progress(progress), seed=seed, previous=previous, registry=registry)
    data = rounded(_numbers(found, spec, seed, lang))
    log = found.log
    for fix in data["fixes"]:
        fix["title"] = words.fix_title(fix, lang, log.roles.timezone)
        fix["next_step"] = words.next_step(fix, lang, log.roles.timezone)
    data["findings"] = words.findings(data, lang)
    data["quality"] = words.quality(data, lang)
    data["warnings"] = words.warnings_text(data, lang)
    return Report(rounded(data), tables(data), log.raw.description, log.engine.threads)


def _numbers(found: Results, spec: JourneySpec, seed: int, lang: str) -> dict[str, Any]:
    """The sections as plain numbers."""
    log, stages = found.log, spec.stage
    assert log.found is not None
    return {
        "schema_version": SCHEMA_VERSION,
        "title": spec.title,
        "provenance": {
            "engine": log.engine.name,
            "package_version": __version__,
            "seed": seed,
            "lang": lang,
            "settings": settings(log, spec),
        },
        "log": log_section(log, found.variants, lang),
        "ledger": log.ledger.to_dict(),
        "activities": activities_section(log, found.transitions, found.chain, stages),
        "transitions": transitions_section(found.transitions),
        "variants": variants_section(found.variants),
        "variants_rest": {"n_variants": found.variants.n_variants_rest, "n": found.variants.n_rest},
        "variety": variety_section(found.variants),
        "patterns": patterns_section(found.motifs),
        "conversion": found.chain.conversion() if found.chain else None,
        "chain": chain_section(found.chain, found.times, found.order),
        "personas": personas_section(found.personas, log.found.segments),
        "map": map_section(found.map),
        "model": model_section(found.model, found.explained),
        "funnel": funnel_section(found.funnel),
        "occupation": occupation_section(found.occupation),
        "prediction": prediction_section(found.prediction),
        "friction": friction_section(found.friction),
        "friction_score": friction_score_section(found.friction.score),
        "friction_tests": friction_tests_section(found.friction),
        "conformance": conformance_section(found.conformance),
        "differences": differences_section(found.comparisons),
        "tests": tests_section(found.ranking, log.found.segments),
        "fixes": fixes_section(found.ranking),
        "ranking": ranking_section(found.ranking),
        "stages": stages_section(stages),
    }
