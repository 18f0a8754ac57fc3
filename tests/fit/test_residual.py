"""GC taken out of the columns of a table."""

import numpy as np
import pytest
from small_tasks import write_small_task

from bench.errors import BenchError
from bench.featurizer import Features, LazyRows
from bench.fit.features import Workspace
from bench.fit.fit import FitJob, fit_job
from bench.fit.recipe import recipe_of
from bench.fit.residual import WithoutGC
from bench.plugins.registry import Registry
from bench.tasks.folds import make_folds
from bench.tasks.task import TEST, TRAIN
from bench.tasks.task_file import load_task_file

PLUGIN = """
import numpy as np
from bench import Featurizer

class Curved(Featurizer):
    "GC content, its square, and the base in the middle."
    name = "curved"
    residualise = "gc"

    def transform(self, sequences):
        out = np.empty((len(sequences), 3), np.float32)
        for i in range(len(sequences)):
            codes = np.asarray(sequences.codes(i))
            gc = np.isin(codes, (1, 2)).mean()
            out[i] = gc, 5 * gc**2 - gc, codes[len(codes) // 2]
        return out
"""


def test_residuals_are_those_of_a_parabola_fitted_to_the_training_rows():
    rng = np.random.default_rng(0)
    gc = rng.normal(0.45, 0.08, 300)
    x = np.column_stack([3 * gc, (gc - 0.4) ** 2, rng.poisson(4, 300) + 8 * gc, rng.normal(size=300)]).astype("f4")
    without = WithoutGC.fitted(Features(x[:200], "table"), gc[:200])
    found = without(Features(x, "table"), gc).values
    for column in range(4):
        by_hand = np.polynomial.Polynomial.fit(gc[:200], x[:200, column].astype(float), 2)
        np.testing.assert_allclose(found[:, column], x[:, column] - by_hand(gc), atol=2e-4)
    lazy = Features(LazyRows(lambda rows: x[rows], np.arange(300), (4,), x.dtype), "table").take(np.arange(5, 300, 7))
    made = without(lazy, gc[5::7])
    np.testing.assert_allclose(made.values[:], found[5::7], atol=1e-6)
    np.testing.assert_allclose(made.take(np.array([3, 8])).values[:], found[5::7][[3, 8]], atol=1e-6)


def test_constant_gc_leaves_centred_columns():
    x = np.arange(10, dtype=np.float32)[:, None]
    found = WithoutGC.fitted(Features(x, "table"), np.full(10, 0.5))(Features(x, "table"), np.full(10, 0.5))
    np.testing.assert_allclose(found.values, x - x.mean(), atol=1e-5)


def test_a_column_that_is_a_function_of_gc_is_exactly_0():
    gc = np.random.default_rng(1).normal(0.45, 0.08, 200).astype(np.float32)
    x = np.column_stack([gc, 100 + 3 * gc - 7 * gc**2, np.sin(40 * gc)]).astype(np.float32)
    found = WithoutGC.fitted(Features(x, "table"), gc)(Features(x, "table"), gc).values
    assert (found[:, :2] == 0).all()
    assert found[:, 2].std() > 0.3


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("residual")
    (folder / "mine.py").write_text(PLUGIN)
    (folder / "plain.py").write_text(PLUGIN.replace('residualise = "gc"', "").replace("curved", "plain"))
    registry = Registry([folder / "mine.py", folder / "plain.py"], dropped=False)
    task = load_task_file(write_small_task(folder / "data", rows=300))
    folds = make_folds(task)
    found = {}
    for name in ("plain", "curved"):
        featurizer, model = registry.make("featurizer", name), registry.make("model", "ridge")
        recipe = recipe_of(task, folds, featurizer, model, 0, ("t0",))
        job = FitJob(task, folds, featurizer, model, 0, ("t0",), recipe=recipe)
        found[name] = recipe, fit_job(job, Workspace())[0]
    return found


def test_what_gc_alone_explains_is_gone_on_test_rows_and_on_their_shuffles(results):
    for part in ("train", "test"):
        assert min(results["plain"][1].record.spearman[part]) > 0.6
        assert np.abs(np.mean(results["curved"][1].record.spearman[part])) < 0.25
    predicted = results["curved"][1].predictions
    test = predicted.part == TEST
    assert np.isfinite(predicted.shuffled[test]).all()
    assert predicted.prediction[predicted.part == TRAIN].std() < 0.5 * results["plain"][1].predictions.prediction.std()


def test_it_is_part_of_the_recipe(results):
    assert results["plain"][0].featurizer.residualise == ""
    assert results["curved"][0].featurizer.residualise == "gc"
    assert results["plain"][0].key() != results["curved"][0].key()


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [('residualise = "gc"', 'residualise = "GC"', "unknown 'residualise' 'GC'"),
     ('residualise = "gc"', 'residualise = "gc"\n    kind = "codes"', "is for a table of columns")],
)  # fmt: skip
def test_a_slip_is_said(tmp_path, was, becomes, said):
    (tmp_path / "mine.py").write_text(PLUGIN.replace(was, becomes))
    with pytest.raises(BenchError, match=said):
        Registry([tmp_path / "mine.py"], dropped=False).make("featurizer", "curved")


def test_motifs_declare_it_by_a_parameter():
    registry = Registry(dropped=False)
    assert registry.make("featurizer", "motifs[residualise=gc]").new().residualise == "gc"
    assert registry.make("featurizer", "motifs").new().residualise == ""
