"""The shapes of bodies in the OpenAPI document that no schema of ours describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ID = {"oneOf": [{"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0}]}

SCHEMAS: Mapping[str, dict[str, Any]] = {
    "Problem": {
        "type": "object",
        "description": "RFC 9457",
        "required": ["type", "status", "code", "detail", "errors"],
        "properties": {
            "type": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string", "description": "For programs"},
            "detail": {"type": "string", "description": "For people, in their language"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
                },
            },
            "intake": {
                "type": "string",
                "format": "uuid",
                "description": "Names the delivery that was kept, to be mended",
            },
        },
    },
    "CustomFields": {
        "type": "object",
        "required": ["fields"],
        "properties": {
            "fields": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["key", "type", "label", "labels", "options"],
                    "properties": {
                        "key": {"type": "string", "description": "Under `attributes` of a lead"},
                        "type": {"type": "string", "examples": ["choice"]},
                        "label": {"type": "string", "description": "In the caller's language"},
                        "labels": {
                            "type": "object",
                            "additionalProperties": {"type": "string"},
                            "description": "By language",
                        },
                        "options": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["id", "label", "labels"],
                                "properties": {
                                    "id": {"type": "string", "description": "What is sent"},
                                    "label": {"type": "string"},
                                    "labels": {
                                        "type": "object",
                                        "additionalProperties": {"type": "string"},
                                    },
                                },
                            },
                        },
                    },
                },
            }
        },
    },
    "DeliveredLead": {
        "type": "object",
        "required": ["id", "reference", "status", "status_url"],
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "reference": {"type": "string"},
            "status": {"type": "string"},
            "status_url": {"type": "string"},
            "repeated": {"type": "boolean", "description": "An earlier delivery made it"},
            "asked_again": {"type": "boolean", "description": "It was there, and was joined to"},
        },
    },
    "Delivered": {
        "allOf": [
            {"$ref": "#/components/schemas/DeliveredLead"},
            {
                "type": "object",
                "required": ["leads"],
                "properties": {
                    "leads": {
                        "type": "array",
                        "items": {"$ref": "#/components/schemas/DeliveredLead"},
                    }
                },
            },
        ]
    },
    "Kept": {
        "type": "object",
        "description": "The source is paused: kept, and taken in when it goes on",
        "required": ["status", "intake"],
        "properties": {
            "status": {"const": "kept"},
            "intake": {"type": "string", "format": "uuid"},
        },
    },
    "GoogleMessage": {
        "type": "object",
        "required": ["message"],
        "properties": {"message": {"type": "string"}, "code": {"type": "string"}},
    },
    "GoogleLead": {
        "type": "object",
        "required": ["lead_id", "google_key", "user_column_data"],
        "properties": {
            "lead_id": _ID,
            "google_key": {"type": "string", "description": "The key of the source"},
            "is_test": {"type": "boolean"},
            "form_id": _ID,
            "campaign_id": _ID,
            "lead_submit_time": {"type": "string"},
            "user_column_data": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "column_id": {"type": "string"},
                        "string_value": {"type": "string"},
                    },
                },
            },
        },
    },
    "MetaNotice": {
        "type": "object",
        "required": ["entry"],
        "properties": {
            "object": {"type": "string", "examples": ["page"]},
            "entry": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "id": _ID,
                        "changes": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "properties": {
                                    "field": {"type": "string", "examples": ["leadgen"]},
                                    "value": {
                                        "type": "object",
                                        "properties": {"leadgen_id": _ID, "form_id": _ID},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
    "LinkedInNotice": {
        "type": "object",
        "required": ["leadAction", "leadGenFormResponse"],
        "properties": {
            "type": {"const": "LEAD_ACTION"},
            "leadAction": {"enum": ["CREATED", "DELETED"]},
            "leadGenFormResponse": {
                "type": "string",
                "examples": ["urn:li:leadGenFormResponse:1"],
            },
            "occurredAt": {"type": "integer", "format": "int64"},
        },
    },
    "TikTokLeads": {
        "type": "object",
        "required": ["entry"],
        "properties": {
            "object": {"type": "integer"},
            "time": {"type": "integer", "format": "int64"},
            "entry": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["id", "changes"],
                    "properties": {
                        "id": _ID,
                        "campaign_id": _ID,
                        "create_time": {"type": "integer", "format": "int64"},
                        "changes": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "properties": {
                                    "field": {"type": "string"},
                                    "value": {"type": "string"},
                                },
                            },
                        },
                    },
                },
            },
        },
    },
    "WebToLead": {
        "type": "object",
        "properties": {
            "oid": {"type": "string", "description": "Names the source"},
            "retURL": {"type": "string", "description": "Followed to allow-listed hosts only"},
            "encoding": {"type": "string"},
            "first_name": {"type": "string"},
            "last_name": {"type": "string"},
            "company": {"type": "string"},
            "email": {"type": "string"},
            "phone": {"type": "string"},
            "description": {"type": "string"},
        },
        "additionalProperties": True,
    },
}
