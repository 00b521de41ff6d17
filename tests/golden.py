"""The folder of golden numbers: weights, inputs and expected outputs that something else than this code computed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.absent import absent

PROJECT = Path(__file__).resolve().parents[1]


def golden_folder() -> Path:
    """``DAYSPRING_GOLDEN``, else ``shared/golden`` beside the project."""
    return Path(os.environ.get("DAYSPRING_GOLDEN") or PROJECT.parent / "shared" / "golden")


def golden(case: str) -> dict[str, NDArray[np.generic]]:
    """The arrays of one case; skips the test where the folder has no such case, and where the folder is missing, which
    fails it where ``CI=true``."""
    path = golden_folder() / f"{case}.npz"
    if not path.parent.is_dir():
        absent(f"{path.parent}: no such folder; set DAYSPRING_GOLDEN to the folder of golden numbers")
    if not path.is_file():
        pytest.skip(f"{path}: no such case")
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}
