"""The adapters on the files as published, against figures measured independently of this project."""

import collections
import functools

import numpy as np
import pytest
from scipy.stats import spearmanr

from bench.datasets.ernst2016 import SharprPilot
from bench.datasets.friedman2021 import Friedman2021
from bench.datasets.klein2020 import Klein2020
from bench.datasets.mattioli2020 import Mattioli2020
from bench.stats.replicates import combine
from bench.tasks.folds import make_folds
from bench.tasks.task import DROPPED, TEST

pytestmark = pytest.mark.data


@functools.cache
def loaded(dataset, folder):
    task = dataset().load(folder)
    gc = np.array([(s.count("G") + s.count("C")) / len(s) for s in task.sequences.to_strings()])
    return task, gc


def figures(task, gc, target, rows=None):
    """n, rho(GC, y) and the Spearman of the first two replicates, on measured rows."""
    value = combine(task.targets[target].replicates, "mean").value
    rows = np.isfinite(value) & (True if rows is None else rows)
    pair = task.targets[target].replicates[rows, :2]
    pair = pair[np.isfinite(pair).all(axis=1)]
    return rows.sum(), spearmanr(gc[rows], value[rows])[0], spearmanr(pair)[0]


@pytest.mark.parametrize(
    ("genome", "target", "n", "rho", "replicates"),
    [
        ("hg19", "HUES64", 6881, 0.315, 0.829),
        ("hg19", "mESC", 6881, 0.204, 0.721),
        ("mm9", "HUES64", 6529, 0.353, 0.852),
        ("mm9", "mESC", 6529, 0.251, 0.766),
    ],
)
def test_mattioli(data_dir, genome, target, n, rho, replicates):
    task, gc = loaded(Mattioli2020, data_dir)
    got = figures(task, gc, target, task.strata["genome"] == genome)
    assert got[0] == n
    assert got[1] == pytest.approx(rho, abs=0.002)
    assert got[2] == pytest.approx(replicates, abs=0.001)


def test_mattioli_orthologs_share_locus_and_fold(data_dir):
    task, _ = loaded(Mattioli2020, data_dir)
    pairs = np.loadtxt(
        data_dir / "mattioli2020" / "mpra_tss.with_ids.RECLASSIFIED_WITH_MAX.txt",
        dtype=str,
        delimiter="\t",
        skiprows=1,
        usecols=(0, 1),
    )
    site = np.array([name.split("__")[1] for name in task.row_id])
    locus = dict(zip(site, task.locus, strict=True))
    both = [(locus[h], locus[m]) for h, m in pairs if h in locus and m in locus]
    assert len(both) > 2500
    assert all(h == m for h, m in both)
    assert np.bincount(task.locus).max() < 50
    part = make_folds(task).part
    assert not (part == DROPPED).any()
    assert all(len(set(task.chrom[task.locus == each])) == 1 for each in np.unique(task.locus)[::50])


@pytest.mark.parametrize(("target", "rho"), [("HUES64", 0.778), ("mESC", 0.651)])
def test_mattioli_barcode_halves(data_dir, target, rho):
    task, _ = loaded(Mattioli2020, data_dir)
    halves = task.targets[target].halves[task.strata["genome"] == "hg19"]
    assert spearmanr(halves, nan_policy="omit")[0] == pytest.approx(rho, abs=0.0015)
    assert (task.sequences.covariates["barcodes"] >= 3).all()
    assert (task.sequences.covariates["dna_count"] >= 15).all()
    both = np.isfinite(task.targets[target].halves).all(axis=1)
    np.testing.assert_array_equal(both, task.sequences.covariates["barcodes"] >= 6)


@pytest.mark.parametrize(
    ("target", "n", "rho", "replicates"), [("Rhodopsin", 4821, 0.076, 0.973), ("Polylinker", 4792, -0.058, 0.506)]
)
def test_friedman_wild_type(data_dir, target, n, rho, replicates):
    task, gc = loaded(Friedman2021, data_dir)
    wild = task.strata["kind"] == "WT"
    got = figures(task, gc, target, wild)
    assert got[0] == n
    assert got[1] == pytest.approx(rho, abs=0.001)
    pairs = spearmanr(task.targets[target].replicates[wild], nan_policy="omit")[0][np.triu_indices(3, 1)]
    assert np.abs(pairs - replicates).min() < 0.001


def test_friedman_variants_share_the_locus(data_dir):
    task, _ = loaded(Friedman2021, data_dir)
    place = np.array([name.split("_")[0] for name in task.row_id])
    locus = dict(zip(place, task.locus, strict=True))
    assert all(locus[p] == each for p, each in zip(place, task.locus, strict=True))
    assert set(task.strata["kind"]) == {"WT", "MUT", "scrambled"}


@pytest.mark.parametrize(
    ("target", "rho", "replicates"),
    [
        ("pGL4", 0.19, 0.99),
        ("HSS", -0.02, 0.94),
        ("ORI", 0.15, 0.99),
        ("HSS_b2", -0.27, 0.98),
        ("5-5-MT", 0.24, 0.96),
    ],
)
def test_klein(data_dir, target, rho, replicates):
    task, gc = loaded(Klein2020, data_dir)
    assert len(task) == 2429
    assert figures(task, gc, target)[1] == pytest.approx(rho, abs=0.006)
    pairs = spearmanr(task.targets[target].replicates, nan_policy="omit")[0][np.triu_indices(3, 1)]
    assert pairs.mean() == pytest.approx(replicates, abs=0.006)


def test_klein_elements(data_dir):
    task, _ = loaded(Klein2020, data_dir)
    assert (task.sequences.lengths == 171).all()
    assert len(task.targets) == 13
    assert task.targets["5-3-MT"].replicates.shape == (2429, 2)
    assert len(set(task.locus[task.strata["origin"] == "control"])) < 110
    part = make_folds(task).part
    assert ((part == TEST).sum(axis=0) == 1).all()


@pytest.mark.parametrize(("target", "rho", "replicates"), [("HepG2", -0.04, 0.81), ("K562", -0.09, 0.40)])
def test_sharpr(data_dir, target, rho, replicates):
    task, gc = loaded(SharprPilot, data_dir)
    n, got_rho, got_replicates = figures(task, gc, target)
    assert n == 2250
    assert got_rho == pytest.approx(rho, abs=0.006)
    assert got_replicates == pytest.approx(replicates, abs=0.006)
    assert np.isfinite(task.targets[target].halves).all()


def test_sharpr_regions_are_whole_and_apart(data_dir):
    task, _ = loaded(SharprPilot, data_dir)
    assert (task.sequences.lengths == 145).all()
    assert sorted(np.bincount(task.locus).tolist()) == [9] * 246 + [18] * 2
    places: dict[str, set[int]] = {}
    for sequence, locus in zip(task.sequences.to_strings(), task.locus.tolist(), strict=True):
        for at in range(len(sequence) - 19):
            places.setdefault(sequence[at : at + 20], set()).add(locus)
    shared = collections.Counter(tuple(sorted(loci)) for loci in places.values() if len(loci) == 2)
    assert max(shared.values()) <= 25
