"""Tasks: the canonical table, its checks, splits and loci; data sets become tasks here."""
