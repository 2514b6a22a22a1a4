"""A search of X or Reddit -> what it asks for: any of its terms, none of what has a minus, in some languages."""

import re
from typing import NamedTuple

from local.networks.feed import Written

_TERM = re.compile(r'(-?)"([^"]+)"|(-?)(is|lang):(\w+)|(-?)([^\s()"]+)')


class Search(NamedTuple):
    """The operators that are understood: "..." and words joined by OR, -"...", lang:, -is:retweet."""

    terms: list[str]
    without: list[str]
    languages: list[str]

    def finds(self, post: Written) -> bool:
        """Is it asked for?"""
        return (
            any(post.has(term) for term in self.terms)
            and not any(post.has(term) for term in self.without)
            and (not self.languages or post.language in self.languages)
        )


def parsed(query: str) -> Search:
    """Terms without a minus are alternatives, whether OR is between them or not."""
    search = Search([], [], [])
    for minus, quoted, _, operator, value, word_minus, word in _TERM.findall(query):
        if operator == "lang":
            search.languages.append(value)
        elif quoted:
            (search.without if minus else search.terms).append(quoted)
        elif word and word != "OR":
            (search.without if word_minus else search.terms).append(word)
    return search
