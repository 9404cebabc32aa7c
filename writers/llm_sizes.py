"""How large what a model is asked and answers may get: by itself, so that whoever only reckons with it does
not load the model's writer."""

COMPLETION_MAX = 8_000
"""Tokens that one answer is expected to have at most: 900 words as JSON are about 4,000. It is not sent as a
limit: new models want `max_completion_tokens`, many compatible servers know only `max_tokens`, and either
answers the other with a 400."""

BYTES_PER_TOKEN = 3
"""UTF-8 bytes that a token has at least, on the average: about 4 in English, 3 for one Chinese character."""

BRIEF_MAX = 120_000
"""Characters of all items as JSON, whatever people put into them; the rest is counted."""
