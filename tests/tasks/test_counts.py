import numpy as np
import pandas as pd
import pytest

from bench.errors import BenchError
from bench.tasks.counts import of_barcodes
from bench.tasks.spec import BarcodesSpec, ColumnsSpec, TargetSpec, TaskSpec
from bench.tasks.table import build_task
from bench.tasks.task_file import load_task_file

RNG = np.random.default_rng(0)
N = 60


def table(**columns):
    return pd.DataFrame({"sequence": ["".join(RNG.choice(list("ACGT"), 30)) for _ in range(N)], **columns})


def spec(dna, columns=None, **changes):
    counts = TargetSpec(rna=["rna1", "rna2"], dna=dna)
    return TaskSpec(name="t", targets={"y": counts}, columns=columns or ColumnsSpec(), **changes)


def counts_frame():
    dna = RNG.integers(1, 200, N).astype(float)
    rna1, rna2 = RNG.poisson(dna), RNG.poisson(6 * dna)
    return table(dna=dna, rna1=rna1, rna2=rna2, dna2=RNG.integers(1, 200, N))


def normalised(counts):
    return [(count + 1) / (sum(counts) + len(counts)) * 1e6 for count in counts]


def test_counts_become_activities_by_the_formula():
    frame = counts_frame()
    task = build_task(spec(["dna"]), frame, source="t")
    dna = normalised(frame["dna"].tolist())
    for replicate, column in enumerate(("rna1", "rna2")):
        rna = normalised(frame[column].tolist())
        want = [np.log2(r / d) for r, d in zip(rna, dna, strict=True)]
        np.testing.assert_allclose(task.targets["y"].replicates[:, replicate], want, rtol=1e-12)
    assert task.targets["y"].replicate_names == ("rna1", "rna2")
    assert "log2 of RNA over DNA" in task.card.note
    # Six times the depth of a library changes nothing.
    assert abs(np.median(task.targets["y"].replicates[:, 0] - task.targets["y"].replicates[:, 1])) < 0.2


def test_rows_without_a_count_are_not_measured_and_do_not_count():
    frame = counts_frame()
    frame.loc[3, "rna1"] = np.nan
    frame.loc[[4, 5], "dna"] = np.nan
    task = build_task(spec(["dna"]), frame, source="t")
    assert task.counts == {"rows without a measured target": 2}
    there = frame.drop(index=[4, 5])
    seen = there["rna1"].notna().to_numpy()
    got = task.targets["y"].replicates
    assert np.isnan(got[:, 0]).tolist() == (~seen).tolist()
    rna, dna = (normalised(there[column][seen].tolist()) for column in ("rna1", "dna"))
    np.testing.assert_allclose(got[seen, 0], np.log2(np.divide(rna, dna)))


def test_dna_becomes_a_covariate_unless_one_is_named():
    frame = counts_frame()
    assert (
        build_task(spec(["dna"]), frame, source="t").sequences.covariates["dna_count"].tolist() == frame["dna"].tolist()
    )
    two = build_task(spec(["dna", "dna2"]), frame, source="t")
    assert two.sequences.covariates["dna_count"].tolist() == (frame["dna"] + frame["dna2"]).tolist()
    named = spec(["dna"], ColumnsSpec(covariates={"dna_count": "dna2"}))
    assert build_task(named, frame, source="t").sequences.covariates["dna_count"].tolist() == frame["dna2"].tolist()
    # And a minimum filters on it.
    few = build_task(spec(["dna", "dna2"], minimum={"dna_count": 150}), frame, source="t")
    assert len(few) == int((frame["dna"] + frame["dna2"] >= 150).sum())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"rna1": 1.5},
            r"column 'rna1' must be a whole number, a raw count. Got 1.5 .*name the column of their log ratio",
        ),
        ({"dna": -1.0}, r"column 'dna' must be a count, 0 or more"),
        ({"rna2": "many"}, r"column 'rna2' must be a finite number"),
    ],
)
def test_what_is_no_count(change, said):
    with pytest.raises(BenchError, match=said):
        build_task(spec(["dna"]), counts_frame().assign(**change), source="t")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"rna": ["a"]}, "counts need both rna and dna"),
        ({"rna": ["a"], "dna": ["b"], "replicates": ["c"]}, "replicates .* or rna and dna"),
        ({"rna": ["a", "b", "c"], "dna": ["d", "e"]}, "one column for all replicates, or as many"),
    ],
)
def test_keys_of_counts(keys, said):
    with pytest.raises(ValueError, match=said):
        TargetSpec(**keys)


# ---- counts given as activities --------------------------------------------------------------------------------------
def test_the_audit_reports_counts():
    from bench.audit.audit import audit
    from bench.tasks.folds import make_folds

    bare = TaskSpec(name="t", targets={"y": TargetSpec(replicates=["rna1", "rna2"])})
    task = build_task(spec(["dna"]), counts_frame(), source="t")
    assert not any(each.check == "counts" for each in audit(task, make_folds(task)))
    assert "rna = [...]" in next(each for each in audit(*_pair(bare)) if each.check == "counts").reason


