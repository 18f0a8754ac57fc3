"""Built-in models: one learner per file. They have no privileges that a third-party plugin lacks."""
