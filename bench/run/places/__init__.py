"""Where a job can run: this process, a child process, the workers of a cluster, several workers together."""
