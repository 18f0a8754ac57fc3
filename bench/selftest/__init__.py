"""The package tests itself on simulated worlds: the answer is known, they go through the pipeline, and it must come
back. ``grid`` has the checks of `bench selftest`, ``study`` the coverage study of `bench selftest --full`."""
