"""Data sets: one adapter a file, public file format in, canonical table out. Found by the entry points
``bench.datasets``."""
