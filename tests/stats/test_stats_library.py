"""What follows GC that biology does not decide."""

import numpy as np

from bench.stats import library


def test_the_lower_of_two_classes_is_no_floor():
    rng = np.random.default_rng(0)
    labels = (rng.random((300, 2)) < 0.5).astype(float)
    assert library.dropout_columns(labels) == {}
    values = rng.normal(size=(300, 2))
    values[:60] = values.min()
    assert list(library.dropout_columns(values)) == ["floor"]
