"""Makes sure that the tests of mailboxes have an IMAP server: Debian's dovecot.

Prints what it found. Where there is none and none can be installed it says so loudly, and those
tests alone are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


def main() -> None:
    if found := shutil.which("dovecot", path=_PATH):
        print(f"Mailbox tests use {found}")
        return
    if shutil.which("apt-get") and os.geteuid() == 0:
        print("Installing Debian's dovecot for the mailbox tests", flush=True)
        quiet = {
            "stdout": subprocess.DEVNULL,
            "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        }
        subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet)
        wanted = ["--no-install-recommends", "dovecot-imapd"]
        subprocess.run(["apt-get", "install", "-y", "-qq", *wanted], check=False, **quiet)
        if shutil.which("dovecot", path=_PATH):
            return
    print("!!! NO MAILBOX IS TESTED: dovecot is not installed, and can't be. !!!", flush=True)


if __name__ == "__main__":
    main()
