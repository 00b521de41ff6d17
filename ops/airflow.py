"""Airflow on this machine: ``python -m ops.airflow [--name NAME] up | down | status | cli WORDS``."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ops import processes
from ops.deployment import BROKER, PROJECT, USER, Deployment, airflow_homes, remembered, settings_from_environment
from ops.rest import Api, ApiError
from ops.scheduler import NAME as SCHEDULER
from ops.scheduler import Scheduler
from ops.services.stack import Stack

COMPONENTS = {
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
WORKERS = {
    f"worker-{name}": ["celery", "worker", "--queues", queues, "--celery-hostname", f"{name}@%h", "--skip-serve-logs"]
    for name, queues in (("train", "train"), ("stores", "extract,publish"))
}
"""Where tasks go by a broker: one worker trains, the other one reaches the stores."""
JOBS = ("homework", "ads")
POOL = {"name": "train", "slots": 1, "description": "One training process at a time", "include_deferred": False}
UNFINISHED = ("queued", "running")
_PORTS_TRIED = 3


def deployments() -> list[Deployment]:
    """Every deployment under the homes folder that was ever started."""
    return [Deployment.load(path.parent) for path in sorted(airflow_homes().glob("*/deployment.json"))]


def last_started() -> Deployment | None:
    """The deployment that was started last and not taken down since, whether or not all of it still runs."""
    started = [each for each in deployments() if each.mark and list(each.logs.glob("*.pid"))]
    return max(started, key=lambda each: (each.home / "deployment.json").stat().st_mtime, default=None)


def components_of(deployment: Deployment) -> dict[str, list[str]]:
    """The processes of a deployment, by name the arguments of ``airflow``."""
    return COMPONENTS | (WORKERS if deployment.settings.get(BROKER) else {})


def is_up(deployment: Deployment) -> bool:
    return bool(deployment.mark) and all(processes.pid_of(name, deployment.logs) for name in components_of(deployment))


def up(name: str, settings: dict[str, str], patience: float = 240) -> Deployment:
    """Starts Airflow with these settings and waits until it is healthy; one that runs with the same ones is kept.

    Raises ``SystemExit`` naming the log of the component that does not come up.
    """
    deployment = Deployment.load(airflow_homes() / name)
    for other in deployments():
        if other.home != deployment.home and processes.alive(other.mark, other.logs):
            print(f"airflow: stopping the one of {other.home.name}; one runs at a time", flush=True)
            down_one(other)
    if is_up(deployment) and deployment.settings == settings and _healthy(Api(deployment)):
        return deployment
    if deployment.mark and deployment.settings == settings and _started_again(deployment, patience):
        return deployment
    if deployment.mark and processes.alive(deployment.mark, deployment.logs):
        down_one(deployment)
    deployment.prepare(settings)
    print(f"airflow: starting in {_short(deployment.home)} (logs: {_short(deployment.logs)})", flush=True)
    _migrate(deployment, deployment.environment())
    for _ in range(_PORTS_TRIED):
        try:
            _start(deployment, patience)
            return deployment
        except _PortTaken:
            print(f"airflow: another program has taken port {deployment.port} meanwhile; trying another", flush=True)
            processes.end(deployment.mark, deployment.logs)
            deployment.prepare(settings)
    raise SystemExit(f"airflow: {_PORTS_TRIED} ports were taken by other programs while it started; start it again")


def _started_again(deployment: Deployment, patience: float) -> bool:
    """Starts those components that have ended, where others run; what runs is left alone and goes on.

    ``False`` where none or all of them run, or where another program has taken the port meanwhile.
    """
    every = components_of(deployment)
    ended = [name for name in every if processes.pid_of(name, deployment.logs) is None]
    if not 0 < len(ended) < len(every):
        return False
    print(f"airflow: starting again what has ended: {', '.join(ended)}", flush=True)
    for name in ended:
        if name == SCHEDULER:
            scheduler_of(deployment).revive()
        else:
            processes.start([str(_airflow()), *every[name]], deployment.environment(), name, deployment.logs)
    try:
        _wait_until_healthy(deployment, patience)
    except _PortTaken:
        return False
    return True


def _start(deployment: Deployment, patience: float) -> None:
    env = deployment.environment()
    for component, arguments in components_of(deployment).items():
        processes.start([str(_airflow()), *arguments], env, component, deployment.logs)
    _wait_until_healthy(deployment, patience)
    try:
        _make_pool(Api(deployment))
    except ApiError as error:
        if error.status != 401:
            raise
        # The Airflow that answers is healthy, but does not know us.
        raise _PortTaken from error


class _PortTaken(Exception):
    """Between the choice of the port and its use, which are seconds apart."""


def scheduler_of(deployment: Deployment) -> Scheduler:
    return Scheduler(deployment, [str(_airflow()), *COMPONENTS[SCHEDULER]])


def down() -> None:
    """Stops every deployment and its embedded Redis."""
    for deployment in deployments():
        down_one(deployment)
    # The command line starts an embedded Redis too, without any Airflow.
    default = Path(os.environ.get("DAYSPRING_ROOT") or PROJECT / ".dayspring")
    for root in (default, *sorted(path for path in default.glob("*") if path.is_dir())):
        _stop_redis(root)
    # A root that was removed while its server ran.
    processes.end_servers_under(PROJECT / ".dayspring")
    services = [service.name for service in Stack().services if service.runs_at_all()]
    if services:
        print(f"down: Airflow has stopped; of the services there run {', '.join(services)}: make services-down")
    else:
        print("down: nothing of Dayspring runs here any more")


def down_one(deployment: Deployment) -> None:
    """Fails what is running, so that no half-done run is left hanging, then ends every process."""
    if processes.alive(deployment.mark, deployment.logs):
        _fail_running(deployment)
    _stop_redis(Path(deployment.settings.get("DAYSPRING_ROOT") or PROJECT / ".dayspring"))
    processes.end(deployment.mark, deployment.logs)


def status() -> None:
    """Prints what runs, and the state of each job's chain in the data set of the last demo or of the environment."""
    for deployment in deployments():
        _say_how_it_is(deployment)
    last = last_started()
    settings = settings_from_environment() or (last.settings if last is not None else {}) or remembered()
    root = Path(settings.get("DAYSPRING_ROOT") or PROJECT / ".dayspring")
    if not root.is_dir():
        print("no day has been trained here yet: make demo")
        return
    print(f"\nall jobs in {_short(root)}", flush=True)
    subprocess.run([sys.executable, "-m", "pipeline", "status"], cwd=PROJECT, env=os.environ | settings, check=False)


