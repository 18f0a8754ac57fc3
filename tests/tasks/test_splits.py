import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import BenchError
from bench.tasks.folds import make_folds
from bench.tasks.spec import TargetSpec, TaskSpec
from bench.tasks.splits import Split
from bench.tasks.table import build_task
from bench.tasks.task import DROPPED, TEST, TRAIN, VALID

SPEC = TaskSpec(name="t", targets={"y": TargetSpec(replicates=["r"])})


def task_of(chrom, start=None, locus=None):
    n = len(chrom)
    frame = pd.DataFrame({"sequence": ["ACGT"] * n, "r": np.arange(n), "chrom": chrom})
    if start is not None:
        frame["start"], frame["end"] = start, np.asarray(start) + 4
    frame["locus"] = np.arange(n) if locus is None else locus
    return build_task(SPEC, frame, source="t.tsv")


def part_of(task, split):
    return make_folds(task, Split.parse(split)).part


def no_locus_straddles(task, part):
    for row in part:
        for locus in np.unique(task.locus):
            there = set(row[task.locus == locus].tolist()) - {DROPPED}
            assert len(there) <= 1


def test_holdout():
    task = task_of(["chr1", "chr2", "chr3", "chrX", "chr1"])
    folds = make_folds(task, Split.parse("holdout[ test=chr3, valid = chr2, drop=chrX ]"))
    assert folds.name == "holdout[valid=chr2,test=chr3,drop=chrX]"
    assert folds.part.tolist() == [[TRAIN, VALID, TEST, DROPPED, TRAIN]]
    assert folds.part.dtype == np.int8


def test_a_locus_across_chromosomes_is_left_out_of_the_lesser_part():
    task = task_of(["chr1", "chr2", "chr3", "chr1", "chr2"], locus=[0, 0, 0, 1, 2])
    assert part_of(task, "holdout[valid=chr2,test=chr3]").tolist() == [[DROPPED, DROPPED, TEST, TRAIN, VALID]]


CHROMS = st.lists(st.sampled_from([f"chr{i}" for i in range(1, 9)]), min_size=30, max_size=80)


@settings(deadline=None, max_examples=25)
@given(CHROMS, st.integers(3, 5), st.randoms(use_true_random=False))
def test_every_kfold_tests_each_row_once(chroms, k, random):
    chroms = [*chroms, *(f"chr{i}" for i in range(1, 9))]
    n = len(chroms)
    locus = [f"{chrom}-{random.randint(0, 6)}" for chrom in chroms]
    task = task_of(chroms, start=[random.randint(0, 10**6) for _ in range(n)], locus=locus)
    for split in (f"chromosome-kfold[k={k}]", f"genome-blocks[k={k}]", f"locus-kfold[k={k}]"):
        if split.startswith("genome") and np.bincount(task.locus).max() * k >= n:
            continue  # one locus may fill a block, and leave the next one empty
        part = part_of(task, split)
        assert part.shape == (k, n)
        assert ((part == TEST).sum(axis=0) == 1).all()
        assert ((part == VALID).sum(axis=0) == 1).all()
        no_locus_straddles(task, part)
        np.testing.assert_array_equal(part == VALID, np.roll(part == TEST, -1, axis=0))
        if split.startswith("chromosome"):
            for row in part:
                assert all(len(set(row[task.chrom == c].tolist())) == 1 for c in np.unique(task.chrom))
        np.testing.assert_array_equal(part, part_of(task, split))


def test_chromosomes_are_balanced_and_order_of_rows_does_not_matter():
    chroms = np.repeat(["a", "b", "c", "d", "e", "f"], [50, 40, 30, 20, 10, 10])
    part = part_of(task_of(chroms), "chromosome-kfold[k=3]")
    assert sorted((part == TEST).sum(axis=1).tolist()) == [50, 50, 60]
    shuffled = np.random.default_rng(0).permutation(len(chroms))
    again = part_of(task_of(chroms[shuffled]), "chromosome-kfold[k=3]")
    np.testing.assert_array_equal(again, part[:, shuffled])


