"""Which language a text has, and when nobody can tell."""

import pytest

from functions.sentiment.language import detect

SENTENCES = {
    "en": "The coffee was cold and nobody said sorry",
    "es": "El caf\u00e9 estaba fr\u00edo y nadie pidi\u00f3 perd\u00f3n",
    "pt": "O caf\u00e9 estava frio e ningu\u00e9m pediu desculpa, n\u00e3o volto",
    "fr": "Le caf\u00e9 \u00e9tait froid et personne ne s'est excus\u00e9",
    "it": "Il caff\u00e8 era freddo e nessuno ha chiesto scusa",
    "de": "Der Kaffee war kalt und niemand hat sich entschuldigt",
    "nl": "De koffie was koud en niemand zei sorry tegen ons",
    "ar": "كانت القهوة باردة ولم يعتذر أحد",
    "ja": "コーヒーは冷たかったし、誰も謝らなかった",
}  # fmt: skip


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_tells_its_language_whatever_the_network_says(language: str) -> None:
    assert detect(SENTENCES[language]) == language
    assert detect(f"@user {SENTENCES[language]} https://a.example/the-article #NorthwindCoffee") == language
    assert detect(SENTENCES[language], "pl") == language


@pytest.mark.parametrize("text", ["", "\U0001f600\U0001f600", "https://a.example/the/article", "@user @other", "100 %"])
def test_without_words_the_network_is_believed(text: str) -> None:
    assert detect(text) == "und"
    assert detect(text, "pt-BR") == "pt"
    assert detect(text, "und") == "und"


def test_short_texts_are_weighed_with_the_hint() -> None:
    assert detect("thanks", "en") == "en"
    assert detect("ok", "es") == "es"
    assert detect("gracias") in {"es", "und"}


def test_a_mixed_text_has_the_language_of_most_of_it() -> None:
    assert detect(f"{SENTENCES['es']}, es decir, nunca m\u00e1s. Thank you very much!") == "es"


def test_bayes_rule() -> None:
    def model(_words: str) -> dict[str, float]:
        return {"en": 0.3, "xh": 0.7}

    assert detect("words", None, model) == "en", "the rarer language needs more"
    assert detect("words", "xh", lambda _words: {"en": 0.02, "xh": 0.98}) == "xh"
    assert detect("words", "de", lambda _words: {"en": 0.5, "es": 0.5, "pt": 0.5, "fr": 0.5}) == "de", "nobody can tell"
