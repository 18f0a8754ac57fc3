"""A network that ends in log odds: the model ``cnn`` on binary targets."""

from __future__ import annotations

import gc
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.featurizer import Features
from bench.model import Model, Part, Setting
from bench.models.cnn import CNN, _environment
from bench.models.cnn_compiled import Compiled
from bench.models.cnn_layers import Recipe, build
from bench.models.logistic import expit


class CNNClassifier(CNN):
    """``cnn`` with the cross-entropy of its last layer's log odds. Networks, and strands, are averaged as log odds."""

    def _train(self, train: Part, valid: Part, setting: Setting, recipe: Recipe) -> list[list[NDArray[Any]]]:
        """The weights of every member."""
        import keras

        gc.collect()
        self.history = []
        self._key = (
            self._device, recipe.weight_decay, self.arch, train.x.values.shape[1:], train.y.shape[1], self.regularise,
            self.precision,
        )  # fmt: skip
        members = []
        with keras.device(self._device):
            for member in range(recipe.members):
                seed = int(np.random.SeedSequence([setting.seed, member]).generate_state(1)[0])
                trained = _compiled(self._key)
                keras.utils.set_random_seed(seed)
                trained.renew(build(*self._key[2:]))
                rng = np.random.default_rng(seed)
                members.append(self._train_member(train, valid, setting, recipe, member, trained, rng))
        return members

    def _predict_members(self, x: Features) -> NDArray[np.float32]:
        """The probability by the mean log odds over networks, and over strands where they are alike."""
        _environment(1)
        import keras

        total = np.zeros((len(x), self._members[0][-1].size), np.float32)
        with keras.device(self._device):
            network = _compiled(self._key).network
            for weights in self._members:
                network.set_weights(weights)
                total += self._predict_strands(network, x.values) / len(self._members)
        chance = expit(total.astype(np.float64)).astype(np.float32)
        return chance[:, 0] if self._one_target else chance

    def networks(self) -> tuple[list[Any], bool]:
        """As ``bench.models.cnn_networks.networks``, of the log odds."""
        from bench.models.cnn_networks import networks

        return networks(self)


class CompiledClassifier(Compiled):
    """A compiled network, trained step by step by its cross-entropy."""

    def train(self, batches: Any, rates: NDArray[np.float64]) -> NDArray[np.float32]:
        """Take a step on each of the next batches, all of one size, at these learning rates; the loss of each."""
        drawn = ((*next(batches), rate) for rate in rates)
        return np.array([self._step(x, y, rate) for x, y, rate in drawn], np.float32)


@lru_cache(maxsize=16)
def _compiled(key: tuple[Any, ...]) -> CompiledClassifier:
    """The compiled network of (device, weight decay, arguments of ``build``)."""
    _, weight_decay, *arguments = key
    scaled = arguments[-1] == "mixed_float16"
    return CompiledClassifier(build(*arguments), weight_decay, masked_cross_entropy, scale_loss=scaled)


def masked_cross_entropy(y: Any, logit: Any) -> Any:
    """Mean cross-entropy over the measured targets of a batch (NaN: not measured)."""
    from keras import ops

    known = ops.logical_not(ops.isnan(y))
    y = ops.where(known, y, 0.0)
    loss = ops.softplus(logit) - y * logit
    loss = ops.where(known, loss, 0.0)
    return ops.sum(loss) / ops.maximum(ops.sum(ops.cast(known, "float32")), 1.0)


def classifier(cls: type[Model]) -> type[Model]:
    """The class that fits binary targets."""
    return CNNClassifier
