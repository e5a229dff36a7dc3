"""LMT: leads are collected, qualified, routed to the right dealer, followed up and reported."""

__version__ = "0.1.0"
