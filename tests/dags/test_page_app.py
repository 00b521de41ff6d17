"""The page's app behind its login, with the user given: what it lets out, and what not."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from starlette.testclient import TestClient

from benchmarks.school_year import JOB, write_year
from pipeline.days import Day as Date

PROJECT = Path(__file__).resolve().parents[2]
NOT_ALLOWED = "secret"
DAY = "2024-03-13"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root, conf = tmp_path / "root", tmp_path / "conf"
    (root / "reports" / "ads").mkdir(parents=True)
    (root / "reports" / "ads" / f"{DAY}.html").write_text(
        "<html><body><h1>the day</h1></body></html>", encoding="utf-8"
    )
    (root / "reports" / "private.html").write_text("not to be seen", encoding="utf-8")
    conf.mkdir()
    for job in ("ads", "homework", NOT_ALLOWED):
        text = (PROJECT / "conf" / "ads.yaml").read_text(encoding="utf-8")
        (conf / f"{job}.yaml").write_text(text.replace("job: ads", f"job: {job}"), encoding="utf-8")
    monkeypatch.setenv("DAYSPRING_ROOT", str(root))
    monkeypatch.setenv("DAYSPRING_CONF", str(conf))
    return root


@pytest.fixture
def stranger(root: Path) -> TestClient:
    from dayspring.page.app import build

    return TestClient(build())


@pytest.fixture
def client(stranger: TestClient, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """One who is logged in, and may read every DAG but that of the job ``secret``."""
    from airflow.api_fastapi.core_api.security import get_user

    from dayspring.page import app

    class Manager:
        def is_authorized_dag(self, *, method: str, details: Any, user: str) -> bool:
            assert (method, user) == ("GET", "a user")
            return bool(details.id != f"{NOT_ALLOWED}_daily")

    monkeypatch.setattr(app, "get_auth_manager", Manager)
    monkeypatch.setattr(app, "runs_of", lambda dag_id, zone: {"runs": {}, "tasks": {}, "problem": None})
    stranger.app.dependency_overrides[get_user] = lambda: "a user"  # type: ignore[attr-defined]
    return stranger


def data_of(text: str) -> dict[str, Any]:
    (found,) = re.findall(r'type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    data: dict[str, Any] = json.loads(found)
    return data


@pytest.mark.parametrize(
    "path", ["/", "/?job=ads", f"/report/ads/{DAY}", "/docs", "/openapi.json", "/redoc", "/anything"]
)
def test_without_a_login_nothing_is_shown(stranger: TestClient, path: str) -> None:
    answer = stranger.get(path)
    assert answer.status_code in (401, 404)
    if path.startswith(("/?", "/report")) or path == "/":
        assert answer.status_code == 401
    assert "the day" not in answer.text


def test_all_jobs_that_the_user_may_read(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    data = data_of(answer.text)
    assert data["jobs"] == ["ads", "homework"]
    assert [each["job"] for each in data["pictures"]] == ["ads", "homework"]
    assert NOT_ALLOWED not in answer.text


@pytest.mark.parametrize(
    ("query", "job"),
    [("job=ads", "ads"), ("dag_id=ads_daily", "ads"), ("dag_id=homework_report", "homework"), ("dag_id=other", None)],
)
def test_the_job_of_a_dag(client: TestClient, query: str, job: str | None) -> None:
    data = data_of(client.get(f"/?{query}").text)
    assert data.get("picture", {}).get("job") == job


@pytest.mark.parametrize("path", [f"/?job={NOT_ALLOWED}", "/?job=none", "/?job=../ads", f"/report/{NOT_ALLOWED}/{DAY}"])
def test_other_jobs_are_not_found(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_only_what_carries_the_nonce_of_this_answer_may_run(client: TestClient) -> None:
    nonces = set()
    for _ in range(2):
        answer = client.get("/?job=ads")
        policy = answer.headers["content-security-policy"]
        (nonce,) = re.findall(r"script-src 'nonce-([^']+)'", policy)
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.text.count("<script") == answer.text.count(f'<script nonce="{nonce}"') == 2
        assert not re.search(r"(src|href)=[\"']?(https?:)?//", answer.text)
        nonces.add(nonce)
    assert len(nonces) == 2


def test_text_of_artefacts_cannot_leave_its_place(client: TestClient, root: Path) -> None:
    (root / "failures" / "ads").mkdir(parents=True)
    note = {"stage": "extract", "message": "</script><script>alert(1)</script>", "at": "now"}
    (root / "failures" / "ads" / "2024-03-01.json").write_text(json.dumps(note), encoding="utf-8")
    text = client.get("/?job=ads").text
    assert "</script><script>alert" not in text
    assert data_of(text)["picture"]["failed_stages"][0]["message"] == note["message"]


def test_text_that_is_no_utf_8_keeps_nothing_from_being_sent(client: TestClient, root: Path) -> None:
    (root / "failures" / "ads").mkdir(parents=True)
    (root / "failures" / "ads" / "2024-03-01.json").write_text('{"stage": "x", "message": "\\ud800 half", "at": "now"}')
    (root / "maps" / "ads" / os.fsdecode(b"day=\xff")).mkdir(parents=True)
    for path in ("/", "/?job=ads"):
        answer = client.get(path)
        assert answer.status_code == 200
        data = data_of(answer.text)
        picture = data.get("picture") or data["pictures"][0]
        assert picture["failed_stages"][0]["message"] == "? half"
        assert [each["path"] for each in picture["damaged"]] == ["maps/ads/day=?"]


def test_an_absurd_day_of_a_note_hides_nothing(client: TestClient, root: Path) -> None:
    write_year(root, first=Date.parse(DAY), days=3, experiments=1)
    (root / "failures" / JOB).mkdir(parents=True)
    (root / "failures" / JOB / "9999-12-31.json").write_text('{"stage": "x", "message": "m", "at": "now"}')
    picture = data_of(client.get(f"/?job={JOB}").text)["picture"]
    assert picture["count"] == 3
    assert [each["path"] for each in picture["damaged"]] == [f"failures/{JOB}/9999-12-31.json"]


@pytest.mark.parametrize("content", [b"", b"gen=00", b"\xff\xfe"])
def test_a_damaged_pointer_is_named_and_all_else_drawn(client: TestClient, root: Path, content: bytes) -> None:
    write_year(root, first=Date.parse(DAY), days=3, experiments=2)
    pointer = f"checkpoint/{JOB}/experiment_1/day={Date.parse(DAY).next()}"
    (root / pointer / "current").write_bytes(content)
    data = data_of(client.get("/").text)
    assert [each["job"] for each in data["pictures"]] == ["ads", JOB]
    for picture in (data["pictures"][1], data_of(client.get(f"/?job={JOB}").text)["picture"]):
        assert [each["path"] for each in picture["damaged"]] == [pointer]
        drawn = {
            each["name"]: each["states"] for each in picture["experiments"] if not set(each["states"]) <= {".", "m"}
        }
        assert drawn == {"experiment_1": "tmt", "experiment_2": "ttt"}


def test_commands_to_copy_have_all_settings_of_the_jobs_tasks_and_no_secret(
    client: TestClient, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Part of them would turn off the rest of those that the demo left."""
    monkeypatch.setenv("DAYSPRING_RELEASE_URL", "file:/a/bucket")
    monkeypatch.setenv("AIRFLOW_CONN_DAYSPRING_ADS", "mysql://reader:hush-hush@db:3306/school")
    (root / "failures" / "ads").mkdir(parents=True)
    note = {"stage": "report", "message": "see `python -m pipeline audit --job ads`", "at": "2024-03-13T00:00:00"}
    (root / "failures" / "ads" / f"{DAY}.json").write_text(json.dumps(note), encoding="utf-8")
    answer = client.get("/?job=ads")
    picture = data_of(answer.text)["picture"]
    assert picture["pipeline"] == (
        f"cd {PROJECT} && DAYSPRING_ROOT={root} DAYSPRING_ADS_URL=${{DAYSPRING_ADS_URL:?set it first, it holds a "
        f"secret}} DAYSPRING_CONF={root.parent / 'conf'} DAYSPRING_RELEASE_URL=file:/a/bucket "
        ".venv/bin/python -m pipeline"
    )
    assert picture["failed_stages"][0]["message"] == f"see `{picture['pipeline']} audit --job ads`"
    assert "hush-hush" not in answer.text


