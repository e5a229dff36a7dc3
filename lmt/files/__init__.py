"""Tables as files: what kind they are, read row by row in bounded memory, and written."""
