"""Windows at start sites, against slices of the genome made by hand."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from calls import call, refused

from bench.tasks.task_file import load_task_file

PAIRS = {"A": "T", "C": "G", "G": "C", "T": "A"}
LENGTH = 60_000


def genome(folder: Path, names: tuple[str, ...] = ("chr1", "chr2")) -> dict[str, str]:
    rng = np.random.default_rng(2)
    made = {name: "".join(rng.choice(list("ACGT"), LENGTH)) for name in names}
    (folder / "g.fa").write_text("".join(f">{name}\n{bases}\n" for name, bases in made.items()))
    return made


def gtf(folder: Path, lines: list[tuple[str, int, int, str, str]], name: str = "genes.gtf.gz") -> Path:
    """Lines (chromosome, start and end as in a GTF, strand, attributes)."""
    text = "".join(f"{c}\tx\ttranscript\t{a}\t{b}\t.\t{s}\t.\t{more}\n" for c, a, b, s, more in lines)
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    return path


def expression(folder: Path, ids: list[str], column: str = "gene_id") -> Path:
    rng = np.random.default_rng(4)
    rows = [f"{each}\t{rng.normal():.3f}\t{rng.normal():.3f}" for each in ids]
    (folder / "e.tsv").write_text("\n".join([f"{column}\tr1\tr2", *rows]) + "\n")
    return folder / "e.tsv"


def run(folder: Path, *more: object, annotation: str = "genes.gtf.gz") -> str:
    status, printed, error = call(
        "data", "windows", folder / "e.tsv", "--annotation", folder / annotation, "--fasta", folder / "g.fa",
        "--target", "K562=r1,r2", "--out", folder / "out", *more,
    )  # fmt: skip
    assert status == 0, (printed, error)
    return printed


def rows(folder: Path) -> dict[str, str]:
    task = load_task_file(folder / "out.toml")
    return dict(zip(task.row_id.tolist(), task.sequences.to_strings(), strict=True))


def attributes(gene: str, transcript: str = "t") -> str:
    return f'gene_id "{gene}"; transcript_id "{transcript}"; gene_name "{gene.lower()}";'


def many(n: int = 30) -> list[tuple[str, int, int, str, str]]:
    return [
        (f"chr{1 + i % 2}", 2000 + 1500 * i, 2900 + 1500 * i, "+-"[i % 3 == 0], attributes(f"G{i}", f"T{i}"))
        for i in range(n)
    ]


def test_windows_are_read_along_their_strand(tmp_path: Path) -> None:
    bases = genome(tmp_path)
    gtf(tmp_path, many())
    expression(tmp_path, [f"G{i}" for i in range(30)])
    printed = run(tmp_path, "--window", -700, 200)
    assert "windows of 900 bases: 30" in printed
    found = rows(tmp_path)
    for chrom, start, end, strand, more in many():
        name = more.split('"')[1]
        if strand == "+":
            expected = bases[chrom][start - 1 - 700 : start - 1 + 200]
        else:
            expected = "".join(PAIRS[b] for b in reversed(bases[chrom][end - 200 : end + 700]))
        assert found[name] == expected
    # the first base of the transcript is the one after the first 700
    plus = next(each for each in many() if each[3] == "+")
    assert found[plus[4].split('"')[1]][700] == bases[plus[0]][plus[1] - 1]


def test_versions_are_left_out_where_ids_do_not_match_with_them(tmp_path: Path) -> None:
    genome(tmp_path)
    lines = [(c, a, b, s, attributes(f"ENSG{i:011d}.{1 + i % 4}")) for i, (c, a, b, s, _) in enumerate(many())]
    gtf(tmp_path, lines)
    ids = [f"ENSG{i:011d}.{9 if i % 2 else 1 + i % 4}" for i in range(28)] + [f"ENSG{28:011d}", "ENSG9"]
    expression(tmp_path, ids)
    printed = run(tmp_path)
    assert "ids matched without their version (ENSG….5 is ENSG…): 15" in printed
    assert "rows of the table without a start site, left out: 1 of 30 (ENSG9 ...)" in printed
    assert set(rows(tmp_path)) == set(ids[:29])


def test_names_of_genes_keep_what_looks_like_a_version(tmp_path: Path) -> None:
    genome(tmp_path)
    lines = [(c, a, b, s, f'gene_id "E{i}"; gene_name "AC{i:06d}.1";') for i, (c, a, b, s, _) in enumerate(many())]
    gtf(tmp_path, lines)
    expression(tmp_path, [f"AC{i:06d}.{1 + (i == 7)}" for i in range(30)], "gene")
    printed = run(tmp_path)
    assert "matched with gene_name" in printed
    assert "AC000007.2" not in rows(tmp_path)
    assert "left out: 1 of 30" in printed


@pytest.mark.parametrize(("site", "plus", "minus"), [("common", 5000, 9300), ("upstream", 4800, 9500)])
def test_one_start_site_stands_for_a_gene(tmp_path: Path, site: str, plus: int, minus: int) -> None:
    bases = genome(tmp_path)
    lines = many(28)
    lines += [("chr1", start, 6000, "+", attributes("PLUS", f"p{i}")) for i, start in enumerate((4800, 5000, 5000))]
    lines += [("chr2", 8000, end, "-", attributes("MINUS", f"m{i}")) for i, end in enumerate((9300, 9300, 9500))]
    # of equals the most upstream
    lines += [("chr2", 30_000, end, "-", attributes("TIE", f"e{i}")) for i, end in enumerate((31_000, 31_200))]
    gtf(tmp_path, lines)
    expression(tmp_path, [*(f"G{i}" for i in range(28)), "PLUS", "MINUS", "TIE"])
    printed = run(tmp_path, "--site", site, "--window", 0, 50)
    assert "ids with several start sites: 3" in printed
    found = rows(tmp_path)
    back = [PAIRS[b] for b in reversed(bases["chr2"])]
    assert found["PLUS"] == bases["chr1"][plus - 1 : plus + 49]
    assert found["MINUS"] == "".join(back[LENGTH - minus : LENGTH - minus + 50])
    assert found["TIE"] == "".join(back[LENGTH - 31_200 : LENGTH - 31_150])


def test_what_does_not_fit_is_left_out_and_counted(tmp_path: Path) -> None:
    genome(tmp_path)
    lines = [
        *many(),
        ("chr1", 500, 900, "+", attributes("NEAR")),
        ("chr1", LENGTH - 900, LENGTH - 10, "-", attributes("END")),
        ("chrUn", 5000, 6000, "+", attributes("FAR")),
    ]
    gtf(tmp_path, lines)
    expression(tmp_path, [*(f"G{i}" for i in range(30)), "NEAR", "END", "FAR", "NOWHERE"])
    printed = run(tmp_path)
    assert "windows that run over the end of a chromosome, left out: 2" in printed
    assert "rows on chromosomes that the FASTA lacks, left out: 1 (chrUn ...)" in printed
    assert "rows of the table without a start site, left out: 1 of 34 (NOWHERE ...)" in printed
    assert set(rows(tmp_path)) == {f"G{i}" for i in range(30)}


def test_chromosomes_without_chr_and_a_bed_of_start_sites(tmp_path: Path) -> None:
    bases = genome(tmp_path, ("1", "2"))
    lines = [f"{c}\t{a - 1}\t{b}\tG{i}\t0\t{s}" for i, (c, a, b, s, _) in enumerate(many())]
    (tmp_path / "sites.bed").write_text("\n".join(lines) + "\n")
    expression(tmp_path, [f"G{i}" for i in range(30)])
    printed = run(tmp_path, "--window", 0, 40, annotation="sites.bed")
    assert "chromosomes are called as in g.fa: chr1 is 1, ..." in printed
    chrom, start, _, _, _ = many()[1]
    assert rows(tmp_path)["G1"] == bases[chrom.removeprefix("chr")][start - 1 : start + 39]


def test_names_of_clones_in_a_bed_are_genes_of_their_own(tmp_path: Path) -> None:
    genome(tmp_path)
    names = ["AC012345.1", "AC012345.2", "Z93241.7", "ENSG00000000003.15", "FBgn0000003.2", "x"]
    lines = [f"chr1\t{1000 + 500 * i}\t{1001 + 500 * i}\t{name}\t0\t+" for i, name in enumerate(names)]
    (tmp_path / "sites.bed").write_text("\n".join(lines) + "\n")
    expression(tmp_path, ["AC012345.3", "AC012345.2", "Z93241.1", "ENSG00000000003.1", "FBgn0000003", "x"], "gene")
    printed = run(tmp_path, "--window", -20, 20, annotation="sites.bed")
    assert set(rows(tmp_path)) == {"AC012345.2", "ENSG00000000003.1", "FBgn0000003", "x"}
    assert "without their version (ENSG….5 is ENSG…): 2" in printed


def test_two_commands_from_files_to_a_board(tmp_path: Path) -> None:
    genome(tmp_path)
    gtf(tmp_path, many())
    expression(tmp_path, [f"G{i}" for i in range(30)])
    printed = run(tmp_path, "--window", -100, 50)
    assert f"next: bench run --task {tmp_path / 'out.toml'}" in printed
    status, printed, error = call(
        "run", "--task", tmp_path / "out.toml", "-f", "gc", "-m", "gc-curve", "-o", tmp_path / "r",
        "--split", "locus-kfold[k=3]",
    )  # fmt: skip
    assert status == 0, (printed, error)


def test_what_is_wrong_is_one_line(tmp_path: Path) -> None:
    genome(tmp_path)
    gtf(tmp_path, many())
    base = ["data", "windows", tmp_path / "e.tsv", "--annotation", tmp_path / "genes.gtf.gz", "--fasta"]
    base += [tmp_path / "g.fa", "--out", tmp_path / "out"]
    expression(tmp_path, [f"X{i}" for i in range(30)])
    assert "no row is left of 30" in refused(*base, "--target", "y=r1,r2")
    expression(tmp_path, ["G1", "G2", "G1"])
    assert "'gene_id' 'G1' stands in two rows" in refused(*base, "--target", "y=r1,r2")
    expression(tmp_path, [f"G{i}" for i in range(30)])
    assert "column 'r3' is missing" in refused(*base, "--target", "y=r1,r3")
    assert "--target must be NAME=column,column" in refused(*base, "--target", "r1")
    assert "--site must be common or upstream" in refused(*base, "--target", "y=r1", "--site", "last")
    assert "its first base must lie before its last" in refused(*base, "--target", "y=r1", "--window", 200, -700)
    assert "'gene_idd'. Did you mean 'gene_id'?" in refused(*base, "--target", "y=r1", "--match", "gene_idd")
    assert "has no feature 'gene'" in refused(*base, "--target", "y=r1", "--feature", "gene")
    assert "a name must be letters" in refused(*base, "--target", "K 562/x=r1,r2")  # bench run would refuse the file
    assert "'r1' is named twice" in refused(*base, "--target", "y=r1,r1")
    assert not (tmp_path / "out.tsv").exists()
    (tmp_path / "e.tsv").write_text("gene_id\tstart\nG1\t3.5\n")
    assert "column 'start' of --target is called as one that is written" in refused(*base, "--target", "y=start")
    expression(tmp_path, [f"G{i}" for i in range(30)])
    run(tmp_path)
    assert "is there already" in refused(*base, "--target", "y=r1")
    assert not list(tmp_path.glob("*.tmp"))
