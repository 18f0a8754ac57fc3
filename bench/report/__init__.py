"""The leaderboard, its pages and pictures, made from stored predictions alone."""

from bench.report.build import make_board, write_board

__all__ = ["make_board", "write_board"]
