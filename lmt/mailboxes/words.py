"""How a mailbox fares, in the words of whoever looks after it."""

from __future__ import annotations

from lmt.i18n import gettext as _


def problem_words(code: str) -> str:
    """Why a mailbox could not be read, and what to do; "" for none."""
    return {
        "": "",
        "away": _("The server doesn't answer. Check its name and port, and that it runs."),
        "refused": _(
            "The server's address is not allowed: it is private, or its connection is not"
            " encrypted. An operator can allow private servers in LMT_PRIVATE_TARGETS."
        ),
        "certificate": _(
            "The server's certificate can't be trusted. Check the server's name: it must be the one"
            " in its certificate."
        ),
        "login": _(
            "The server refuses the user or the password. Some providers want a password made for"
            " programs."
        ),
        "folder": _("A folder can't be opened or made. Check the names of the folders."),
        "protocol": _(
            "The server answers otherwise than expected. Check the port and the encryption."
        ),
        "secret_missing": _("Set the password of the mailbox first."),
        "secret_broken": _(
            "The password can no longer be read, because LMT_SECRET_KEY was changed. Set it anew."
        ),
        "too_large": _("A mail is larger than 20 MB. It was left where it is."),
        "failed": _("Reading it failed for a reason of ours. It is tried again."),
    }.get(code, _("It can't be read just now. It is tried again."))
