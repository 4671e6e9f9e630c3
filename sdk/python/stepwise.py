"""Steps in Python: plain values in, plain values out, checked against what the library declares.

Copied into a plugin's folder by `stepwise plugin new --lang python`. Values of Python and of the contract:
text: str · boolean: bool · whole, choice: int · float: float · choices: list of int · decimal, money: Decimal
date: date · date-time: datetime with a time zone · guid: UUID · lookup: Reference · duration: Duration of the contract
bytes, json (CBOR): bytes · empty: None
"""

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

from componentize_py_types import Err
from wit_world.exports.step import StepError
from wit_world.imports import clock, config, context, log, random, records, types

EPOCH = date(1970, 1, 1)
MOMENT = datetime(1970, 1, 1, tzinfo=timezone.utc)
KINDS = {kind.name.lower().replace("_", "-"): kind for kind in types.ErrorKind}
NUMBERS = ("whole", "decimal", "money", "float", "choice")


@dataclass(frozen=True)
class Reference:
    """A record: the entity's name and the record's id."""

    entity: str
    id: UUID


@dataclass(frozen=True)
class Typed:
    """A value of a type that Python has not by itself: `Typed("money", Decimal("12.50"))`."""

    type: str
    value: object


class Failure(Exception):
    """Ends the step: a kind of the contract, a code that the manifest lists, a sentence for people."""

    def __init__(self, kind, code, message, retry_after_ms=None, details=()):
        super().__init__(message)
        self.kind, self.code, self.message = kind, code, message
        self.retry_after_ms, self.details = retry_after_ms, list(details)


def rule_violated(code, message):
    """A rule of the business says no."""
    return Failure("rule-violated", code, message)


def invalid_input(code, message):
    """An input makes no sense."""
    return Failure("invalid-input", code, message)


class Library:
    """What a component exports: `class Step(Library)` with a `manifest` and a function for each step."""

    manifest = {}
    functions = {}

    def describe(self):
        head = {"schema": 1, "contract": "1.0", "sdk": "python 0.1"}
        return json.dumps({**head, **self.manifest}, ensure_ascii=False).encode()

    def execute(self, step, inputs):
        try:
            definition = next((one for one in self.manifest["steps"] if _name(one) == step), None)
            if definition is None:
                raise invalid_input("unknown-step", f"this library has no step `{step}`")
            outputs = self.functions[step](_inputs(definition, inputs)) or {}
            declared = definition.get("outputs", {})
            return [
                types.Field(name, _to_wire(value, declared.get(name, {}).get("type")))
                for name, value in outputs.items()
            ]
        except Failure as failure:
            raise Err(_on_the_wire(failure))
        except Err:
            raise
        except Exception as error:
            place = error.__traceback__
            while place.tb_next:
                place = place.tb_next
            where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}"
            raise Err(_on_the_wire(Failure("other", "exception", f"{type(error).__name__}: {error} at {where}")))


def _name(definition):
    return definition.get("step") or definition.get("condition") or definition.get("action")


def _on_the_wire(failure):
    return StepError(KINDS[failure.kind], failure.code, failure.message, failure.retry_after_ms, failure.details)


def _inputs(definition, given):
    declared = definition.get("inputs", {})
    inputs = {}
    for field in given:
        argument = declared.get(field.name)
        if argument is None:
            if definition.get("strict"):
                raise invalid_input("unknown-input", f"`{field.name}` is no input of this step")
            continue
        tag = _tag(field.value)
        wanted = _wire(argument["type"])
        if tag != "null" and tag != wanted and not (tag in NUMBERS and wanted in NUMBERS):
            raise invalid_input("wrong-type", f"`{field.name}` is {tag}, and should be {argument['type']}")
        try:
            inputs[field.name] = _from_wire(field.value, wanted)
        except (OverflowError, ValueError):
            raise invalid_input("wrong-type", f"`{field.name}` is outside of what Python's {wanted} holds")
    for name, argument in declared.items():
        if inputs.get(name) is None:
            inputs[name] = argument.get("default")
        if argument.get("required") and inputs[name] is None:
            raise invalid_input("missing-input", f"`{name}` is missing")
    return inputs


def _wire(kind):
    return {"file": "bytes", "document": "json"}.get(kind, kind)


def _tag(value):
    """The word of a value's case: `date-time` of `Value_DateTime`."""
    name = type(value).__name__.removeprefix("Value_")
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).removeprefix("-")


def _from_wire(value, kind=None):
    match value:
        case types.Value_Null():
            return None
        case types.Value_Decimal(text) | types.Value_Money(text):
            return int(Decimal(text)) if kind in ("whole", "choice") else float(text) if kind == "float" else Decimal(text)
        case types.Value_Whole(number) | types.Value_Choice(number) | types.Value_Float(number):
            return Decimal(str(number)) if kind in ("decimal", "money") else number
        case types.Value_Date(days):
            return EPOCH + timedelta(days=days)
        case types.Value_DateTime(micros):
            return MOMENT + timedelta(microseconds=micros)
        case types.Value_Guid(guid):
            return _uuid(guid)
        case types.Value_Lookup(target):
            return Reference(target.entity, _uuid(target.id))
        case types.Value_Lookups(targets):
            return [Reference(target.entity, _uuid(target.id)) for target in targets]
        case _:
            return value.value


