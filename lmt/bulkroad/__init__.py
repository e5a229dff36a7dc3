"""Many newcomers at once: the same road that `pipeline.advance` takes, a few statements for all."""
