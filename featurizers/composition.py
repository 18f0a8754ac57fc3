"""Composition beyond GC content: what a referee asks for before motifs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.featurizer import Featurizer
from bench.sequences import Sequences

#: Words counted, in IUPAC letters.
WORDS = ("AGGT", "GGTRAG", "GTRAGT", "AATAAA", "ATTAAA")
#: Bases of the IUPAC letters used, as bit sets of A C G T.
BITS = {"A": 1, "C": 2, "G": 4, "T": 8, "R": 5}


class Composition(Featurizer):
    """What a row is made of, beyond GC content and short of motifs; on the row's strand, N left out.

    ======================  ============================================================================================
    gc                      (G + C) / called bases, so that these columns hold no less than GC alone.
    CpG observed/expected   CpG x called bases / (C x G); 0 without C or G. Gardiner-Garden and Frommer, J Mol Biol
                            196:261 (1987).
    GC skew, AT skew        (G - C) / (G + C), (A - T) / (A + T). Lobry, Mol Biol Evol 13:660 (1996).
    longest run A, C, G, T  Bases of the longest homopolymer; poly(dA:dT) keeps nucleosomes away. Segal and Widom,
                            Curr Opin Struct Biol 19:65 (2009).
    mean run                Called bases / homopolymers, single bases counted as such.
    complexity              Different k-mers / the most that could be, k from 1 to 6: linguistic complexity, summed over
                            k as in Troyanskaya et al., Bioinformatics 18:679 (2002).
    G4Hunter                Mean score (a G in a run of n scores min(n, 4), a C the negative), and of the windows of 25
                            bases the highest (G-quadruplex on this strand) and the lowest (on the other). Bedrat,
                            Lacroix and Mergny, Nucleic Acids Res 44:1746 (2016).
    AA/TT/TA period 10      |sum of exp(2 pi i x / 10)|^2 over their places x, by their number: 1 is expected of places
                            at random. Satchwell, Drew and Travers, J Mol Biol 191:659 (1986); Segal et al., Nature
                            442:772 (2006).
    AGGT, GGTRAG, GTRAGT    Words of the 5' splice site (consensus MAG|GTRAGT), counted. Shapiro and Senapathy,
                            Nucleic Acids Res 15:7155 (1987).
    AATAAA, ATTAAA          The poly-A signal and its commonest variant, counted. Proudfoot and Brownlee, Nature
                            263:211 (1976); Beaudoing et al., Genome Res 10:1001 (2000).
    ======================  ============================================================================================
    """

    name = "composition"

    def transform(self, sequences: Sequences) -> NDArray[Any]:
        """float32 (n, 19), finite: 0 where there is nothing to count (GC: 0.5)."""
        from bench.kernels.composition import composition

        longest = max(map(len, WORDS))
        words = np.array(
            [[*(BITS[letter] for letter in word), *[0] * (longest - len(word))] for word in WORDS], np.uint8
        )
        return composition(sequences, words)

    def names(self, sequences: Sequences) -> list[str]:
        from bench.kernels.composition import COLUMNS

        return [*COLUMNS, *WORDS]
