"""`predict`: rows of a file scored as requests are; of labelled rows in `tests/integration/test_labelled_rows.py`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import UsageError
from pipeline.serving.online_reader import OnlineReader
from pipeline.serving.request import Request
from tests.tiny import LAST, Place

CONTEXT = ("log_hourtime", "dclick_otherad", "rclick_ad", "rencent_behavior")


def test_an_impression_is_scored_as_the_request_for_its_item(
    served: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, out = served.shows(LAST), tmp_path / "out.parquet"
    # Of the release's own day nothing would be measured.
    rows = rows.set_column(rows.schema.get_field_index("log_day"), "log_day", [[str(LAST.next())] * rows.num_rows])
    numbered = rows.append_column("number", pa.array(range(rows.num_rows)))
    pq.write_table(numbered, tmp_path / "rows.parquet")
    words = ("--input", tmp_path / "rows.parquet", "--output", out, "--columns", "number")
    ran = served.good("predict", "--job", "ads", *words)
    scored = pq.read_table(out).to_pydict()
    assert "auc" in ran.out
    assert len(scored["number"]) > 0.9 * rows.num_rows
    raw = rows.to_pylist()
    monkeypatch.setenv("DAYSPRING_CONF", str(served.folder / "conf"))
    expected = []
    with OnlineReader.at(served.root, "ads") as reader:
        for number in scored["number"][:40]:
            user, ad = (int(part) for part in raw[number]["row_key"].split("_")[:2])
            context = {name: raw[number][name] for name in CONTEXT if raw[number][name] not in (None, "")}
            expected.append(reader.score(Request((user,), items=(ad,), context=context)).logits[0])
    np.testing.assert_allclose(scored["logit"][:40], expected, rtol=1e-5, atol=1e-5)
    assert len({round(float(each), 4) for each in expected}) > 20


def test_homework_has_no_rows_to_score(trained: Place, tmp_path: Path) -> None:
    words = ("--input", tmp_path, "--output", tmp_path / "out.csv", "--day", LAST)
    ran = trained.run("predict", "--job", "homework", *words)
    assert ran.code == UsageError.exit_code
    assert "job 'homework' is of `kind: ranking`" in ran.message
    assert "recommend --job homework" in ran.message
