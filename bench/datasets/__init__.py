"""Data sets: one public study per file, public file format in, canonical table out. Found by the entry points
``bench.datasets``."""
