"""Every notebook runs from top to bottom, in an empty folder."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


TOLD = {
    "which_fixes_move_the_needle": "FixRanking",
    "where_journeys_go_next": "MarkovChain of 16 states",
    "what_customers_really_do": "Account sign-in -> (dropped)",
}


def test_every_notebook_has_something_to_tell() -> None:
    assert {path.stem for path in NOTEBOOKS} == set(TOLD)


# The kernel's own libraries warn about sockets and loops that they do not close.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    done = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    code = [cell for cell in done.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    shown = "".join(str(output) for cell in code for output in cell.outputs)
    assert TOLD[path.stem] in shown
    assert "stderr" not in shown
