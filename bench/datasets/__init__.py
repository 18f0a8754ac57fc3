"""One public data set a file: the files as published in, the canonical table out."""
