"""What the README and the documentation show is true: their Python blocks run."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks_of(page: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize(
    "page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES if blocks_of(page)]
)
def test_blocks_run_one_after_the_other(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, module in airflow_modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    names: dict[str, object] = {"__name__": "block"}
    for block in blocks_of(page):
        exec(compile(block, "block", "exec"), names)
    assert "Error" not in capsys.readouterr().err


def airflow_modules() -> dict[str, types.ModuleType]:
    """The few names of Airflow that the examples import, as classes that take any argument."""
    names = {
        "airflow.providers.standard.operators.bash": "BashOperator",
        "airflow.providers.standard.operators.python": "PythonOperator",
        "airflow.exceptions": "AirflowFailException",
    }
    modules = {}
    for path, name in names.items():
        modules[path] = types.ModuleType(path)
        setattr(modules[path], name, type(name, (Exception,), {"__init__": lambda self, **options: None}))
    return modules


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}, which does not exist"


def test_agents_map_names_every_module() -> None:
    map_ = (ROOT / "AGENTS.md").read_text(encoding="utf-8")
    package = ROOT / "src" / "journeymine"
    top = {path.name for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    missing = sorted(name for name in top - {"__init__.py"} if name not in map_)
    assert not missing
