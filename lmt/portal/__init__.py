"""The customer's page: where their request stands, without a login."""
