from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import BenchError
from bench.kernels.sketch import near_clusters
from bench.sequences import Sequences
from bench.tasks.folds import make_folds
from bench.tasks.loci import without_ends
from bench.tasks.spec import TargetSpec, TaskSpec
from bench.tasks.splits import Split
from bench.tasks.table import build_task
from bench.tasks.task import DROPPED, TEST, TRAIN, VALID
from bench.tasks.task_file import load_task_file

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


NAMES = st.text("ab 1_.", min_size=1, max_size=6).map(str.strip).filter(bool)
LABELS = st.lists(st.text("chr12XY_.", min_size=1, max_size=5), min_size=1, max_size=3).map(tuple)


@given(
    st.one_of(
        st.builds(Split, st.just("holdout"), valid=LABELS, test=LABELS, drop=LABELS | st.just(())),
        st.builds(Split, st.just("chromosome-kfold"), k=st.integers(3, 100), drop=LABELS | st.just(())),
        st.builds(Split, st.sampled_from(["genome-blocks", "locus-kfold", "similarity-kfold"]), k=st.integers(3, 100)),
        st.builds(Split, st.just("group-kfold"), k=st.integers(3, 100), column=NAMES),
        st.builds(Split, st.sampled_from(["leave-one-out", "column"]), column=NAMES),
        st.builds(Split, st.just("gc-shift"), train=st.just(0) | st.integers(20, 10**6)),
        st.builds(Split, st.just("random-kfold"), k=st.integers(3, 100)),
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


# ---- splits by a column ----------------------------------------------------------------------------------------------
def labelled(split, n=40, **columns):
    frame = pd.DataFrame({"sequence": ["ACGT"] * n, "r": np.arange(n), "locus": np.arange(n), **columns})
    return build_task(SPEC.model_copy(update={"split": Split.parse(split)}), frame, source="t.tsv")


def published(tmp_path, split, n=400):
    """The layout of published tables: chromosomes in turn, a split of words and folds of numbers."""
    rng = np.random.default_rng(0)
    words = np.array(["train"] * (n - 50) + ["valid"] * 25 + ["test"] * 25)[rng.permutation(n)]
    frame = pd.DataFrame(
        {
            "id": [f"o{i}" for i in range(n)],
            "sequence": ["".join(rng.choice(list("ACGT"), 40)) for _ in range(n)],
            "chrom": [f"chr{1 + i % 4}" for i in range(n)],
            "start": 10_000 + 500 * np.arange(n),
            "rep1": rng.normal(size=n),
            "split": words,
            "fold_num": 1 + np.arange(n) % 10,
        }
    )
    frame["end"] = frame["start"] + 40
    frame.to_csv(tmp_path / "t.tsv", sep="\t", index=False)
    path = tmp_path / "t.toml"
    path.write_text(
        f'name = "t"\ntable = "t.tsv"\n{split and f"""split = "{split}" """}\n[targets.y]\nreplicates = ["rep1"]\n'
    )
    return path, frame


def test_a_published_split_is_repeated(tmp_path):
    path, frame = published(tmp_path, "column[name=split]")
    task = load_task_file(path)
    part = make_folds(task).part
    assert len(task) == len(set(task.locus.tolist())) == 400
    assert [int((part == code).sum()) for code in (TRAIN, VALID, TEST)] == [350, 25, 25]
    assert (np.array(["train", "valid", "test"])[part[0]] == frame["split"]).all()


def test_published_folds_are_repeated(tmp_path):
    path, frame = published(tmp_path, "column[name=fold_num]")
    part = make_folds(load_task_file(path)).part
    assert part.shape == (10, 400)
    for fold in range(10):
        assert ((part[fold] == TEST) == (frame["fold_num"] == fold + 1)).all()
        assert ((part[fold] == VALID) == (frame["fold_num"] == (fold + 1) % 10 + 1)).all()


def test_a_split_of_the_command_line_finds_its_column(tmp_path):
    from bench.plugins.registry import Registry
    from bench.tasks.load import TaskSource, load_planned

    path, frame = published(tmp_path, "")
    planned = load_planned(TaskSource(str(path), split="column[name=split]"), Registry())
    assert (np.array(["train", "valid", "test"])[planned.folds.part[0]] == frame["split"]).all()
    own = load_planned(TaskSource(str(path)), Registry())
    assert own.task.digest == planned.task.digest


@pytest.mark.parametrize(
    "words", [["Train", "VAL", "Test"], ["training", "dev", "test"], ["train", "validation", "heldout"]]
)
def test_words_of_a_split(words):
    said = np.array([*words, ""])[np.arange(40) % 4]
    part = make_folds(labelled("column[name=set]", set=said)).part
    assert part[0].tolist() == [TRAIN, VALID, TEST, DROPPED] * 10


def test_a_group_is_never_split():
    species = np.repeat(["human", "mouse", "rat", "pig", "cow"], [16, 10, 6, 4, 4])
    part = make_folds(labelled("group-kfold[by=species,k=3]", species=species)).part
    for row in part:
        assert all(len(set(row[species == each].tolist())) == 1 for each in set(species))
    assert ((part == TEST).sum(axis=0) == 1).all()
    assert sorted((part == TEST).sum(axis=1).tolist()) == [10, 14, 16]


def test_leave_one_out_tests_each_group_alone():
    species = np.repeat(["human", "mouse"], [30, 10])
    task = labelled("leave-one-out[by=species]", species=species, locus=np.arange(40) // 2)
    part = make_folds(task).part
    assert part.shape == (2, 40)
    for row, group in zip(part, ["human", "mouse"], strict=True):
        assert ((row == TEST) == (species == group)).all()
        assert 0 < (row == VALID).sum() <= (row == TRAIN).sum() / 2
    no_locus_straddles(task, part)


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ("column[name=spit]", r"goes by the column 'spit', which the task does not have"),
        ("column[name=odd]", r"column 'odd' of the split has 'left' \(row 'row-1'\)\. It takes the words train"),
        ("column[name=two]", r"has 2 numbers of folds \(0, 1\)\. It takes 3 to 100"),
        ("column", r"split column needs name=, as in column\[name=split\]"),
        ("group-kfold[k=5]", r"split group-kfold needs by="),
        ("group-kfold[by=gaps]", r"20 rows have no 'gaps', the first is 'row-2'"),
        ("group-kfold[by=two,k=3]", r"needs 3 groups, there are 2. Rows: 0 20, 1 20"),
        ("leave-one-out[by=one]", r"needs 2 to 100 groups, there are 1"),
    ],
)
def test_says_what_is_wrong_with_a_column(split, said):
    n = np.arange(40)
    columns = {"odd": np.where(n < 20, "left", "right"), "two": n % 2, "gaps": np.where(n % 2, None, "a"), "one": "x"}
    with pytest.raises(BenchError, match=said):
        make_folds(labelled(split, **columns))


# ---- near duplicates -------------------------------------------------------------------------------------------------
COMPLEMENT = str.maketrans("ACGT", "TGCA")


def families(rng, adapters=("", ""), sizes=(1, 2, 40, 3, 250, 1, 5), length=120):
    """Copies with a few bases changed, half of them on the other strand, between two adapters; and their family."""
    rows, family = [], []
    for number, size in enumerate(sizes):
        base = rng.choice(list("ACGT"), length)
        for copy in range(size):
            bases = base.copy()
            hit = rng.permutation(length) < 2
            bases[hit] = rng.choice(list("ACGT"), int(hit.sum()))
            text = "".join(bases)
            rows.append(adapters[0] + (text[::-1].translate(COMPLEMENT) if copy % 2 else text) + adapters[1])
            family.append(number)
    order = rng.permutation(len(rows))
    return [rows[i] for i in order], np.array(family)[order]


def brute_clusters(rows):
    """Single linkage on the 12-mers of either strand that two rows share, every pair compared."""

    def kmers(text):
        both = [text[i : i + 12] for i in range(len(text) - 11)]
        return {min(each, each[::-1].translate(COMPLEMENT)) for each in both}

    sets, cluster = [kmers(row) for row in rows], list(range(len(rows)))
    for i, a in enumerate(sets):
        for j, b in enumerate(sets[:i]):
            if len(a & b) >= 0.5 * min(len(a), len(b)) and cluster[i] != cluster[j]:
                old, new = cluster[i], cluster[j]
                cluster = [new if each == old else each for each in cluster]
    return cluster


def same_grouping(a, b):
    return len(set(a)) == len(set(b)) == len(set(zip(a, b, strict=True)))


@pytest.mark.parametrize("seed", range(3))
def test_clusters_of_near_duplicates_are_those_of_all_pairs(seed):
    rows, family = families(np.random.default_rng(seed))
    found = near_clusters(Sequences.from_strings(rows), 12, 0.5).tolist()
    assert same_grouping(found, brute_clusters(rows))
    assert same_grouping(found, family.tolist())


def test_adapters_make_no_near_duplicates():
    rng = np.random.default_rng(4)
    adapters = tuple("".join(rng.choice(list("ACGT"), 150)) for _ in range(2))
    rows, family = families(rng, adapters, sizes=(2,) * 40)
    assert same_grouping(near_clusters(without_ends(Sequences.from_strings(rows)), 12, 0.5).tolist(), family.tolist())


def test_no_family_is_split():
    rows, family = families(np.random.default_rng(5), sizes=(7,) * 30)
    frame = pd.DataFrame({"sequence": rows, "r": np.arange(len(rows))})
    part = part_of(build_task(SPEC, frame, source="t.tsv"), "similarity-kfold[k=5]")
    assert ((part == TEST).sum(axis=0) == 1).all()
    for row in part:
        assert all(len(set(row[family == each].tolist())) == 1 for each in range(30))


def test_short_rows_and_few_clusters():
    task = build_task(SPEC, pd.DataFrame({"sequence": ["ACGT", "ACGA", "NNNN", "A"], "r": range(4)}), source="t.tsv")
    assert len(set(near_clusters(task.sequences, 12, 0.5).tolist())) == 4
    rows, _ = families(np.random.default_rng(6), sizes=(20,))
    with pytest.raises(BenchError, match="needs 5 clusters of near-duplicate sequences, there are 1"):
        part_of(build_task(SPEC, pd.DataFrame({"sequence": rows, "r": range(20)}), source="t.tsv"), "similarity-kfold")


def test_fewer_training_rows_are_whole_loci_within_those_of_a_larger_number():
    chrom = [f"chr{1 + (i // 5) % 6}" for i in range(400)]
    task = task_of(chrom, locus=np.arange(400) // 5)
    whole = make_folds(task, Split.parse("chromosome-kfold[k=3]")).part
    kept = {}
    for n in (40, 80, 120):
        part = make_folds(task, Split.parse(f"chromosome-kfold[k=3,train={n}]")).part
        assert ((part == TRAIN).sum(axis=1) <= n).all()
        assert ((part == TRAIN).sum(axis=1) > n - 20).all()
        for code in (VALID, TEST):
            assert ((part == code) == (whole == code)).all()
        for row in part:
            loci = set(task.locus[row == TRAIN])
            assert not loci & set(task.locus[row == DROPPED])
        kept[n] = part == TRAIN
    assert (kept[40] <= kept[80]).all()
    assert (kept[80] <= kept[120]).all()


@pytest.mark.parametrize("train", ["0", "19", "many", "-5"])
def test_too_few_training_rows_are_refused(train):
    with pytest.raises(BenchError, match="train of split locus-kfold must be a whole number of rows from 20"):
        Split.parse(f"locus-kfold[train={train}]")


def shifted(seed, n=300):
    """Loci of three rows, their GC content drawn from wide to narrow; values: a motif's count, and GC in a hump."""
    rng = np.random.default_rng(seed)
    gc = np.repeat(rng.uniform(0.25, 0.75, n // 3), 3)
    rows = ["".join(rng.choice(list("ACGT"), 80, p=[(1 - g) / 2, g / 2, g / 2, (1 - g) / 2])) for g in gc]
    hits = rng.poisson(1, n)
    rows = [
        row[:-12] + ("TGACTCAAGT" if hit else row[-12:-2]) + row[-2:] for row, hit in zip(rows, hits > 0, strict=True)
    ]
    frame = pd.DataFrame({"sequence": rows, "r": (hits > 0) + 3 * np.abs(gc - 0.5) + rng.normal(size=n) * 0.3})
    frame["locus"] = np.arange(n) // 3
    return build_task(SPEC, frame, source="t.tsv"), hits > 0


def test_gc_shift_trains_on_one_half_of_gc_and_tests_on_the_other():
    task, _ = shifted(0)
    part = part_of(task, "gc-shift")
    gc = np.array([(s.count("G") + s.count("C")) / len(s) for s in task.sequences.to_strings()])
    by_locus = np.array([gc[task.locus == locus].mean() for locus in task.locus])
    assert by_locus[part[0] == TEST].min() > by_locus[part[0] != TEST].max()
    assert ((part[0] == TEST) ^ (part[1] == TEST)).all()
    assert abs((part[0] == TEST).mean() - 0.5) < 0.02
    for row in part:
        assert 0.05 < (row == VALID).mean() < 0.2
    no_locus_straddles(task, part)
    with pytest.raises(BenchError, match="needs 20 loci, there are 3"):
        part_of(task_of(["chr1", "chr2", "chr3"]), "gc-shift")


def test_gc_shift_ranks_a_gc_only_model_below_a_motif_reader():
    """GC acts in a valley: what is learned on one side of it points the wrong way on the other."""
    from scipy.stats import spearmanr

    for seed in range(20):
        task, hit = shifted(seed)
        y = task.targets["y"].value
        gc = np.array([(s.count("G") + s.count("C")) / len(s) for s in task.sequences.to_strings()])
        found = []
        for column in (gc, hit.astype(float)):
            scores = []
            for row in part_of(task, "gc-shift"):
                train, test = row == TRAIN, row == TEST
                slope, level = np.polyfit(column[train], y[train], 1)
                scores.append(spearmanr(slope * column[test] + level, y[test]).statistic)
            found.append(np.mean(scores))
        assert found[0] < found[1]


def test_random_kfold_deals_rows_of_a_locus_apart():
    task, _ = shifted(1)
    part = part_of(task, "random-kfold[k=5]")
    assert ((part == TEST).sum(axis=0) == 1).all()
    assert (part != DROPPED).all()
    first = part[0]
    assert sum(len(set(first[task.locus == locus])) > 1 for locus in np.unique(task.locus)) > 50


def test_rows_that_their_copies_take_away_are_counted_and_named():
    """Four chromosomes of two rows; the first rows of chr1 and chr2 are copies (one locus) of that of chr4."""
    task = task_of(["chr1", "chr1", "chr2", "chr2", "chr3", "chr3", "chr4", "chr4"])
    shared = replace(task, locus=np.array([0, 1, 0, 2, 3, 4, 0, 5]))
    split = Split.parse("holdout[valid=chr3,test=chr4]")
    assert make_folds(task, split).apart == 0
    folds = make_folds(shared, split)
    assert folds.apart == 2
    assert folds.part[0].tolist() == [-1, 0, -1, 0, 1, 1, 2, 2]
    alike = replace(task, locus=np.array([0, 0, 0, 0, 3, 4, 0, 5]))
    with pytest.raises(BenchError, match=r"leaves no train rows.* 4 rows are left out because others of their locus"):
        make_folds(alike, split)
