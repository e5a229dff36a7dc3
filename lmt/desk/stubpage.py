"""What a dealer still reads of a lead that has gone elsewhere: that it was here, nobody's name."""

from __future__ import annotations

import uuid

from flask import render_template
from flask.typing import ResponseReturnValue

from lmt import web
from lmt.desk.queries import terms_of_dealers
from lmt.stubs import stub_of


def gone(lead_id: uuid.UUID, *, status: int = 200) -> ResponseReturnValue:
    """The stub of a lead that the reader's dealer once had, 404 for any other; `status` is the
    stub's own: an act on a lead that has gone is refused."""
    stub = stub_of(web.db(), lead_id, web.actor())
    if stub is None:
        return render_template("desk/gone.html"), 404
    terms = terms_of_dealers(web.db(), {stub.dealer_id}, web.at()).get(stub.dealer_id)
    zone = terms.timezone if terms else web.user().timezone
    return render_template("desk/stub.html", stub=stub, zone=zone), status
