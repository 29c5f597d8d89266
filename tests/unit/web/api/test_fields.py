"""Each usual fault of a field is said with a code, in words of our own."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.core.sentences.sentence import OTHER
from services.web.api.fields import wrong_with


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=2, max_length=4)] = "good"
    number: Annotated[int, Field(ge=1, le=9)] = 1
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    on: bool = True
    kind: Literal["a", "b"] = "a"
    items: Annotated[list[int], Field(min_length=1, max_length=2)] = [1]
    inner: "_Inner | None" = None


class _Inner(BaseModel):
    must: str


@pytest.mark.parametrize(
    ("given", "code", "params"),
    [
        ({"name": 7}, "field-text", {}),
        ({"name": "x"}, "field-shortest", {"least": 2}),
        ({"name": "x" * 5}, "field-longest", {"most": 4}),
        ({"number": "x"}, "field-whole", {}),
        ({"number": 1.5}, "field-whole", {}),
        ({"number": 0}, "field-least", {"least": 1}),
        ({"number": 10}, "field-most", {"most": 9}),
        ({"share": []}, "field-number", {}),
        ({"share": 0}, "field-above", {"least": 0.0}),
        ({"share": 1}, "field-below", {"most": 1.0}),
        ({"on": "perhaps"}, "field-flag", {}),
        ({"kind": "c"}, "field-choice", {"choices": "'a' or 'b'"}),
        ({"items": 1}, "field-list", {}),
        ({"items": []}, "list-shortest", {"least": 1}),
        ({"items": [1, 2, 3]}, "list-longest", {"most": 2}),
        ({"inner": {}}, "field-required", {}),
        ({"inner": 1}, "field-object", {}),
        ({"s3cret": "s3cret"}, "field-unknown", {}),
    ],
)
def test_a_usual_fault_has_a_code(given: dict[str, Any], code: str, params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        _Body.model_validate(given)
    said = wrong_with(caught.value.errors()[0])
    assert (said.code, said.params) == (code, params)
    assert "s3cret" not in said.text


def test_what_is_seldom_is_said_in_the_words_of_pydantic() -> None:
    said = wrong_with({"type": "url_type", "msg": "Value error, no such thing"})
    assert (said.code, said.text) == (OTHER, "no such thing")
