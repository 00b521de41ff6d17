"""Golden numbers that are missing: no trouble on a laptop, a failure in CI."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.golden import PROJECT, golden, golden_folder


def test_the_folder_is_beside_the_project_or_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DAYSPRING_GOLDEN", raising=False)
    assert golden_folder() == PROJECT.parent / "shared" / "golden"
    monkeypatch.setenv("DAYSPRING_GOLDEN", str(tmp_path))
    np.savez(tmp_path / "case.npz", out_x=np.arange(3))
    assert golden("case")["out_x"].tolist() == [0, 1, 2]


def test_what_is_missing_is_skipped_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DAYSPRING_GOLDEN", str(tmp_path / "none"))
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"none: no such folder; set DAYSPRING_GOLDEN"):
        golden("case")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=r"none: no such folder"):
        golden("case")
    monkeypatch.setenv("DAYSPRING_GOLDEN", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match=r"nothing.npz: no such case"):
        golden("nothing")
