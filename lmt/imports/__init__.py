"""Files of leads: kept, looked at, imported by and by, reported on, taken back."""
