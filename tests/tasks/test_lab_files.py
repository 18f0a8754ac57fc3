"""A lab's own files: read as their clean twin is, or refused in words. Traits and figures of docs/task-file.md."""

import random

import numpy as np
import pytest
from traits import NAMES, check, clean_digest

from bench.errors import BenchError
from bench.tasks.folds import make_folds
from bench.tasks.task import TEST
from bench.tasks.task_file import load_task_file

HEAD = ["id", "sequence", "chrom", "start", "end", "strand", "rep1", "rep2"]


def tiles(loci=40, each=4, step=30, length=120):
    """Rows of overlapping tiles on eight chromosomes, and the bases that they are cut from."""
    draw = random.Random(0)
    rows = []
    for locus in range(loci):
        bases = "".join(draw.choices("ACGT", k=length + step * each))
        for tile in range(each):
            start = 10_000 + 1000 * locus + step * tile
            place = [f"chr{1 + locus % 8}", str(start), str(start + length), "+-"[tile % 2]]
            values = [f"{draw.gauss(0, 1):.4f}" for _ in range(2)]
            rows.append([f"L{locus}_{tile}", bases[step * tile :][:length], *place, *values])
    return rows


def load(folder, rows, head=HEAD, keys="", columns="", name="t.tsv", sep="\t", target="replicates = ['rep1', 'rep2']"):
    (folder / name).write_text("\n".join(sep.join(row) for row in [list(head), *rows]) + "\n")
    path = folder / "task.toml"
    path.write_text(f'name = "t"\ntable = "{name}"\n{keys}\n[columns]\n{columns}\n[targets.y]\n{target}\n')
    return load_task_file(path)


def refused(*arguments, **options):
    with pytest.raises(BenchError) as caught:
        load(*arguments, **options)
    return str(caught.value)


def renamed(**names):
    return [names.get(name, name) for name in HEAD]


@pytest.mark.parametrize("trait", NAMES)
def test_one_trait_at_a_time(tmp_path, trait):
    accepted = 0
    for number in range(6):
        try:
            check(tmp_path, {trait}, number, clean_digest())
            accepted += 1
        except BenchError:
            continue
    refusing = {"typeset_minus", "decimal_commas", "thousands", "two_ids", "misspelt_column", "same_name", "ragged"}
    refusing |= {"na_bases", "units", "footer"}
    assert bool(accepted) == (trait not in refusing)


def test_found_columns_are_those_that_are_named(tmp_path):
    clean = load(tmp_path, tiles())
    assert len(set(clean.locus.tolist())) == 40
    assert clean.notes == ("columns read: id, sequence, chrom, start, end, strand",)
    found = load(tmp_path, tiles(), renamed(chrom="seqnames", end="stop", id="#ID"))
    assert found.digest == clean.digest
    assert found.notes == ('columns read: id = "ID", sequence, chrom = "seqnames", start, end = "stop", strand',)
    assert str(found.split) == "chromosome-kfold[k=5]"


def test_a_found_column_is_declined_and_one_of_two_is_named(tmp_path):
    declined = load(tmp_path, tiles(), columns="strand = false\nchrom = false")
    assert set(declined.chrom.tolist()) == {"unplaced"}
    head = renamed(rep2="contig")
    said = refused(tmp_path, tiles(), head, target="replicates = ['rep1']")
    assert "columns 'chrom' and 'contig' could each be chrom. Name one: chrom = \"chrom\" under [columns]" in said
    assert load(tmp_path, tiles(), head, columns="chrom = 'chrom'", target="replicates = ['rep1']").chrom[0] == "chr1"


def test_a_column_that_nearly_has_the_name(tmp_path):
    said = refused(tmp_path, tiles(), renamed(chrom="chromosone"))
    assert (
        "column 'chromosone' looks like chrom: write chrom = \"chromosone\" under [columns], or chrom = false" in said
    )
    hinted = load(tmp_path, tiles(), renamed(start="oligo_start", end="oligo_end"))
    assert "column 'oligo_start' is not used; if it is start, write start = \"oligo_start\"" in " ".join(hinted.notes)


def test_the_end_follows_from_the_start(tmp_path):
    clean = load(tmp_path, tiles())
    rows = [row[:4] + row[5:] for row in tiles()]
    assert load(tmp_path, rows, [name for name in HEAD if name != "end"]).digest == clean.digest


def test_one_chromosome_under_several_names(tmp_path):
    rows = tiles()
    for i, row in enumerate(rows):
        row[2] = [row[2], row[2][3:], row[2].title(), f"{row[2]} "][i % 4]
    task = load(tmp_path, rows)
    assert task.digest == load(tmp_path, tiles()).digest
    assert "chromosome names made alike: 1 is read as chr1" in " ".join(task.notes)
    scaffolds = load(tmp_path, [[*row[:2], f"KI{row[2]}", *row[3:]] for row in tiles()])
    assert scaffolds.chrom[0] == "KIchr1"


