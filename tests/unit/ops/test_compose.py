"""The container stack: the compose format's own loader accepts it, and it keeps our rules. No engine is needed."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.services.base import TOOLS
from tests.absent import absent

PROJECT = Path(__file__).resolve().parents[3]
TEXT = (PROJECT / "docker-compose.yml").read_text(encoding="utf-8")
# ${NAME:?message} or ${NAME:-default}; a `$$` is a plain dollar.
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+):([?-])([^}]*)\}")
ONE_SHOT = {"init", "seed"}
SECRET = re.compile(r"PASSWORD|SECRET|ACCESS_KEY|FERNET|SESSION_KEY", re.IGNORECASE)


def example() -> dict[str, str]:
    lines = (PROJECT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def everything() -> dict[str, str]:
    """A filled-in .env."""
    return {match[1]: filled(match) for match in VARIABLE.finditer(TEXT)}


def filled(match: re.Match[str]) -> str:
    return f"filled-{match[1].lower()}" if match[2] == "?" else match[3]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(VARIABLE.sub(filled, TEXT))
    return found


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    return dict(compose["services"])


def host_paths(service: dict[str, Any]) -> Iterator[str]:
    yield from (volume.split(":")[0] for volume in service.get("volumes", []) if volume.startswith("."))
    if "build" in service:
        yield service["build"]["context"]
        yield service["build"]["dockerfile"]


def loaded(text: str, folder: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What the compose format's own library makes of a file."""
    loader = TOOLS / "bin" / "compose-check"
    if not loader.is_file():
        absent("compose-check, the compose format's loader, is not installed: ops/services/install.sh (needs Go)")
    path = folder / "docker-compose.yml"
    path.write_text(text, encoding="utf-8")
    env = {"PATH": os.environ["PATH"]} | variables
    return subprocess.run(
        [str(loader), str(path)], cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_formats_own_loader_accepts_it(tmp_path: Path, services: dict[str, Any]) -> None:
    done = loaded(TEXT, tmp_path, everything())
    assert done.returncode == 0, done.stderr
    model = json.loads(done.stdout)
    assert set(model["services"]) == set(services)
    # What it filled in is what our own reading of the variables filled in.
    read = model["services"]["airflow-scheduler"]["environment"]
    assert read == {name: str(value or "") for name, value in services["airflow-scheduler"]["environment"].items()}
    assert set(model["volumes"]) == {"airflow", "artefacts", "postgres", "mysql", "hbase", "redis", "s3"}


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (("postgres: {condition: service_healthy}", "nobody: {condition: service_healthy}"), "nobody"),
        (("- mysql:/var/lib/mysql", "- elsewhere:/var/lib/mysql"), "elsewhere"),
    ],
)
def test_the_loader_would_notice(tmp_path: Path, broken: tuple[str, str], message: str) -> None:
    assert broken[0] in TEXT
    done = loaded(TEXT.replace(*broken), tmp_path, everything())
    assert done.returncode != 0
    assert message in done.stderr


def test_an_unset_secret_stops_it(tmp_path: Path) -> None:
    for name in (name for name, value in example().items() if not value and name != "DAYSPRING_SCHEDULE_END"):
        done = loaded(TEXT, tmp_path, everything() | {name: ""})
        assert done.returncode != 0
        assert f"required variable {name} is missing a value: set it in .env" in done.stderr


def test_every_variable_is_in_the_example_and_no_secret_has_a_value() -> None:
    used = {match[1]: match[2] for match in VARIABLE.finditer(TEXT)}
    assert "$" not in VARIABLE.sub("", TEXT).replace("$$", "")
    assert set(used) == set(example())
    required = {name for name, how in used.items() if how == "?"}
    assert {name for name, value in example().items() if not value} == required | {"DAYSPRING_SCHEDULE_END"}
    assert {name for name in used if SECRET.search(name)} <= required


