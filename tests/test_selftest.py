"""The selftest passes as things are, and fails when the statistics are broken on purpose."""

import functools

import numpy as np

from bench.selftest import grid
from bench.stats import bootstrap, ceilings, figures, observations, partial, ranks, share, verdict
from bench.tasks import table

SMALL = grid.Size(loci=400, repetitions=8)


def failed(*checks):
    """Names of the checks that fail, among those given (all of them by default)."""
    return {check.__name__ for check, lines in grid.run_checks(SMALL, checks or grid.CHECKS) if not grid.passed(lines)}


def test_passes_as_it_is():
    assert failed() == set()


def test_squaring_the_reliability_twice_is_noticed(monkeypatch):
    monkeypatch.setattr(figures, "share_of", lambda a, b, c, rho: share.share_of(a, b, c, np.square(rho)))
    assert {"check_share", "check_tiles"} <= failed()


def test_rows_in_place_of_loci_are_noticed(monkeypatch):
    monkeypatch.setattr(observations, "block_codes", lambda locus: (np.arange(len(locus)), len(locus)))
    assert "check_tiles" in failed()


def test_a_straight_line_in_place_of_the_spline_is_noticed(monkeypatch):
    straight = functools.partial(partial.spline_residuals, straight=True)
    monkeypatch.setattr(
        partial, "spline_residuals", lambda columns, gc, locus=None, _=False: straight(columns, gc, locus)
    )
    assert "check_hump" in failed()


def test_pooling_over_folds_is_noticed(monkeypatch):
    def pooled(fold, n):
        return [np.arange(n) if fold is None else np.flatnonzero(np.asarray(fold) >= 0)]

    for module in (ranks, bootstrap, ceilings, partial, verdict, figures):
        monkeypatch.setattr(module, "fold_rows", pooled)
    assert "check_folds" in failed()


def test_a_filter_on_rna_is_noticed(monkeypatch):
    build = table.build_task

    def filtered(spec, frame, **options):
        rna = [column for column in frame.columns if column.startswith("rna")]
        return build(spec, frame[(frame[rna] > 0).all(axis=1)], **options)

    monkeypatch.setattr(table, "build_task", filtered)
    assert "check_unequal_depths" in failed()
