"""The third stage of a lead's life: which dealer gets it, until when, and why no nearer one.

`decide.decide` is pure: facts about the lead, dealers, a policy and an instant go in, a
`decision.Decision` with a reason for every refusal comes out. `network.Network` holds many
dealers ready for the same question. Nothing here reads a clock or a database.
"""
