"""The words of an invented shop: its categories, their lines, what belongs to a line, and the brands.

`parts` are in the order in which people usually come to want them, each with a usual price in euros.
"""

from typing import NamedTuple


class Category(NamedTuple):
    """lines: names of its lines, the last one is launched late; parts: name -> usual price."""

    name: str
    lines: tuple[str, ...]
    parts: dict[str, float]
    brands: tuple[str, ...]


CATEGORIES = (
    Category(
        "camping",
        ("ultralight", "family", "winter", "bushcraft", "rooftop"),
        {
            "tent": 219, "sleeping bag": 129, "sleeping mat": 69, "stove": 49, "headlamp": 39, "cook set": 45,
            "water filter": 55,
        },
        ("Fjellro", "Tarnwood", "Basecove", "Lumen & Pine"),
    ),
    Category(
        "running",
        ("road", "trail", "marathon", "beginner", "night"),
        {"shoes": 119, "socks": 14, "shorts": 39, "shirt": 35, "belt": 25, "watch": 199, "jacket": 89},
        ("Stridelle", "Kestrel Run", "Paceform", "Fjellro"),
    ),
    Category(
        "cycling",
        ("commuter", "gravel", "mountain", "touring", "cargo"),
        {"helmet": 79, "lights": 45, "lock": 59, "pannier": 69, "tyres": 49, "gloves": 29, "multi-tool": 25},
        ("Velomar", "Ridgeback Row", "Tarnwood", "Spoke & Sons"),
    ),
    Category(
        "climbing",
        ("bouldering", "sport", "alpine", "indoor", "via ferrata"),
        {"shoes": 109, "chalk bag": 25, "harness": 69, "rope": 149, "quickdraws": 95, "brush": 9, "tape": 7},
        ("Gritline", "Basecove", "Ostwand", "Kestrel Run"),
    ),
    Category(
        "kitchen",
        ("everyday", "cast iron", "baking", "knife", "fermenting"),
        {"pan": 59, "pot": 69, "board": 35, "scale": 29, "cookbook": 28, "apron": 24, "storage jar": 15},
        ("Hearthware", "Copperlane", "Sel & Sage", "Nordbord"),
    ),
    Category(
        "coffee",
        ("espresso", "pour-over", "french press", "moka", "cold brew"),
        {"brewer": 139, "grinder": 119, "beans": 14, "scale": 39, "kettle": 69, "cup": 12, "cleaning kit": 16},
        ("Crema Works", "Slow Kettle", "Nordbord", "Altura"),
    ),
    Category(
        "garden",
        ("balcony", "vegetable", "rose", "greenhouse", "rewilding"),
        {"seeds": 6, "planter": 35, "soil": 12, "watering can": 25, "shears": 32, "gloves": 12, "fertiliser": 14},
        ("Moss & Loam", "Verdelle", "Tarnwood", "Claypot"),
    ),
    Category(
        "books",
        ("crime", "science", "fantasy", "history", "solarpunk"),
        {
            "novel": 14, "second volume": 14, "third volume": 15, "collected edition": 39, "companion": 24,
            "graphic edition": 22, "audiobook": 18,
        },
        ("Harbour Press", "Lantern House", "Quillmark", "Ninth Shelf"),
    ),
    Category(
        "games",
        ("strategy", "party", "cooperative", "role-playing", "legacy"),
        {"base game": 45, "expansion": 32, "second expansion": 32, "sleeves": 8, "insert": 29, "dice": 12, "mat": 25},
        ("Meeple Row", "Gilded Die", "Lantern House", "Foxglove"),
    ),
    Category(
        "toys",
        ("building", "wooden", "science", "dolls", "robotics"),
        {"starter set": 35, "extension": 25, "figures": 15, "storage box": 19, "vehicle": 22, "puzzle": 17, "book": 12},
        ("Tinkerlund", "Bricolo", "Foxglove", "Plumtree"),
    ),
    Category(
        "photography",
        ("street", "landscape", "portrait", "wildlife", "analogue"),
        {"camera": 899, "lens": 499, "bag": 89, "tripod": 129, "filter": 59, "memory card": 39, "photo book": 35},
        ("Obscura", "Lumen & Pine", "Halide", "Farfield"),
    ),
    Category(
        "audio",
        ("studio", "vinyl", "wireless", "home cinema", "spatial"),
        {
            "headphones": 159, "speaker": 249, "amplifier": 299, "cable": 19, "stand": 45, "turntable": 329,
            "cleaner": 15,
        },
        ("Tonecraft", "Halide", "Low Tide", "Ampersand"),
    ),
    Category(
        "computing",
        ("gaming", "home server", "portable", "single-board", "smart home"),
        {"keyboard": 99, "mouse": 59, "monitor": 299, "dock": 149, "storage": 119, "cable": 14, "case": 79},
        ("Northbyte", "Keyloft", "Ampersand", "Voltmeer"),
    ),
    Category(
        "office",
        ("standing", "minimal", "student", "calligraphy", "bullet journal"),
        {"desk": 299, "chair": 249, "lamp": 59, "notebook": 16, "pen": 22, "organiser": 25, "ink": 12},
        ("Papierhaus", "Quillmark", "Keyloft", "Linea"),
    ),
    Category(
        "living",
        ("scandinavian", "industrial", "rustic", "art deco", "japandi"),
        {"lamp": 89, "rug": 149, "cushion": 29, "shelf": 119, "mirror": 79, "vase": 35, "throw": 49},
        ("Linea", "Oak & Thread", "Nordbord", "Maison Clair"),
    ),
    Category(
        "care",
        ("shaving", "sensitive skin", "curly hair", "sun", "solid"),
        {"cleanser": 14, "cream": 22, "brush": 18, "oil": 19, "soap": 8, "towel": 25, "travel set": 29},
        ("Sel & Sage", "Verdelle", "Clearbrook", "Maison Clair"),
    ),
    Category(
        "outerwear",
        ("rain", "down", "denim", "office", "repaired"),
        {"jacket": 159, "trousers": 89, "jumper": 79, "shirt": 59, "scarf": 29, "hat": 25, "care kit": 18},
        ("Oak & Thread", "Fjellro", "Weatherby Lane", "Basecove"),
    ),
    Category(
        "pets",
        ("dog", "cat", "aquarium", "bird", "insect hotel"),
        {"food": 29, "bed": 45, "toy": 12, "bowl": 15, "carrier": 55, "care set": 22, "treats": 7},
        ("Pawfield", "Whisker & Co", "Clearbrook", "Plumtree"),
    ),
    Category(
        "crafts",
        ("knitting", "watercolour", "leather", "sewing", "punch needle"),
        {"starter kit": 35, "tools": 29, "material": 18, "pattern book": 22, "storage": 25, "light": 39, "frame": 19},
        ("Oak & Thread", "Papierhaus", "Bobbin Lane", "Claypot"),
    ),
    Category(
        "music",
        ("guitar", "piano", "percussion", "ukulele", "synth"),
        {"instrument": 249, "strap": 19, "tuner": 22, "songbook": 18, "stand": 35, "case": 69, "pickup": 89},
        ("Ampersand", "Tonecraft", "Rosewood Row", "Low Tide"),
    ),
)  # fmt: skip

MODELS = ("", " One", " Lite", " Pro", " Plus", " Mk II")
"""A part of a line comes in a few models."""
COUNTRIES = ("DE", "FR", "GB", "NO", "ES")
DEVICES = ("phone", "desktop", "tablet")
