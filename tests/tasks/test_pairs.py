"""Pairs of a table: what may be said of them, which row is the reference, and that no split by loci parts them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.errors import BenchError
from bench.tasks.folds import make_folds
from bench.tasks.splits import Split
from bench.tasks.task import TEST, Task
from bench.tasks.task_file import load_task_file


def write(folder: Path, rows: list[tuple[str, str, str]], pair: str, *, place: bool = False, more: str = "") -> Path:
    """A task of rows (id, element, class) of unrelated bases, and its ``pair``. ``place``: rows lie far apart."""
    rng = np.random.default_rng(3)
    lines = ["id\telement\tclass\tsequence\trep1\trep2" + "\tchrom\tstart\tend" * place]
    for i, (name, element, kind) in enumerate(rows):
        bases = "".join(rng.choice(list("ACGT"), 40))
        line = [name, element, kind, bases, f"{rng.normal():.4f}", f"{rng.normal():.4f}"]
        lines.append("\t".join(line + [f"chr{1 + i % 6}", str(1000 * i), str(1000 * i + 40)] * place))
    (folder / "t.tsv").write_text("\n".join(lines) + "\n")
    path = folder / "t.toml"
    path.write_text(
        f'name = "t"\ntable = "t.tsv"\n{more}[columns]\npair = {pair}\n[targets.y]\nreplicates = ["rep1", "rep2"]\n'
    )
    return path


def three_each(n: int = 40) -> list[tuple[str, str, str]]:
    kinds = ("mutant", "wild type", "scrambled")
    return [(f"r{i}_{kind}", f"e{i}", kind) for i in range(n) for kind in kinds]


LONG = '{ column = "element", kind = "class", reference = "wild type" }'


def of(task: Task, name: str) -> tuple[str, str]:
    """The reference of a row, and what their pair is called."""
    assert task.pairs is not None
    i = task.row_id.tolist().index(name)
    at = int(task.pairs.reference[i])
    return ("" if at < 0 else str(task.row_id[at])), str(task.pairs.kind[i])


def test_wild_type_against_each_other_kind(tmp_path: Path) -> None:
    task = load_task_file(write(tmp_path, three_each(), LONG))
    assert of(task, "r3_mutant") == ("r3_wild type", "wild type/mutant")
    assert of(task, "r3_scrambled") == ("r3_wild type", "wild type/scrambled")
    assert of(task, "r3_wild type") == ("", "")
    assert task.counts["pairs, wild type/mutant"] == 40
    assert task.counts["pairs, wild type/scrambled"] == 40


def test_a_reference_may_be_a_number(tmp_path: Path) -> None:
    rows = [(f"r{i}_{kind}", f"e{i}", kind) for i in range(30) for kind in "10"]
    task = load_task_file(write(tmp_path, rows, LONG.replace('"wild type"', "0")))
    assert of(task, "r7_1") == ("r7_0", "0/1")


def test_the_short_form_takes_the_first_of_two_rows(tmp_path: Path) -> None:
    rows = [(f"r{i}{allele}", f"v{i}", allele) for i in range(30) for allele in "ab"] + [("alone", "", "")]
    task = load_task_file(write(tmp_path, rows, '"element"'))
    assert of(task, "r7b") == ("r7a", "reference/alternative")
    assert of(task, "alone") == ("", "")
    assert task.counts["pairs, reference/alternative"] == 30


def test_a_row_whose_reference_is_not_there_is_counted(tmp_path: Path) -> None:
    rows = [row for row in three_each() if row[0] not in ("r0_wild type", "r1_wild type")]
    task = load_task_file(write(tmp_path, rows, LONG))
    assert of(task, "r0_mutant") == ("", "")
    assert task.counts["rows without their 'wild type' (no pair)"] == 4


@pytest.mark.parametrize("missing", ["", "NA", "nan", "."])
def test_rows_without_a_value_are_no_pair_however_a_gap_is_written(tmp_path: Path, missing: str) -> None:
    rows = [
        *three_each(),
        ("control", missing, "wild type"),
        ("other", missing, "mutant"),
        ("third", missing, "mutant"),
    ]
    task = load_task_file(write(tmp_path, rows, LONG))
    assert of(task, "other") == of(task, "third") == ("", "")
    assert task.counts["pairs, wild type/mutant"] == 40


def test_a_reference_that_was_not_measured_is_no_reference(tmp_path: Path) -> None:
    path = write(tmp_path, three_each(), LONG)
    lines = (tmp_path / "t.tsv").read_text().splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("r5_wild type"))
    lines[at] = "\t".join([*lines[at].split("\t")[:4], "NA", "NA"])
    (tmp_path / "t.tsv").write_text("\n".join(lines) + "\n")
    task = load_task_file(path)
    assert of(task, "r5_mutant") == ("", "")
    assert of(task, "r6_mutant") == ("r6_wild type", "wild type/mutant")


@pytest.mark.parametrize("place", [False, True])
def test_both_rows_of_a_pair_share_a_locus_wherever_they_lie(tmp_path: Path, place: bool) -> None:
    task = load_task_file(write(tmp_path, three_each(), LONG, place=place))
    assert task.pairs is not None
    mine = np.flatnonzero(task.pairs.reference >= 0)
    assert (task.locus[mine] == task.locus[task.pairs.reference[mine]]).all()
    folds = make_folds(task, Split.parse("locus-kfold[k=4]"))
    tested = np.argmax(folds.part == TEST, axis=0)
    assert (tested[mine] == tested[task.pairs.reference[mine]]).all()


def test_loci_that_hold_their_pairs_stay_what_they_were(tmp_path: Path) -> None:
    rows = [(f"r{i}{kind}", f"e{i // 2}", kind) for i in range(60) for kind in ("a",)]
    path = write(tmp_path, rows, '"element"')
    path.write_text(path.read_text().replace("[columns]\n", '[columns]\nlocus = "element"\n'))
    task = load_task_file(path)
    assert task.locus.tolist() == [i // 2 for i in range(60)]


def test_pairs_are_part_of_the_task_and_not_of_a_fit(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    rows = [(f"r{i}{kind}", f"e{i}", kind) for i in range(30) for kind in "ab"]
    plain = write(tmp_path / "a", rows, '"element"')
    plain.write_text(plain.read_text().replace('pair = "element"', 'locus = "element"'))
    paired = write(tmp_path / "b", rows, '"element"')
    one, other = load_task_file(plain), load_task_file(paired)
    assert one.content is not None
    assert other.content is not None
    assert one.digest != other.digest
    assert one.content.of("y") == other.content.of("y")


@pytest.mark.parametrize(
    ("rows", "pair", "said"),
    [
        (three_each(), '"element"', "3 rows share the 'element' 'e0' (40 such values). Say which is the reference"),
        (three_each(), '{ column = "element", kind = "class" }', "kind and reference go together"),
        (three_each(), '{ column = "element", reference = "wild type" }', "kind and reference go together"),
        (three_each(), LONG.replace("wild type", "wildtype"), "has the 'class' 'wildtype'. Did you mean 'wild type'?"),
        (three_each(), LONG.replace('"class"', '"clas"'), "column 'clas' is missing. Did you mean 'class'?"),
        (three_each(), LONG.replace('"class"', '"element"'), "kind must be another column"),
        (three_each(), '{ colum = "element" }', "colum"),
        (
            [*three_each(), ("again", "e4", "wild type")],
            LONG,
            "rows 'r4_wild type' and 'again' are both 'wild type' of one 'element'",
        ),
        (
            [*three_each(), ("again", "e4", "Wild Type")],
            LONG,
            "row 'again' has the 'class' 'Wild Type', which differs from the reference 'wild type' in case alone",
        ),
        (three_each(), '["element"]', "must be the column that both rows of a pair share"),
        ([(f"r{i}", f"e{i}", "a") for i in range(40)], '"element"', "no two rows share a 'element'"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, rows: list[tuple[str, str, str]], pair: str, said: str) -> None:
    with pytest.raises(BenchError) as caught:
        load_task_file(write(tmp_path, rows, pair))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_pairs_of_an_igvf_design(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    names = [f"v{i}_{allele}" for i in range(30) for allele in ("ref", "alt")]
    design = ["name\tsequence\tchr\tstart\tend\tstrand\tcategory\tclass\tSPDI\tallele"]
    for i, n in enumerate(names):
        bases, start = "".join(rng.choice(list("ACGT"), 50)), 1000 * (i // 2)
        design.append(f"{n}\t{bases}\tchr1\t{start}\t{start + 50}\t+\tvariant\ttest\t{n[:-4]}\t{n[-3:]}")
    (tmp_path / "design.tsv").write_text("\n".join(design) + "\n")
    rows = ["replicate\toligo_name\tdna_counts\trna_counts\tdna_normalized\trna_normalized\tlog2FoldChange\tn_bc"]
    rows += [f"{r}\t{n}\t50\t60\t1.0\t1.2\t{rng.normal():.3f}\t12" for n in names for r in (1, 2)]
    (tmp_path / "experiment.tsv").write_text("\n".join(rows) + "\n")
    path = tmp_path / "t.toml"
    path.write_text(
        'name = "t"\nformat = "igvf-experiment"\ntable = "experiment.tsv"\ndesign = "design.tsv"\n'
        '[columns]\npair = { column = "SPDI", kind = "allele", reference = "ref" }\n'
    )
    task = load_task_file(path)
    assert of(task, "v3_alt") == ("v3_ref", "ref/alt")


@pytest.mark.parametrize("kept", ["wild type", "mutant"])
def test_chosen_rows_may_leave_no_pair(tmp_path: Path, kept: str) -> None:
    path = write(tmp_path, three_each(), LONG)
    path.write_text(path.read_text() + f"[rows]\nclass = ['{kept}']\n")
    task = load_task_file(path)
    assert len(task) == 40
    assert task.pairs is None
    assert [count for what, count in task.counts.items() if what.startswith("pairs")] == [0]
