"""Stage 2: what does the customer want, and how soon must somebody answer?"""
