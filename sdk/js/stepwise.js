// Steps in JavaScript: plain values in, plain values out, checked against what the library declares.
//
// Copied into a plugin's folder by `stepwise plugin new --lang js`. Values of JavaScript and of the contract:
//   text, guid: string · boolean: boolean · whole, float, choice: number · choices: array of numbers
//   decimal, money: string, so that they stay exact · date: "2026-11-20" · date-time: Date
//   lookup: { entity, id } · duration: { months, days, microseconds } · bytes, json (CBOR): Uint8Array · empty: null
// Numbers of JavaScript are exact up to 2^53: a larger whole number arrives rounded.

import recordsOf from "stepwise:plugin/records@1.0.0";
import contextOf from "stepwise:plugin/context@1.0.0";
import logOf from "stepwise:plugin/log@1.0.0";
import clockOf from "stepwise:plugin/clock@1.0.0";
import randomOf from "stepwise:plugin/random@1.0.0";
import configOf from "stepwise:plugin/config@1.0.0";

const DAY = 86400000;

/** Ends the step with a failure: a kind of the contract, a code that the manifest lists, a sentence for people. */
export class Failure extends Error {
  constructor(kind, code, message, retryAfterMs = null, details = []) {
    super(message);
    Object.assign(this, { kind, code, retryAfterMs, details });
  }
}

/** A rule of the business says no. */
export const ruleViolated = (code, message) => new Failure("rule-violated", code, message);
/** An input makes no sense. */
export const invalidInput = (code, message) => new Failure("invalid-input", code, message);
/** It may work in a moment. */
export const transient = (code, message, retryAfterMs = null) => new Failure("transient", code, message, retryAfterMs);

/** A value of a type that JavaScript has not by itself: `typed("money", "12.50")`. */
export const typed = (type, value) => ({ [TYPE]: type, value });
const TYPE = Symbol("type");

/** What a component exports: `export const step = library({...})`. */
export function library(definition) {
  const steps = new Map(definition.steps.map((step) => [step.step ?? step.condition ?? step.action, step]));
  const manifest = utf8(JSON.stringify({ schema: 1, contract: "1.0", sdk: "js 0.1", ...definition }, (key, value) =>
    key === "run" ? undefined : value));
  return {
    describe: () => manifest,
    execute(name, given) {
      try {
        const step = steps.get(name);
        if (!step) throw invalidInput("unknown-step", `this library has no step \`${name}\``);
        const outputs = step.run(inputsOf(step, given), context) ?? {};
        return Object.entries(outputs).map(([name, value]) =>
          ({ name, value: toWire(value, step.outputs?.[name]?.type) }));
      } catch (error) {
        throw onTheWire(error);
      }
    },
  };
}

function inputsOf(step, given) {
  const inputs = {};
  for (const { name, value } of given) {
    const declared = step.inputs?.[name];
    if (!declared) {
      if (step.strict) throw invalidInput("unknown-input", `\`${name}\` is no input of this step`);
      continue;
    }
    if (value.tag !== "null" && !fits(value, declared.type)) {
      throw invalidInput("wrong-type", `\`${name}\` is ${value.tag}, and should be ${declared.type}`);
    }
    inputs[name] = fromWire(value, declared.type);
  }
  for (const [name, declared] of Object.entries(step.inputs ?? {})) {
    inputs[name] ??= declared.default ?? null;
    if (declared.required && inputs[name] === null) throw invalidInput("missing-input", `\`${name}\` is missing`);
  }
  return inputs;
}

const NUMBERS = ["whole", "decimal", "money", "float", "choice"];

function fits({ tag }, type) {
  return tag === wireOf(type) || (NUMBERS.includes(tag) && NUMBERS.includes(type));
}

const wireOf = (type) => (type === "file" ? "bytes" : type === "document" ? "json" : type);

function fromWire({ tag, val }, type) {
  switch (tag) {
    case "null": return null;
    case "decimal": case "money": return ["whole", "float", "choice"].includes(type) ? Number(val) : val;
    case "whole": case "float": case "choice": return ["decimal", "money"].includes(type) ? String(val) : val;
    case "date": return new Date(val * DAY).toISOString().slice(0, 10);
    case "date-time": return new Date(val / 1000);
    case "guid": return guidText(val);
    case "lookup": return { entity: val.entity, id: guidText(val.id) };
    case "lookups": return val.map(({ entity, id }) => ({ entity, id: guidText(id) }));
    default: return val;
  }
}

function toWire(value, type) {
  if (value === null || value === undefined) return { tag: "null" };
  if (value[TYPE]) return toWire(value.value, value[TYPE]);
  const wire = wireOf(type ?? guessed(value));
  switch (wire) {
    case "decimal": case "money": return { tag: wire, val: String(value) };
    case "date": return { tag: wire, val: Math.floor(Date.parse(value) / DAY) };
    case "date-time": return { tag: wire, val: new Date(value).getTime() * 1000 };
    case "guid": return { tag: wire, val: guidOf(value) };
    case "lookup": return { tag: wire, val: referenceOf(value) };
    case "lookups": return { tag: wire, val: value.map(referenceOf) };
    default: return { tag: wire, val: value };
  }
}

