"""Importing TensorFlow without its start-up chatter: about CUDA that is not there and oneDNN that is."""

from __future__ import annotations

import gc
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.process.garbage import no_collection

_CHATTER = re.compile(
    r"All log messages before absl::InitializeLog|oneDNN custom operations are on|Could not find cuda drivers"
    r"|failed call to cuInit|cpu_feature_guard|To enable the following instructions|computation_placer"
    r"|Unable to register cu|^\s*$"
)


def start_tensorflow(threads: int | None = None) -> None:
    """Import TensorFlow; what it writes is passed on, less the lines that everybody knows.

    Args:
        threads: that share one operation; a process that has TensorFlow already keeps its own number.
    """
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with _filtered(), no_collection():
        import tensorflow as tf

        # Devices are looked for on first use, which is when the rest of the chatter comes.
        tf.config.list_physical_devices()
        if threads is not None:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
        # What was made so far stays for good: no later search need go through it, as those while tracing would.
        gc.freeze()


@contextmanager
def _filtered() -> Iterator[None]:
    """The process's standard error (that of native code too) without the chatter; nothing else is lost."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            for line in file.read().decode(errors="replace").splitlines():
                if not _CHATTER.search(line):
                    print(line, file=sys.stderr)
