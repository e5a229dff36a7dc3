"""Sales that files tell of, and the leads they came from."""
