"""Who works on leads: login, roles, and the part of the world each person sees."""

from lmt.accounts.login import register

__all__ = ["register"]
