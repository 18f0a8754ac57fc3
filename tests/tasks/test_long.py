import numpy as np
import pandas as pd
import pytest

from bench.errors import BenchError
from bench.tasks.folds import make_folds
from bench.tasks.task_file import load_task_file

N = 40
LONG = 'name = "t"\ntable = "t.tsv"\nformat = "long"\n[columns]\nreplicate = "replicate"\n'


def measured(conditions=("HepG2",), replicates=(1, 2), seed=0):
    """Elements by condition and replicate: what MPRAflow's allreps and ENCODE's tables hold."""
    rng = np.random.default_rng(seed)
    bases = ["".join(rng.choice(list("ACGT"), 50)) for _ in range(N)]
    rows = [
        {
            "condition": condition,
            "replicate": replicate,
            "name": f"o{i:02d}",
            "dna_count": int(rng.integers(5, 90)),
            "rna_count": int(rng.integers(5, 90)),
            "log2": round(float(rng.normal()), 4),
            "n_obs_bc": int(rng.integers(1, 30)),
            "sequence": bases[i],
            "chrom": f"chr{i % 4}",
        }
        for condition in conditions
        for i in range(N)
        for replicate in replicates
    ]
    return pd.DataFrame(rows)


def load(tmp_path, frame, text):
    frame.to_csv(tmp_path / "t.tsv", sep="\t", index=False)
    (tmp_path / "t.toml").write_text(text)
    return load_task_file(tmp_path / "t.toml")


def test_replicates_of_a_long_table(tmp_path):
    frame = measured()
    text = (
        LONG + 'covariates = { dna_count = "dna_count", barcodes = "n_obs_bc" }\n[targets.y]\nreplicates = ["log2"]\n'
    )
    task = load(tmp_path, frame.sample(frac=1, random_state=1), text)
    assert len(task) == N
    for row, name in enumerate(task.row_id):
        mine = frame[frame["name"] == name]
        assert task.targets["y"].replicates[row].tolist() == mine.sort_values("replicate")["log2"].tolist()
        assert task.sequences.to_strings()[row] == mine["sequence"].iloc[0]
        assert task.sequences.covariates["dna_count"][row] == mine["dna_count"].sum()
        assert task.sequences.covariates["barcodes"][row] == mine["n_obs_bc"].mean()
    assert task.targets["y"].replicate_names == ("log2, replicate 1", "log2, replicate 2")
    assert any("40, of 80 rows" in note for note in task.notes)
    assert str(make_folds(task).name) == "locus-kfold[k=5]"


def test_a_long_table_is_the_wide_one(tmp_path):
    frame = measured()
    long = load(tmp_path, frame, LONG + '[targets.y]\nreplicates = ["log2"]\n')
    wide = frame[frame["replicate"] == 1].drop(columns=["log2", "replicate"])
    wide = wide.assign(**{f"r{r}": frame[frame["replicate"] == r]["log2"].to_numpy() for r in (1, 2)})
    other = load(tmp_path, wide, 'name = "t"\ntable = "t.tsv"\n[targets.y]\nreplicates = ["r1", "r2"]\n')
    assert long.digest == other.digest


def test_a_missing_replicate_is_missing(tmp_path):
    frame = measured(replicates=(1, 2, 10))
    task = load(tmp_path, frame.drop(index=[1]), LONG + '[targets.y]\nreplicates = ["log2"]\nminimum_replicates = 2\n')
    assert task.targets["y"].replicates.shape == (N, 3)
    assert np.isnan(task.targets["y"].replicates).sum() == 1
    assert task.targets["y"].replicate_names[2] == "log2, replicate 10"


def test_counts_of_a_long_table(tmp_path):
    frame = measured()
    task = load(tmp_path, frame, LONG + '[targets.y]\nrna = ["rna_count"]\ndna = ["dna_count"]\n')
    for r in (1, 2):
        mine = frame[frame["replicate"] == r]
        rna, dna = ((mine[c] + 1) / (mine[c].sum() + N) for c in ("rna_count", "dna_count"))
        np.testing.assert_allclose(task.targets["y"].replicates[:, r - 1], np.log2(rna / dna))
    assert task.sequences.covariates["dna_count"].sum() == frame["dna_count"].sum()


