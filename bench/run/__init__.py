"""Which results to run, how, and where their predictions are kept."""
