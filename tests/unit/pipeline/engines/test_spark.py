from __future__ import annotations

import socket
import sys

import pytest

from pipeline.engines.spark import SparkEngine
from pipeline.errors import UsageError


def test_without_a_master_the_variable_is_named() -> None:
    with pytest.raises(UsageError, match=r"DAYSPRING_SPARK_MASTER, the master's address such as spark://host:7077"):
        SparkEngine(None, "ads")


def test_a_master_that_is_not_there_is_refused_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        master = f"spark://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(UsageError, match=f"nobody listens at {master}; `make services` starts a Spark"):
            SparkEngine(master, "ads").run(abs, [1])


def test_without_pyspark_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(UsageError, match=r"pip install 'dayspring\[spark\]'"):
        SparkEngine("spark://127.0.0.1:7077", "ads").run(abs, [1])