def cli(name: str | None, words: Sequence[str]) -> None:
    """Becomes ``airflow WORDS`` in the environment of a deployment, by default of the one that was started last."""
    deployment = Deployment.load(airflow_homes() / name) if name is not None else last_started()
    if deployment is None or not deployment.mark:
        raise SystemExit("airflow: none was started here that could be asked: make airflow")
    os.execve(_airflow(), ["airflow", *words], deployment.environment())


def _say_how_it_is(deployment: Deployment) -> None:
    running = [name for name in components_of(deployment) if processes.pid_of(name, deployment.logs)]
    if not deployment.mark or not running:
        print(f"airflow ({deployment.home.name}): down")
        return
    print(f"airflow ({deployment.home.name}): {deployment.url}  login {USER} / {deployment.password}")
    ended = [name for name in components_of(deployment) if name not in running]
    if ended:
        print(f"   {', '.join(ended)} ended; `make airflow` starts it again (logs: {_short(deployment.logs)})")
    states = Api(deployment).health() if "api-server" in running else {}
    print("   " + ", ".join(f"{component} {state}" for component, state in states.items()), flush=True)


def _airflow() -> Path:
    return Path(sys.executable).parent / "airflow"


def _short(path: Path) -> str:
    return str(path.relative_to(PROJECT)) if path.is_relative_to(PROJECT) else str(path)


