"""The featurizer my-plugin: the contract, then its meaning."""

from pathlib import Path

import numpy as np
import pytest

from bench import Sequences
from bench.checks import featurizer_checks
from bench.plugins.files import load_file

MyPlugin = load_file(Path(__file__).parents[1] / "featurizers" / "my_plugin.py").MyPlugin


@pytest.mark.parametrize("check", featurizer_checks(MyPlugin()), ids=str)
def test_conformance(check):
    check()


def test_counts_a_motif():
    sequences = Sequences.from_strings(["GGTATAAGG", "ccc", "TATAATATAA"])
    np.testing.assert_array_equal(MyPlugin(motif="TATAA").transform(sequences), [[1], [0], [2]])
