"""Collect: what a sender delivered becomes a lead that the rest of the road understands."""
