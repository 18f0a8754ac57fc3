"""Statistics of the board: pure functions over arrays. No files, no pandas, no plots."""
