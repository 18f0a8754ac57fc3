"""The selftest passes as things are, and fails when the statistics are broken on purpose."""

import numpy as np

from bench.selftest import grid
from bench.stats import beyond, bootstrap, ceilings, figures, held_fixed, observations, pooled, ranks, share
from bench.tasks import table

SMALL = grid.Size(loci=400, repetitions=8)


def failed(*checks):
    """Names of the checks that fail, among those given (all of them by default)."""
    return {check.__name__ for check, lines in grid.run_checks(SMALL, checks or grid.CHECKS) if not grid.passed(lines)}


def test_passes_as_it_is():
    assert failed() == set()


def test_squaring_the_reliability_twice_is_noticed(monkeypatch):
    form = share.product_form
    monkeypatch.setattr(share, "product_form", lambda with_f, between: form(with_f, np.square(between)))
    assert {"check_share", "check_tiles"} <= failed()


def test_rows_in_place_of_loci_are_noticed(monkeypatch):
    monkeypatch.setattr(observations, "block_codes", lambda locus: (np.arange(len(locus)), len(locus)))
    assert "check_tiles" in failed()


def test_gc_that_is_not_held_fixed_is_noticed(monkeypatch):
    """A straight line in place of local lines would not be: what it leaves of a hump, the GC-only row leaves too."""
    monkeypatch.setattr(figures, "beyond_gc", lambda columns, gc, locus, fold, gc_only: np.asarray(columns, float))
    assert "check_hump" in failed(grid.check_hump)


def test_pooling_over_folds_is_noticed(monkeypatch):
    def all_in_one(fold, n):
        return [np.arange(n) if fold is None else np.flatnonzero(np.asarray(fold) >= 0)]

    for module in (ranks, beyond, bootstrap, ceilings, figures, held_fixed, pooled):
        monkeypatch.setattr(module, "fold_rows", all_in_one)
    assert "check_folds" in failed()


def test_a_filter_on_rna_is_noticed(monkeypatch):
    build = table.build_task

    def filtered(spec, frame, **options):
        rna = [column for column in frame.columns if column.startswith("rna")]
        return build(spec, frame[(frame[rna] > 0).all(axis=1)], **options)

    monkeypatch.setattr(table, "build_task", filtered)
    assert "check_unequal_depths" in failed()
