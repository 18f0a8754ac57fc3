"""Built-in featurizers: one family a file. They have no privileges a plugin of yours lacks."""
