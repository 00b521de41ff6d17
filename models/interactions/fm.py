"""The factorisation machine's second order."""

from __future__ import annotations

import tensorflow as tf


def bi_interaction(request: tf.Tensor, item: tf.Tensor) -> tf.Tensor:
    """The products of all pairs of fields, added up: ``request [batch, fields, width]`` and ``item [batch, candidates,
    fields, width]`` to ``[batch, candidates, width]``, whose sum is the second order.

    As half of the square of the sum less the sum of squares: linear in the fields, the request's part once a request.

    Reference: Rendle, Factorization Machines, 2010.
    """
    total = tf.reduce_sum(request, axis=1)[:, None, :] + tf.reduce_sum(item, axis=2)
    squares = tf.reduce_sum(tf.square(request), axis=1)[:, None, :] + tf.reduce_sum(tf.square(item), axis=2)
    return 0.5 * (tf.square(total) - squares)
