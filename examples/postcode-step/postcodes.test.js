// `node --test`: the rules by themselves.

import assert from "node:assert/strict";
import { test } from "node:test";
import { check, countries } from "./postcodes.js";

test("a code is written as its country writes it", () => {
  assert.deepEqual(check("GB", " sw1a1aa "), { valid: true, postcode: "SW1A 1AA", area: "SW", example: "SW1A 1AA" });
  assert.equal(check("NL", "1012ab").postcode, "1012 AB");
  assert.equal(check("DE", "10115").area, "10");
});

test("what cannot be right is told with one that is", () => {
  assert.deepEqual(check("DE", "1O115"), { valid: false, postcode: null, area: null, example: "10115" });
});

test("every country's own example is right", () => {
  for (const country of countries) {
    const { example } = check(country, "");
    assert.equal(check(country, example).postcode, example, country);
  }
});
