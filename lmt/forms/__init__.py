"""Forms as data: what a customer is asked, in their language, and how it becomes a lead."""
