"""Published data, found in `DAYSPRING_TEST_DATA` or in `shared/data` beside the project."""

from __future__ import annotations

import os
from pathlib import Path

from tests.absent import absent

_BESIDE = Path(__file__).resolve().parents[4] / "shared" / "data"


def real_data(name: str) -> Path:
    folder = Path(os.environ.get("DAYSPRING_TEST_DATA", str(_BESIDE))) / name
    if not folder.is_dir():
        absent(f"NO REAL DATA: {folder} is not there; set DAYSPRING_TEST_DATA to the folder that holds {name}/")
    return folder
