"""What the graph of an exported model is known by, so that a later process can do with the one that there is."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf

GRAPH = "saved_model.pb"
"""The file of a SavedModel that holds its graph; all else that is kept of ours is variables."""
_MODELS = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Graph:
    """The graph of an earlier export: what it is known by, and the file of it."""

    key: str
    content: bytes


def graph_key(module: tf.Module, model: type, settings: str) -> str:
    """Digest of all that a module's graph is made of.

    That is the code of all models, the libraries that trace and store it, the settings, and the names, types and shapes
    of the module's variables, of which those that grow with the days are free.

    Args:
        model: the class whose code answers.
        settings: digest of what the model and its features were made by.
    """
    variables = [[each.name, each.dtype.name, str(each.shape)] for each in module.variables]
    versions = [metadata.version(name) for name in ("tensorflow", "keras", "numpy")]
    code = [type(module).__qualname__, model.__qualname__, _code(inspect.getfile(model))]
    made_of = [code, versions, settings, variables]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()


@functools.cache
def _code(model: str) -> str:
    """Digest of every module of ``models``, and of the model's own, which may stand elsewhere."""
    digest = hashlib.sha256()
    for path in [*sorted(_MODELS.rglob("*.py")), Path(model)]:
        data = path.read_bytes()
        digest.update(f"{path.name} {len(data)}\n".encode() + data)
    return digest.hexdigest()