def test_chromosomes_can_be_dropped():
    part = part_of(task_of(["a", "b", "c", "d"] * 3), "chromosome-kfold[k=3,drop=d]")
    assert (part[:, 3::4] == DROPPED).all()
    assert (part[:, [0, 1, 2]] != DROPPED).all()


def test_genome_blocks_are_contiguous_and_nearly_equal():
    start = np.random.default_rng(1).permutation(100) * 1000
    task = task_of(["U00096"] * 100, start=start)
    part = part_of(task, "genome-blocks[k=5]")
    block = (part == TEST).argmax(axis=0)
    assert (np.diff(block[np.argsort(start)]) >= 0).all()
    assert np.bincount(block).tolist() == [20] * 5


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ("holdout[valid=2,test=chr3]", "unknown chromosome '2' in valid= of the split. The table calls it 'chr2'"),
        ("holdout[valid=chr2,test=chr33]", "unknown chromosome 'chr33' in test="),
        ("holdout[valid=chr2,test=chr2]", "both valid and test"),
        ("holdout[valid=chr2]", "needs test="),
        ("holdout[valid=chr2,test=chr3,drop=chr1]", "leaves no train rows"),
        ("holdout[val=chr2,test=chr3]", "no parameter 'val'. Did you mean 'valid'"),
        ("kfold[k=5]", "unknown split 'kfold'"),
        ("chromosome-kfold[k=4]", "needs 4 chromosomes, there are 3"),
        ("chromosome-kfold[k=2]", "k of split chromosome-kfold must be a whole number from 3"),
        ("chromosome-kfold[k=x]", "must be a whole number"),
        ("genome-blocks[k=3]", "needs the start of every row"),
        ("locus-kfold[k=5]", "needs 5 loci, there are 3"),
        ("holdout[", "must close"),
        ("locus-kfold[k=" + "9" * 5000 + "]", "must be a whole number"),
    ],
)
def test_says_what_is_wrong(split, said):
    with pytest.raises(BenchError, match=said):
        make_folds(task_of(["chr1", "chr2", "chr3"]), Split.parse(split))


def test_every_target_needs_rows_in_every_part():
    spec = TaskSpec(name="t", targets={"y": TargetSpec(replicates=["r"]), "z": TargetSpec(replicates=["s"])})
    frame = pd.DataFrame(
        {"sequence": "ACGT", "chrom": list("abcabc"), "r": range(6), "s": [1, 2, np.nan, 3, 4, np.nan]}
    )
    frame["locus"] = range(6)
    task = build_task(spec, frame, source="t.tsv")
    with pytest.raises(BenchError, match=r"no test rows of target 'z' in fold 1 of 1.*Rows: a 2, b 2\."):
        make_folds(task, Split.parse("holdout[valid=b,test=c]"))


def test_normal_form_fills_in_defaults():
    assert str(Split.parse("chromosome-kfold")) == "chromosome-kfold[k=5]"
    assert str(Split.parse("locus-kfold[k=07]")) == "locus-kfold[k=7]"
    assert str(Split.parse("holdout[drop=chrX + chrY, valid=a,test=b]")) == "holdout[valid=a,test=b,drop=chrX+chrY]"


LABELS = st.lists(st.text("chr12XY_.", min_size=1, max_size=5), min_size=1, max_size=3).map(tuple)


@given(
    st.one_of(
        st.builds(Split, st.just("holdout"), valid=LABELS, test=LABELS, drop=LABELS | st.just(())),
        st.builds(Split, st.just("chromosome-kfold"), k=st.integers(3, 100), drop=LABELS | st.just(())),
        st.builds(Split, st.sampled_from(["genome-blocks", "locus-kfold"]), k=st.integers(3, 100)),
    )
)
def test_the_normal_form_is_read_back(split):
    assert Split.parse(str(split)) == split


def test_a_message_begins_with_its_source():
    with pytest.raises(BenchError, match=r"^--split: unknown split 'kfold'"):
        Split.parse("kfold", "--split")


def test_a_specification_takes_a_split_or_its_name():
    by_name = TaskSpec(name="t", targets=SPEC.targets, split="locus-kfold[k=3]")
    assert by_name.split == Split("locus-kfold", k=3)
    assert TaskSpec(name="t", targets=SPEC.targets, split=by_name.split) == by_name
