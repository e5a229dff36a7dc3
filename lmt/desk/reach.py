"""Ways to reach the customer of a lead with one tap."""

from __future__ import annotations


def whatsapp(phone: str) -> str:
    """A chat with an E.164 number; empty for anything else, which WhatsApp would not find.

    https://faq.whatsapp.com/5913398998672934
    """
    digits = phone.removeprefix("+")
    known = phone.startswith("+") and digits.isascii() and digits.isdecimal()
    return f"https://wa.me/{digits}" if known and 7 <= len(digits) <= 15 else ""
