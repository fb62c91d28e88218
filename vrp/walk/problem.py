"""The one error of the tour: something is not as it should be."""


class NotRight(Exception):
    """What was expected and what was found, as a sentence for people."""


def check(true: object, sentence: str) -> None:
    """Raise ``NotRight`` with the sentence unless ``true`` is true."""
    if not true:
        raise NotRight(sentence)
