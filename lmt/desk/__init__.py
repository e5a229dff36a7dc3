"""The dealer's web desk: from a lead that just came in to its outcome."""
