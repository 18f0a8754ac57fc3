"""Built-in models: one learner a file. They have no privileges a plugin of yours lacks."""
