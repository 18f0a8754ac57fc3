"""Every function over several arrays refuses arrays of unlike length, in words."""

import numpy as np
import pytest

from bench.stats import beyond, bootstrap, ceilings, compare, held_fixed, partial, pooled, ranks, strata
from bench.stats.arrays import same_length
from bench.stats.figures import target_figures
from bench.stats.observations import Learners, Observations

N = 90
Y, GC, LOCUS, FOLD = np.linspace(0, 1, N), np.linspace(1, 2, N), np.arange(N) // 3, np.arange(N) % 2
TWO, LABELS = np.column_stack([Y, GC]), np.repeat(["a", "b"], N // 2)


def observed(**changed):
    return Observations(
        **{"y": Y, "fold": FOLD, "locus": LOCUS, "replicates": TWO, "gc": GC, "dna": GC, **changed},
    )


#: function, its arrays by the names of messages
CALLS = {
    "pearson": (ranks.pearson, {"a": Y, "b": GC}),
    "spearman": (ranks.spearman, {"a": Y, "b": GC}),
    "spearman_by_fold": (ranks.spearman_by_fold, {"y": Y, "prediction": GC, "fold": FOLD}),
    "gaussian_within_folds": (ranks.gaussian_within_folds, {"columns": TWO, "fold": FOLD}),
    "spearman_draws": (bootstrap.spearman_draws, {"y": Y, "predictions": TWO, "locus": LOCUS, "fold": FOLD}),
    "correlation_draws": (
        lambda **arrays: bootstrap.correlation_draws(pairs=[(0, 1)], **arrays),
        {"columns": TWO, "locus": LOCUS, "fold": FOLD},
    ),
    "spearman_estimate": (
        lambda **arrays: bootstrap.spearman_estimate(draws=bootstrap.Draws(30, 4), **arrays),
        {"y": Y, "runs": TWO, "locus": LOCUS, "fold": FOLD},
    ),
    "replicate_correlations": (ceilings.replicate_correlations, {"replicates": TWO, "fold": FOLD}),
    "replicate_correlation": (ceilings.replicate_correlation, {"replicates": TWO, "fold": FOLD}),
    "ceiling": (ceilings.ceiling, {"replicates": TWO, "fold": FOLD}),
    "ceiling_given_dna": (ceilings.ceiling_given_dna, {"replicates": TWO, "log_dna": GC, "fold": FOLD}),
    "half_ceiling": (ceilings.half_ceiling, {"first": Y, "second": GC, "fold": FOLD}),
    "intraclass_correlation": (compare.intraclass_correlation, {"y": Y, "locus": LOCUS}),
    "effective_n": (compare.effective_n, {"y": Y, "locus": LOCUS}),
    "held_fixed": (
        held_fixed.held_fixed,
        {"y": Y, "prediction": GC, "gc": GC, "locus": LOCUS, "fold": FOLD},
    ),
    "spline_residuals": (partial.spline_residuals, {"columns": TWO, "covariate": GC, "locus": LOCUS}),
    "beyond_gc": (
        lambda **arrays: beyond.beyond_gc(gc_only=np.array([False, True]), **arrays),
        {"columns": TWO, "gc": GC, "locus": LOCUS, "fold": FOLD},
    ),
    "pooled_correlations": (
        lambda **arrays: pooled.pooled_correlations(pairs=[(0, 1)], **arrays),
        {"columns": TWO, "locus": LOCUS, "fold": FOLD, "weights": Y + 1},
    ),
    "permute_within_bins": (
        lambda **arrays: partial.permute_within_bins(rng=np.random.default_rng(0), **arrays),
        {"y": Y, "gc": GC},
    ),
    "gc_matched": (
        lambda **arrays: partial.gc_matched(rng=np.random.default_rng(0), **arrays),
        {"y": Y, "gc": GC},
    ),
    "by_stratum": (
        lambda **arrays: strata.by_stratum(columns={"GC": GC}, **arrays),
        {"y": Y, "stratum": LABELS, "fold": FOLD, "locus": LOCUS},
    ),
    "Observations": (
        observed,
        {"y": Y, "fold": FOLD, "locus": LOCUS, "replicates": TWO, "gc": GC, "dna": GC},
    ),
}


@pytest.mark.parametrize(
    ("name", "short"), [(name, array) for name, (_, arrays) in CALLS.items() for array in list(arrays)[1:]]
)
def test_unlike_lengths_are_refused_in_words(name, short):
    function, arrays = CALLS[name]
    first = next(iter(arrays))
    with pytest.raises(ValueError, match=f"^{first} has 90 rows, {short} 89: they must have one length.$"):
        function(**{**arrays, short: arrays[short][:-1]})
    function(**arrays)


def test_named_columns_are_named():
    with pytest.raises(ValueError, match=r"^y has 90 rows, confounder 'length' 3: they must"):
        observed(confounders={"length": np.arange(3)})
    with pytest.raises(ValueError, match=r"^predictions of 'a' has 90 rows, predictions of 'b' on shuffles 2: they"):
        Learners({"a": Y, "b": Y}, shuffled={"b": Y[:2]})
    with pytest.raises(ValueError, match=r"^y has 90 rows, predictions of 'a' 80: they must"):
        target_figures(observed(), Learners({"a": Y[:80]}))
    with pytest.raises(ValueError, match=r"^y has 90 rows, column 'GC' 3: they must"):
        strata.by_stratum(Y, {"GC": GC[:3]}, LABELS, FOLD, LOCUS)


def test_what_is_counted_is_named():
    draws = np.zeros((50, 3))
    with pytest.raises(ValueError, match=r"^scores has 2 models, draws 3: they must have one length.$"):
        compare.letters_of([0.1, 0.2], draws, 40)
    with pytest.raises(ValueError, match=r"^draws_a has 50 draws, draws_b 49: they must have one length.$"):
        compare.paired_difference(draws[:, 0], draws[1:, 0], 0.1, 0.1, 40)


def test_one_value_and_what_is_not_given():
    assert same_length(a=[1, 2], b=None, c=np.zeros((2, 3))) == 2
    assert same_length() == 0
    with pytest.raises(ValueError, match=r"^b must be an array of rows. Got one value.$"):
        same_length(a=[1, 2], b=3.0)


def test_folds_of_another_number_of_rows():
    with pytest.raises(ValueError, match=r"^fold has 90 rows, what it divides 91: they must have one length.$"):
        ranks.fold_rows(FOLD, 91)
