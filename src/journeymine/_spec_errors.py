"""What pydantic refuses, said in the words of the configuration file: key, value, what is allowed, hint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from journeymine._spec_checks import REFUSED
from journeymine.errors import SpecError, did_you_mean, shown

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

EXPECTED = {
    "string_type": 'a text in "quotes"',
    "string_too_short": "a text that is not empty",
    "int_type": "a whole number without quotes",
    "int_from_float": "a whole number",
    "greater_than_equal": "a number of 0 or more",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
Problem = tuple[str, str | None]


def spec_error(error: ValidationError, model: type[BaseModel], where: str) -> SpecError:
    """Turn a validation error into the one error that users see; several problems are listed."""
    details = error.errors(include_url=False)
    if len(details) == 1:
        problem, hint = _problem(details[0], model, where)
        return SpecError(problem, hint=hint)
    lines = [f"{len(details)} problems in {where}:"]
    for detail in details:
        problem, hint = _problem(detail, model, "")
        lines.append(f"- {problem}{f' Hint: {hint}' if hint else ''}")
    return SpecError("\n".join(lines))


def _problem(detail: ErrorDetails, model: type[BaseModel], where: str) -> Problem:
    place = f" in {where}" if where else ""
    key, value, kind = _key(detail["loc"]), detail["input"], detail["type"]
    context = detail.get("ctx", {})
    if kind == REFUSED:
        subject = f"{key}{place}" if key else where or "the file"
        return f"{subject} {context['problem']}", context["hint"]
    if kind == "extra_forbidden":
        return _unknown_key(detail["loc"], model, place)
    if kind == "missing":
        return f"{key} is missing{place}.", f"add {detail['loc'][-1]} = … there."
    if kind == "literal_error":
        allowed = str(context["expected"])
        close = did_you_mean(
            str(value), [item.strip("'") for item in allowed.replace(" or ", ", ").split(", ")]
        )
        hint = f"did you mean {shown(close)}?" if close else None
        return f"{key} is {shown(value)}{place}, expected {allowed}.", hint
    return f"{key} is {shown(value)}{place}, expected {EXPECTED.get(kind, detail['msg'])}.", None


def _key(loc: tuple[int | str, ...]) -> str:
    text = ""
    for part in loc:
        if part == "[key]":
            continue
        text += f"[{part}]" if isinstance(part, int) else f"{'.' if text else ''}{part}"
    return text


def _unknown_key(loc: tuple[int | str, ...], model: type[BaseModel], place: str) -> Problem:
    *parents, name = loc
    at = model
    for part in parents:
        at = at if isinstance(part, int) else _model_of(at.model_fields[part].annotation)
    known = list(at.model_fields)
    home = next((section for section, keys in _sections(model) if name in keys and keys != known), None)
    close = did_you_mean(str(name), known)
    if close:
        hint: str | None = f"did you mean {shown(close)}?"
    elif home is not None:
        hint = f"{name} belongs to {home}."
    else:
        hint = None
    return f"key {shown(_key(loc))}{place} is not known; allowed there: {', '.join(known)}.", hint


def _sections(model: type[BaseModel]) -> list[tuple[str, list[str]]]:
    sections = [("the top of the file, above the first [section]", list(model.model_fields))]
    for name, field in model.model_fields.items():
        if (part := _model_or_none(field.annotation)) is not None:
            brackets = f"[[{name}]]" if part is not field.annotation else f"[{name}]"
            sections.append((brackets, list(part.model_fields)))
    return sections


def _model_of(annotation: Any) -> type[BaseModel]:
    found = _model_or_none(annotation)
    assert found is not None, annotation
    return found


def _model_or_none(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for m in map(_model_or_none, get_args(annotation)) if m is not None), None)
