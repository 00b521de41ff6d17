"""Prediction over HTTP: a file of rows in, JSON out, scored with what a job serves.

    python -m examples.serving.http_predict --job criteo --port 8090
    curl -F file=@rows.csv -F columns=line -F user_id=42 http://127.0.0.1:8090/predict

An answer is ``{"code": 0, "dtype": "float32", "data": [{"line": …, "logit": …, "probability": …}, …], "user_id": …}``
with the release, the measures of rows that came with labels, and the rows that cannot be scored with the reasons; or
``{"code": 400, "message": …}``: 0, or the status that HTTP has for it too. A newer release is made ready in the
background, and the one before answers meanwhile.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import pyarrow.parquet as pq
import uvicorn
from fastapi import Depends, FastAPI, File, Form, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from examples.command import guarded
from pipeline.days import Day
from pipeline.errors import DataError, DayspringError, UsageError
from pipeline.job import JobContext
from pipeline.release.publish.redis_generations import Keys
from pipeline.serving.batch.open_release import OpenRelease
from pipeline.serving.batch.predict import Predicted, score_file
from pipeline.serving.batch.scorer import guard_kind
from pipeline.serving.release_reader import ReleaseGone, ReleaseReader
from pipeline.serving.taken_up import TakenUp
from pipeline.storage.redis.connection import connect

MOST_MB = 64
_FIELDS = ("file", "columns", "day", "user_id")
_ENDINGS = re.compile(r"(\.[A-Za-z0-9]{1,8}){1,2}$")
DTYPE = "float32"


class Service:
    """Scores files with what is served, one at a time.

    Args:
        context: the job, of labelled rows or of impressions.
    """

    def __init__(self, context: JobContext) -> None:
        guard_kind(context.config)
        self._context = context
        self._client = connect(context.root)
        self._served = TakenUp(self._ready)
        self._one_at_a_time = threading.Lock()
        self._taking_up = threading.Lock()  # of its own: whether all is well is asked while a file is scored

    def close(self) -> None:
        """Let go of Redis."""
        self._served.close()
        self._client.close()

    def release(self) -> OpenRelease:
        """The release to answer with; another one that is served by now is on its way from here on."""
        with self._taking_up:
            release = self._served.release()
            now = ReleaseReader(self._client, Keys(self._context.config.release.namespace, self._context.job)).pointer
            if now != release.found.pointer:
                self._served.begin()
            return release

    def predict(self, file: Path, output: Path, columns: Sequence[str], day: Day | None) -> Predicted:
        """As ``score_file``."""
        with self._one_at_a_time:
            try:
                return score_file(self.release(), str(file), output, columns, day)
            except ReleaseGone:  # it ended while it was read
                with self._taking_up:
                    self._served.gone()
                return score_file(self.release(), str(file), output, columns, day)

    def _ready(self) -> OpenRelease:
        release = OpenRelease.served(self._context, self._client)
        assert release.model is not None  # in memory before it answers
        return release


def app(service: Service, *, most_mb: int = MOST_MB) -> FastAPI:
    """The service's two addresses: ``GET /health`` and ``POST /predict``."""
    found = FastAPI(title="Dayspring: rows scored with what is served", docs_url=None, redoc_url=None)

    @found.get("/health")
    def health() -> dict[str, Any]:
        pointer = service.release().found.pointer
        return {"code": 0, "release": pointer.release_id, "day": str(pointer.day)}

    @found.post("/predict", dependencies=[Depends(_only_known_fields)])
    def predict(
        file: Annotated[UploadFile, File(description=".csv, .tsv (may be packed) or .parquet")],
        columns: Annotated[str, Form(description="of the file, to be carried over: a,b")] = "",
        day: Annotated[str, Form(description="that the rows are of; by default that after the release")] = "",
        user_id: Annotated[str | None, Form(description="handed back")] = None,
    ) -> JSONResponse:
        if file.size is None or file.size > most_mb << 20:
            message = f"the file has more than {most_mb} MB; score it with `python -m pipeline predict`"
            return JSONResponse({"code": 413, "message": message, "user_id": user_id}, 413)
        with tempfile.TemporaryDirectory(prefix="dayspring-http-") as folder:
            # Of a name that a stranger chose, only its endings, if they can be such.
            ending = _ENDINGS.search(file.filename or "")
            path = Path(folder, f"file{ending[0] if ending else ''}")
            path.write_bytes(file.file.read())
            output = Path(folder, "scores.parquet")
            named = [each.strip() for each in columns.split(",") if each.strip()]
            answer: dict[str, Any] = {"code": 0, "user_id": user_id}
            try:
                told = service.predict(path, output, named, Day.parse(day) if day else None)
                answer |= {"dtype": DTYPE, "data": _rows(output), "rows": told.scored, "release": told.release_id,
                           "measures": dict(told.measures), "not_measured": told.learnt,
                           "read_as_missing": [*told.absent], "not_read": [*told.undeclared]}  # fmt: skip
            except DayspringError as error:
                answer |= {"code": _code(error), "message": _in_words(error, folder)}
            answer["quarantine"] = _rows(output.with_name("scores.quarantine.parquet"))
        return JSONResponse(answer, answer["code"] or 200)

    @found.exception_handler(DayspringError)
    def refused(request: object, error: DayspringError) -> JSONResponse:
        return JSONResponse({"code": _code(error), "message": str(error)}, _code(error))

    @found.exception_handler(RequestValidationError)
    def misshapen(request: object, error: RequestValidationError) -> JSONResponse:
        told = "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in error.errors())
        return JSONResponse({"code": 400, "message": f"{told}; send a form: curl -F file=@rows.csv"}, 400)

    @found.exception_handler(HTTPException)
    def no_such_address(request: object, error: HTTPException) -> JSONResponse:
        told = f"{error.detail}; POST a file to /predict, or GET /health"
        return JSONResponse({"code": error.status_code, "message": told}, error.status_code)

    return found


