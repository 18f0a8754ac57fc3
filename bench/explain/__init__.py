"""What a model learned: motifs, position or composition. One file per question, one typed answer each."""
