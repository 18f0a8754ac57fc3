"""``composition``, ``thermo`` and ``kmers[windows=...]`` against plain Python on strings, and against Biopython."""

import itertools
import math
import re

import numpy as np
import pytest
from drawn_sequences import intervals
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import BenchError
from bench.featurizers.composition import WORDS, Composition
from bench.featurizers.kmers import Kmers
from bench.featurizers.thermo import ENERGY, Thermo, step_energies
from bench.sequences import Sequences

IUPAC = {"R": "[AG]"}


def composition_by_hand(text):
    n = {base: text.count(base) for base in "ACGT"}
    called = sum(n.values())
    runs = [(base, len(list(group))) for base, group in itertools.groupby(text)]
    real_runs = [(base, length) for base, length in runs if base != "N"]
    values = [(n["C"] + n["G"]) / called if called else 0.5]
    values.append(text.count("CG") * called / (n["C"] * n["G"]) if n["C"] * n["G"] else 0.0)
    values.append((n["G"] - n["C"]) / (n["G"] + n["C"]) if n["G"] + n["C"] else 0.0)
    values.append((n["A"] - n["T"]) / (n["A"] + n["T"]) if n["A"] + n["T"] else 0.0)
    values += [max((length for b, length in runs if b == base), default=0) for base in "ACGT"]
    values.append(called / len(real_runs) if real_runs else 0.0)
    different, most = 0, 0
    for k in range(1, 7):
        places = [w for i in range(len(text) - k + 1) if "N" not in (w := text[i : i + k])]
        different += len(set(places))
        most += min(len(places), 4**k)
    values.append(different / most if most else 0.0)
    scores = [s for base, length in runs for s in [{"G": 1, "C": -1}.get(base, 0) * min(length, 4)] * length]
    width = min(25, len(text))
    means = [sum(scores[i : i + width]) / width for i in range(len(text) - width + 1)] if text else [0.0]
    values += [sum(scores) / len(text) if text else 0.0, max(means), min(means)]
    places = [i for i in range(len(text) - 1) if text[i : i + 2] in ("AA", "TT", "TA")]
    wave = sum(complex(math.cos(2 * math.pi * i / 10), math.sin(2 * math.pi * i / 10)) for i in places)
    values.append(abs(wave) ** 2 / len(places) if places else 0.0)
    for word in WORDS:
        pattern = "".join(IUPAC.get(letter, letter) for letter in word)
        values.append(len(re.findall(f"(?={pattern})", text)))
    return values


@settings(max_examples=80, deadline=None)
@given(intervals())
def test_composition_as_by_hand(sequences):
    out = Composition().transform(sequences)
    expected = [composition_by_hand(text) for text in sequences.to_strings()]
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-4)


def columns(text):
    rows = Sequences.from_strings([text])
    return dict(zip(Composition().names(rows), Composition().transform(rows)[0].tolist(), strict=True))


def test_columns_find_what_they_are_for():
    assert columns("GGGTTAGGGTTAGGGTTAGGG")["G4Hunter"] == pytest.approx(36 / 21)  # four runs of three, each base 3
    assert columns("CCCTAACCCTAACCCTAACCC")["G4Hunter lowest"] == pytest.approx(-36 / 21)
    assert columns("CG" * 20)["CpG observed/expected"] == pytest.approx(20 * 40 / 400)
    assert columns("AAGGGGGGGG" * 20)["AA/TT/TA period 10"] == pytest.approx(20)
    assert columns("AAGGGGGG" * 20)["AA/TT/TA period 10"] < 0.1
    assert columns("ACGT" * 30)["complexity"] < 0.2
    assert columns("ACAGGTAAGTCC")["GGTRAG"] == columns("ACAGGTAAGTCC")["GTRAGT"] == 1
    assert columns("CCAATAAACC")["AATAAA"] == 1


def test_skews_are_those_of_biopython():
    from Bio.SeqUtils import GC_skew

    rng = np.random.default_rng(1)
    text = "".join(rng.choice(list("ACGT"), 200))
    assert columns(text)["GC skew"] == pytest.approx(GC_skew(text, window=200)[0])