def _pair(about):
    from bench.tasks.folds import make_folds

    task = build_task(about, counts_frame(), source="t")
    return task, make_folds(task)


# ---- barcodes --------------------------------------------------------------------------------------------------------
def barcodes(seed=0, outlier=False):
    rng = np.random.default_rng(seed)
    element = np.repeat([f"e{i}" for i in range(12)], 20).astype(object)
    dna = rng.integers(1, 50, len(element)).astype(float)
    rna = rng.poisson(dna).astype(float)
    if outlier:
        rna[5] = 5000
    return element, rna, dna


def by_hand(element, rna, dna, kept=None):
    """Sums, mean ratios and numbers of every element, element by element."""
    kept = [True] * len(element) if kept is None else kept
    groups = {}
    for e, r, d, k in zip(element, rna, dna, kept, strict=True):
        if k:
            groups.setdefault(e, []).append((r, d))
    return groups


def test_barcodes_are_summed_or_their_ratios_averaged():
    element, rna, dna = barcodes()
    groups = by_hand(element, rna, dna)
    sums = {e: (sum(r for r, _ in rows), sum(d for _, d in rows)) for e, rows in groups.items()}
    found = of_barcodes(element, rna, dna, BarcodesSpec())
    logs = {e: np.log2((r + 1) / (d + 1)) for e, (r, d) in sums.items()}
    shift = np.log2((sum(dna) + 12) / (sum(rna) + 12))
    assert found.activity.tolist() == pytest.approx([logs[e] + shift for e in found.element])
    assert found.dna.tolist() == [sums[e][1] for e in found.element]
    assert set(found.barcodes.tolist()) == {20}
    each = of_barcodes(element, rna, dna, BarcodesSpec(combine="ratios"))
    shift = np.log2((sum(dna) + len(dna)) / (sum(rna) + len(rna)))
    means = {e: np.mean([np.log2((r + 1) / (d + 1)) for r, d in rows]) for e, rows in groups.items()}
    assert each.activity.tolist() == pytest.approx([means[e] + shift for e in each.element])


def test_outlier_barcodes_are_left_out_on_request():
    """As MPRAlib's filter on the z-score of RNA counts within an oligo."""
    element, rna, dna = barcodes(outlier=True)
    scores = pd.DataFrame({"e": element, "r": rna}).groupby("e")["r"].transform(lambda r: (r - r.mean()) / r.std())
    kept = (scores.abs() <= 3).tolist()
    assert not kept[5]
    groups = by_hand(element, rna, dna, kept)
    found = of_barcodes(element, rna, dna, BarcodesSpec(outliers=3))
    assert found.outliers == kept.count(False)
    assert found.barcodes.tolist() == [len(groups[e]) for e in found.element]
    assert found.dna.tolist() == [sum(d for _, d in groups[e]) for e in found.element]
    assert of_barcodes(element, rna, dna, BarcodesSpec()).outliers == 0


def test_the_card_says_what_was_made_of_barcodes(tmp_path):
    element, rna, dna = barcodes(outlier=True)
    frame = pd.DataFrame({"barcode": range(len(rna)), "oligo_name": element, "dna_count_1": dna, "rna_count_1": rna})
    frame.to_csv(tmp_path / "b.tsv", sep="\t", index=False)
    (tmp_path / "d.fa").write_text(
        "".join(f">{e}\n{'ACGT' * 5}{'A' * i}\n" for i, e in enumerate(dict.fromkeys(element)))
    )
    head = 'name = "t"\nformat = "igvf-barcode"\ntable = "b.tsv"\ndesign = "d.fa"\n'
    for more, said, left in (
        ("", "barcodes are summed", False),
        ('barcodes = { combine = "ratios" }\n', "mean of the log2 ratios", False),
        ("barcodes = { outliers = 3 }\n", "more than 3 SD", True),
    ):
        (tmp_path / "t.toml").write_text(head + more)
        task = load_task_file(tmp_path / "t.toml")
        assert said in task.card.note
        assert any("outlier barcodes" in what for what in task.counts) == left


def test_a_table_of_barcodes_is_summed(tmp_path):
    """Without a layout: one row per barcode, the id repeated."""
    element, rna, dna = barcodes()
    bases = {e: "".join(RNG.choice(list("ACGT"), 30)) for e in dict.fromkeys(element)}
    frame = pd.DataFrame({"id": element, "sequence": [bases[e] for e in element], "rna": rna, "dna": dna})
    frame.to_csv(tmp_path / "b.csv", index=False)
    (tmp_path / "t.toml").write_text(
        'name = "t"\ntable = "b.csv"\nduplicates = "sum"\n[targets.y]\nrna = ["rna"]\ndna = ["dna"]\n'
    )
    task = load_task_file(tmp_path / "t.toml")
    found = of_barcodes(element, rna, dna, BarcodesSpec())
    order = np.argsort(task.row_id)
    assert task.row_id[order].tolist() == found.element.tolist()
    np.testing.assert_allclose(task.targets["y"].replicates[order, 0], found.activity)
    assert task.sequences.covariates["dna_count"][order].tolist() == found.dna.tolist()
