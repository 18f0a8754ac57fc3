"""Binary targets of task files: labels as words, thresholds and quantiles."""

import numpy as np
import pytest

from bench.errors import BenchError
from bench.tasks.digest import content_of
from bench.tasks.labels import Threshold
from bench.tasks.task_file import load_task_file

ROWS = 60


@pytest.fixture
def table(tmp_path):
    """Columns of activities, words, numbers of classes and 0/1, with a gap in each."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=ROWS)
    first, second = truth + 0.3 * rng.normal(size=ROWS), truth + 0.3 * rng.normal(size=ROWS)
    columns = {
        "id": [f"r{i}" for i in range(ROWS)],
        "sequence": ["".join(rng.choice(list("ACGT"), 30)) for _ in range(ROWS)],
        "a": [f"{v:.4f}" for v in first],
        "b": [f"{v:.4f}" for v in second],
        "call": ["active" if v > 0.5 else "repressed" if v < -0.5 else "none at all" for v in truth],
        "two": ["yes" if v > 0 else "no" for v in truth],
        "one": ["1" if v > 0 else "0" for v in first],
        "cased": ["on" if v > 0.5 else "On" if v > 0 else "off" for v in truth],
        "other": ["1.0" if v > 0 else "0.0" for v in second],
    }
    columns["a"][3], columns["call"][3], columns["two"][3], columns["one"][3] = "", "NA", ".", "NA"
    lines = ["\t".join(columns)] + ["\t".join(row) for row in zip(*columns.values(), strict=True)]
    (tmp_path / "t.tsv").write_text("\n".join(lines) + "\n")
    columns["truth"] = truth
    return tmp_path, columns


def task(folder, said, more=""):
    (folder / "t.toml").write_text(f'name = "t"\ntable = "t.tsv"\n{more}\n[targets.y]\n{said}\n')
    return load_task_file(folder / "t.toml")


def refused(folder, said, more=""):
    with pytest.raises(BenchError) as caught:
        task(folder, said, more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_words_are_labels_and_all_others_are_negative(table):
    folder, columns = table
    found = task(folder, 'replicates = ["call"]\npositive = "active"').targets["y"]
    wanted = [1.0 if word == "active" else 0.0 for word in columns["call"]]
    assert found.kind == "binary"
    assert found.positive == "active"
    np.testing.assert_array_equal(found.value, np.delete(wanted, 3))
    both = task(folder, 'kind = "binary"\nreplicates = ["call"]\npositive = ["active", "repressed"]').targets["y"]
    assert both.value.sum() == sum(word in ("active", "repressed") for i, word in enumerate(columns["call"]) if i != 3)


def test_0_and_1_need_no_word_and_replicates_that_disagree_count_in_part(table):
    folder, columns = table
    found = task(folder, 'kind = "binary"\nreplicates = ["one", "other"]').targets["y"]
    one = np.array([np.nan if v == "NA" else float(v) for v in columns["one"]])
    wanted = np.nanmean(np.column_stack([one, np.array(columns["other"], float)]), axis=1)
    np.testing.assert_array_equal(found.value, wanted)
    assert 0.5 in found.value


def test_two_words_without_positive_stop_with_the_line_to_add(table):
    folder, _ = table
    said = refused(folder, 'kind = "binary"\nreplicates = ["two"]')
    assert "'no', 'yes'" in said
    assert 'add under [targets.y]: positive = "yes"' in said
    assert 'positive = ["active"]' in refused(folder, 'kind = "binary"\nreplicates = ["call"]')
    assert 'threshold = "> 0"' in refused(folder, 'kind = "binary"\nreplicates = ["a"]')


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ('replicates = ["call"]\npositive = "Active"', "has the label 'Active'. Did you mean 'active'"),
        ('replicates = ["a", "b"]\nthreshold = "above 0"', 'such as "> 0"'),
        ('replicates = ["a", "b"]\nthreshold = "0.5"', 'such as "> 0"'),
        ('replicates = ["a", "b"]\nthreshold = "quantile 80"', "between 0 and 1"),
        ('replicates = ["a", "b"]\nthreshold = "> 0"\ncombine = "rank"', "in the units of the columns"),
        ('replicates = ["a"]\nthreshold = "> 0"\npositive = "x"', "not both"),
        ('replicates = ["a"]\nthreshold = "> 0"\nkind = "regression"', "leave kind out"),
        ('replicates = ["one"]\nkind = "binary"\ncombine = "mean"', "leave it out"),
        ('replicates = ["a"]\nthreshold = "> 99"', "no row is positive by threshold '> 99'"),
        ('replicates = ["a"]\nthreshold = "> -99"', "every row is positive"),
        (
            'replicates = ["cased"]\npositive = "on"',
            "'on', which is positive, and 'On', which differs in",
        ),
        ('replicates = ["two"]\npositive = "YES"', "has the label 'YES'. Did you mean 'yes'"),
        ('replicates = ["two"]\npositive = ""', "has the label ''"),
        ('replicates = ["a"]\nthreshold = ""', 'such as "> 0"'),
        ('replicates = ["a"]\nthreshold = "> 0"\nhalves = ["a", "b"]', "halves is for regression"),
    ],
)
def test_what_makes_no_sense_is_one_line(table, said, wanted):
    assert wanted in refused(table[0], said)


def test_the_labels_of_a_target_are_no_stratum(table):
    said = refused(table[0], 'replicates = ["call"]\npositive = "active"', '[columns]\nstrata = ["call"]')
    assert "groups by the outcome have no figures of their own" in said


def test_labels_have_no_mean(table):
    said = refused(table[0], 'replicates = ["call"]\npositive = "active"', 'duplicates = "mean"')
    assert "set 'first'" in said


@pytest.mark.parametrize(
    ("text", "sign"),
    [("> 0.2", np.greater), (">= 0.2", np.greater_equal), ("< 0.2", np.less), ("<=0.2", np.less_equal)],
)
def test_a_threshold_cuts_each_replicate_and_the_mean_of_both(table, text, sign):
    folder, columns = table
    found = task(folder, f'replicates = ["a", "b"]\nthreshold = "{text}"').targets["y"]
    y = np.column_stack([[np.nan if v == "" else float(v) for v in columns[name]] for name in ("a", "b")])
    np.testing.assert_array_equal(found.value, sign(np.nanmean(y, axis=1), 0.2))
    wanted = np.where(np.isfinite(y), sign(y, 0.2), np.nan)
    np.testing.assert_array_equal(found.replicates, wanted)
    assert set(found.value.tolist()) == {0.0, 1.0}


def test_a_quantile_cuts_what_the_regression_target_learns(table):
    folder, _ = table
    said = 'replicates = ["a", "b"]'
    value = task(folder, said).targets["y"].value
    top = task(folder, f'{said}\nthreshold = "quantile 0.8"').targets["y"]
    np.testing.assert_array_equal(top.value, value > np.quantile(value, 0.8))
    assert top.replicates[:, 1].sum() == ROWS // 5
    low = task(folder, f'{said}\nthreshold = "< quantile 0.2"').targets["y"]
    np.testing.assert_array_equal(low.value, value < np.quantile(value, 0.2))
    assert not (low.value * top.value).any()


def test_a_twin_of_counts(table):
    folder, columns = table
    rng = np.random.default_rng(1)
    lines = (folder / "t.tsv").read_text().splitlines()
    counts = [f"{rng.poisson(30 * np.exp(t))}\t30" for t in columns["truth"]]
    (folder / "t.tsv").write_text(
        "\n".join([lines[0] + "\trna\tdna", *map("\t".join, zip(lines[1:], counts, strict=True))])
    )
    found = task(folder, 'rna = ["rna"]\ndna = ["dna"]\nthreshold = "quantile 0.5"').targets["y"]
    assert found.value.mean() == pytest.approx(0.5, abs=0.05)
    assert "needs a threshold" in refused(folder, 'rna = ["rna"]\ndna = ["dna"]\nkind = "binary"')


def test_long_tables_have_labels_too(tmp_path):
    lines = ["element\tsequence\treplicate\tcall"]
    lines += [
        f"e{i}\t{'ACGT'[i % 4] * 9 + 'ACGTTGCA'[i % 8 :]}\t{r}\t{'hit' if (i + r) % 3 else 'miss'}"
        for i in range(12)
        for r in (1, 2)
    ]
    (tmp_path / "t.tsv").write_text("\n".join(lines) + "\n")
    more = 'format = "long"\n[columns]\nid = "element"\nreplicate = "replicate"'
    found = task(tmp_path, 'replicates = ["call"]\npositive = "hit"', more).targets["y"]
    np.testing.assert_array_equal(found.replicates[:, 0], [float((i + 1) % 3 > 0) for i in range(12)])
    assert found.replicates.shape == (12, 2)


def test_classes_are_other_values_than_the_same_numbers(table):
    folder, _ = table
    labels = task(folder, 'kind = "binary"\nreplicates = ["other"]')
    numbers = task(folder, 'replicates = ["other"]')
    np.testing.assert_array_equal(labels.targets["y"].value, numbers.targets["y"].value)
    assert content_of(labels).of("y") != content_of(numbers).of("y")


def test_thresholds_are_read_one_way():
    assert str(Threshold.parse(" >0 ")) == "> 0"
    assert Threshold.parse("quantile 0.8") == Threshold.parse("> quantile .8")
    assert Threshold.parse("<= -1.5e2").number == -150
    values = np.array([1.0, np.nan, 3.0, 2.0])
    np.testing.assert_array_equal(Threshold.parse("quantile 0.5").of(values), [0, np.nan, 1, 0])
