"""Fast counting on intervals of one buffer of bases: GC, k-mers, codes, dinucleotide shuffles."""
