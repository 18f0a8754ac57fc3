"""What is kept of a run, and who may change it."""
