"""What a kind of source asks for besides: the fields of its settings on the form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from babel.support import LazyProxy

from lmt.i18n import lazy_gettext as _l


@dataclass(frozen=True, slots=True)
class SettingField:
    """`form` is text, lines (a list of words, one a line), phrases (the same, of several words
    each), or the choices it offers."""

    name: str
    words: LazyProxy
    help: LazyProxy
    form: str = "text"
    options: tuple[tuple[str, LazyProxy], ...] = field(default=())
    rarely: bool = False


_VERSION = _l("Empty: the one this version of LMT was made for.")
_URL = _l("Empty: the platform's own. Set it only for a proxy of yours.")
SETTINGS: Mapping[str, tuple[SettingField, ...]] = {
    "web_to_lead": (
        SettingField("oid", _l("Organisation"), _l("What the form's hidden field oid holds.")),
        SettingField(
            "redirect_hosts",
            _l("Servers to go back to"),
            _l("Visitors are sent to the form's retURL on these servers alone. One a line."),
            "lines",
        ),
        SettingField(
            "return_url", _l("Where else to go"), _l("For forms whose retURL isn't allowed.")
        ),
    ),
    "mailbox": (
        SettingField(
            "host", _l("Mail server"), _l("Its name for IMAP, such as imap.brand.example.")
        ),
        SettingField("user", _l("User"), _l("Often the whole mail address.")),
        SettingField(
            "tls",
            _l("Encryption"),
            _l("None is only for servers of your own network, which an operator must allow."),
            "choice",
            (
                ("tls", _l("TLS from the start")),
                ("starttls", _l("STARTTLS")),
                ("none", _l("none")),
            ),
        ),
        SettingField("port", _l("Port"), _l("Empty: 993 for TLS, else 143.")),
        SettingField(
            "portal_senders",
            _l("Portals"),
            _l(
                "Addresses or domains that write for customers. They are never taken for the"
                " customer's own. One a line."
            ),
            "lines",
        ),
        SettingField("every_minutes", _l("Minutes between looks"), _l("Empty: 2."), rarely=True),
        SettingField("folder", _l("Folder that is read"), _l("Empty: INBOX."), rarely=True),
        SettingField(
            "done_folder",
            _l("Folder for mails that were read"),
            _l("Empty: LMT-Done. It is made where it is missing."),
            rarely=True,
        ),
        SettingField(
            "failed_folder",
            _l("Folder for mails in quarantine"),
            _l("Empty: LMT-Failed. It is made where it is missing."),
            rarely=True,
        ),
    ),
    "meta": (
        SettingField("page_ids", _l("Pages"), _l("Numbers of your pages. Empty: all."), "lines"),
        SettingField("graph_version", _l("Version of the Graph API"), _VERSION, rarely=True),
        SettingField("graph_url", _l("Address of the Graph API"), _URL, rarely=True),
    ),
    "linkedin": (
        SettingField("linkedin_version", _l("Version of the interface"), _VERSION, rarely=True),
        SettingField("linkedin_url", _l("Address of the interface"), _URL, rarely=True),
    ),
    "file": (
        SettingField(
            "unanswered",
            _l("What means no answer"),
            _l("As the lists write it, one a line. “Select”, “n/a” and such are known already."),
            "phrases",
        ),
    ),
    "json": (
        SettingField(
            "signature.header",
            _l("Header of the signature"),
            _l("Only where the sender signs what it posts. Then set the signing secret, too."),
            rarely=True,
        ),
        SettingField(
            "signature.encoding",
            _l("Written as"),
            _l("How the signature's bytes are written."),
            "choice",
            (("hex", _l("hexadecimal")), ("base64", _l("base64"))),
            rarely=True,
        ),
        SettingField(
            "signature.prefix",
            _l("What stands before it"),
            _l("Such as sha256= before the signature itself."),
            rarely=True,
        ),
        SettingField(
            "signature.scheme",
            _l("What is signed"),
            _l("With a time, copies of old deliveries are refused."),
            "choice",
            (("body", _l("the body")), ("timestamp", _l("time, colon, body"))),
            rarely=True,
        ),
        SettingField(
            "signature.timestamp_header",
            _l("Header of the time"),
            _l("Seconds or milliseconds since 1970."),
            rarely=True,
        ),
        SettingField(
            "redact",
            _l("Fields to black out"),
            _l("Their values are never stored. The sender's names, one a line."),
            "lines",
            rarely=True,
        ),
    ),
}
