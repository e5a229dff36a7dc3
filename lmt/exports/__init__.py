"""Any list as a file: which columns it has, and its rows as the reader may see them."""