function guessed(value) {
  switch (typeof value) {
    case "boolean": return "boolean";
    case "number": return Number.isInteger(value) ? "whole" : "float";
    case "string": return "text";
  }
  if (value instanceof Date) return "date-time";
  if (value instanceof Uint8Array) return "bytes";
  if (value.entity) return "lookup";
  throw new Error(`${JSON.stringify(value)} is no value of an attribute: say its type with \`typed\``);
}

const guidText = ({ a, b, c, d }) => {
  const digits = [a, b, c, d].map((part) => (part >>> 0).toString(16).padStart(8, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
};

const guidOf = (text) => {
  const digits = text.replaceAll("-", "");
  if (!/^[0-9a-fA-F]{32}$/.test(digits)) throw new Error(`\`${text}\` is no guid`);
  const part = (place) => parseInt(digits.slice(place * 8, place * 8 + 8), 16) | 0;
  return { a: part(0), b: part(1), c: part(2), d: part(3) };
};

const referenceOf = ({ entity, id }) => ({ entity, id: guidOf(id) });
const reference = (given) => given && { entity: given.entity, id: guidText(given.id) };
const fieldsOf = (values) => Object.entries(values).map(([name, value]) => ({ name, value: toWire(value) }));
const valuesOf = (fields) => Object.fromEntries(fields.map(({ name, value }) => [name, fromWire(value)]));

/** What a verb refused becomes the step's failure, unless the step catches it. */
function verb(call) {
  try {
    return call();
  } catch (error) {
    // The runtime wraps what the host answers in an error of its own.
    const refused = error?.payload ?? error;
    if (refused?.kind && refused.code !== undefined && !(refused instanceof Failure)) {
      throw new Failure(refused.kind, refused.code, refused.message, null, refused.details ?? []);
    }
    throw error;
  }
}

/** What a step may ask of the host. Every verb is staged with the step's result. */
const context = {
  create: (entity, values) => reference(verb(() => recordsOf.create(entity, fieldsOf(values)))),
  retrieve: (target, attributes = []) => {
    const record = verb(() => recordsOf.retrieve(referenceOf(target), attributes));
    return { target, version: record.version, values: valuesOf(record.attributes) };
  },
  update: (target, values, expected = null) =>
    verb(() => recordsOf.update(referenceOf(target), expected, fieldsOf(values))),
  delete: (target, expected = null) => verb(() => recordsOf.delete(referenceOf(target), expected)),
  assign: (target, owner) => verb(() => recordsOf.assign(referenceOf(target), referenceOf(owner))),
  setStatus: (target, status) => verb(() => recordsOf.setStatus(referenceOf(target), status)),
  query: ({ entity, attributes = [], filter = "", order = [], pageSize = null, cookie = null }) => {
    const page = verb(() => recordsOf.query({ entity, attributes, filter, order, pageSize, cookie }));
    const records = page.rows.map((row) => ({
      target: reference(row.target),
      version: row.version,
      values: Object.fromEntries(page.attributes.map((name, place) => [name, fromWire(row.values[place])])),
    }));
    return { records, cookie: page.cookie };
  },
  invoke: (name, target = null, values = {}) =>
    valuesOf(verb(() => recordsOf.invoke(name, target && referenceOf(target), fieldsOf(values)))),
  log: (message, level = "info") => logOf.write(level, message, []),
  now: () => new Date(clockOf.now() / 1000),
  timeZone: () => clockOf.timeZone(),
  random: () => Number(randomOf.next()) / 2 ** 64,
  config: (key) => configOf.get(key),
  user: () => reference(contextOf.user()),
  record: () => reference(contextOf.record()),
  before: () => valuesOf(contextOf.preImage()),
  after: () => valuesOf(contextOf.postImage()),
  message: () => contextOf.message(),
  attempt: () => contextOf.attempt(),
  idempotencyKey: () => contextOf.idempotencyKey(),
  cancelled: () => contextOf.cancelled(),
  attribute: (name) => contextOf.attribute(name),
};

function onTheWire(error) {
  if (error instanceof Failure) {
    const { kind, code, message, retryAfterMs, details } = error;
    return { kind, code, message, retryAfterMs, details };
  }
  // Its place in the source is what helps the author.
  const place = String(error?.stack ?? "").split("\n").find((line) => line.includes(".js")) ?? "";
  return { kind: "other", code: "exception", message: `${error}${place && " " + place.trim()}`, retryAfterMs: null, details: [] };
}

/** Bytes of a text: there is no TextEncoder in the runtime. */
function utf8(text) {
  const bytes = [];
  for (const character of text) {
    const code = character.codePointAt(0);
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return new Uint8Array(bytes);
}
