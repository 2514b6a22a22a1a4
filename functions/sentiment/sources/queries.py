"""A brand's terms -> searches in the words of X and Reddit: quoted, joined by OR, none longer than it may be."""

from collections.abc import Sequence


def searches(terms: Sequence[str], limit: int, rest: str = "") -> list[str]:
    """("one" OR "two words") and `rest`, each of at most `limit` characters. A term that is too long alone is cut."""
    room = limit - len(rest) - 2
    found: list[str] = []
    group = ""
    for term in terms:
        words = f'"{" ".join(term.replace(chr(34), " ").split())[: room - 2]}"'
        joined = f"{group} OR {words}" if group else words
        if len(joined) <= room:
            group = joined
        else:
            found.append(group)
            group = words
    return [f"({each}){rest}" for each in [*found, group] if each]
