"""Conformance checks of plugins: one plain function per check, for `bench check` and for pytest alike.

@pytest.mark.parametrize("check", featurizer_checks(Mine()), ids=str)
def test_conformance(check):
    check()
"""

from bench.checks.check import Check, CheckFailed
from bench.checks.dataset import dataset_checks
from bench.checks.featurizer import featurizer_checks
from bench.checks.model import model_checks

__all__ = ["Check", "CheckFailed", "dataset_checks", "featurizer_checks", "model_checks"]
