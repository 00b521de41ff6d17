"""Exported models in memory: the last two versions, asked by number."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.process.tensorflow_start import start_tensorflow
from pipeline.release.publish.release_files import Pointer

_KEPT = 2
_SIGNATURE = "serving_default"
_LOG = logging.getLogger(__name__)
_FIXED_BYTES = 1 << 28
"""Of variables, above which they stay: they would be copied, and a graph holds 2 GB at most."""


class LoadedModel:
    """A SavedModel and its scoring signature.

    Args:
        fixed: for one request after the other: its variables are constants, where it is small and TensorFlow can do it,
            so that none is read and captured anew by each. The answers are the same, some to the last bit but one.
    """

    def __init__(self, folder: Path, *, fixed: bool = False) -> None:
        # The operations of one request are small: to share one of them out takes longer than to do it alone.
        start_tensorflow(threads=1)
        import tensorflow as tf

        self._model = tf.saved_model.load(str(folder))
        call = self._model.signatures[_SIGNATURE]
        specs = call.structured_input_signature[1]
        self._order = sorted(specs)
        self._types = {name: spec.dtype.as_datatype_enum for name, spec in specs.items()}
        # Of a thousand small operations, handing them to threads takes a tenth; but one thread runs no loops.
        by = "" if _branches(call.graph.as_graph_def()) else "SINGLE_THREADED_EXECUTOR"
        self._names = sorted(call.structured_outputs)
        self._captured, self._asked = list(call.captured_inputs), call._inference_function
        self._options = _options(by, fixed=fixed)
        size = sum(path.stat().st_size for path in (folder / "variables").iterdir())
        if fixed and by and size <= _FIXED_BYTES and not self._fix(call, [specs[name] for name in self._order]):
            self._model = tf.saved_model.load(str(folder))  # the one that was tried may have lost functions
            call = self._model.signatures[_SIGNATURE]
            self._captured, self._asked = list(call.captured_inputs), call._inference_function
        self._kept: dict[str, tuple[NDArray[Any], Any]] = {}
        like = tf.constant(0)
        self._tensor, self._device = type(like), like.device

    def _fix(self, call: Any, specs: Sequence[Any]) -> bool:
        """Ask the function with constants from now on; whether TensorFlow could make it, and it can be asked."""
        import tensorflow as tf

        smallest = [tf.zeros([size or 1 for size in spec.shape], spec.dtype) for spec in specs]
        try:
            function, captured = _with_constants(call)
            with _called_with(self._options):
                function.call_preflattened([*smallest, *captured])
        except (tf.errors.OpError, ValueError, NotImplementedError) as error:
            _LOG.info("its variables stay variables: %s", error)
            return False
        self._asked, self._captured = function, captured
        return True

    @property
    def inputs(self) -> frozenset[str]:
        """Names of the features that it takes."""
        return frozenset(self._types)

    @property
    def outputs(self) -> frozenset[str]:
        """Names of what it answers."""
        return frozenset(self._names)

    def score(self, inputs: Mapping[str, NDArray[Any]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits and probabilities ``[requests, candidates]`` of raw inputs, which are not to be written to afterwards.

        Of an input that is the very array of the call before, its tensor is taken again.
        """
        answer = self.answer(inputs)
        return answer["logit"].numpy(), answer["probability"].numpy()

    def answer(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, Any]:
        """All that the signature answers, by name; see ``score``."""
        tensors = [self._made(name, inputs[name]) for name in self._order]
        # Called by name, a signature compares every input's type anew, and looks if each variable is one of several
        # machines, which takes longer than a small model.
        with _called_with(self._options):
            answer = self._asked.call_preflattened([*tensors, *self._captured])
        return answer if isinstance(answer, Mapping) else dict(zip(self._names, answer, strict=True))

    def _made(self, name: str, values: NDArray[Any]) -> Any:
        before, tensor = self._kept.get(name, (None, None))
        if before is not values:
            # What `tf.constant` does, without its copy and its checks: half a millisecond for the inputs of a model.
            tensor = self._tensor(values, self._device, self._types[name])
            self._kept[name] = values, tensor
        return tensor


def _options(executor: str, *, fixed: bool) -> Any:
    """How a function is to be called."""
    from tensorflow.core.protobuf.config_pb2 import ConfigProto
    from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig
    from tensorflow.python.eager import context

    config = ConfigProto()
    config.CopyFrom(context.context().config)
    if fixed:  # products with constants would be put together with what follows them: other last bits, and no quicker
        config.graph_options.rewrite_options.remapping = RewriterConfig.OFF
    return context.FunctionCallOptions(executor_type=executor, config_proto=config)


@contextmanager
def _called_with(options: Any) -> Iterator[None]:
    """Functions that are called in it, by this thread, are called with the options."""
    from tensorflow.python.eager import context

    here = context.context()
    before, here.function_call_options = here.function_call_options, options
    try:
        yield
    finally:
        here.function_call_options = before


def _with_constants(call: Any) -> tuple[Any, list[Any]]:
    """A function with its variables as constants, and what it captures besides: tables."""
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    fixed = convert_variables_to_constants_v2(call, lower_control_flow=False)
    captured = zip(call.graph.internal_captures, call.captured_inputs, strict=True)
    handles = {each.name: handle for each, handle in captured}
    return fixed._inference_function, [handles[each.name] for each in fixed.inputs if each.name in handles]


def _branches(graph: Any) -> bool:
    """Whether a graph has loops or branches that are taken apart to be run."""
    functions = (function.node_def for function in graph.library.function)
    return any("_lower_using_switch_merge" in node.attr for node in chain(graph.node, *functions))


class ModelCache:
    """The versions that a serving process keeps loaded: the newest two that were asked for."""

    def __init__(self) -> None:
        self._loaded: dict[tuple[int, str], LoadedModel] = {}

    def get(self, pointer: Pointer, folder: Callable[[Pointer], Path]) -> LoadedModel:
        """The model that a pointer means; ``folder`` is asked for where it is only if it is not loaded."""
        # By its digest too: in another place the number may stand for another model.
        named = (pointer.version, pointer.model)
        model = self._loaded.pop(named, None) or LoadedModel(folder(pointer), fixed=True)
        self._loaded[named] = model
        while len(self._loaded) > _KEPT:
            del self._loaded[next(iter(self._loaded))]
        return model
