"""Why an item is in a list -> a sentence for the user who sees it."""

from functions.recommendations.lists import ServedItem

_DID = {
    "view": "you viewed {title}",
    "click": "you looked at {title}",
    "cart": "you put {title} in your cart",
    "purchase": "you bought {title}",
    "rating": "you rated {title}",
}


def why(each: ServedItem, kind: str | None, title: str | None) -> str:
    """kind, title: of the interaction and the item that speak for it, where there is one."""
    if each.because is not None:
        did = _DID.get(kind or "", "you chose {title}").format(title=title or each.because)
        return f"because {did}" if each.source == "model" else f"similar, and {did}"
    match each.source:
        case "new":
            return "new here"
        case "popular" if each.among:
            key, _, value = each.among.partition("=")
            return f"popular where {key} is {value}"
        case "popular":
            return "popular now"
        case "similar":
            return "similar"
    return "chosen for you"
