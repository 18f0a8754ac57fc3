"""Conformance checks of plugins: one plain function a check, for `bench check` and for pytest alike."""
