"""Headquarters' pages: all leads in scope, the queues with their causes, and what was reported."""
