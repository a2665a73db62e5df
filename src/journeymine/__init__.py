"""journeymine: customer event logs in, a ranked list of the fixes that move the needle out.

The public names below are loaded when they are first used: `import journeymine` is light.

>>> import journeymine as jm
>>> log = jm.read_log(jm.demo_log_path(), case_id="journey_id", activity="activity", timestamp="timestamp")
>>> log.n_events > 0
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Conformance": "process.conformance",
    "DataError": "errors",
    "Differences": "paths.differences",
    "EngineError": "errors",
    "EventLog": "log",
    "Fix": "fixes.fix",
    "FixRanking": "fixes.ranking",
    "Friction": "paths.friction",
    "FrictionRules": "paths.signals",
    "Funnel": "paths.funnel",
    "JourneySpec": "spec",
    "JourneymineError": "errors",
    "LogSchemaError": "errors",
    "MarkovChain": "markov.chain",
    "NotEnoughDataError": "errors",
    "OptionError": "errors",
    "ProcessMap": "paths.process_map",
    "ProcessModel": "process.model",
    "Report": "reporting.build",
    "SourceError": "errors",
    "SpecError": "errors",
    "Transitions": "paths.transitions",
    "Variants": "paths.variants",
    "demo_config_path": "datasets",
    "demo_log_path": "datasets",
    "load_demo": "datasets",
    "log_from_spec": "reading",
    "markov": "",
    "read_log": "reading",
    "read_spec": "spec",
    "report": "reporting.build",
    "simulate": "",
}


if TYPE_CHECKING:
    from journeymine import markov as markov
    from journeymine import simulate as simulate
    from journeymine.datasets import demo_config_path, demo_log_path, load_demo
    from journeymine.errors import (
        DataError,
        EngineError,
        JourneymineError,
        LogSchemaError,
        NotEnoughDataError,
        OptionError,
        SourceError,
        SpecError,
    )
    from journeymine.fixes.fix import Fix
    from journeymine.fixes.ranking import FixRanking
    from journeymine.log import EventLog
    from journeymine.markov.chain import MarkovChain
    from journeymine.paths.differences import Differences
    from journeymine.paths.friction import Friction
    from journeymine.paths.funnel import Funnel
    from journeymine.paths.process_map import ProcessMap
    from journeymine.paths.signals import FrictionRules
    from journeymine.paths.transitions import Transitions
    from journeymine.paths.variants import Variants
    from journeymine.process.conformance import Conformance
    from journeymine.process.model import ProcessModel
    from journeymine.reading import log_from_spec, read_log
    from journeymine.reporting.build import Report, report
    from journeymine.spec import JourneySpec, read_spec


__all__ = [
    "Conformance",
    "DataError",
    "Differences",
    "EngineError",
    "EventLog",
    "Fix",
    "FixRanking",
    "Friction",
    "FrictionRules",
    "Funnel",
    "JourneySpec",
    "JourneymineError",
    "LogSchemaError",
    "MarkovChain",
    "NotEnoughDataError",
    "OptionError",
    "ProcessMap",
    "ProcessModel",
    "Report",
    "SourceError",
    "SpecError",
    "Transitions",
    "Variants",
    "__version__",
    "demo_config_path",
    "demo_log_path",
    "load_demo",
    "log_from_spec",
    "markov",
    "read_log",
    "read_spec",
    "report",
    "simulate",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOME:
        msg = f"module 'journeymine' has no attribute {name!r}"
        raise AttributeError(msg)
    if not _HOME[name]:
        return import_module(f"journeymine.{name}")
    return getattr(import_module(f"journeymine.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
