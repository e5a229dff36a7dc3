"""Makes sure that the browser tests have a Chromium: Debian's, else Playwright's own.

Prints what it found. Without any, the browser tests fail and say so; they are never passed over.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys


def main() -> None:
    for name in ("chromium", "chromium-browser"):
        if found := shutil.which(name):
            print(f"Browser tests use {found}")
            return
    if shutil.which("apt-get") and os.geteuid() == 0:
        print("Installing Debian's chromium for the browser tests", flush=True)
        quiet = {
            "stdout": subprocess.DEVNULL,
            "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        }
        subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet)
        packages = ["chromium", "fonts-noto-core"]
        done = subprocess.run(["apt-get", "install", "-y", "-qq", *packages], check=False, **quiet)
        if done.returncode == 0 and shutil.which("chromium"):
            return
    print("Installing Playwright's own Chromium for the browser tests", flush=True)
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


if __name__ == "__main__":
    main()