def test_conditions_are_targets_or_are_chosen(tmp_path):
    frame = measured(conditions=("HepG2", "K562"))
    both = load(
        tmp_path,
        frame,
        LONG
        + '[targets.HepG2]\nreplicates = ["log2"]\nrows = { condition = "HepG2" }\n'
        + '[targets.K562]\nreplicates = ["log2"]\nrows = { condition = "K562" }\n',
    )
    one = load(tmp_path, frame, LONG + '[rows]\ncondition = "K562"\n[targets.K562]\nreplicates = ["log2"]\n')
    want = frame[frame["condition"] == "K562"]["log2"].to_numpy().reshape(N, 2)
    np.testing.assert_array_equal(both.targets["K562"].replicates, want)
    np.testing.assert_array_equal(one.targets["K562"].replicates, want)
    assert both.targets["HepG2"].replicates.tolist() != want.tolist()
    assert one.counts == {"rows of another condition": 80}


def test_a_design_brings_the_bases(tmp_path):
    frame = measured()
    (tmp_path / "d.fa").write_text(
        "".join(f">{n} tile\n{s}\n" for n, s in dict(frame[["name", "sequence"]].to_numpy()).items())
    )
    text = 'design = "d.fa"\n' + LONG + '[targets.y]\nreplicates = ["log2"]\n'
    task = load(tmp_path, frame.drop(columns="sequence"), text)
    assert task.sequences.to_strings() == frame["sequence"][::2].tolist()
    (tmp_path / "d.fa").write_text(">o00\nACGT\n")
    with pytest.raises(BenchError, match=r"row 2 .*: 'o01' is not in the design \(39 rows are not\)"):
        load_task_file(tmp_path / "t.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            LONG.replace("[columns]\nreplicate", "[columns]\nid") + '[targets.y]\nreplicates = ["log2"]\n',
            "needs columns.rep",
        ),
        (LONG + '[targets.y]\nreplicates = ["log2", "ratio"]\n', "in format 'long' a target is one column"),
        (LONG + '[targets.y]\nreplicates = ["log3"]\n', "column 'log3' is missing"),
        (LONG.replace('format = "long"\n', "") + '[targets.y]\nreplicates = ["log2"]\n', 'set format = "long"'),
        (
            'name = "t"\ntable = "t.tsv"\n[targets.y]\nreplicates = ["log2"]\nrows = { condition = "a" }\n',
            r"targets.y.rows is for format .long.",
        ),
    ],
)
def test_keys_of_a_long_table(tmp_path, text, said):
    with pytest.raises(BenchError, match=said):
        load(tmp_path, measured(), text)


def test_rows_of_one_element_and_replicate_are_refused(tmp_path):
    with pytest.raises(
        BenchError, match=r"both replicate '1' of 'o00'. They differ in 'condition': choose with .*rows = \{"
    ):
        load(tmp_path, measured(conditions=("HepG2", "K562")), LONG + '[targets.y]\nreplicates = ["log2"]\n')
    frame = measured()
    frame.loc[1, "chrom"] = "chr9"
    with pytest.raises(BenchError, match="column 'chrom' differs between rows of 'o00'"):
        load(tmp_path, frame, LONG + 'chrom = "chrom"\n[targets.y]\nreplicates = ["log2"]\n')
    frame = measured().astype({"replicate": object})
    frame.loc[3, "replicate"] = None
    with pytest.raises(BenchError, match=r"row 4 .*has no 'replicate'"):
        load(tmp_path, frame, LONG + '[targets.y]\nreplicates = ["log2"]\n')


# ---- read as a plain table -------------------------------------------------------------------------------------------
PLAIN = 'name = "t"\ntable = "t.tsv"\n[targets.y]\nreplicates = ["log2"]\n'
FIX = (
    r'one row per element and replicate, as its column .replicate. says: set format = "long" and \[columns\] replicate'
)


@pytest.mark.parametrize("drop", [[], ["name"]])
def test_a_long_table_that_is_read_as_a_plain_one_stops(tmp_path, drop):
    with pytest.raises(BenchError, match=FIX):
        load(tmp_path, measured().drop(columns=drop), PLAIN)


def test_a_column_called_replicate_is_no_long_table_by_itself(tmp_path):
    """Batches of different elements may be called replicates."""
    frame = measured(replicates=(1,)).assign(replicate=np.arange(N) % 2)
    assert len(load(tmp_path, frame, PLAIN)) == N
    assert len(load(tmp_path, frame.drop(columns="name"), PLAIN)) == N
