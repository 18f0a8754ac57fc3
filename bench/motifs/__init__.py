"""Motifs of transcription factors: what one is, files of them, and the groups of JASPAR that come with the package."""
