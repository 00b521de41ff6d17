"""DAG tests read the real DAG files with a scratch Airflow; its settings must stand before Airflow is imported."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
_HOME = tempfile.mkdtemp(prefix="dayspring-airflow-")
os.environ.update(
    {
        "AIRFLOW_HOME": _HOME,
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_HOME}/airflow.db",
    }
)


def pytest_unconfigure() -> None:
    shutil.rmtree(_HOME, ignore_errors=True)
