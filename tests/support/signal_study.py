"""How good must a model be before its explanation is right? Simulated rows at rising signal: precision and recall of
planted bases and motifs against the model's score.

    python tests/support/signal_study.py --worlds 3 --picture docs/explain-signal.svg
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from explain_study import POOL, z
from motif_worlds import motif, subject, world
from small_network import SmallNetwork

from bench.explain.mutated import mutate
from bench.explain.planted import plant
from bench.explain.subject import QUICK
from bench.motifs.database import jaspar_motifs
from bench.stats.ranks import spearman

#: Share of the variance of what is measured that sites have.
SIGNALS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
ROWS, TRAIN, MUTATED = 3000, 2000, 20
COLUMNS = ("signal", "score", "of ceiling", "bases AUROC", "bases precision", "motifs recall", "motifs precision")


@dataclasses.dataclass
class Asked:
    """A fitted network as a predictor of one fold."""

    model: SmallNetwork
    folds: int = 1

    def predict(self, sequences, folds=None):
        codes = np.stack([sequences.codes(i) for i in range(len(sequences))])
        return self.model.predict(SimpleNamespace(values=codes))[:, None]

    def mutants(self, sequences, fold):
        return None


def of_signal(signal, seed):
    """One world of four motifs and GC: the figures of ``COLUMNS``."""
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng([seed, 77])
    names = list(rng.choice(POOL, 4, replace=False))
    rows = world(names, rows=ROWS, length=100, seed=seed)
    truth = z(rows.hits @ rng.uniform(0.6, 1.2, 4))
    y = np.sqrt(signal) * truth + np.sqrt(1 - signal) * rng.normal(size=ROWS)
    model = SmallNetwork(filters=32)
    x = SimpleNamespace(values=rows.codes[:TRAIN])
    model.fit(SimpleNamespace(x=x, y=y[:TRAIN].astype(np.float32)), None, SimpleNamespace(seed=seed))
    test = np.arange(TRAIN, ROWS)
    predicted = model.predict(SimpleNamespace(values=rows.codes[test]))
    made = subject(rows.codes[test], predicted)
    made = dataclasses.replace(made, fold=np.zeros(len(test), np.int64), predictor=Asked(model))
    maps = mutate(made, np.argsort(-predicted)[:MUTATED])
    strength = np.abs(np.concatenate(maps.contributions()))
    is_site = np.concatenate([rows.sharp[test[i]] for i in maps.place])
    first = np.argsort(-strength)[: is_site.sum()]
    found = plant(made, QUICK).families
    own = [{motif(name).title, *motif(name).family.split("::")} for name in names]

    def right(each):
        called = {each.motif, *each.others, *each.family.split("::")}
        return [i for i, mine in enumerate(own) if mine & called]

    known = [right(each) for each in found]
    score = spearman(predicted, y[test])
    return (
        signal,
        score,
        score / spearman(truth[test], y[test]),
        roc_auc_score(is_site, strength),
        is_site[first].mean(),
        len({i for each in known for i in each}) / 4,
        np.mean([bool(each) for each in known]) if known else np.nan,
    )


def draw(figures, path: Path) -> None:
    """Precision and recall against the score's share of the ceiling."""
    import matplotlib as mpl

    from bench.report.plots import STYLE, new_figure, save_figure

    with mpl.rc_context(STYLE):
        figure = new_figure(7.0, 3.6)
        axes = figure.subplots()
        mean = np.array([np.nanmean(figures[figures[:, 0] == s], axis=0) for s in SIGNALS])
        mean = mean[np.argsort(mean[:, 2])]
        styles = (("#0072B2", "o"), ("#56B4E9", "s"), ("#E69F00", "D"), ("#009E73", "^"))
        for column, (color, marker) in zip(range(3, 7), styles, strict=True):
            axes.scatter(figures[:, 2], figures[:, column], color=color, s=8, alpha=0.5)
            axes.plot(mean[:, 2], mean[:, column], color=color, marker=marker, markersize=4, label=COLUMNS[column])
        axes.set_xlabel("score of the model, share of the ceiling")
        axes.set_ylabel("what is found")
        axes.set_ylim(0, 1.03)
        axes.legend(fontsize=8, frameon=False)
        save_figure(figure, path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=3)
    parser.add_argument("--picture", type=Path)
    asked, began = parser.parse_args(), time.process_time()
    jaspar_motifs("vertebrates")
    found = np.array([of_signal(signal, seed) for signal in SIGNALS for seed in range(asked.worlds)])
    print("| " + " | ".join(COLUMNS) + " |")
    for signal in SIGNALS:
        mean = np.nanmean(found[found[:, 0] == signal], axis=0)
        print("| " + " | ".join(f"{value:.2f}" for value in mean) + " |")
    print(f"{time.process_time() - began:.0f} CPU s")
    if asked.picture:
        draw(found, asked.picture)
