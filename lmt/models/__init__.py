"""The tables, one concept a file; importing this package knows them all."""

from lmt.models.absence import Absence
from lmt.models.answers import GeocoderAnswer, RoadAnswer
from lmt.models.appointment import Feedback, SlotTerms, SlotUse
from lmt.models.brand import Brand, VehicleModel
from lmt.models.change import SettingChange, note_change
from lmt.models.consent import ConsentText, Suppression
from lmt.models.customer import Customer, CustomerKey, CustomerMove, DuplicateSuggestion
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
from lmt.models.desk import HelpPost, HelpThread, Reply, ReplyTemplate, SavedView, Verdict
from lmt.models.event import Event, record
from lmt.models.facts import (
    FactMonth,
    FactQueue,
    FactSlice,
    LeadFact,
    ShareFact,
    ShareMonth,
)
from lmt.models.form import CustomField, Form, FormCount, FormFile, FormVersion
from lmt.models.handover import Handover
from lmt.models.importing import CallRecord, ImportRow, ImportRun, Release
from lmt.models.intake import DeliveryKey, Intake, Retrieval
from lmt.models.lead import Consent, Inquiry, Lead, locked_lead
from lmt.models.mailbox import MailboxState, MailRead
from lmt.models.mailtexts import MailMute, MailText, MailTextVersion, Tap
from lmt.models.market import Market, MarketCountry, MarketStatus, Rule
from lmt.models.message import Message
from lmt.models.place import Place, PlaceName, Postcode
from lmt.models.policy import PolicyDraft, RoutingPolicy
from lmt.models.process import Heartbeat, Job, Outage, ReferenceVersion
from lmt.models.reporting import (
    ExchangeRate,
    ReportKey,
    ReportSchedule,
    SavedReport,
    Target,
)
from lmt.models.routing import Contest, Offer, RoutingDecision
from lmt.models.sales import Sale, SalesFile
from lmt.models.source import Campaign, Source, SourceAlert, SourceRefusal
from lmt.models.system import DealerSystem
from lmt.models.upload import Upload, UploadPart
from lmt.models.user import Role, User, UserScope
from lmt.models.work import Outcome, PlannedAction

__all__ = [
    "Absence",
    "Brand",
    "CallRecord",
    "Campaign",
    "Closure",
    "Competence",
    "Consent",
    "ConsentText",
    "Contest",
    "CustomField",
    "Customer",
    "CustomerKey",
    "CustomerMove",
    "Dealer",
    "DealerGroup",
    "DealerLoad",
    "DealerSystem",
    "DealerTerms",
    "DeliveryKey",
    "DuplicateSuggestion",
    "Event",
    "ExchangeRate",
    "FactMonth",
    "FactQueue",
    "FactSlice",
    "Feedback",
    "Form",
    "FormCount",
    "FormFile",
    "FormVersion",
    "GeocoderAnswer",
    "Handover",
    "Heartbeat",
    "HelpPost",
    "HelpThread",
    "ImportRow",
    "ImportRun",
    "Inquiry",
    "Intake",
    "Job",
    "Lead",
    "LeadFact",
    "MailMute",
    "MailRead",
    "MailText",
    "MailTextVersion",
    "MailboxState",
    "Market",
    "MarketCountry",
    "MarketStatus",
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
    "ReferenceVersion",
    "Release",
    "Reply",
    "ReplyTemplate",
    "ReportKey",
    "ReportSchedule",
    "Retrieval",
    "RoadAnswer",
    "Role",
    "RoutingDecision",
    "RoutingPolicy",
    "Rule",
    "Sale",
    "SalesFile",
    "SavedReport",
    "SavedView",
    "SettingChange",
    "ShareFact",
    "ShareMonth",
    "SlotTerms",
    "SlotUse",
    "Source",
    "SourceAlert",
    "SourceRefusal",
    "SpecialHours",
    "Suppression",
    "Tap",
    "Target",
    "Territory",
    "Upload",
    "UploadPart",
    "User",
    "UserScope",
    "VehicleModel",
    "Verdict",
    "locked_lead",
    "note_change",
    "record",
]
