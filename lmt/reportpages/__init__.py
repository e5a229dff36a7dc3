"""The pages of the reports: ask, look, drill down to the leads, take away."""
