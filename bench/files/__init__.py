"""Everything that touches the disk: reading tables and FASTA, atomic writes, folders, scratch, genomes."""
