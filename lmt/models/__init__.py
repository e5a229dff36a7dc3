"""The tables, one concept a file; importing this package knows them all."""

from lmt.models.absence import Absence
from lmt.models.answers import GeocoderAnswer, RoadAnswer
from lmt.models.brand import Brand, VehicleModel
from lmt.models.customer import Customer, CustomerKey
from lmt.models.dealer import (
    Closure,
    Competence,
    Dealer,
    DealerGroup,
    DealerLoad,
    DealerTerms,
    NetworkVersion,
    SpecialHours,
    Territory,
)
from lmt.models.event import Event, record
from lmt.models.form import Form
from lmt.models.handover import Handover
from lmt.models.intake import DeliveryKey, Intake
from lmt.models.lead import Consent, Lead, locked_lead
from lmt.models.market import Market, MarketCountry, Rule
from lmt.models.message import Message
from lmt.models.place import Place, PlaceName, Postcode
from lmt.models.policy import PolicyDraft, RoutingPolicy
from lmt.models.process import Heartbeat, Job, Outage
from lmt.models.routing import Contest, Offer, RoutingDecision
from lmt.models.source import Campaign, Source
from lmt.models.user import Role, User, UserScope
from lmt.models.work import Outcome, PlannedAction

__all__ = [
    "Absence",
    "Brand",
    "Campaign",
    "Closure",
    "Competence",
    "Consent",
    "Contest",
    "Customer",
    "CustomerKey",
    "Dealer",
    "DealerGroup",
    "DealerLoad",
    "DealerTerms",
    "DeliveryKey",
    "Event",
    "Form",
    "GeocoderAnswer",
    "Handover",
    "Heartbeat",
    "Intake",
    "Job",
    "Lead",
    "Market",
    "MarketCountry",
    "Message",
    "NetworkVersion",
    "Offer",
    "Outage",
    "Outcome",
    "Place",
    "PlaceName",
    "PlannedAction",
    "PolicyDraft",
    "Postcode",
    "RoadAnswer",
    "Role",
    "RoutingDecision",
    "RoutingPolicy",
    "Rule",
    "Source",
    "SpecialHours",
    "Territory",
    "User",
    "UserScope",
    "VehicleModel",
    "locked_lead",
    "record",
]