def _to_wire(value, kind=None):
    if isinstance(value, Typed):
        value, kind = value.value, value.type
    if value is None:
        return types.Value_Null()
    match _wire(kind or _guessed(value)):
        case "decimal":
            return types.Value_Decimal(format(Decimal(value), "f"))
        case "money":
            return types.Value_Money(format(Decimal(value), "f"))
        case "whole":
            return types.Value_Whole(int(value))
        case "float":
            return types.Value_Float(float(value))
        case "boolean":
            return types.Value_Boolean(value)
        case "text":
            return types.Value_Text(value)
        case "date":
            return types.Value_Date((value - EPOCH).days)
        case "date-time":
            return types.Value_DateTime((value - MOMENT) // timedelta(microseconds=1))
        case "duration":
            return types.Value_Duration(value)
        case "guid":
            return types.Value_Guid(_guid(value))
        case "lookup":
            return types.Value_Lookup(_target(value))
        case "lookups":
            return types.Value_Lookups([_target(one) for one in value])
        case "choice":
            return types.Value_Choice(int(value))
        case "choices":
            return types.Value_Choices(list(value))
        case "bytes":
            return types.Value_Bytes(value)
        case "json":
            return types.Value_Json(value)
    raise TypeError(f"there is no type `{kind}`")


def _guessed(value):
    match value:
        case bool():
            return "boolean"
        case int():
            return "whole"
        case float():
            return "float"
        case Decimal():
            return "decimal"
        case str():
            return "text"
        case datetime():
            return "date-time"
        case date():
            return "date"
        case UUID():
            return "guid"
        case Reference():
            return "lookup"
        case bytes():
            return "bytes"
    raise TypeError(f"{value!r} is no value of an attribute: say its type with `Typed`")


def _uuid(guid):
    bits = 0
    for part in (guid.a, guid.b, guid.c, guid.d):
        bits = bits << 32 | part & 0xFFFF_FFFF
    return UUID(int=bits)


def _guid(uuid):
    parts = [uuid.int >> shift & 0xFFFF_FFFF for shift in (96, 64, 32, 0)]
    return types.Guid(*(part - (1 << 32) if part >> 31 else part for part in parts))


def _target(reference):
    return types.Reference(reference.entity, _guid(reference.id))


def _reference(target):
    return target and Reference(target.entity, _uuid(target.id))


def _fields(values):
    return [types.Field(name, _to_wire(value)) for name, value in values.items()]


def _values(fields):
    return {field.name: _from_wire(field.value) for field in fields}


def _verb(function, *arguments):
    """What a verb refused becomes the step's failure, unless the step catches it."""
    try:
        return function(*arguments)
    except Err as refused:
        error = refused.value
        kind = error.kind.name.lower().replace("_", "-")
        raise Failure(kind, error.code, error.message, None, error.details)


def create(entity, **values):
    """Makes a record."""
    return _reference(_verb(records.create, entity, _fields(values)))


def retrieve(target, *attributes):
    """A record's version and its values; all that may be read where no attribute is named."""
    record = _verb(records.retrieve, _target(target), list(attributes))
    return record.version, _values(record.attributes)


def update(target, expected=None, **values):
    """Changes a record; gives its new version."""
    return _verb(records.update, _target(target), expected, _fields(values))


def delete(target, expected=None):
    """Takes a record away."""
    _verb(records.delete, _target(target), expected)


def assign(target, owner):
    """Gives a record another owner."""
    return _verb(records.assign, _target(target), _target(owner))


def set_status(target, status):
    """A status by its name, or a state."""
    return _verb(records.set_status, _target(target), status)


def query(entity, *attributes, filter="", order=(), page_size=None, cookie=None):
    """Records with their values, and what to give as `cookie` for the next page."""
    orders = [types.Order(name.removeprefix("-"), name.startswith("-")) for name in order]
    question = types.Query(entity, list(attributes), filter, orders, page_size, cookie)
    page = _verb(records.query, question)
    rows = [
        (_reference(row.target), {name: _from_wire(value) for name, value in zip(page.attributes, row.values)})
        for row in page.rows
    ]
    return rows, page.cookie


def invoke(name, target=None, **values):
    """An action or another message; gives its outputs."""
    return _values(_verb(records.invoke, name, target and _target(target), _fields(values)))


def info(message):
    """A line for the run log."""
    log.write(log.Level.INFO, message, [])


def now():
    """The step's time."""
    return MOMENT + timedelta(microseconds=clock.now())


def setting(key):
    """What the operator set."""
    return config.get(key)


def random_number():
    """A number of 64 bits, the same on every attempt."""
    return random.next()


def user():
    """As whom the step acts."""
    return _reference(context.user())


def record():
    """The process's record."""
    return _reference(context.record())


def idempotency_key():
    """The same on every attempt."""
    return context.idempotency_key()


def cancelled():
    """True once nobody wants the result any more."""
    return context.cancelled()