def one_based(rows):
    return [[*row[:3], str(int(row[3]) + 1), row[4], {"+": "fwd", "-": "rev"}[row[5]], *row[6:]] for row in rows]


def test_one_based_coordinates_need_a_word(tmp_path):
    clean = load(tmp_path, tiles())
    said = refused(tmp_path, one_based(tiles()))
    assert 'write coordinates = "1-based" in the task file, or "0-based" if they are not' in said
    assert load(tmp_path, one_based(tiles()), keys='coordinates = "1-based"').digest == clean.digest
    assert "coordinates look 0-based" in refused(tmp_path, tiles(), keys='coordinates = "1-based"')


def test_one_based_intervals_are_cut_where_they_begin(tmp_path):
    draw = random.Random(3)
    genome = {f"chr{i}": "".join(draw.choices("ACGT", k=3000)) for i in range(1, 6)}
    (tmp_path / "g.fa").write_text("".join(f">{name} x\n{bases}\n" for name, bases in genome.items()))
    head = ["ID", "chr", "start", "stop", "strand", "rep1"]
    rows = [
        [f"{i}:{1 + 7 * i}-{120 + 7 * i}", f"chr{1 + i % 5}", str(1 + 7 * i), str(120 + 7 * i), "fwd", f"{i * 0.1:.1f}"]
        for i in range(60)
    ]
    options = {"head": head, "target": "replicates = ['rep1']"}
    said = refused(tmp_path, rows, keys="fasta = 'g.fa'", **options)
    assert "end - start is 119, one short of 120, and ids hold start-end" in said
    task = load(tmp_path, rows, keys="fasta = 'g.fa'\ncoordinates = '1-based'", **options)
    assert task.sequences.to_strings()[2] == genome["chr3"][14:134]
    believed = load(tmp_path, rows, keys="fasta = 'g.fa'\ncoordinates = '0-based'", **options)
    assert believed.sequences.lengths[0] == 119


def test_circular_genomes(tmp_path):
    draw = random.Random(4)
    bases = "".join(draw.choices("ACGT", k=1000))
    (tmp_path / "g.fa").write_text(f">c\n{bases}\n")
    head = ["id", "chrom", "start", "end", "strand", "rep1"]
    places = [(-20, 40), (980, 1010), (950, 990), (500, 540), (30, 60)]
    rows = [[f"r{i}", "c", str(a), str(b), "+-"[i % 2], str(i)] for i, (a, b) in enumerate(places)]
    options = {"head": head, "target": "replicates = ['rep1']"}
    assert "whole number from 0 up. Got -20" in refused(tmp_path, rows, keys="fasta = 'g.fa'", **options)
    task = load(tmp_path, rows, keys="fasta = 'g.fa'\ncircular = true", **options)
    assert task.sequences.to_strings()[0] == bases[-20:] + bases[:40]
    assert task.sequences.reverse_complement().to_strings()[1] == bases[980:] + bases[:10]
    assert [task.locus[i] == task.locus[0] for i in range(5)] == [True, True, True, False, True]


