"""Mailboxes: polled, each mail read once, told apart, and moved to its folder."""
