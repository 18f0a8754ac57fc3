"""Strata of a task file: what each row is called, against looking at it base by base."""

import gzip
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import BenchError
from bench.tasks.strata import quantile_bins
from bench.tasks.task_file import load_task_file

HEAD = 'name = "mine"\ntable = "t.tsv"\ntargets.y.replicates = ["r1", "r2"]\n'


def write_task(folder, rows, said, *, extra="", files=None):
    """A task file whose rows lie at (chrom, start, end, strand); ``files``: name -> text of what lies beside it."""
    rng = np.random.default_rng(0)
    lines = ["id\tsequence\tchrom\tstart\tend\tstrand\tr1\tr2\tkind\tdna"]
    for i, (chrom, start, end, strand) in enumerate(rows):
        bases = "".join(rng.choice(list("ACGT"), end - start))
        values = f"{rng.normal():.6f}\t{rng.normal():.6f}\t{'ab'[i % 2]}\t{i // 2}"
        lines.append(f"r{i}\t{bases}\t{chrom}\t{start}\t{end}\t{strand}\t{values}")
    (folder / "t.tsv").write_text("\n".join(lines) + "\n")
    for name, text in (files or {}).items():
        data = text.encode()
        (folder / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    path = folder / "mine.toml"
    path.write_text(HEAD + extra + said)
    return load_task_file(path)


ROWS = [("chr1", 10 * i, 10 * i + 20, "+-"[i % 2]) for i in range(12)]
STATES = "1\t0\t45\tEnh\n1\t40\t100\tTss\n1\t100\t125\tEnh\nchrUn\t0\t9\tTss\n"


def test_the_label_that_covers_most_is_the_default(tmp_path):
    task = write_task(tmp_path, ROWS, '[strata.state]\nfile = "s.bed.gz"\n', files={"s.bed.gz": STATES})
    want = ["Enh", "Enh", "Enh", "Enh", "Tss", "Tss", "Tss", "Tss", "Tss", "Enh", "Enh", "Enh"]
    assert task.strata["state"].tolist() == want  # row 3 is at 30-50: 15 bases of Enh, 10 of Tss; row 9 ties
    card = task.stratum_cards["state"]
    assert (card.file, len(card.sha256)) == ("s.bed.gz", 64)
    [note] = [note for note in task.notes if note.startswith("stratum state")]
    assert "4 intervals of 2 labels in s.bed.gz; the label that covers most bases of a row" in note
    assert "12 rows under a label; 0 elsewhere; 1 with several as good, which take the first in the file" in note


@pytest.mark.parametrize(
    ("said", "want"),
    [
        ('overlap = "any"\n', ["Enh"] * 5 + ["Tss"] * 4 + ["Enh"] * 3),
        ('overlap = "centre"\n', ["Enh"] * 4 + ["Tss"] * 5 + ["Enh"] * 3),
        ('overlap = "whole"\n', ["Enh"] * 3 + ["elsewhere"] + ["Tss"] * 5 + ["elsewhere", "Enh", "elsewhere"]),
        ('overlap = 0.75\nnone = "x"\n', ["Enh"] * 4 + ["Tss"] * 5 + ["x", "Enh", "Enh"]),
        ('overlap = 0.8\nnone = false\n', ["Enh"] * 3 + [""] + ["Tss"] * 5 + ["", "Enh", ""]),
        ('only = ["Tss"]\n', ["elsewhere"] * 3 + ["Tss"] * 7 + ["elsewhere"] * 2),
        ("label = false\n", ["inside"] * 12),
    ],
)  # fmt: skip
def test_rules_of_overlap(tmp_path, said, want):
    # row i is at 10i - 10i + 20: row 11 has 15 of its bases under Enh, whose first labels stand first in the file
    task = write_task(tmp_path, ROWS, f'[strata.state]\nfile = "s.bed"\n{said}', files={"s.bed": STATES})
    assert task.strata["state"].tolist() == want


SPAN = st.tuples(st.sampled_from(["chr1", "chr2"]), st.integers(0, 60), st.integers(4, 30), st.sampled_from("+-"))


def bases_of(interval):
    return {(interval[0], base) for base in range(interval[1], interval[2])}


@given(
    st.lists(SPAN, min_size=6, max_size=10),
    st.lists(SPAN, min_size=1, max_size=6),
    st.sampled_from(["any", "same", "opposite"]),
    st.one_of(st.none(), st.tuples(st.integers(-20, 5), st.integers(6, 20))),
    st.sampled_from(["centre", "whole", 0.5, "most"]),
)
@settings(max_examples=60)
def test_inside_and_outside_as_counted_base_by_base(tmp_path_factory, rows, spans, strand, window, rule):
    rows = [(c, s, s + n, x) for c, s, n, x in rows]
    spans = [(c, s, s + n, x) for c, s, n, x in spans] + [(c, 5000, 5001, x) for c in ("chr1", "chr2") for x in "+-"]
    gtf = "".join(f'{c}\tx\ttranscript\t{s + 1}\t{e}\t.\t{x}\t.\tgene_id "g";\n' for c, s, e, x in spans)
    said = f'[strata.site]\nfile = "g.gtf"\nfeature = "transcript"\nstrand = "{strand}"\noverlap = {rule!r}\n'
    said += f"window = {list(window)}\n" if window else ""
    task = write_task(tmp_path_factory.mktemp("inside"), rows, said, files={"g.gtf": gtf})
    for row, label in zip(rows, task.strata["site"], strict=True):
        covered = set()
        for span in spans:
            if strand != "any" and (span[3] == row[3]) != (strand == "same"):
                continue
            bases = bases_of(span)
            if window:
                site, step = (span[1], 1) if span[3] == "+" else (span[2] - 1, -1)
                bases = {(span[0], site + step * offset) for offset in range(*window)}
            covered |= bases
        own = bases_of(row)
        share = len(own & covered) / len(own)
        inside = {
            "centre": (row[0], (row[1] + row[2]) // 2) in covered,
            "whole": share == 1,
            "most": share > 0,
            0.5: share >= 0.5,
        }[rule]
        assert label == ("inside" if inside else "outside")


def test_quantiles_are_of_equal_size_and_keep_ties_together(tmp_path):
    rows = [("chr1", 100 * i, 100 * i + 60, "+") for i in range(100)]
    said = '[strata.gc]\n[strata.depth]\ncovariate = "dna_count"\nbins = 4\n[strata.few]\ncolumn = "dna"\nbins = 7\n'
    task = write_task(
        tmp_path, rows, said + '[strata.class]\ncolumn = "kind"\n', extra='columns.covariates.dna_count = "dna"\n'
    )
    bases = [line.split("\t")[1] for line in (tmp_path / "t.tsv").read_text().splitlines()[1:]]
    gc = np.array([text.count("G") + text.count("C") for text in bases])
    level = np.array([int(label.removeprefix("decile ")) for label in task.strata["gc"]])
    for one in range(1, 10):
        assert not len(gc[level == one]) or gc[level == one].max() <= gc[level > one].min()
    assert (np.abs(np.cumsum(np.bincount(level, minlength=11)[1:]) - 10 * np.arange(1, 11)) <= 12).all()
    assert all(len(set(level[gc == value])) == 1 for value in set(gc))
    sizes = np.unique(task.strata["depth"], return_counts=True)
    assert sizes[0].tolist() == ["quartile 1", "quartile 2", "quartile 3", "quartile 4"]
    assert np.ptp(sizes[1]) <= 2
    assert task.stratum_cards["depth"].levels["quartile 1"].startswith("0 to 1")
    assert re.fullmatch(r"[\d.]+ to [\d.]+ %", task.stratum_cards["gc"].levels["decile 1"])
    assert set(task.strata["few"].tolist()) == {f"bin {i} of 7" for i in range(1, 8)}
    assert task.strata["class"].tolist() == ["a", "b"] * 50
    assert "class" not in task.stratum_cards


@given(st.lists(st.one_of(st.integers(0, 9), st.just(np.nan)), min_size=1, max_size=60), st.integers(2, 12))
def test_bins_follow_the_mean_rank(values, bins):
    values = np.array(values, float)
    codes, ranges = quantile_bins(values, bins)
    known = np.flatnonzero(np.isfinite(values))
    for row, code in enumerate(codes):
        if row not in known:
            assert code == -1
            continue
        below, same = (values[known] < values[row]).sum(), (values[known] == values[row]).sum()
        assert code == min(int((below + same / 2) / len(known) * bins + 1e-12), bins - 1)
    assert sorted(ranges) == sorted(set(codes[known].tolist()))


@pytest.mark.parametrize(
    ("said", "files", "problem"),
    [
        ('file = "s.bed"', {}, r"s.bed: no such BED or GTF file"),
        ('file = "s.bed"', {"s.bed": "1\t0\t9\n2\t5\t5\n"}, r"s.bed:2: start must lie before end"),
        ('file = "s.bed"', {"s.bed": "2\t0\t9\n"}, r"no chromosome of .*has 2; the rows chr1\). Name"),
        ('file = "s.bed"\nonly = ["Tsx"]', {"s.bed": STATES}, r"s.bed has no label 'Tsx'. Did you mean 'Tss'"),
        ('file = "s.bed"\nnone = "Tss"', {"s.bed": STATES}, r"s.bed has a label 'Tss' already"),
        ('file = "s.bed"\nlabel = "names"', {"s.bed": STATES}, r"s.bed: has no column 'names'. Did you mean 'name'"),
        ('file = "s.bed"\nstrand = "same"', {"s.bed": STATES}, r"no interval in s.bed has a strand"),
        ('file = "s.bed"\nwindow = [-5, 5]', {"s.bed": STATES}, r"s.bed:1: no strand, which says on which end"),
        ('file = "s.bed"\nwindow = [-9, -5]', {"s.bed": "1\t0\t9\tx\t0\t+\n"}, r"window .* lies before the chrom"),
        ('column = "kind"\nbins = 4', {}, r"row 1 .*column 'kind' must be a finite number or empty. Got 'a'"),
        ('file = "s.bed"\nwindow = [5, -5]', {}, r"the window must begin before it ends"),
        ('file = "s.bed"\noverlap = 1.5', {}, r"'overlap' in \[strata.x\]: must be 'most', .*'whole' or"),
        ('file = "s.bed"\nbins = 4', {}, r"bins are of a covariate or a column of numbers"),
        ('file = "s.bed"\ncolumn = "kind"', {}, r"give file or column, not both"),
        ('file = "s.bed"\nspecies = "man"', {"s.bed": STATES}, r"species needs the column that tells them"),
        ('file = "s.bed"\nfetaure = "gene"', {}, r"unknown key 'fetaure' in \[strata.x\]. Did you mean 'feature'"),
        ('column = "kind"\nwindow = [0, 5]', {}, r"window is for a stratum that a file gives"),
        ('column = "r1"\nbins = 4', {}, r"column 'r1' is measured on a target"),
        ('column = "kinds"', {}, r"column 'kinds' is missing. Did you mean 'kind'"),
        ("bins = 4", {}, r"names no file, column or covariate, and 'x' is no covariate. There is: cpg, gc, length"),
        ('covariate = "dna"', {}, r"there is no covariate 'dna'"),
        ('covariate = "length"', {}, r"length has 1 values, which cannot be divided into 10"),
        ('file = "g.gtf"', {"g.gtf": '1\tx\tgene\t1\t9\t.\t+\t.\ta "b";\n1\tx\texon\t1\t9\t.\t+\t.\ta "b";\n'},
         r'g.gtf has features gene, exon. Say which with feature = "gene"'),
        ('file = "s.bed"\nlabel = "name"', {"s.bed": "".join(f"1\t{i}\t{i + 1}\tpeak{i}\n" for i in range(300))},
         r"s.bed has 300 different labels .* at most 200. Name those that you ask about with only"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(tmp_path, said, files, problem):
    with pytest.raises(BenchError, match=problem) as caught:
        write_task(tmp_path, ROWS, f"[strata.x]\n{said}\n", files=files)
    assert "\n" not in str(caught.value)


def test_names_of_peaks_and_three_columns_are_no_labels(tmp_path):
    peaks = "".join(f"chr1\t{10 * i}\t{10 * i + 2}\tpeak{i}\n" for i in range(1, 70, 60)) + "".join(
        f"chr2\t{i}\t{i + 1}\tq{i}\n" for i in range(80)
    )
    said = '[strata.peak]\nfile = "p.bed"\n[strata.three]\nfile = "t.bed"\nnone = "far"\n'
    task = write_task(tmp_path, ROWS, said, files={"p.bed": peaks, "t.bed": "chr1\t0\t15\nchr1\t3\t4\n"})
    assert task.strata["peak"].tolist() == ["inside"] * 2 + ["outside"] * 10
    assert any("read as names of intervals and not as labels" in note for note in task.notes)
    assert task.strata["three"].tolist() == ["inside"] * 2 + ["far"] * 10


def test_rows_of_which_a_file_says_nothing_are_in_no_level(tmp_path):
    rows = [*ROWS[:4], ("NA", 0, 20, "+"), ("chr1", 0, 20, ".")]
    bed = "chr1\t0\t100\tx\t0\t+\n"
    task = write_task(tmp_path, rows, '[strata.x]\nfile = "s.bed"\nstrand = "same"\n', files={"s.bed": bed})
    assert task.strata["x"].tolist() == ["x", "elsewhere", "x", "elsewhere", "", ""]
    assert any("2 of which the file says nothing" in note for note in task.notes)


def test_a_file_of_one_of_two_species(tmp_path):
    text = "id\tsequence\tchrom\tstart\tend\tspecies\tr1\tr2\n"
    rng = np.random.default_rng(1)
    for i in range(8):
        bases = "".join(rng.choice(list("ACGT"), 30))
        text += f"r{i}\t{bases}\tchr{1 + i // 4}\t{100 * (i % 4)}\t{100 * (i % 4) + 30}\t{['man', 'mouse'][i % 2]}"
        text += f"\t{rng.normal():.5f}\t{rng.normal():.5f}\n"
    (tmp_path / "t.tsv").write_text(text)
    (tmp_path / "s.bed").write_text("1\t0\t150\n")
    path = tmp_path / "mine.toml"
    head = HEAD + 'columns.species = "species"\n[strata.x]\nfile = "s.bed"\n'
    path.write_text(head)
    with pytest.raises(BenchError, match=r"the rows are of 2 species: say which one .* species = 'man'"):
        load_task_file(path)
    path.write_text(head + 'species = "man"\n')
    assert load_task_file(path).strata["x"].tolist() == ["inside", "", "outside", "", "outside", "", "outside", ""]


def test_strata_change_no_content_that_a_result_rests_on(tmp_path):
    bare = write_task(tmp_path, ROWS, "")
    with_it = write_task(
        tmp_path, ROWS, '[strata.state]\nfile = "s.bed"\n[strata.gc]\nbins = 3\n', files={"s.bed": STATES}
    )
    assert with_it.digest != bare.digest
    assert with_it.content.of("y") == bare.content.of("y")
    assert with_it.content.covariates == bare.content.covariates


def test_start_sites_and_states_at_three_human_genes(tmp_path):
    # GENCODE's places of ACTB (minus strand), GAPDH and MYC in hg38; the files write chromosomes without chr
    genes = {"ACTB": ("7", 5526409, 5530601, "-"), "GAPDH": ("12", 6534517, 6538371, "+")}
    genes["MYC"] = ("8", 127735434, 127742951, "+")
    gtf = "".join(
        f'{chrom}\tHAVANA\t{feature}\t{start}\t{end}\t.\t{strand}\t.\tgene_id "{name}"; gene_name "{name}";\n'
        for name, (chrom, start, end, strand) in genes.items()
        for feature in ("gene", "transcript")
    )
    rows = [
        ("chr7", 5530700, 5530900, "+"),  # 99 to 299 bases before ACTB's start, which lies at the higher end
        ("chr7", 5530000, 5530200, "+"),  # 401 bases behind it
        ("chr12", 6534000, 6534200, "+"),  # 316 to 516 before GAPDH's
        ("chr12", 6534800, 6535000, "+"),  # 284 bases behind it
        ("chr8", 127734800, 127735000, "-"),  # 433 to 633 before MYC's
        ("chr8", 127734000, 127734200, "-"),  # more than 1,200 before it
    ]
    states = "7\t5530000\t5531000\t1_TssA\n12\t6534000\t6534400\t10_TssBiv\n12\t6534400\t6536000\t4_Tx\n"
    said = '[strata.start]\nfile = "g.gtf.gz"\nfeature = "transcript"\nwindow = [-700, 200]\n'
    said += '[strata.gene]\nfile = "g.gtf.gz"\nfeature = "gene"\nlabel = "gene_name"\nwindow = [-2000, 2000]\n'
    said += '[strata.own]\nfile = "g.gtf.gz"\nfeature = "transcript"\nwindow = [-700, 200]\nstrand = "same"\n'
    said += '[strata.state]\nfile = "s.bed"\nnone = "15_Quies"\n'
    task = write_task(tmp_path, rows, said, files={"g.gtf.gz": gtf, "s.bed": states})
    assert task.strata["start"].tolist() == ["inside", "outside"] * 3
    assert task.strata["gene"].tolist() == ["ACTB", "ACTB", "GAPDH", "GAPDH", "MYC", "MYC"]
    assert task.strata["own"].tolist() == ["outside", "outside", "inside", "outside", "outside", "outside"]
    assert task.strata["state"].tolist() == ["1_TssA", "1_TssA", "10_TssBiv", "4_Tx", "15_Quies", "15_Quies"]