async def _only_known_fields(request: Request) -> None:
    names = [name for name, _ in (await request.form()).multi_items()]
    strange = [name for name in dict.fromkeys(names) if name not in _FIELDS]
    if strange:
        raise UsageError(f"no such field: {', '.join(strange)}; the fields are {', '.join(_FIELDS)}")
    twice = [name for name in _FIELDS if names.count(name) > 1]
    if twice:
        raise UsageError(f"{', '.join(twice)}: given more than once; ask of each file by itself")


def _code(error: DayspringError) -> int:
    """The status of an answer: what was asked is wrong, or there is nothing to answer with."""
    return 400 if isinstance(error, UsageError | DataError) else 503


def _in_words(error: DayspringError, folder: str) -> str:
    """The message for somebody who has neither a command line nor this machine's files."""
    told = str(error).replace(f"{folder}/", "")
    return re.sub(r"--(input|output|columns|day) ", r"\1 ", told)


def _rows(path: Path) -> list[dict[str, Any]]:
    """A file's rows as JSON can hold them; of a file that is not there none."""
    if not path.exists():
        return []
    return [{name: _plain(value) for name, value in row.items()} for row in pq.read_table(path).to_pylist()]


def _plain(value: Any) -> Any:
    """No number that is none; days, times, decimals and bytes as text."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m examples.serving.http_predict", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--job", required=True)
    parser.add_argument("--host", default="127.0.0.1", help="who may ask: by default this machine alone")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--most-mb", type=int, default=MOST_MB, help=f"of a file (default: {MOST_MB})")
    asked = parser.parse_args(arguments)

    def run() -> None:
        service = Service(JobContext.open(asked.job))
        try:
            service.release()  # what is wrong is told before anybody asks
            uvicorn.run(app(service, most_mb=asked.most_mb), host=asked.host, port=asked.port, log_level="info")
        finally:
            service.close()

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
