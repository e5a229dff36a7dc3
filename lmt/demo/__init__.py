"""A believable network of a fictional maker, so that nobody meets an empty page.

`fill` puts it into an empty installation, `describe` says who can log in and with which keys
leads are sent. Everything in it is made up: names, addresses and numbers belong to nobody.
"""

from lmt.demo.facts import DemoAccount, DemoFacts, DemoForm, DemoSource
from lmt.demo.fill import DemoRefused, describe, fill

__all__ = [
    "DemoAccount",
    "DemoFacts",
    "DemoForm",
    "DemoRefused",
    "DemoSource",
    "describe",
    "fill",
]
