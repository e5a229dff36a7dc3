"""What a machine hears whose delivery may hold several leads: each with where it stands."""

from __future__ import annotations

from dataclasses import replace

from flask import jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from lmt.ingest import kinds, machines
from lmt.ingest.redaction import redacted
from lmt.ingest.sourcesettings import source_settings
from lmt.models import Source


def answer_delivery(session: Session, source: Source) -> ResponseReturnValue:
    """Take the request's body in as the source reads it: 202 once it is durable, 200 where the
    caller waited and the leads are routed. Raises machines.Problem.

    The first lead's fields stand at the top, for senders of one lead; all are in `leads`.
    """
    read = machines.once(kinds.reader_of(source, request.content_type or ""))
    body = redacted(request.get_data(cache=True), source_settings(source.settings).redact)
    own_id = machines.sender_id(read, body)
    delivery = replace(machines.delivery_of_request(own_id), body=body)
    receipt, leads = machines.take_in(session, source, delivery, read)
    seconds = machines.wait_seconds()
    done = bool(seconds) and machines.wait_for(session, leads, seconds)
    rows = [
        machines.with_result(session, lead, repeated=receipt.repeated)
        if done
        else machines.as_json(lead, repeated=receipt.repeated)
        for lead in leads
    ]
    answer = jsonify(rows[0] | {"leads": rows} if rows else {"leads": rows})
    answer.status_code = 200 if done else 202
    return answer