@pytest.mark.parametrize("value", ["an error", float("nan"), object()])
def test_a_job_that_cannot_be_drawn_leaves_the_others(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, value: Any
) -> None:
    from dayspring.page import app

    picture = app.Overview.picture

    def broken(self: Any, job: str) -> dict[str, Any]:
        if job != "ads":
            return dict(picture(self, job))
        if value == "an error":
            raise KeyError(value)
        return {**picture(self, job), "volumes": value}

    monkeypatch.setattr(app.Overview, "picture", broken)
    answer = client.get("/")
    assert answer.status_code == 200
    ads, homework = data_of(answer.text)["pictures"]
    assert set(ads) == {"job", "broken", "pipeline"}
    assert ads["broken"].startswith(("KeyError: 'an error'", "ValueError: Out of range", "TypeError: Object of type"))
    assert homework["count"] == 0
    assert "broken" not in homework
    assert "the picture of job 'ads' cannot be drawn" in caplog.text
    answer = client.get("/?job=ads")
    assert answer.status_code == 200
    assert data_of(answer.text)["picture"] == ads


def test_a_report_that_is_no_utf_8(client: TestClient, root: Path) -> None:
    (root / "reports" / "ads" / f"{DAY}.html").write_bytes(b"<body>half \x80 of it")
    answer = client.get(f"/report/ads/{DAY}")
    assert answer.status_code == 200
    assert "half \ufffd of it" in answer.text


