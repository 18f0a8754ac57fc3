"""The leaderboard, its pages and pictures, made from stored predictions alone."""
