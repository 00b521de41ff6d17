from __future__ import annotations

import random

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.randomness import (
    Part,
    built_from,
    check_no_hidden_draw,
    check_no_hidden_state,
    drawn_at,
    seed_initializers,
    uniform,
)


def draw(seed: int, step: int, name: str = "dropout", shape: tuple[int, ...] = (1000,)) -> np.ndarray:
    with drawn_at(seed, tf.constant(step)):
        return np.asarray(uniform(name, tf.constant(shape)))


def test_a_draw_depends_on_seed_step_and_name_alone() -> None:
    first = draw(1, 5)
    np.testing.assert_array_equal(draw(1, 5), first)
    for other in (draw(2, 5), draw(1, 6), draw(1, 5, "other")):
        assert abs(np.corrcoef(first, other)[0, 1]) < 0.15
    assert 0 <= first.min() < 0.01
    assert 0.99 < first.max() < 1


def test_eager_and_graph_draws_are_the_same_and_compiled_ones_depend_on_the_step_too() -> None:
    """XLA has an algorithm of its own: how a step is run is a setting of the experiment."""

    @tf.function(autograph=False)
    def in_graph(step: tf.Tensor) -> tf.Tensor:
        with drawn_at(1, step):
            return uniform("dropout", tf.constant((1000,)))

    compiled = tf.function(in_graph.python_function, autograph=False, jit_compile=True)
    np.testing.assert_array_equal(in_graph(tf.constant(5)), draw(1, 5))
    np.testing.assert_array_equal(compiled(tf.constant(5)), compiled(tf.constant(5)))
    assert not np.array_equal(compiled(tf.constant(5)), compiled(tf.constant(6)))


def test_a_part_of_a_batch_draws_what_its_rows_draw_in_the_whole() -> None:
    step = tf.constant(3)
    with drawn_at(5, step):
        whole = uniform("noise", tf.constant([6, 2])).numpy()
    parts = []
    for number in range(3):
        with drawn_at(5, step, Part(number, 3)):
            parts.append(uniform("noise", tf.constant([2, 2])).numpy())
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_nothing_is_drawn_outside_of_a_training_step() -> None:
    with pytest.raises(RuntimeError, match="'noise' draws random numbers outside of a training step"):
        uniform("noise", tf.constant((2,)))


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.Dropout(0.5, name="drop"),
        keras.layers.GaussianNoise(0.5, name="drop"),
        keras.layers.SpatialDropout1D(0.5, seed=1, name="drop"),
        keras.layers.GRU(2, dropout=0.1, name="drop"),
        keras.layers.LSTM(2, recurrent_dropout=0.1, name="drop"),
    ],
    ids=["dropout", "noise", "seeded", "gru", "lstm"],
)
def test_a_layer_with_a_generator_of_its_own_is_refused(layer: keras.layers.Layer) -> None:
    model = keras.Sequential([keras.layers.Dense(2), layer], name="leaky")
    with pytest.raises(ValueError, match=r"model 'leaky': .*seed_generator_state.* is state that no checkpoint holds"):
        check_no_hidden_state(model)


@pytest.mark.parametrize("layer", [keras.layers.GRU(2), keras.layers.LSTM(2), keras.layers.SimpleRNN(2)])
def test_a_recurrent_layer_that_leaves_nothing_out_passes(layer: keras.layers.Layer) -> None:
    """Its cell has a generator all the same, which it never asks."""
    check_no_hidden_state(keras.Sequential([layer]))


def test_layers_of_one_name_have_seeds_of_their_own() -> None:
    """Both cells of a `Bidirectional` are called alike."""
    both = keras.layers.Bidirectional(keras.layers.GRU(2))
    seed_initializers(both, 1)
    cells = [layer.cell for layer in (both.forward_layer, both.backward_layer)]
    assert cells[0].name == cells[1].name
    drawn = [seed for cell in cells for seed in (cell.kernel_initializer.seed, cell.recurrent_initializer.seed)]
    assert len(set(drawn)) == 4


def test_what_has_no_seed_takes_one_from_the_seed_it_is_built_from() -> None:
    def seeds(seed: int) -> list[int]:
        with built_from(seed):
            return [keras.initializers.get("glorot_uniform").seed for _ in range(2)]

    before = random.getstate()
    assert seeds(1) == seeds(1)
    assert len({*seeds(1), *seeds(2)}) == 4
    assert random.getstate() == before


def test_a_batch_normalisation_keeps_its_state_among_the_weights() -> None:
    model = keras.Sequential([keras.layers.BatchNormalization()])
    model.build((None, 3))
    check_no_hidden_state(model)


@pytest.mark.parametrize("function", [lambda: tf.random.uniform((2,)), lambda: tf.random.normal((2,), seed=3)])
def test_a_draw_that_no_seed_determines_is_found_in_the_graph(function: object) -> None:
    inner = tf.function(function, autograph=False)
    graph = tf.function(lambda: inner() + 1.0, autograph=False).get_concrete_function().graph
    with pytest.raises(ValueError, match=r"model 'leaky' draws random numbers that no seed determines: random_"):
        check_no_hidden_draw(graph, "leaky")


def test_a_draw_of_the_step_is_not_found_in_the_graph() -> None:
    def run(step: tf.Tensor) -> tf.Tensor:
        with drawn_at(1, step):
            return uniform("dropout", tf.constant((2,)))

    check_no_hidden_draw(tf.function(run).get_concrete_function(tf.TensorSpec((), tf.int32)).graph, "model")
