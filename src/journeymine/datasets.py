"""The bundled demo log: an omnichannel shop, made by `journeymine.simulate.shop`."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from journeymine.errors import SourceError

if TYPE_CHECKING:
    import pandas as pd

LOG_NAME = "shop.parquet"
CONFIG_NAME = "journeymine.toml"
TRUTH_NAME = "shop_truth.json"


def demo_log_path() -> Path:
    """Path of the demo log, a Parquet file.

    Examples
    --------
    >>> demo_log_path().name
    'shop.parquet'
    """
    return _bundled(LOG_NAME)


def demo_config_path() -> Path:
    """Path of the configuration that belongs to the demo log.

    Examples
    --------
    >>> demo_config_path().name
    'journeymine.toml'
    """
    return _bundled(CONFIG_NAME)


def load_demo() -> pd.DataFrame:
    """Load the demo log: one row an event.

    Examples
    --------
    >>> load_demo()["journey_id"].nunique() > 10_000
    True
    """
    import pandas as pd

    return pd.read_parquet(demo_log_path())


def load_demo_truth() -> dict[str, Any]:
    """Load the true effects of repairing each fault of the demo log, as the simulator computed them.

    Examples
    --------
    >>> [row["effect"] for row in load_demo_truth()["repairs"] if row["fault"] == "summer_campaign"]
    [0.0]
    """
    import json

    truth: dict[str, Any] = json.loads(_bundled(TRUTH_NAME).read_text(encoding="utf-8"))
    return truth


def _bundled(name: str) -> Path:
    """Path of a bundled file: in the installed package, else in the `data` folder of a source checkout."""
    folders = (
        Path(str(resources.files("journeymine"))) / "_data",
        Path(__file__).resolve().parents[2] / "data",
    )
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise SourceError(
        f"the bundled file {name!r} is missing from this installation.",
        hint="reinstall journeymine, or make the demo log with journeymine.simulate.shop().",
    )