def test_pairs_one_base_apart_share_a_locus(tmp_path):
    draw = random.Random(6)
    rows = []
    for i in range(150):
        left, core, right = "ACTGGCCGCTTCACTG", "".join(draw.choices("ACGT", k=100)), "CACTGCGGCTCCTGCG"
        turned = core[::-1].translate(str.maketrans("ACGT", "TGCA")) if i % 3 == 0 else core
        other = turned[:40] + ("A" if turned[40] != "A" else "C") + turned[41:]
        if i % 3 == 1:
            other = turned[:50] + turned[51:]
        for name, bases in (("ref", core), ("alt", other)):
            rows.append([f"rs{i}_{name}", left + bases + right, f"{draw.gauss(0, 1):.3f}"])
    task = load(tmp_path, rows, ["id", "sequence", "rep1"], target="replicates = ['rep1']")
    assert task.locus.tolist() == [i // 2 for i in range(300)]


def test_short_random_cores_are_not_chained_by_chance(tmp_path):
    draw = random.Random(7)
    rows = [
        [f"r{i}", "ACTGGCCG" * 5 + "".join(draw.choices("ACGT", k=7)) + "GGATCCAA" * 5, str(i)] for i in range(3000)
    ]
    task = load(tmp_path, rows, ["id", "sequence", "rep1"], target="replicates = ['rep1']")
    assert len(set(task.locus.tolist())) > 2000


def test_rows_without_a_chromosome_are_dealt_by_locus(tmp_path):
    draw = random.Random(8)
    rows = tiles()
    for i in range(400):
        rows.append([f"c{i}", "".join(draw.choices("ACGT", k=120)), *["NA"] * 2, "", ".", str(i), str(-i)])
    task = load(tmp_path, rows)
    assert task.counts["rows without a chromosome"] == 400
    controls = task.chrom == "unplaced"
    tested = [(controls & (part == TEST)).sum() for part in make_folds(task).part]
    assert max(tested) < 2 * min(tested)


def test_species_that_share_chromosome_names(tmp_path):
    rows = [[*row, species] for species in ("human", "mouse") for row in tiles()]
    for i, row in enumerate(rows):
        row[0] = f"r{i}"
    task = load(tmp_path, rows, [*HEAD, "species"], columns="species = 'species'")
    assert len(set(task.chrom.tolist())) == 16
    assert len(set(task.locus.tolist())) == 80
    one = load(tmp_path, rows, [*HEAD, "species"], columns="species = 'species'", keys="rows = { species = 'mouse' }")
    assert set(one.chrom.tolist()) == {f"chr{i}" for i in range(1, 9)}


def test_rows_are_chosen_and_limited(tmp_path):
    rows = [[*row, "AB"[i % 2], str(i)] for i, row in enumerate(tiles())]
    head = [*HEAD, "class", "dna"]
    task = load(tmp_path, rows, head, keys='rows = { class = ["A"] }\nminimum = { dna = 10 }\nmaximum = { dna = 99 }')
    assert len(task) == 45
    assert task.counts == {"rows of another class": 80, "rows with dna below 10": 5, "rows with dna above 99": 30}
    target = "replicates = ['rep1', 'rep2']\nmaximum = { dna = 49 }\n[targets.z]\nreplicates = ['rep2']"
    both = load(tmp_path, rows, head, target=target)
    assert [int(np.isfinite(both.targets[name].value).sum()) for name in "yz"] == [50, 160]
    assert "no row has 'C'. There is: A, B" in refused(tmp_path, rows, head, keys="rows = { class = 'C' }")
    assert "rows.rep1 filters on a target" in refused(tmp_path, rows, head, keys="rows = { rep1 = 1 }")
    assert "maximum.rep2 filters on a target" in refused(tmp_path, rows, head, keys="maximum = { rep2 = 1 }")
    assert "column 'dan' of minimum is missing. Did you mean 'dna'" in refused(
        tmp_path, rows, head, keys="minimum = { dan = 1 }"
    )
    assert len(load(tmp_path, [*rows, ["x", "ACGT", *rows[0][2:]]], head, keys="minimum = { length = 100 }")) == 160


def test_rows_measured_in_few_replicates(tmp_path):
    rows = tiles()
    rows[3][6] = rows[5][7] = "NA"
    task = load(tmp_path, rows, target="replicates = ['rep1', 'rep2']\nminimum_replicates = 2")
    assert task.counts == {"rows without a measured target": 2}


@pytest.mark.parametrize(("how", "value"), [("mean", 2.0), ("sum", 4.0), ("first", 1.0)])
def test_rows_that_share_an_id(tmp_path, how, value):
    rows = [*tiles(), [*tiles()[0][:6], "3", "NA"]]
    rows[0][6] = "1"
    assert "rows 1 and 161 share the 'id' 'L0_0'. Row ids must be unique" in refused(tmp_path, rows)
    task = load(tmp_path, rows, keys=f"duplicates = '{how}'")
    assert len(task) == 160
    assert task.targets["y"].replicates[0].tolist() == [value, float(rows[0][7])]
    rows[-1][1] = "ACGT"
    if how != "first":
        assert "rows of one id have different 'sequence'" in refused(tmp_path, rows, keys=f"duplicates = '{how}'")


def test_all_that_is_wrong_with_a_table_is_said_at_once(tmp_path):
    rows = tiles()
    for i in (7, 9, 11):
        rows[i][6] = "0,5"
    rows[3][1] = "ACGT*"
    rows[4][5] = "up"
    rows[5][3] = "-4"
    rows[6][0] = ""
    said = refused(tmp_path, rows)
    assert "5 problems" in said
    assert "row 8 ('L1_3', line 9), column 'rep1' must be a finite number or empty. Got '0,5' (3 such rows)." in said
    for piece in ("row 4 ('L0_3', line 5), column 'sequence' has '*'", "Got 'up'", "Got -4", "row 7 has no 'id'"):
        assert piece in said
    assert "2 problems. (1) column 'rep3' is missing" in refused(tmp_path, rows, target="replicates = ['rep3', 'rep4']")


def test_missing_covariates_stay_missing(tmp_path):
    rows = [[*row, "" if i % 20 == 7 else str(i)] for i, row in enumerate(tiles())]
    task = load(tmp_path, rows, [*HEAD, "dna"], columns="covariates = ['dna']")
    assert np.isnan(task.sequences.covariates["dna"]).sum() == 8


def test_headerless_tables_have_names_by_position(tmp_path):
    rows = [[row[1], row[6]] for row in tiles()]
    options = {"head": rows[0], "name": "t.txt", "target": "replicates = ['expression']"}
    assert "set header = false" in refused(tmp_path, rows[1:], **options)
    task = load(tmp_path, rows[1:], keys="header = false", columns='names = ["sequence", "expression"]', **options)
    assert len(task) == 160
    assert task.row_id[0] == "row-1"
