"""The wheel holds what the package reads at run time: the demo, the words, the page."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
READ_AT_RUN_TIME = {".toml", ".html", ".css", ".typed"}


def test_the_wheel_holds_everything(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(tmp_path),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    package = ROOT / "src" / "journeymine"
    needed = {
        f"journeymine/{path.relative_to(package).as_posix()}"
        for path in package.rglob("*")
        if path.suffix in READ_AT_RUN_TIME | {".py"}
    }
    assert needed <= names
    data = ("shop.parquet", "shop_truth.json", "journeymine.toml")
    assert {f"journeymine/_data/{name}" for name in data} <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests")]
