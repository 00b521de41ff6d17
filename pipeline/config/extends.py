"""A job's YAML that is another one's but for what differs: ``extends: ../ads.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from models.options import meant
from pipeline.config.yaml_loader import read
from pipeline.errors import ConfigError

EXTENDS = "extends"
_OWN = ("experiments", "grids")
"""Settings that are never put together of two files: an experiment is whole where it stands."""


@dataclass(frozen=True)
class Settings:
    """What a job's YAML says, the files that say it, the nearest first, and how they are named in errors."""

    data: dict[str, Any]
    files: tuple[Path, ...]
    where: str


def settings(path: Path) -> Settings:
    """What a file says, on top of what it extends; raises ``ConfigError``."""
    return settings_in(_text(path), path)


def settings_in(text: str, path: Path, extending: tuple[Path, ...] = ()) -> Settings:
    """What ``text`` says, on top of what it extends.

    ``extends`` names a file, from the folder of this one, or is ``{file, without: [features.city, …]}``. Mappings are
    put together name by name, those of the base first; everything else is the nearer file's, and so is what it gives
    another ``kind``. Experiments and grids are the nearer file's alone where it has any.

    Args:
        path: of the file, named in errors.
        extending: the files that extend this one, the nearest last.

    Raises:
        ConfigError: a file is no mapping, cannot be read or extends itself; a name to be left out is not there.
    """
    own = _parsed(text, path)
    if EXTENDS not in own:
        return Settings(own, (path,), str(path))
    name, without = _asked(own.pop(EXTENDS), path)
    base_path = path.parent / name
    chain = (*extending, path)
    if any(base_path.resolve() == each.resolve() for each in chain):
        raise ConfigError(f"{path}: extends: {name!r} extends this file in turn; one of them has to stand by itself")
    if not base_path.is_file():
        raise ConfigError(f"{path}: extends: {name!r} is no file; it is looked for from the folder {path.parent}")
    below = settings_in(_text(base_path), base_path, chain)
    base = below.data
    for each in without:
        base = _left_out(base, each, path)
    if any(each in own for each in _OWN):
        base = {each: value for each, value in base.items() if each not in _OWN}
    return Settings(_together(base, own), (path, *below.files), f"{path} (on top of {below.where})")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text (byte {error.start}): save it as UTF-8") from None


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        data = read(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}, column {mark.column + 1}:" if mark else ""
        raise ConfigError(f"{path}:{where} not valid YAML: {getattr(error, 'problem', error)}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: holds {type(data).__name__}, not the settings of a job")
    # Pieces that several settings share (`x-small: &small {…}`, then `<<: *small`).
    return {name: value for name, value in data.items() if not str(name).startswith("x-")}


def _asked(given: object, path: Path) -> tuple[str, list[str]]:
    """The file that is extended, and what of it is left out."""
    told = {"file": given} if isinstance(given, str) else given
    if isinstance(told, Mapping) and set(told) <= {"file", "without"}:
        file, without = told.get("file"), told.get("without", [])
        if isinstance(file, str) and isinstance(without, list) and all(isinstance(each, str) for each in without):
            return file, without
    raise ConfigError(
        f"{path}: extends: {given!r} names no file; write `extends: ../ads.yaml`, or "
        "`extends: {file: ../ads.yaml, without: [features.city]}`"
    )


def _left_out(base: Mapping[str, Any], name: str, path: Path) -> dict[str, Any]:
    """The base without what a dotted name names."""
    place, _, rest = name.partition(".")
    if place not in base or (rest and not isinstance(base[place], dict)):
        raise ConfigError(
            f"{path}: extends.without: there is no '{name}' in what is extended{meant(place, map(str, base))}"
        )
    if not rest:
        return {each: value for each, value in base.items() if each != place}
    return {each: _left_out(value, rest, path) if each == place else value for each, value in base.items()}


def _together(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(base)
    for name, value in own.items():
        before = found.get(name)
        if isinstance(before, dict) and isinstance(value, dict) and _alike(before, value):
            found[name] = _together(before, value)
        else:
            found[name] = value
    return found


def _alike(base: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    """What the base says of a thing of another kind, such as a feature's ``space``, is not of this one."""
    return own.get("kind", base.get("kind")) == base.get("kind")
