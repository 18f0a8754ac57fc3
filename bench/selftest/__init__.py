"""The package tests itself on planted truth: worlds whose answer is known go through the pipeline, and the answer must
come back. ``grid`` has the checks of `bench selftest`, ``study`` the coverage study of `bench selftest --full`."""
