"""A real IMAP server (dovecot) for tests: a process of its own, mails in a folder of its own."""

from __future__ import annotations

import grp
import imaplib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PASSWORD = "pass with a blank and żółw"
USERS = [f"leads{number}" for number in range(60)]
"""Each has a mailbox of its own."""
_STARTS_WITHIN_SECONDS = 20.0


@dataclass
class ImapServer:
    """One server, and the mailbox of one `user`; `ports` by the way it is encrypted."""

    folder: Path
    ports: dict[str, int]
    certificate: Path
    user: str = USERS[0]

    def put(self, *mails: EmailMessage | bytes, folder: str = "INBOX") -> None:
        client = self.client()
        for mail in mails:
            raw = mail if isinstance(mail, bytes) else mail.as_bytes()
            client.append(f'"{folder}"', "", "", raw)
        client.logout()

    def count(self, folder: str) -> int:
        """Mails in it; 0 where there is no such folder."""
        client = self.client()
        status, told = client.select(f'"{folder}"', readonly=True)
        client.logout()
        return int(told[0] or 0) if status == "OK" else 0

    def subjects(self, folder: str = "INBOX") -> list[str]:
        client = self.client()
        status, _told = client.select(f'"{folder}"', readonly=True)
        found: list[str] = []
        if status == "OK":
            _status, uids = client.uid("SEARCH", "ALL")
            for uid in uids[0].split():
                wanted = "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])"
                _status, told = client.uid("FETCH", uid.decode(), wanted)
                line = told[0][1] if isinstance(told[0], tuple) else b""
                found.append(line.decode().partition(":")[2].strip())
        client.logout()
        return found

    def renumber(self) -> None:
        """Give the inbox a new UIDVALIDITY, as a server that was restored does."""
        client = self.client()
        client.rename("INBOX", "before")
        client.select("before")
        client.copy("1:*", "INBOX")
        client.store("1:*", "+FLAGS", r"(\Deleted)")
        client.expunge()
        client.close()
        client.delete("before")
        client.logout()

    def client(self) -> imaplib.IMAP4:
        client = imaplib.IMAP4("127.0.0.1", self.ports["none"], timeout=10)
        secret = b"\0" + self.user.encode() + b"\0" + PASSWORD.encode()
        client.authenticate("PLAIN", lambda _challenge: secret)
        return client


def dovecot() -> str:
    """The server's program; "" where it isn't installed."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    return shutil.which("dovecot", path=path) or ""


@contextmanager
def imap_server() -> Iterator[ImapServer]:
    with TemporaryDirectory(prefix="lmt-imap-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        certificate = _certificate(folder)
        ports = {"none": _free_port(), "tls": _free_port()}
        ports["starttls"] = ports["none"]
        (folder / "dovecot.conf").write_text(_config(folder, ports))
        log = (folder / "start.log").open("w+")
        process = subprocess.Popen(
            [dovecot(), "-F", "-c", str(folder / "dovecot.conf")], stdout=log, stderr=log
        )
        try:
            _wait_for(ports["none"], process, folder)
            yield ImapServer(folder, ports, certificate)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
            log.close()


def _config(folder: Path, ports: dict[str, int]) -> str:
    """All as one ordinary user: ours, or where we are root one that isn't."""
    person = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    group = grp.getgrgid(person.pw_gid).gr_name
    mails, run = folder / "mails", folder / "run"
    for each in (mails, run):
        each.mkdir()
    os.chown(mails, person.pw_uid, person.pw_gid)
    users = folder / "users"
    ids = f"{person.pw_uid}:{person.pw_gid}"
    users.write_text("".join(f"{user}:{{PLAIN}}{PASSWORD}:{ids}::{mails}::\n" for user in USERS))
    return f"""
base_dir = {run}
state_dir = {folder}/state
instance_name = lmt-tests-{ports["none"]}
protocols = imap
listen = 127.0.0.1
log_path = {folder}/dovecot.log
default_internal_user = {person.pw_name}
default_internal_group = {group}
default_login_user = {person.pw_name}
first_valid_uid = 1
first_valid_gid = 1
ssl = yes
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain
auth_failure_delay = 0
mail_location = mdbox:{mails}/%u
mailbox_list_index = no
passdb {{
  driver = passwd-file
  args = {users}
}}
userdb {{
  driver = static
  args = uid={person.pw_uid} gid={person.pw_gid} home={mails}/%u
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  process_min_avail = 0
  inet_listener imap {{
    port = {ports["none"]}
  }}
  inet_listener imaps {{
    port = {ports["tls"]}
    ssl = yes
  }}
}}
service stats {{
  chroot =
}}
"""


def _certificate(folder: Path) -> Path:
    """A certificate for localhost that nobody signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def _wait_for(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            told = "".join(p.read_text() for p in folder.glob("*.log"))
            assert process.poll() is None, told
            assert time.monotonic() < deadline, told
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
