"""Adapters of data sets that the user brings: each on a small file in exactly the published layout."""

from __future__ import annotations

import gzip
import zipfile

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from bench.dataset import Unavailable
from bench.datasets.agarwal2025 import Agarwal2025
from bench.datasets.deepstarr import DeepSTARR
from bench.datasets.dream2022 import Dream2022
from bench.datasets.ernst2016 import Sharpr, SharprSV40
from bench.datasets.gosai2024 import Gosai2024
from bench.datasets.jores2021 import Jores2021
from bench.datasets.sure2019 import SuRE2019, SuRE2019HepG2
from bench.datasets.urtecho2020 import Urtecho2020
from bench.errors import BenchError
from bench.tasks.cards import card_of
from bench.tasks.folds import make_folds
from bench.tasks.task import TEST, TRAIN, VALID

BROUGHT = (
    Agarwal2025,
    DeepSTARR,
    Dream2022,
    Gosai2024,
    Jores2021,
    Sharpr,
    SharprSV40,
    SuRE2019,
    SuRE2019HepG2,
    Urtecho2020,
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("BENCH_DATA_DIR", raising=False)


def bases(rng, n, length):
    return ["".join(rng.choice(list("ACGT"), length)) for _ in range(n)]


def write(folder, name, lines):
    """A text file, gzipped where its name says so."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{line}\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def tabbed(*rows):
    return ["\t".join(map(str, row)) for row in rows]


@pytest.mark.parametrize("dataset", BROUGHT)
def test_without_files_it_says_what_to_bring(dataset, tmp_path):
    with pytest.raises(Unavailable, match="Bring "):
        dataset().load(tmp_path)
    said = dataset().problem(tmp_path)
    assert "BENCH_DATA_DIR" in said
    assert "\n" not in said


@pytest.mark.parametrize("dataset", BROUGHT)
def test_the_card_says_what_matters(dataset):
    card = dict(card_of(dataset()))
    assert {"what", "assay", "organism", "strand", "targets", "split", "files", "citation", "note"} <= set(card)
    assert card["files"].startswith("bring ")


# ---- Sharpr-MPRA -----------------------------------------------------------------------------------------------------
def write_sharpr(folder, promoter="minP"):
    """Two designs of four regions of 31 tiles; as published, the tiles are cut from the genome five bases apart."""
    rng = np.random.default_rng(0)
    tables, number = {}, 1831740
    for design in (1, 2):
        rows = []
        for region, chrom in enumerate(("chr8", "chr18", "chr3", "chrX")):
            [piece], centre = bases(rng, 1, 295), 1_000_000 * design + 5_000 * region
            rows += [
                [f"H1hesc_{region}_{region}_{tile}_{chrom}_{centre}", piece[5 * tile : 5 * tile + 145], f"TAG{tile}"]
                for tile in range(31)
            ]
        what = f"ScaleUpDesign{design}_{promoter}"
        names = [f"{what}_Plasmid"]
        names += [f"{cell}_{what}_mRNA_Rep{i}" for cell in ("HepG2", "K562") for i in (1, 2)]
        for name in names:
            counts = rng.poisson(40, len(rows))
            tables[name] = pd.DataFrame(rows, columns=["ID", "Sequence", "Tags"]).assign(Counts=counts)
            number += 1
            text = tabbed(tables[name].columns, *tables[name].itertuples(index=False))
            write(folder, f"ernst2016/GSM{number}_{name}.counts.txt.gz", text)
    return tables


def test_sharpr_against_the_formula(tmp_path):
    tables = write_sharpr(tmp_path)
    task = Sharpr().load(tmp_path)
    dna = pd.concat([tables[f"ScaleUpDesign{d}_minP_Plasmid"] for d in (1, 2)], ignore_index=True)
    kept = (dna["Counts"] > 20).to_numpy()
    assert len(task) == kept.sum()
    for cell in ("HepG2", "K562"):
        expected = []
        for d in (1, 2):
            below = tables[f"ScaleUpDesign{d}_minP_Plasmid"]["Counts"]
            for_design = [
                np.log2((rna + 1) / rna.sum()) - np.log2((below + 1) / below.sum())
                for rna in (tables[f"{cell}_ScaleUpDesign{d}_minP_mRNA_Rep{i}"]["Counts"] for i in (1, 2))
            ]
            expected.append(np.column_stack(for_design))
        np.testing.assert_allclose(task.targets[cell].replicates, np.concatenate(expected)[kept], rtol=1e-12)
    assert set(task.chrom) == {"chr8", "chr18", "chr3", "chrX"}
    # Tile 0 of a region begins at centre - 147.
    first = task.row_id == "H1hesc_0_0_0_chr8_1000000"
    assert task.position[first] == 1_000_000 - 147
    assert len(np.unique(task.locus)) == 8
    [part] = make_folds(task).part
    assert set(task.chrom[part == VALID]) == {"chr8"}
    assert set(task.chrom[part == TEST]) == {"chr18"}


def test_sharpr_promoters_are_data_sets_of_their_own(tmp_path):
    write_sharpr(tmp_path, "SV40P")
    assert len(SharprSV40().load(tmp_path)) > 200
    with pytest.raises(Unavailable, match="minP"):
        Sharpr().load(tmp_path)


def test_sharpr_files_that_do_not_fit_are_refused(tmp_path):
    write_sharpr(tmp_path)
    [path] = (tmp_path / "ernst2016").glob("*K562_ScaleUpDesign2_minP_mRNA_Rep2*")
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    path.write_bytes(gzip.compress("\n".join(lines[:-1]).encode()))
    with pytest.raises(BenchError, match="tiles or barcodes"):
        Sharpr().load(tmp_path)
    path.rename(path.with_name(path.name.replace("GSM", "GSN")))
    (path.parent / path.name).write_bytes(gzip.compress("\n".join(lines).encode()))
    with pytest.raises(BenchError, match="Leave one there"):
        Sharpr().load(tmp_path)


@pytest.mark.data
def test_sharpr_names_on_the_published_file(data_dir):
    """Cells, state, region, tile, chromosome and centre of 243,573 tiles; sequences of neighbours are shifted by 5."""
    from bench.datasets.brought import published_table
    from bench.datasets.ernst2016 import places_of_tiles

    [path] = data_dir.glob("ernst2016/*_HepG2_ScaleUpDesign1_minP_mRNA_Rep1.counts.txt.gz")
    frame = published_table(path, ["ID", "Sequence", "Tags", "Counts"])
    place = pd.DataFrame(places_of_tiles(frame["ID"], path))
    assert len(frame) == 243_573
    assert (frame["Sequence"].str.len() == 145).all()
    follows = (place["start"].shift(-1) - place["start"] == 5) & (place["chrom"] == place["chrom"].shift(-1))
    here, there = frame["Sequence"][follows].str[5:], frame["Sequence"].shift(-1)[follows].str[:140]
    assert (here == there).mean() > 0.99
    # RNA without DNA is no activity: measured independently, it follows GC at +.29 to +.43.
    gc = frame["Sequence"].str.count("[GC]")
    assert 0.28 < spearmanr(gc, frame["Counts"])[0] < 0.44
    with pytest.raises(Unavailable, match="Plasmid"):
        Sharpr().load(data_dir)


# ---- lentiMPRA -------------------------------------------------------------------------------------------------------
LENTI = ["condition", "replicate", "name", "dna_count", "rna_count", "ratio", "log2", "n_obs_bc"]


def write_lenti(folder, sequences=".tsv"):
    rng = np.random.default_rng(1)
    elements = bases(rng, 60, 200)
    reverse = str.maketrans("ACGT", "TGCA")
    elements += [elements[i].translate(reverse)[::-1] for i in range(20)]
    names = [f"element{i}" for i in range(60)] + [f"element{i}_Reversed" for i in range(20)]
    tables = {}
    for cell, file in (("K562", "ENCFF252GNM"), ("HepG2", "ENCFF755BGY"), ("WTC11", "ENCFF949GFZ")):
        rows = [
            [cell, r, name, f"{d:.4f}", f"{u:.4f}", f"{u / d:.5f}", f"{np.log2(u / d):.5f}", rng.integers(4, 60)]
            for name in names[: 80 if cell == "K562" else 70]
            for r in (1, 2, 3)
            for d, u in [rng.uniform(0.5, 2, 2)]
        ]
        tables[cell] = pd.DataFrame(rows, columns=LENTI)
        write(folder, f"agarwal2025/{file}.tsv", tabbed(LENTI, *rows))
    ordered = ["A" * 15 + element + "C" * 15 for element in elements]
    header = ["name", "category", "230nt sequence (15nt 5' adaptor - 200nt element - 15nt 3' adaptor)"]
    write(folder, f"agarwal2025/TableS3{sequences}", tabbed(header, *zip(names, ["x"] * 80, ordered, strict=True)))
    return tables, dict(zip(names, elements, strict=True))


def test_lentimpra_has_a_column_per_replicate(tmp_path):
    tables, elements = write_lenti(tmp_path)
    task = Agarwal2025().load(tmp_path)
    assert dict(zip(task.row_id, task.sequences.to_strings(), strict=True)).items() <= elements.items()
    for cell, table in tables.items():
        counted = table[table["n_obs_bc"] >= 10].astype({"log2": float})
        for row in counted.itertuples():
            place = np.flatnonzero(task.row_id == row.name)
            assert task.targets[cell].replicates[place, row.replicate - 1] == pytest.approx(row.log2)
        assert np.isfinite(task.targets[cell].replicates).sum() == len(counted)
    locus = dict(zip(task.row_id, task.locus, strict=True))
    assert all(locus[f"element{i}"] == locus[f"element{i}_Reversed"] for i in range(20) if f"element{i}" in locus)
    assert len(make_folds(task)) == 10


def test_lentimpra_with_other_tables_is_refused(tmp_path):
    write_lenti(tmp_path)
    path = tmp_path / "agarwal2025/ENCFF755BGY.tsv"
    text = path.read_text()
    path.write_text(text.replace("n_obs_bc", "barcodes"))
    with pytest.raises(BenchError, match="'n_obs_bc' is missing"):
        Agarwal2025().load(tmp_path)
    path.write_text(text + text.splitlines()[1] + "\n")
    with pytest.raises(BenchError, match="second one of 'element0'"):
        Agarwal2025().load(tmp_path)


# ---- Malinois --------------------------------------------------------------------------------------------------------
def test_malinois_keeps_reference_and_alternative_together(tmp_path):
    rng = np.random.default_rng(2)
    cells = ("K562", "HepG2", "SKNSH")
    header = ["IDs", "chr", "data_project", "OL", "class", *(f"{c}_log2FC" for c in cells)]
    header += [*(f"{c}_lfcSE" for c in cells), "sequence"]
    rows = []
    for i in range(120):
        chrom = ("1", "7", "13", "19", "21", "X")[i % 6]
        [sequence] = bases(rng, 1, 200)
        for allele in "RA":
            alternative = sequence if allele == "R" else sequence[:99] + "A" + sequence[100:]
            values = [f"{v:.4f}" for v in rng.normal(size=3)], [f"{v:.4f}" for v in rng.uniform(0, 1.3, 3)]
            name = f"{chrom}:{100_000 + 5_000 * i}:G:A:{allele}:wC"
            rows.append([name, chrom, "UKBB", "OL15", "variant", *values[0], *values[1], alternative])
    rows += [
        [f"synth{i}", "", "CODA", "OL46", "designed", *["0.5"] * 3, *["0.2"] * 3, bases(rng, 1, 200)[0]]
        for i in range(5)
    ]
    write(tmp_path, "gosai2024/Table_S2__MPRA_dataset.txt", tabbed(header, *rows))
    task = Gosai2024().load(tmp_path)
    frame = pd.DataFrame(rows, columns=header).set_index("IDs")
    for cell in cells:
        kept = frame[f"{cell}_lfcSE"].astype(float) < 1
        value = dict(zip(task.row_id, task.targets[cell].replicates[:, 0], strict=True))
        assert {name for name, v in value.items() if np.isfinite(v)} == set(frame.index[kept])
        assert all(value[name] == float(frame.loc[name, f"{cell}_log2FC"]) for name in frame.index[kept])
    locus = pd.Series(task.locus, task.row_id)
    pairs = locus[[":" in name for name in locus.index]].groupby(lambda name: name.split(":")[1]).nunique()
    assert (pairs == 1).all()
    assert locus.nunique() >= len(pairs)
    [part] = make_folds(task).part
    assert set(task.chrom[part == VALID]) == {"chr19", "chr21", "chrX"}
    assert set(task.chrom[part == TEST]) == {"chr7", "chr13"}
    assert (part[np.char.startswith(task.row_id.astype(str), "synth")] == TRAIN).all()


# ---- DeepSTARR -------------------------------------------------------------------------------------------------------
def write_deepstarr(folder, names=True):
    rng = np.random.default_rng(3)
    values = {}
    for part, chrom, first in (("Train", "chr2L", 0), ("Val", "chr2R", 0), ("Test", "chr2R", 900_000)):
        lines, rows = [], []
        for i in range(40):
            start = first + 150 * i  # neighbours overlap
            name = f"{chrom}_{start}_{start + 249}_+" if names else f"{part}{i}"
            lines += [f">{name}", *bases(rng, 1, 249)]
            rows.append([f"{v:.4f}" for v in rng.normal(size=2)])
            values[name] = [float(v) for v in rows[-1]]
        write(folder, f"deepstarr/Sequences_{part}.fa", lines)
        write(
            folder,
            f"deepstarr/Sequences_activity_{part}.txt",
            tabbed(["Dev_log2_enrichment", "Hk_log2_enrichment"], *rows),
        )
    return values


def test_deepstarr_has_the_published_split(tmp_path):
    values = write_deepstarr(tmp_path)
    task = DeepSTARR().load(tmp_path)
    assert len(task) == 120
    found = np.column_stack([task.targets[name].replicates[:, 0] for name in ("Dev", "Hk")])
    np.testing.assert_allclose(found, [values[name] for name in task.row_id])
    assert len(np.unique(task.locus)) == 3
    [part] = make_folds(task).part
    assert [int((part == code).sum()) for code in (TRAIN, VALID, TEST)] == [40, 40, 40]
    assert (task.position[part == TEST] >= 900_000).all()


def test_deepstarr_without_coordinates_and_with_a_row_too_few(tmp_path):
    write_deepstarr(tmp_path, names=False)
    assert len(np.unique(DeepSTARR().load(tmp_path).locus)) == 120
    path = tmp_path / "deepstarr/Sequences_activity_Val.txt"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(BenchError, match="39 rows for the 40 sequences"):
        DeepSTARR().load(tmp_path)


# ---- yeast -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_dream_cuts_the_constant_ends(tmp_path, ending):
    rng = np.random.default_rng(4)
    random = bases(rng, 80, 80)
    rows = [["A" * 17 + each + "C" * 13, f"{rng.uniform(0, 17):.1f}"] for each in random]
    rows += [["A" * 17 + random[0] + "C" * 13, "3"], ["ACGT" * 5, "4"]]
    write(tmp_path, f"dream2022/train_sequences.txt{ending}", tabbed(*rows))
    task = Dream2022().load(tmp_path)
    assert task.sequences.to_strings() == [*random, random[0]]
    np.testing.assert_allclose(task.targets["expression"].value, [float(row[1]) for row in rows[:-1]])
    assert task.locus[0] == task.locus[-1]
    assert len(np.unique(task.locus)) == 80
    write(tmp_path, f"dream2022/train_sequences.txt{ending}", tabbed(*rows, ["A" * 110, "high"]))
    with pytest.raises(BenchError, match="row 83: expression is 'high'"):
        Dream2022().load(tmp_path)


# ---- E. coli ---------------------------------------------------------------------------------------------------------
def test_urtecho_is_split_along_the_chromosome(tmp_path):
    rng = np.random.default_rng(5)
    rows = []
    for i, sequence in enumerate(bases(rng, 60, 150)):
        start = 70_000 * i + 1
        rows.append([sequence, f"{rng.lognormal():.4f}", start, start + 150, f"tss{i},{start + 100},{'+-'[i % 2]}"])
    write(tmp_path, "urtecho2020/tss_expression_model_format.txt", tabbed(*rows))
    task = Urtecho2020().load(tmp_path)
    assert task.sequences.to_strings() == [row[0] for row in rows]
    np.testing.assert_allclose(task.targets["expression"].value, [float(row[1]) for row in rows])
    assert task.row_id.tolist() == [f"tss{i}" for i in range(60)]
    folds = make_folds(task)
    assert len(folds) == 5
    for part in folds.part:
        tested = np.flatnonzero(part == TEST)
        assert np.ptp(tested) == len(tested) - 1
    write(tmp_path, "urtecho2020/tss_expression_model_format.txt", tabbed(*rows, [*rows[0][:4], "tss1"]))
    with pytest.raises(BenchError, match=r"row 61 ends in 'tss1'"):
        Urtecho2020().load(tmp_path)


# ---- plants ----------------------------------------------------------------------------------------------------------
def test_jores_puts_two_systems_side_by_side(tmp_path):
    rng = np.random.default_rng(6)
    header = ["set", "sp", "gene", "sequence", "enrichment"]
    genes = [(("At", "Sb", "Zm")[i % 3], f"gene{i // 2}", s) for i, s in enumerate(bases(rng, 90, 170))]
    wanted = {"leaf": {}, "protoplast": {}}
    for target, named in (("leaf", "leaf"), ("protoplast", "proto")):
        mine = genes[:80] if target == "leaf" else genes[10:]
        for part, rows in (("train", mine[:60]), ("test", mine[60:])):
            lines = [[part, *row, f"{rng.normal():.4f}"] for row in rows]
            wanted[target] |= {line[3]: float(line[4]) for line in lines}
            write(tmp_path, f"jores2021/CNN_{part}_{named}.tsv", tabbed(header, *lines))
    task = Jores2021().load(tmp_path)
    sequences = task.sequences.to_strings()
    assert sorted(sequences) == sorted(s for _, _, s in genes)
    for target, values in wanted.items():
        found = task.targets[target].replicates[:, 0]
        np.testing.assert_allclose(found, [values.get(s, np.nan) for s in sequences])
    [part] = make_folds(task).part
    tested = {s for _, _, s in genes[60:80]} | {s for _, _, s in genes[70:]}
    assert {s for s, code in zip(sequences, part, strict=True) if code == TEST} == tested
    assert not set(task.locus[part == TRAIN]) & set(task.locus[part == TEST])


# ---- SuRE 2019 -------------------------------------------------------------------------------------------------------
COUNTS = [f"SuRE42_1{cell}_{b}_{t}" for cell in ("", "_HEPG2") for b in ("B1", "B2") for t in ("T1", "T2")]


def write_sure2019(folder, packed):
    rng = np.random.default_rng(7)
    genome = {"chr8": bases(rng, 1, 30_000)[0], "chr18": bases(rng, 1, 30_000)[0], "chr1": bases(rng, 1, 30_000)[0]}
    write(folder, "genomes/hg19.fa", [line for name, text in genome.items() for line in (f">{name}", text)])
    header = ["chr", "start", "end", "strand", "SNPbaseInf", "SNPrelpos", "iPCR", *COUNTS]
    tables = []
    for chrom in genome:
        start = rng.integers(0, 27_000, 150)
        rows = pd.DataFrame({"chr": chrom, "start": start, "end": start + rng.integers(150, 400, 150)})
        rows = rows.assign(strand=rng.choice(["+", "-"], 150), SNPbaseInf="", SNPrelpos="", iPCR=rng.poisson(10, 150))
        tables.append(rows.assign(**{name: rng.poisson(2, 150) for name in COUNTS}))
        text = tabbed(header, *tables[-1].itertuples(index=False))
        if packed:
            write(folder, f"made/{chrom}.txt.gz", text)
        else:
            write(folder, f"sure2019/SuRE42_{chrom}.txt.gz", text)
    if packed:
        (folder / "sure2019").mkdir()
        with zipfile.ZipFile(folder / "sure2019" / "SuRE42.zip", "w") as archive:
            for path in sorted((folder / "made").glob("*")):
                archive.write(path, f"SuRE42/{path.name}")
    return pd.concat(tables, ignore_index=True), genome


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("dataset", "tag"), [(SuRE2019, ""), (SuRE2019HepG2, "_HEPG2")])
def test_sure2019_sums_technical_repeats(tmp_path, packed, dataset, tag):
    table, genome = write_sure2019(tmp_path, packed)
    task = dataset().load(tmp_path)
    kept = table[table["iPCR"] >= 10]
    assert len(task) == len(kept)
    target = task.targets[dataset.cell]
    found = pd.DataFrame(target.replicates, task.row_id)
    for i, column in enumerate(("B1", "B2")):
        rna = table[f"SuRE42_1{tag}_{column}_T1"] + table[f"SuRE42_1{tag}_{column}_T2"]
        expected = np.log2((rna + 1) / rna.sum()) - np.log2((table["iPCR"] + 1) / table["iPCR"].sum())
        np.testing.assert_allclose(np.sort(found[i]), np.sort(expected[kept.index]), rtol=1e-12)
    complement = str.maketrans("ACGT", "TGCA")
    pieces = [genome[row.chr][row.start : row.end + 1] for row in kept.itertuples()]
    strands = zip(pieces, kept["strand"], strict=True)
    read = [piece if strand == "+" else piece.translate(complement)[::-1] for piece, strand in strands]
    assert sorted(task.sequences.to_strings()) == sorted(read)
    assert "GC-BALANCED" in task.card.note
    [part] = make_folds(task).part
    assert set(task.chrom[part == TEST]) == {"chr8"}


def test_sure2019_without_library_reads_is_refused(tmp_path):
    write_sure2019(tmp_path, packed=False)
    for path in (tmp_path / "sure2019").glob("*"):
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b"iPCR", b"count")))
    with pytest.raises(BenchError, match="library reads"):
        SuRE2019().load(tmp_path)
