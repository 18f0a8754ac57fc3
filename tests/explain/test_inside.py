"""What libraries tell of their models: trees and gradients against what they must add up to."""

from __future__ import annotations

import numpy as np
import pytest
from motif_worlds import strings, world

from bench.explain.explain import MotifSource, subject_of
from bench.explain.inside import ask_gradients, ask_trees, base_shares, look_inside
from bench.explain.subject import Effort
from bench.plugins.registry import Registry
from bench.run.execute import run_plan
from bench.run.plan import Selection, make_plan
from bench.run.predictors import Predictors
from bench.store.store import Store


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    """Rows whose activity follows two short words."""
    folder = tmp_path_factory.mktemp("task")
    rows = world((), rows=900, length=60, seed=2, spread=0.02)
    rng = np.random.default_rng(1)
    lines = ["id\tsequence\tchrom\tlocus\ty1\ty2"]
    for i, text in enumerate(strings(rows.codes)):
        value = text.count("TGA") - text.count("GGC")
        a, b = value + rng.normal(0, 0.2, 2)
        lines.append(f"r{i}\t{text}\tchr{1 + i % 3}\t{i}\t{a:.4f}\t{b:.4f}")
    (folder / "t.tsv").write_text("\n".join(lines) + "\n")
    path = folder / "t.toml"
    path.write_text(
        "name = 't'\ntable = 't.tsv'\norganism = 'human'\norientation = 'free'\nsplit = 'chromosome-kfold[k=3]'\n"
        "[targets.y]\nreplicates = ['y1', 'y2']\n"
    )
    return path


def asked(task, out, f, m, ask):
    registry, store = Registry((), dropped=False), Store(out)
    plan = make_plan(Selection((str(task),), (f,), (m,), keep_models=True), registry, store)
    [job] = plan.jobs
    from rich.console import Console

    run_plan(plan, registry, store, Console(quiet=True))
    record = store.record(job.results[0])
    with Predictors(registry, store) as source:
        motifs = MotifSource((), "gc", "none")
        made = subject_of(job.planned, record, store.predictions(record.result), registry, motifs, source.of(job))
        return made, ask(made)


@pytest.mark.parametrize("m", ["xgboost[rounds=60]", "lightgbm[rounds=60]"])
def test_trees_add_up_and_name_the_words(task, tmp_path, m):
    _, found = asked(task, tmp_path, "kmers[k=3,exact=true]", m, lambda made: ask_trees(made, Effort(rows=60)))
    assert found.off < 1e-4
    assert {column.name for column in found.columns[:2]} == {"TGA", "GGC"}
    assert {column.name: column.strongest > 0 for column in found.columns[:2]} == {"TGA": True, "GGC": False}


def test_a_model_without_trees_has_none(task, tmp_path):
    _, found = asked(
        task, tmp_path, "gc", "ridge", lambda made: (ask_trees(made, Effort()), ask_gradients(made, Effort()))
    )
    assert found == (None, None)


@pytest.mark.slow
def test_integrated_gradients_are_complete_and_agree_with_differences(task, tmp_path):
    def ask(made):
        found = ask_gradients(made, Effort(rows=12))
        place = np.arange(2)
        return found, look_inside(made, place)

    made, ((found, maps), inside) = asked(task, tmp_path, "one-hot", "cnn[epochs=4,batch=64]", ask)
    assert found.complete == 1
    assert found.incomplete.value < 0.05
    assert found.integrated.value > 0.4
    # The networks with float bases predict what the model does.
    for mine, each in inside:
        own = made.predict(made.sequences(made.codes(mine), made.row[mine]), made.fold[mine])
        np.testing.assert_allclose(each.bases.here, own, atol=1e-5)
    sums = [row.sum() for row in maps.integrated]
    assert np.isfinite(sums).all()
    assert base_shares(made).sum() == pytest.approx(1)


def hand_gradients(weights, x):
    """Prediction and its gradient with respect to a row (length, 4) of `SmallNetwork`, by hand: a convolution, largest
    and mean over positions, two dense layers."""
    kernel, bias, w1, b1, w2, b2 = (np.asarray(w, np.float64) for w in weights)
    k, _, filters = kernel.shape
    left = (k - 1) // 2
    padded = np.zeros((len(x) + k - 1, 4))
    padded[left : left + len(x)] = x
    before = np.array([[(padded[i : i + k] * kernel[:, :, f]).sum() for f in range(filters)] for i in range(len(x))])
    before += bias
    seen = np.maximum(before, 0)
    top = seen.argmax(axis=0)
    features = np.concatenate([seen.max(axis=0), seen.mean(axis=0)])
    hidden = features @ w1 + b1
    out = float((np.maximum(hidden, 0) @ w2 + b2)[0])
    back = w1 @ (w2[:, 0] * (hidden > 0))
    way = np.tile(back[filters:] / len(x), (len(x), 1))
    way[top, np.arange(filters)] += back[:filters]
    way *= before > 0
    slope = np.zeros_like(padded)
    for i in range(len(x)):
        slope[i : i + k] += (kernel * way[i]).sum(axis=2)
    return out, slope[left : left + len(x)]


@pytest.mark.slow
def test_gradients_of_a_small_network_are_those_worked_out_by_hand():
    from types import SimpleNamespace

    from small_network import SmallNetwork, hot

    from bench.fit.inside import STEPS, base_gradients
    from bench.sequences import Sequences

    rows = world(("MA0139",), rows=300, length=40, rate=1.0)
    model = SmallNetwork(filters=4, width=7, epochs=2)
    y = rows.hits[:, 0].astype(np.float32)
    model.fit(SimpleNamespace(x=SimpleNamespace(values=rows.codes), y=y), None, SimpleNamespace(seed=0))
    reference = np.array([0.3, 0.2, 0.2, 0.3], np.float32)
    found = base_gradients(model, Sequences.from_strings(strings(rows.codes[:3])), 0, reference)
    [network], _ = model.networks()
    for i, x in enumerate(hot(rows.codes[:3]).astype(np.float64)):
        start = np.tile(reference.astype(np.float64), (len(x), 1))
        points = [start + (step + 0.5) / STEPS * (x - start) for step in range(STEPS)]
        integrated = np.mean([hand_gradients(network.get_weights(), each)[1] for each in points], axis=0)
        out, slope = hand_gradients(network.get_weights(), x)
        assert found.here[i] == pytest.approx(out, abs=1e-5)
        assert found.there[i] == pytest.approx(hand_gradients(network.get_weights(), start)[0], abs=1e-5)
        np.testing.assert_allclose(found.gradient[i], slope, atol=1e-5)
        np.testing.assert_allclose(found.integrated[i], integrated, atol=2e-4)
