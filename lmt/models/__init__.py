"""The tables, one concept a file; importing this package knows them all."""

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
    Territory,
)
from lmt.models.event import Event, record
from lmt.models.form import Form
from lmt.models.intake import DeliveryKey, Intake
from lmt.models.lead import Consent, Lead, locked_lead
from lmt.models.market import Market, MarketCountry, Rule
from lmt.models.message import Message
from lmt.models.place import Place, PlaceName, Postcode
from lmt.models.policy import RoutingPolicy
from lmt.models.process import Heartbeat
from lmt.models.routing import Offer, RoutingDecision
from lmt.models.source import Campaign, Source
from lmt.models.user import Role, User, UserScope
from lmt.models.work import Outcome, PlannedAction

__all__ = [
    "Brand",
    "Campaign",
    "Closure",
    "Competence",
    "Consent",
    "Customer",
    "CustomerKey",
    "Dealer",
    "DealerGroup",
    "DealerLoad",
    "DealerTerms",
    "DeliveryKey",
    "Event",
    "Form",
    "Heartbeat",
    "Intake",
    "Lead",
    "Market",
    "MarketCountry",
    "Message",
    "NetworkVersion",
    "Offer",
    "Outcome",
    "Place",
    "PlaceName",
    "PlannedAction",
    "Postcode",
    "Role",
    "RoutingDecision",
    "RoutingPolicy",
    "Rule",
    "Source",
    "Territory",
    "User",
    "UserScope",
    "VehicleModel",
    "locked_lead",
    "record",
]
