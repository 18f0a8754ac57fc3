"""A third-party network of one convolution, whose filters `bench explain` may look at: it declares `networks`."""

from __future__ import annotations

import numpy as np

from bench.model import Model


class SmallNetwork(Model):
    name = "small-network"
    takes = ("codes",)
    libraries = ("tensorflow", "keras")

    def __init__(self, filters: int = 16, width: int = 15, epochs: int = 12, rate: float = 0.01) -> None:
        self.filters, self.width, self.epochs, self.rate = filters, width, epochs, rate

    def fit(self, train, valid, setting):
        from bench.models.cnn import _environment

        _environment(1)
        import keras

        keras.utils.set_random_seed(setting.seed + 1)
        x = hot(train.x.values)
        self._targets = 1 if train.y.ndim == 1 else train.y.shape[1]
        y = train.y.reshape(len(x), -1)
        self._level, self._spread = y.mean(axis=0), y.std(axis=0) + 1e-6
        network = self._built(x.shape[1:])
        network.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(
            self.rate, self.epochs * -(-len(x) // 64))), "mse")  # fmt: skip
        network.fit(x, (y - self._level) / self._spread, batch_size=64, epochs=self.epochs, verbose=0)
        self._shape, self._weights = x.shape[1:], network.get_weights()

    def _built(self, shape):
        from keras import Input, layers
        from keras import Model as Network

        inputs = Input(shape)
        seen = layers.Conv1D(self.filters, self.width, padding="same", activation="relu")(inputs)
        both = layers.Concatenate()([layers.GlobalMaxPooling1D()(seen), layers.GlobalAveragePooling1D()(seen)])
        return Network(inputs, layers.Dense(self._targets)(layers.Dense(16, activation="relu")(both)))

    def networks(self):
        """One network, on the strand as it stands, without the level and spread of what was measured."""
        network = self._built(self._shape)
        network.set_weights(self._weights)
        return [network], False

    def predict(self, x):
        [network], _ = self.networks()
        made = np.asarray(network.predict_on_batch(hot(x.values))) * self._spread + self._level
        return (made[:, 0] if self._targets == 1 else made).astype(np.float32)


def hot(codes):
    return (codes[:, :, None] == np.arange(4, dtype=np.uint8)).astype(np.float32)
