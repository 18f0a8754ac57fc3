"""The model my-plugin: the contract, then its meaning."""

from pathlib import Path

import numpy as np
import pytest

from bench import Features, Part, Setting
from bench.checks import model_checks
from bench.plugins.files import load_file

MyPlugin = load_file(Path(__file__).parents[1] / "models" / "my_plugin.py").MyPlugin


@pytest.mark.parametrize("check", model_checks(MyPlugin()), ids=str)
def test_conformance(check):
    check()


def test_predicts_the_mean_of_the_nearest_rows():
    x = Features(np.array([[0], [1], [10], [11]], np.float32), "table")
    part = Part(x, np.array([1, 3, 5, 7], np.float32))
    model = MyPlugin(neighbours=2)
    model.fit(part, part, Setting())
    np.testing.assert_allclose(model.predict(x), [2, 2, 6, 6])
