"""What is wrong with a task before any model is fitted: each check a plain function that yields findings."""
