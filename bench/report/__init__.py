"""The leaderboard, its pages and pictures, made from stored predictions alone."""

from bench.report.build import write_board

__all__ = ["write_board"]
