"""What several trainers of one model tell each other: sums over all of them, the same bits for each.

By TensorFlow's multi-worker strategy, whose collectives run between processes over gRPC, on any hosts.
"""

from __future__ import annotations

import itertools
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.randomness import Part

_GROUP = 1 << 20
"""Key of the group of all of them; the strategy counts its own from 1."""
_LETTERS = 4096
"""A text is filled up to a multiple of these: an exchange of another length is another program."""


class Exchange(Protocol):
    """One of several trainers, each of which takes a part of every batch."""

    @property
    def part(self) -> Part:
        """Which of them this is."""

    def sum(self, values: tf.Tensor) -> tf.Tensor:
        """The sum of what each gives, ``[values]`` of one shape; while a step is traced.

        Raises:
            tf.errors.OpError: when it is run, and one of the others has gone.
        """


class Workers:
    """All trainers of a cluster, of which this process is one; waits until all of them are there.

    Args:
        cluster: who they are and which of them this is, as of ``TF_CONFIG`` or of local processes. Before
            TensorFlow does anything else.
    """

    def __init__(self, cluster: tf.distribute.cluster_resolver.ClusterResolver) -> None:
        # It starts the server, joins the others and watches over them; held on to, as it ends with its object.
        self._strategy = tf.distribute.MultiWorkerMirroredStrategy(cluster)
        self._keys = itertools.count(1)
        own = self._strategy.extended._id_in_cluster
        self.part = Part(own, self._strategy.num_replicas_in_sync)
        self._summed = tf.function(self.sum, autograph=False)

    def sum(self, values: tf.Tensor) -> tf.Tensor:
        # The operation that the strategy's `all_reduce` comes to, without its copies: a fifth of an exchange's cost.
        # All trace the same sums in the same order, so that their keys are the same.
        return tf.raw_ops.CollectiveReduceV2(
            input=values, group_size=self.part.of, group_key=_GROUP, instance_key=next(self._keys), ordering_token=[],
            merge_op="Add", final_op="Id", communication_hint="ring",
        )  # fmt: skip

    def tell(self, text: str = "") -> str:
        """What the first of them says; the others say nothing."""
        own = np.frombuffer(text.encode(), np.uint8)
        length = int(self._once(np.asarray([len(own)]))[0])
        said = np.zeros(-(-length // _LETTERS) * _LETTERS)
        said[: len(own)] = own
        return bytes(self._once(said)[:length].astype(np.uint8)).decode() if length else ""

    def agree(self, number: int) -> bool:
        """Whether all of them have the same number, from 0 to below 2³²; the same answer for each."""
        halves = np.asarray(divmod(number, 1 << 16))
        apart = np.abs(self._once(halves) - self.part.of * halves).max()
        return not self._once(np.asarray([apart]))[0]

    def _once(self, values: NDArray[Any]) -> NDArray[np.float32]:
        told: NDArray[np.float32] = self._summed(tf.constant(values, tf.float32)).numpy()
        return told