# ---- stacking ----
def thermo_by_hand(text, windows):
    steps = [text[i : i + 2] for i in range(len(text) - 1)]
    other = str.maketrans("ACGT", "TGCA")
    energies = [None if "N" in s else ENERGY.get(s, ENERGY.get(s[::-1].translate(other))) for s in steps]
    known = [e for e in energies if e is not None]
    mean = sum(known) / len(known) if known else step_energies().mean()
    row = [sum(known), mean]
    for window in range(windows):
        inside = [e for i, e in enumerate(energies) if e is not None and i * windows // len(steps) == window]
        row.append(sum(inside) / len(inside) if inside else mean)
    return row


@settings(max_examples=60, deadline=None)
@given(intervals(), st.integers(0, 12))
def test_stacking_as_by_hand(sequences, windows):
    out = Thermo(windows=windows).transform(sequences)
    expected = [thermo_by_hand(text, windows) for text in sequences.to_strings()]
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-5)


def test_energies_follow_from_the_enthalpies_and_entropies_in_biopython():
    from Bio.SeqUtils.MeltingTemp import DNA_NN3  # Allawi and SantaLucia 1997, the same unified set

    steps = step_energies()
    for step, (enthalpy, entropy) in DNA_NN3.items():
        if "/" in step and "init" not in step:
            a, b = step[0], step[1]
            assert steps["ACGT".index(a), "ACGT".index(b)] == pytest.approx(
                enthalpy - 310.15 * entropy / 1000, abs=0.06
            )


def test_stacking_is_nearly_linear_in_gc():
    rng = np.random.default_rng(2)
    gc = rng.uniform(0.2, 0.8, 300)
    rows = ["".join(rng.choice(list("ACGT"), 200, p=[(1 - g) / 2, g / 2, g / 2, (1 - g) / 2])) for g in gc]
    mean = Thermo(windows=0).transform(Sequences.from_strings(rows))[:, 1]
    assert np.corrcoef(mean, [sum(base in "GC" for base in row) for row in rows])[0, 1] < -0.97


def test_thermo_refuses_windows_below_none():
    with pytest.raises(BenchError, match="'windows' must be 0 or more"):
        Thermo(windows=-1)


# ---- k-mers by window ----
@settings(max_examples=60, deadline=None)
@given(intervals(), st.integers(1, 3), st.integers(2, 9), st.booleans(), st.booleans())
def test_kmers_by_window_as_by_hand(sequences, k, windows, exact, canonical):
    featurizer = Kmers(k=k, exact=exact, canonical=canonical, windows=windows)
    out, names = featurizer.transform(sequences), featurizer.names(sequences)
    assert out.shape == (len(sequences), len(names))
    complement = str.maketrans("ACGTN", "TGCAN")
    for row, text in zip(out, sequences.to_strings(), strict=True):
        expected = dict.fromkeys(names, 0)
        for i in range(len(text)):
            for length in range(k if exact else 1, k + 1):
                kmer = text[i : i + length]
                if len(kmer) == length and "N" not in kmer:
                    kmer = min(kmer, kmer[::-1].translate(complement)) if canonical else kmer
                    expected[f"window {i * windows // len(text) + 1} {kmer}"] += 1
        assert dict(zip(names, row.tolist(), strict=True)) == expected


def test_counts_by_window_add_up_to_those_of_the_row():
    rng = np.random.default_rng(3)
    sequences = Sequences.from_strings(["".join(rng.choice(list("ACGT"), 700)) for _ in range(5)])
    by_window = Kmers(k=4, windows=7).transform(sequences)
    assert by_window.dtype == np.uint8  # 100 bases a window
    total = by_window.reshape(5, 7, -1).sum(axis=1)
    np.testing.assert_array_equal(total, Kmers(k=4).transform(sequences))


def test_windows_of_kmers_that_make_no_sense():
    with pytest.raises(BenchError, match="'windows' must be 1 or more"):
        Kmers(windows=0)
    with pytest.raises(BenchError, match="would be 109,200 columns"):
        Kmers(windows=20)
    assert Kmers(k=3, canonical=True).strand == "same"
    assert Kmers(k=3, canonical=True, windows=2).strand == "any"
