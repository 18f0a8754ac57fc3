"""The selftest passes as things are, and fails when the statistics are broken on purpose."""

import numpy as np

from bench.selftest import grid, lines, worlds
from bench.stats import figures, observations, pooled, share
from bench.tasks import table

SMALL = grid.Size(loci=400, repetitions=8)


def failed(*checks):
    """Names of the checks that fail, among those given (all of them by default)."""
    return {check.__name__ for check, found in grid.run_checks(SMALL, checks or grid.CHECKS) if not lines.passed(found)}


def test_passes_as_it_is():
    assert failed() == set()


def test_squaring_the_reliability_twice_is_noticed(monkeypatch):
    form = share.product_form
    monkeypatch.setattr(share, "product_form", lambda with_f, between: form(with_f, np.square(between)))
    assert failed(grid.check_share, grid.check_tiles) == {"check_share", "check_tiles"}


def test_rows_in_place_of_loci_are_noticed(monkeypatch):
    monkeypatch.setattr(observations, "block_codes", lambda locus: (np.arange(len(locus)), len(locus)))
    assert "check_tiles" in failed(grid.check_tiles)


def test_gc_that_is_not_held_fixed_is_noticed(monkeypatch):
    """A straight line in place of local lines would not be: what it leaves of a hump, the GC-only row leaves too."""
    monkeypatch.setattr(figures, "beyond_gc", lambda columns, gc, locus, fold, gc_only: np.asarray(columns, float))
    assert "check_hump" in failed(grid.check_hump)


def test_pooling_over_folds_is_noticed(monkeypatch):
    class AllInOne(pooled._Cells):
        def __init__(self, locus, fold, codes):
            super().__init__(locus, np.where(np.asarray(fold) >= 0, 0, -1), codes)

    monkeypatch.setattr(pooled, "_Cells", AllInOne)
    assert "check_folds" in failed(grid.check_folds)


def test_a_filter_on_rna_is_noticed(monkeypatch):
    build = table.build_task

    def filtered(spec, frame, **options):
        rna = [column for column in frame.columns if column.startswith("rna")]
        return build(spec, frame[(frame[rna] > 0).all(axis=1)], **options)

    monkeypatch.setattr(table, "build_task", filtered)
    assert "check_unequal_depths" in failed(grid.check_unequal_depths)


def named(*names):
    """Names of the lines that fail, of named worlds."""
    chosen = [world for world in worlds.ALL if world.name in names]
    return {line.what for each in worlds.judge_worlds(6, 100, 1, chosen) for line in each.lines() if not line.passed}


def test_worlds_pass_as_they_are():
    names = ("equal", "noise-replicate", "library-bias", "simpson", "loci-20")
    assert named(*names) == set()


def test_a_plain_mean_of_replicates_is_noticed_by_the_oracle(monkeypatch):
    plain = worlds.combine
    monkeypatch.setattr(worlds, "combine", lambda y, *, loci: plain(y, "mean", loci=loci))
    assert "oracle, of the noise ceiling" in named("wide-replicate", "missing-at-random")


def test_a_choice_by_the_mean_over_folds_is_noticed(monkeypatch):
    """In k-fold cross-validation the mean over folds of validation scores is that of test scores."""
    choose = figures.choose_per_fold
    monkeypatch.setattr(
        figures,
        "choose_per_fold",
        lambda names, scores, folds: choose(names, {k: np.full(folds, np.mean(v)) for k, v in scores.items()}, folds),
    )
    assert "D chosen among ten, less their mean" in named("equal", "hump")


def test_no_warning_where_one_must_be_is_noticed(monkeypatch):
    monkeypatch.setattr(figures, "lower_bound", lambda replicates, dna, loci: [])
    assert "at least" in named("two-modes")


def test_each_world_is_drawn_by_its_name_and_seed():
    equal, same, other, hump = (worlds.WORLDS[name].draw(seed) for name, seed in
                                (("equal", 1), ("equal", 1), ("equal", 2), ("hump", 1)))  # fmt: skip
    np.testing.assert_array_equal(equal.replicates, same.replicates)
    assert (equal.replicates != other.replicates).any()
    assert (equal.gc != hump.gc).any()
