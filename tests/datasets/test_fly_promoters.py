import gzip
import hashlib
import importlib.util
from importlib import resources

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from bench.datasets.fly_promoters import FlyPromoters
from bench.stats.replicates import combine
from bench.tasks.folds import make_folds
from bench.tasks.task import TEST, TRAIN


@pytest.fixture(scope="module")
def task():
    return FlyPromoters().load()


@pytest.fixture(scope="module")
def script(pytestconfig):
    path = pytestconfig.rootpath / "scripts" / "build_fly_promoters.py"
    spec = importlib.util.spec_from_file_location("build_fly_promoters", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def gc_of(task):
    return np.array([(s.count("G") + s.count("C")) / len(s) for s in task.sequences.to_strings()])


def test_figures_measured_independently(task):
    part = make_folds(task).part[0]
    assert len(task) == 11497
    assert (part == TRAIN).sum() == 7479
    assert set(task.chrom[part == TEST]) == {"chr2L"}
    gc, y = gc_of(task), combine(task.targets["S2"].replicates, "mean").value
    assert spearmanr(gc, y)[0] == pytest.approx(-0.236, abs=0.0005)
    assert spearmanr(gc[part == TEST], y[part == TEST])[0] == pytest.approx(-0.214, abs=0.0005)
    between = spearmanr(task.targets["S2"].replicates)[0][np.triu_indices(4, 1)]
    assert between.min() == pytest.approx(0.977, abs=0.0005)
    assert between.max() == pytest.approx(0.981, abs=0.0005)


def test_the_table_is_what_it_says(task):
    assert (task.sequences.lengths == 300).all()
    assert task.counts == {}
    assert "not an MPRA" in task.card.note
    assert str(task.split) == "holdout[valid=chrX,test=chr2L]"
    # Divergent pairs and nested start sites overlap within 300 bp.
    assert 9000 < len(np.unique(task.locus)) < 11497


def test_the_table_is_the_one_the_script_builds(script):
    table = gzip.decompress((resources.files("bench.datasets") / "fly_promoters.tsv.gz").read_bytes())
    assert hashlib.sha256(table).hexdigest() == script.SHA256


@pytest.mark.data
def test_equals_the_reference_copy_byte_for_byte(data_dir):
    reference = gzip.decompress((data_dir / "fly_promoters" / "fly_s2_promoters_300bp.tsv.gz").read_bytes())
    assert gzip.decompress((resources.files("bench.datasets") / "fly_promoters.tsv.gz").read_bytes()) == reference


def test_the_script_on_a_small_genome(script):
    """Two genes, one on each strand, with a start site worked out by hand."""
    left = "".join(np.random.default_rng(0).choice(list("ACGT"), 2000))
    right = left[::-1]
    fasta = (
        f">NM_1_up_2000_chr9_1001_f chr9:1001-3000\n{left}\n"
        f">NM_2_up_2000_chr9_5001_r chr9:5001-7000\n{right}\n"
        f">NM_3_up_2000_chr9_-5_f chr9:-5-1994\n{left}\n"
        f">NM_4_up_2000_chr9_8001_f chr9:8001-10000\n{left}\n"
    )
    gff = "\n".join(
        "\t".join(["chr9", "x", kind, str(a), str(b), ".", strand, ".", f'gene_id "{gene}"'])
        for gene, strand, kind, a, b in [
            ("g1", "+", "aggregate_gene", 3011, 3400),
            ("g1", "+", "exonic_part", 3011, 3110),
            ("g1", "+", "exonic_part", 3301, 3400),
            ("g2", "-", "aggregate_gene", 4501, 5000),
            ("g2", "-", "exonic_part", 4501, 5000),
        ]
    )
    upstream = script.read_upstream(fasta)
    assert upstream["tss"].tolist() == [3001, 5000, 10001]
    genes, exons = script.read_genes(gff.encode())
    counts = pd.DataFrame([[10, 0, 10, 10], [30, 50, 30, 30]], index=["g1", "g2"])
    table = script.build(upstream, genes, exons, counts)
    assert table["gene"].tolist() == ["g1", "g2"]
    assert table["start"].tolist() == [2700, 5000]
    assert table["sequence"].tolist() == [left[-300:], right[-300:]]
    # 10 of 40 counts on 200 bp: RPKM = 10e9 / 200 / 40 = 1.25e6
    assert table["rep1"].iloc[0] == pytest.approx(np.log2(1.25e6 + 0.1), abs=1e-4)
    assert table["rep2"].iloc[0] == pytest.approx(np.log2(0.1), abs=1e-4)
