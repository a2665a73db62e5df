"""Shared fixtures. Tests on real logs name themselves in the summary when the logs are not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REFERENCE_DATA = os.environ.get("JOURNEYMINE_REFERENCE_DATA")


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """Folder of the real logs; without it the test is skipped by name."""
    if not REFERENCE_DATA:
        pytest.skip("JOURNEYMINE_REFERENCE_DATA is not set: this test needs the real logs")
    path = Path(REFERENCE_DATA)
    assert path.is_dir(), f"JOURNEYMINE_REFERENCE_DATA names no folder: {path}"
    return path
