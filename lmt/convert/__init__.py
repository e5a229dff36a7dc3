"""Stage 6: how a lead ended."""
