"""Statistics: pure functions over arrays, and their results. No files, no pandas, no plots."""
