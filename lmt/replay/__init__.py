"""Past leads routed once more, by other rules, before these are published: what would change."""
