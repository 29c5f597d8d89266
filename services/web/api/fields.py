"""What is wrong with a field of a request, as sentences in place of pydantic's own words. Pure.

Values of the request are left out, because they might be secrets.
"""

from collections.abc import Callable, Mapping
from typing import Any

from services.core.sentences.sentence import Sentence, plain, sentence

NOT_JSON = "json_invalid"

_FIXED: dict[str, Sentence] = {
    NOT_JSON: sentence("body-not-json"),
    "extra_forbidden": sentence("field-unknown"),
    "model_attributes_type": sentence("field-object"),
    "model_type": sentence("field-object"),
    "dict_type": sentence("field-object"),
    "missing": sentence("field-required"),
    "string_type": sentence("field-text"),
    "string_sub_type": sentence("field-text"),
    "int_type": sentence("field-whole"),
    "int_parsing": sentence("field-whole"),
    "int_from_float": sentence("field-whole"),
    "float_type": sentence("field-number"),
    "float_parsing": sentence("field-number"),
    "finite_number": sentence("field-number"),
    "bool_type": sentence("field-flag"),
    "bool_parsing": sentence("field-flag"),
    "list_type": sentence("field-list"),
    "tuple_type": sentence("field-list"),
}
"""By pydantic's type of error."""

_BOUNDED: dict[str, Callable[[Mapping[str, Any]], Sentence]] = {
    "literal_error": lambda context: sentence("field-choice", choices=str(context["expected"])),
    "enum": lambda context: sentence("field-choice", choices=str(context["expected"])),
    "string_too_short": lambda context: sentence("field-shortest", least=context["min_length"]),
    "string_too_long": lambda context: sentence("field-longest", most=context["max_length"]),
    "too_short": lambda context: sentence("list-shortest", least=context["min_length"]),
    "too_long": lambda context: sentence("list-longest", most=context["max_length"]),
    "greater_than_equal": lambda context: sentence("field-least", least=context["ge"]),
    "less_than_equal": lambda context: sentence("field-most", most=context["le"]),
    "greater_than": lambda context: sentence("field-above", least=context["gt"]),
    "less_than": lambda context: sentence("field-below", most=context["lt"]),
}
"""The same where the error names a bound."""


def wrong_with(item: Mapping[str, Any]) -> Sentence:
    """Say what is wrong by an error of pydantic; one that is seldom is said in pydantic's words."""
    kind = item["type"]
    if kind in _FIXED:
        return _FIXED[kind]
    if kind in _BOUNDED:
        return _BOUNDED[kind](item["ctx"])
    return plain(str(item["msg"]).removeprefix("Value error, "))
