"""A compiled network, and the steps that it is trained by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.models.cnn_layers import ARCHITECTURES, build

#: Positions (rows x length) of the steps that TensorFlow takes in one call: a second or two on two cores, so that
#: Ctrl-C is heard.
CALL_POSITIONS = 500_000


class Compiled:
    """A compiled network and its optimiser, used again by later fits of the same shape.

    Tracing one costs 2 to 5 s, and TensorFlow never lets go of what was traced: with a new network per fit, memory grew
    by 40 MB per fit.
    """

    def __init__(
        self, network: Any, weight_decay: float, loss: Callable[[Any, Any], Any], scale_loss: bool = False
    ) -> None:
        import keras

        self.network, self._loss = network, loss
        # Before compiling, as that adds the variables of metrics. Seeds of dropout are among them.
        self._variables = list(network.variables)
        self.optimizer = keras.optimizers.AdamW(1e-3, weight_decay=weight_decay)
        if scale_loss:
            self.optimizer = keras.optimizers.LossScaleOptimizer(self.optimizer)
        self.optimizer.build(network.trainable_variables)
        self._start = [np.array(variable) for variable in self.optimizer.variables]
        self._steps: Any = None
        network.compile(self.optimizer, loss, jit_compile=_xla())

    def train(
        self, batches: Iterator[tuple[NDArray[Any], NDArray[np.float32]]], rates: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Take a step on each of the next batches, all of one size, at these learning rates; the loss of each.

        In TensorFlow many steps are one call of a graph: a call for each cost 3 to 5 ms, a fifth of a step on short
        sequences. Other backends train by Keras' ``train_on_batch``, which does the same.
        """
        if not _takes_many_steps():
            return np.array([self._step(*next(batches), rate) for rate in rates], np.float32)
        if self._steps is None:
            self._steps = _tensorflow_steps(self.network, self.optimizer, self._loss)
        losses, first = [], 0
        while first < len(rates):
            x, y = next(batches)
            more = max(1, CALL_POSITIONS // (x.shape[0] * x.shape[1]))
            drawn = [(x, y), *islice(batches, min(more, len(rates) - first) - 1)]
            taken = rates[first : first + len(drawn)].astype(np.float32)
            losses.append(self._steps(*(np.stack(part) for part in zip(*drawn, strict=True)), taken).numpy())
            first += len(drawn)
        return np.concatenate(losses)

    def _step(self, x: NDArray[Any], y: NDArray[np.float32], rate: float) -> float:
        """One step by Keras; its loss."""
        self.optimizer.learning_rate = rate
        self.network.reset_metrics()  # the loss would be the mean of all steps before
        return float(self.network.train_on_batch(x, y))

    def renew(self, fresh: Any) -> None:
        """Start again from the weights and seeds of ``fresh``, a new network of the same shape."""
        for variable, new in zip(self._variables, fresh.variables, strict=True):
            variable.assign(new)
        for variable, start in zip(self.optimizer.variables, self._start, strict=True):
            variable.assign(start)


@lru_cache(maxsize=16)
def compiled(key: tuple[Any, ...]) -> Compiled:
    """The compiled network of (device, weight decay, arguments of ``build``)."""
    _, weight_decay, *arguments = key
    loss = masked_error(ARCHITECTURES[arguments[0]][1].robust)
    # Gradients below 6e-8 would be zero in 16 bits of this kind.
    return Compiled(build(*arguments), weight_decay, loss, scale_loss=arguments[-1] == "mixed_float16")


def _takes_many_steps() -> bool:
    """Whether the backend is TensorFlow, in which a graph may take many steps."""
    import keras

    return bool(keras.backend.backend() == "tensorflow")


def _tensorflow_steps(network: Any, optimizer: Any, error: Callable[[Any, Any], Any]) -> Any:
    """A graph of training steps: from x (steps, batch, ...), y (steps, batch, targets) and rates (steps,) to losses."""
    import tensorflow as tf

    def step(i: Any, x: Any, y: Any, rates: Any, losses: Any) -> tuple[Any, ...]:
        optimizer.learning_rate.assign(rates[i])
        with tf.GradientTape() as tape:
            loss = error(y[i], network(x[i], training=True))
            scaled = optimizer.scale_loss(loss)
        weights = network.trainable_variables
        optimizer.apply(tape.gradient(scaled, weights), weights)
        return i + 1, x, y, rates, losses.write(i, loss)

    row, targets = network.input_shape[1:], network.output_shape[1]

    @tf.function(
        input_signature=(
            tf.TensorSpec((None, None, *row), network.inputs[0].dtype),
            tf.TensorSpec((None, None, targets), tf.float32),
            tf.TensorSpec((None,), tf.float32),
        ),
        autograph=False,
    )
    def steps(x: Any, y: Any, rates: Any) -> Any:
        count = tf.shape(rates)[0]
        start = (0, x, y, rates, tf.TensorArray(tf.float32, count))
        return tf.while_loop(lambda i, *_: i < count, step, start, parallel_iterations=1)[-1].stack()

    return steps


def _xla() -> bool | str:
    """Whether to compile by XLA: on CPU it made TensorFlow 1.7 to 3 times slower."""
    import keras

    return False if keras.backend.backend() == "tensorflow" else "auto"


def masked_error(robust: float) -> Callable[[Any, Any], Any]:
    """The mean error over the measured targets of a batch (NaN: not measured): squares of differences d, or
    ``2 r² (√(1 + d²/r²) − 1)`` with r = ``robust``, which is d² for small and 2 r |d| for large ones (pseudo-Huber;
    Charbonnier et al. 1997, IEEE Transactions on Image Processing 6:298)."""

    def error(y: Any, prediction: Any) -> Any:
        from keras import ops

        known = ops.logical_not(ops.isnan(y))
        each = ops.square(ops.where(known, prediction - ops.where(known, y, 0.0), 0.0))
        if robust:
            each = 2 * robust**2 * (ops.sqrt(1 + each / robust**2) - 1)
        return ops.sum(each) / ops.maximum(ops.sum(ops.cast(known, "float32")), 1.0)

    return error