def test_no_secret_is_written_down(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for variable, value in (service.get("environment") or {}).items():
            if SECRET.search(variable) and not variable.endswith("_FILE"):
                assert re.fullmatch(r"filled-\w+", value), f"{name}: {variable} is not taken from .env"
        # A command line can be read by everybody on the machine.
        assert "filled-" not in json.dumps([service.get("command"), service.get("entrypoint")]), name
        assert "filled-" not in json.dumps(service.get("healthcheck", {})), name


def test_every_image_is_pinned(services: dict[str, Any]) -> None:
    for name, service in services.items():
        tag = service["image"].rpartition(":")[2]
        assert re.match(r"\d+(\.\d+)+", tag), f"{name}: {service['image']}"
    for dockerfile in [PROJECT / "Dockerfile", *(PROJECT / "docker").glob("*/Dockerfile")]:
        for image in re.findall(r"^FROM (\S+)", dockerfile.read_text(encoding="utf-8"), re.MULTILINE):
            assert re.search(r":\d+", image), f"{dockerfile}: {image}"


def test_every_lasting_service_says_how_it_is(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if name not in ONE_SHOT:
            check = service["healthcheck"]
            assert check["test"][0] in ("CMD", "CMD-SHELL"), name
            assert {"interval", "timeout", "retries", "start_period"} <= set(check), name
            assert service["restart"] == "unless-stopped", name


def test_whoever_needs_a_service_waits_until_it_is_healthy(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            expected = "service_completed_successfully" if needed in ONE_SHOT else "service_healthy"
            assert how["condition"] == expected, f"{name} needs {needed}"
    # `up --wait` takes a one-shot's success for done only where somebody waits for it.
    assert any("init" in service.get("depends_on", {}) for service in services.values())


def test_ports_are_open_on_this_machine_only(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert len(ports) == 7
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert len({port.split(":")[1] for port in ports}) == 7


def test_data_outlive_their_containers(compose: dict[str, Any], services: dict[str, Any]) -> None:
    mounted = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])}
    assert {name for name in mounted if not name.startswith(".")} == set(compose["volumes"])
    for name in ("postgres", "mysql", "hbase", "redis", "s3"):
        assert any(volume.startswith(f"{name}:") for volume in services[name]["volumes"])


def test_every_path_of_this_machine_is_there(services: dict[str, Any]) -> None:
    paths = {path for service in services.values() for path in host_paths(service)}
    assert {"./sql/schema", "docker/hbase/Dockerfile"} <= paths
    assert [path for path in paths if not (PROJECT / path).exists()] == []
    for dockerfile in [PROJECT / "Dockerfile", *(PROJECT / "docker").glob("*/Dockerfile")]:
        for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile.read_text(encoding="utf-8"), re.MULTILINE):
            *sources, _ = [word for word in line.split() if not word.startswith("--")]
            assert [source for source in sources if not (PROJECT / source).exists()] == [], dockerfile


def test_what_is_copied_into_an_image_is_sent_to_its_build() -> None:
    sent = {line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for dockerfile in [PROJECT / "Dockerfile", *(PROJECT / "docker").glob("*/Dockerfile")]:
        for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile.read_text(encoding="utf-8"), re.MULTILINE):
            *sources, _ = [word for word in line.split() if not word.startswith("--")]
            assert {source.split("/")[0] for source in sources} <= sent, dockerfile


def test_the_profiles_differ_in_urls_alone(services: dict[str, Any]) -> None:
    environment = services["airflow-scheduler"]["environment"]
    assert environment["DAYSPRING_HOMEWORK_URL"].startswith("mysql+pymysql://reader:")
    assert environment["DAYSPRING_ADS_URL"] == "hbase://hbase:9090/"
    assert environment["DAYSPRING_REDIS_URL"].endswith("@redis:6379/0")
    assert environment["DAYSPRING_RELEASE_URL"] == "s3://dayspring/models"


def test_the_seed_is_the_demos_school(services: dict[str, Any]) -> None:
    from ops.samples import SCHOOL_OPTIONS

    module, *arguments = json.loads(services["seed"]["environment"]["DAYSPRING_COMMAND"])
    assert module == "examples.school"
    assert arguments[4:] == SCHOOL_OPTIONS


def test_the_images_versions_are_those_of_the_native_servers(services: dict[str, Any]) -> None:
    install = (PROJECT / "ops" / "services" / "install.sh").read_text(encoding="utf-8")
    version = re.search(r"^VERSITYGW=(v[\d.]+)$", install, re.MULTILINE)
    assert version is not None
    assert f"versitygw@{version[1]}" in (PROJECT / "docker" / "s3" / "Dockerfile").read_text(encoding="utf-8")
    assert services["s3"]["image"].endswith(version[1][1:])
    pom = (PROJECT / "ops" / "services" / "pom.xml").read_text(encoding="utf-8")
    assert f"<hbase.version>{services['hbase']['image'].rpartition(':')[2]}</hbase.version>" in pom


def test_workers_of_the_broker_take_every_queue_and_what_is_in_it_is_private(services: dict[str, Any]) -> None:
    from dayspring.daily_dag import QUEUES

    workers = {name: service for name, service in services.items() if service.get("profiles") == ["celery"]}
    assert len(workers) == 2
    taken = [each["command"][each["command"].index("--queues") + 1] for each in workers.values()]
    assert sorted(",".join(taken).split(",")) == sorted(QUEUES)
    for name, worker in workers.items():
        known_as = worker["command"][worker["command"].index("--celery-hostname") + 1].partition("@")[0]
        assert f"{known_as}@$$(hostname)" in worker["healthcheck"]["test"][1], name
        assert worker["environment"] == services["airflow-scheduler"]["environment"]
        assert worker["volumes"] == services["airflow-scheduler"]["volumes"]
    settings = services["airflow-scheduler"]["environment"]
    assert settings["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    # Another number than that of the releases, on the server that drops nothing.
    assert settings["AIRFLOW__CELERY__BROKER_URL"].endswith("@redis:6379/1")
    assert "noeviction" in json.dumps(services["redis"]["command"])
