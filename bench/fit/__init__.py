"""One fit: features, model, predictions. Writes nothing, prints nothing, and runs in any process."""
