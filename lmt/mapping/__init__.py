"""From a stranger's fields to a lead's: one table of lines serves posts, platforms and files."""