def test_a_report_with_a_way_back(client: TestClient) -> None:
    answer = client.get(f"/report/ads/{DAY}")
    assert answer.status_code == 200
    assert '<a href="../../?job=ads">' in answer.text
    assert "<h1>the day</h1>" in answer.text
    assert "script-src 'nonce-" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/report/ads/2024-03-14", "/report/ads/private", "/report/ads/2024-02-31", "/report/ads/..%2fprivate",
        "/report/..%2Fads/2024-03-13", "/report/../private.html", "/report/ads/2024-03-13.html",
        "/report/%2e%2e/private",
    ],
)  # fmt: skip
def test_nothing_but_a_days_report_is_served(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "not to be seen" not in answer.text


def test_a_report_that_leads_out_of_the_folder_is_not_served(client: TestClient, root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.html").write_text("<body>not to be seen</body>", encoding="utf-8")
    (root / "reports" / "ads" / "2024-03-14.html").symlink_to(tmp_path / "outside.html")
    assert client.get("/report/ads/2024-03-14").status_code == 404


def test_the_app_is_built_at_its_first_request(root: Path) -> None:
    from dayspring.page.lazy import LazyPage

    page = LazyPage()
    client = TestClient(page)  # type: ignore[arg-type]
    assert client.get("/").status_code == 401
    assert client.get("/").json() == {"detail": "Not authenticated"}
    seen = client.get("/", headers={"accept": "text/html"})
    assert (seen.status_code, 'href="/">Log in' in seen.text) == (401, True)
    assert client.get(f"/report/ads/{DAY}").status_code == 401


def in_a_process(code: str) -> str:
    path = os.pathsep.join([str(PROJECT), str(PROJECT / "plugins")])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": path}
    )
    return done.stdout.strip().splitlines()[-1]


def test_the_plugin_imports_nothing_of_the_page() -> None:
    """It is imported by every process of every task."""
    code = (
        "import airflow.plugins_manager, sys; before = set(sys.modules); import dayspring_plugin; "
        "print(*sorted(set(sys.modules) - before))"
    )
    imported = in_a_process(code).split()
    assert "dayspring.page.lazy" in imported
    heavy = ("dayspring.page.app", "dayspring.page.render", "pipeline.", "fastapi", "starlette", "jinja2", "numpy")
    light = {"pipeline.days", "pipeline.errors"}
    assert not [name for name in imported if name.startswith(heavy) and name not in light]


def test_the_plugin_is_registered() -> None:
    from airflow import plugins_manager

    plugins, errors = plugins_manager._get_plugins()
    assert errors == {}
    (plugin,) = (each for each in plugins if each.name == "dayspring")
    (app,) = plugin.fastapi_apps
    assert app["url_prefix"] == "/dayspring"
    nav, tab = plugin.external_views
    assert (nav["destination"], nav["href"]) == ("nav", "/dayspring/")
    assert (tab["destination"], tab["href"]) == ("dag", "/dayspring/?dag_id={DAG_ID}")


def test_runs_and_their_tasks_are_shown_on_the_day_that_they_are_of(monkeypatch: pytest.MonkeyPatch) -> None:
    from dayspring.page import runs

    class Session:
        """Answers first with the runs, then with the tasks."""

        answers: ClassVar[list[Any]] = [
            [
                (datetime(2024, 2, 26, tzinfo=UTC), "scheduled", "success"),
                (datetime(2024, 2, 26, 16, tzinfo=UTC), "by hand", "failed"),  # 00:00 of the 27th in Shanghai
                (datetime(2024, 2, 27, 10, tzinfo=UTC), "refused", "failed"),  # of no day
            ],
            [("by hand", "extract", "failed"), ("refused", "wait_for_day", "failed")],
        ]

        def execute(self, statement: Any) -> Any:
            return SimpleNamespace(all=lambda: self.answers.pop(0))

    monkeypatch.setattr(runs, "create_session", lambda: nullcontext(Session()))
    assert runs.runs_of("ads_daily", "Asia/Shanghai") == {
        "runs": {
            "2024-02-26": {"run_id": "scheduled", "state": "success"},
            "2024-02-27": {"run_id": "by hand", "state": "failed"},
        },
        "tasks": {"2024-02-27": {"extract": "failed"}},
    }
