"""Built-in featurizers: one family per file. They have no privileges that a third-party plugin lacks."""