def _migrate(deployment: Deployment, env: dict[str, str]) -> None:
    deployment.logs.mkdir(parents=True, exist_ok=True)
    log = deployment.logs / "migrate.log"
    with log.open("ab") as output:
        done = subprocess.run(
            [str(_airflow()), "db", "migrate"],
            env=env,
            cwd=deployment.home,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        raise SystemExit(f"airflow: `airflow db migrate` failed; see {_short(log)}")


def _healthy(api: Api) -> bool:
    states = api.health()
    return len(states) >= 4 and all(state == "healthy" for state in states.values())


def _wait_until_healthy(deployment: Deployment, patience: float) -> None:
    api = Api(deployment)
    deadline = time.monotonic() + patience
    while True:
        # First: where a component has ended, another program may answer in its place.
        for component in components_of(deployment):
            if processes.pid_of(component, deployment.logs) is None:
                log = deployment.logs / f"{component}.log"
                if "address already in use" in _tail(log):
                    raise _PortTaken
                processes.end(deployment.mark, deployment.logs)
                raise SystemExit(f"airflow: the {component} ended; see {_short(log)}")
        if _healthy(api):
            return
        if time.monotonic() > deadline:
            states = api.health()
            processes.end(deployment.mark, deployment.logs)
            raise SystemExit(f"airflow: not healthy after {patience:.0f} s ({states}); see {_short(deployment.logs)}")
        time.sleep(0.5)


def _tail(log: Path, size: int = 2000) -> str:
    return log.read_bytes()[-size:].decode("utf-8", "replace")


def _make_pool(api: Api) -> None:
    try:
        api.get(f"/pools/{POOL['name']}")
    except ApiError as error:
        if error.status != 404:
            raise
        api.post("/pools", POOL)


def _fail_running(deployment: Deployment) -> None:
    api = Api(deployment)
    if not api.health():
        return
    failed = []
    try:
        for dag in api.get("/dags", limit=100)["dags"]:
            dag_id = dag["dag_id"]
            for backfill in api.get("/backfills", dag_id=dag_id)["backfills"]:
                if backfill["completed_at"] is None:
                    api.put(f"/backfills/{backfill['id']}/cancel")
            for run in api.runs(dag_id, state=UNFINISHED):
                api.patch(f"/dags/{dag_id}/dagRuns/{run['dag_run_id']}", {"state": "failed"})
                failed.append(f"{dag_id} {run['dag_run_id']}")
    except ApiError as error:
        print(f"down: could not mark what was running as failed ({error}); it is stopped all the same")
    if failed:
        print(f"airflow: stopped while they ran, and marked as failed: {', '.join(failed)}", flush=True)


def _stop_redis(root: Path) -> None:
    if not root.is_dir():
        return
    from pipeline.storage.redis import embedded

    embedded.stop(root)


def _asked_for(name: str | None) -> tuple[str, dict[str, str]]:
    """Which Airflow to start, and its settings: without either, one that lost a component is made whole again.

    Settings of a root that an Airflow works with are that Airflow's; those that name no store change the last one's.
    """
    settings, last = settings_from_environment(), last_started()
    if name is not None:
        return name, settings
    if last is not None and not any(each.endswith(("_ROOT", "_CONF", "_URL")) for each in settings if each != BROKER):
        return last.home.name, last.settings | settings
    root = settings.get("DAYSPRING_ROOT")
    same = [each for each in deployments() if root and each.settings.get("DAYSPRING_ROOT") == root]
    newest = max(same, key=lambda each: (each.home / "deployment.json").stat().st_mtime, default=None)
    return newest.home.name if newest is not None else "own", settings


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ops.airflow", description="Airflow on this machine.")
    parser.add_argument("action", choices=("up", "down", "status", "cli"), help="cli WORDS: a command of `airflow`")
    parser.add_argument(
        "--name",
        help="folder of this Airflow under .airflow (default: without DAYSPRING_* settings the one that was started "
        "last and not taken down, with its settings; else own)",
    )
    given = sys.argv[1:] if arguments is None else arguments
    # What stands behind `cli` is Airflow's to read, options too.
    own = given.index("cli") + 1 if "cli" in given else len(given)
    chosen = parser.parse_args(given[:own])
    if chosen.action == "down":
        down()
    elif chosen.action == "status":
        status()
    elif chosen.action == "cli":
        cli(chosen.name, given[own:])
    else:
        deployment = up(*_asked_for(chosen.name))
        print(f"airflow: {deployment.url}  login {USER} / {deployment.password}")
    return 0


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
