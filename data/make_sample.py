"""Make the demo log and its truth file again, byte for byte: `python data/make_sample.py [FOLDER]`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from journeymine.simulate import Shop, shop

if TYPE_CHECKING:
    import pandas as pd

N_CUSTOMERS = 6000
SEED = 1

TEXT = (
    "journey_id",
    "customer_id",
    "activity",
    "channel",
    "platform",
    "country",
    "customer_type",
    "source",
    "survey",
    "comment",
)
SCHEMA = pa.schema(
    [
        ("journey_id", pa.string()),
        ("customer_id", pa.string()),
        ("activity", pa.string()),
        ("timestamp", pa.timestamp("us", tz="UTC")),
        ("channel", pa.string()),
        ("platform", pa.string()),
        ("country", pa.string()),
        ("customer_type", pa.string()),
        ("source", pa.string()),
        ("value", pa.float64()),
        ("score", pa.int8()),
        ("survey", pa.string()),
        ("comment", pa.string()),
    ]
)


def make_sample(folder: Path) -> list[Path]:
    """Write shop.parquet and shop_truth.json into a folder."""
    world = shop(N_CUSTOMERS, seed=SEED)
    log, truth = folder / "shop.parquet", folder / "shop_truth.json"
    pq.write_table(to_arrow(world.events), log, compression="zstd", compression_level=19)
    truth.write_text(truth_text(world), encoding="utf-8", newline="\n")
    return [log, truth]


def to_arrow(events: pd.DataFrame) -> pa.Table:
    """Events as an Arrow table that does not depend on the version of pandas."""
    return pa.Table.from_pandas(events, schema=SCHEMA, preserve_index=False).replace_schema_metadata(None)


def truth_text(world: Shop) -> str:
    """Write settings and true effects as JSON."""
    rows = [
        {str(key): plain(value) for key, value in record.items()} for record in world.truth.to_dict("records")
    ]
    document = {
        "about": "True effects of repairing the faults of shop.parquet; see README.md.",
        "settings": world.settings.to_dict(),
        "n_journeys": len(world.journeys),
        "n_events": len(world.events),
        "base": rows[0]["base"],
        "repairs": [{k: v for k, v in row.items() if k != "base"} for row in rows[1:]],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def plain(value: object) -> object:
    """Turn a value into what JSON has: missing ones into null, times into text."""
    if value is None or value == "" or value != value:  # NaN and NaT are not equal to themselves
        return None
    return f"{value:%Y-%m-%dT%H:%M:%SZ}" if hasattr(value, "strftime") else value


if __name__ == "__main__":
    make_sample(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
