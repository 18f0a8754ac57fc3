"""Tests of differences: the Williams vector, Holm, letters, effective n."""

import re

import numpy as np
import pytest
import reference_statistics as reference
from hypothesis import given
from hypothesis import strategies as st

from bench.stats import bootstrap, compare, ranks
from bench.stats.intervals import t_interval


def test_williams_vector():
    t, p = reference.williams(0.4, 0.6, 0.5, 103)
    assert t == pytest.approx(-2.4863, abs=5e-5)
    assert p == pytest.approx(0.01457, abs=5e-6)


def test_holm_by_hand():
    np.testing.assert_allclose(compare.holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
    np.testing.assert_allclose(compare.holm([0.01, np.nan, 0.5]), [0.03, np.nan, 1.0])
    np.testing.assert_allclose(compare.holm([0.01, 0.01], family=3), [0.03, 0.03])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_properties(p):
    adjusted = compare.holm(p)
    assert (adjusted >= np.array(p) - 1e-12).all()
    assert (adjusted <= 1).all()
    assert (adjusted <= np.minimum(1, np.array(p) * len(p)) + 1e-12).all()  # never worse than Bonferroni
    order = np.argsort(p, kind="stable")
    assert (np.diff(adjusted[order]) >= 0).all()


def test_letters_beyond_z():
    assert [compare.letter(i) for i in (0, 25, 26, 51, 52, 104)] == ["a", "z", "A", "Z", "a1", "a2"]


def scores_and_draws(seed, models=5, spread=0.02):
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0.2, 0.5, models)
    return scores, scores + spread * rng.normal(size=(500, models))


@given(st.integers(1, 12), st.floats(0, 1), st.integers(0, 10_000))
def test_models_share_a_letter_if_and_only_if_they_do_not_differ(models, part, seed):
    significant = np.triu(np.random.default_rng(seed).random((models, models)) < part, 1)
    significant |= significant.T
    letters = [set(re.findall(r"[a-zA-Z]\d*", text)) for text in compare.compact_letters(significant)]
    assert all(letters)
    for i in range(models):
        for j in range(i):
            assert bool(letters[i] & letters[j]) != significant[i, j]
    # no letter says what others say already
    held = [{i for i in range(models) if name in letters[i]} for name in set().union(*letters)]
    assert not any(one < other for one in held for other in held)


def test_letters_of_a_chain_and_of_multcompview():
    chain = np.zeros((4, 4), bool)
    chain[0, 3] = chain[3, 0] = True
    assert compare.compact_letters(chain) == ["a", "ab", "ab", "b"]
    # multcompView 0.1-9, multcompLetters(c("A-B" = TRUE, "A-C" = FALSE, "B-C" = FALSE)): A "a", B "b", C "ab"
    assert compare.compact_letters(np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]], bool)) == ["a", "b", "ab"]


def test_many_models_get_letters():
    scores, draws = scores_and_draws(3, models=80, spread=0.03)
    letters = compare.letters_of(scores, draws, 300)
    assert letters[int(np.argmax(scores))].startswith("a")
    assert all(letters)


def test_p_of_many_differences_is_that_of_each():
    scores, draws = scores_and_draws(1)
    a, b = np.triu_indices(5, 1)
    found = compare.difference_p(scores[a] - scores[b], draws, a, b, 40)
    np.testing.assert_allclose(found, compare.bootstrap_p(draws[:, a] - draws[:, b], scores[a] - scores[b], 40))


@given(st.integers(0, 1000))
def test_letters_do_not_depend_on_the_order_of_models(seed):
    scores, draws = scores_and_draws(seed)
    order = np.random.default_rng(seed).permutation(len(scores))
    letters = compare.letters_of(scores, draws, 300)
    assert compare.letters_of(scores[order], draws[:, order], 300) == [letters[i] for i in order]


def test_models_far_apart_get_letters_of_their_own_and_no_score_gets_none():
    scores = np.array([0.1, np.nan, 0.5, 0.5])
    draws = scores + 0.01 * np.random.default_rng(0).normal(size=(400, 1))
    assert compare.letters_of(scores, draws, 500) == ["b", "", "a", "a"]
    assert compare.letters_of(scores, draws, 19) == [""] * 4


def test_bootstrap_p_matches_the_students_test_of_a_mean():
    from scipy import stats

    rng = np.random.default_rng(1)
    x = rng.normal(0.25, 1, 60)
    draws = reference.statistic_draws(lambda w: (w @ x) / w.sum(), np.arange(60), bootstrap.Draws(60, 4000))
    assert compare.bootstrap_p(draws, x.mean(), 60) == pytest.approx(stats.ttest_1samp(x, 0)[1], rel=0.15)


def test_identical_models_do_not_differ():
    draws = np.random.default_rng(0).normal(size=300)
    found = compare.paired_difference(draws, draws, 0.4, 0.4, 100)
    assert found == compare.Difference((0.0, 0.0, 0.0), 1.0)


def test_pairing_narrows_the_interval():
    rng = np.random.default_rng(2)
    signal, y = rng.normal(size=(2, 3000))
    y += signal
    models = np.column_stack([signal + 0.1 * rng.normal(size=3000), signal + 0.5 * rng.normal(size=3000)])
    draws = bootstrap.spearman_draws(y, models, draws=bootstrap.Draws(3000, 400))
    scores = [ranks.spearman(y, m) for m in models.T]
    found = compare.paired_difference(draws[:, 0], draws[:, 1], scores[0], scores[1], 3000)
    assert found.estimate.low > 0
    assert found.estimate.width < t_interval(scores[0], draws[:, 0], 3000).width
    assert found.p < 1e-4


def test_two_equal_models_are_told_apart_one_time_in_twenty():
    apart = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        locus = np.repeat(np.arange(60), 5)
        block = rng.normal(size=(4, 60))[:, locus]
        row = rng.normal(size=(4, 300))
        signal, e0, e1, e2 = np.sqrt(0.7) * block + np.sqrt(0.3) * row
        models = np.column_stack([signal + e1, signal + e2])
        y = signal + e0
        draws = bootstrap.spearman_draws(y, models, locus, bootstrap.Draws(60, 200, seed))
        apart += len(set(compare.letters_of([ranks.spearman(y, m) for m in models.T], draws, 60))) > 1
    assert apart <= 17  # .05 · 150 = 7.5; 17 is 3.6 standard errors above


def test_icc_and_effective_n():
    rng = np.random.default_rng(3)
    locus = np.repeat(np.arange(2000), 5)
    y = np.sqrt(0.4) * rng.normal(size=2000)[locus] + np.sqrt(0.6) * rng.normal(size=10_000)
    assert compare.intraclass_correlation(y, locus) == pytest.approx(0.4, abs=0.03)
    assert compare.effective_n(y, locus) == pytest.approx(10_000 / (1 + 4 * 0.4), rel=0.05)
    assert compare.effective_n(rng.normal(size=10_000), locus) == pytest.approx(10_000, rel=0.1)
    assert compare.effective_n(y, np.arange(10_000)) == 10_000
    assert compare.effective_n(rng.normal(size=2000)[locus], locus) == pytest.approx(2000)
