"""Every built-in plugin keeps to the contract, with its defaults and with the parameters that change its code path."""

import pytest

from bench.checks.find import checks_of
from bench.plugins.registry import Registry

REGISTRY = Registry()
VARIANTS = {
    "featurizer": [
        "gc-windows[width=30,step=10]",
        "kmers[k=3,exact=true]",
        "kmers[k=3,canonical=true]",
        "kmers[k=4,exact=true,canonical=true]",
        "kmers[k=3,windows=4]",
        "motifs[taxon=insects]",
        "motifs[taxon=fungi,by=family]",
        "thermo[windows=0]",
    ],
    "model": ["random-forest[library=sklearn]", "ridge[alpha=1]"],
    "dataset": [],
}
#: A network takes seconds per fit: ten epochs (of 40) keep every check's meaning at half the time.
SLOW = {"cnn": "cnn[epochs=10]"}


def every_check():
    for kind, variants in VARIANTS.items():
        for name in [*REGISTRY.names(kind), *variants]:
            for check in checks_of(kind, REGISTRY.make(kind, SLOW.get(name, name)).new(), REGISTRY):
                marks = [pytest.mark.slow] if name in SLOW else []
                yield pytest.param(check, id=f"{name}-{check}", marks=marks)


@pytest.mark.parametrize("check", list(every_check()))
def test_conformance(check):
    check()
