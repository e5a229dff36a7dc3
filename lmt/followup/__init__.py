"""Stage 5: what the dealer does with a lead, and what is planned next."""
