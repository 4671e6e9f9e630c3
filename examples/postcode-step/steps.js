// The step library `postcodes`: whether a postal code can be right, and how its country writes it.

import { check, countries } from "./postcodes.js";
import { invalidInput, library } from "./stepwise.js";

export const step = library({
  library: "postcodes",
  version: "1.0.0",
  title: "Postal codes",
  description: "Checks and tidies postal codes.",
  steps: [
    {
      step: "postcodes.check",
      title: "Check a postal code",
      description: "Tells whether a postal code can be right in its country, and writes it as people there do.",
      inputs: {
        country: { type: "text", required: true, "max-length": 2, description: `One of ${countries.join(", ")}` },
        postcode: { type: "text", "max-length": 20, description: "The code as somebody typed it" },
      },
      outputs: {
        valid: { type: "boolean", required: true, description: "Whether it can be right" },
        postcode: { type: "text", description: "The code as its country writes it; empty when it cannot be right" },
        area: { type: "text", description: "What it begins with, for territories" },
        example: { type: "text", required: true, description: "A code of that country" },
      },
      errors: { "unknown-country": "The codes of this country are not known" },
      deterministic: true,
      idempotent: true,
      examples: [
        {
          title: "as somebody typed it",
          inputs: { country: "GB", postcode: "sw1a1aa" },
          outputs: { valid: true, postcode: "SW1A 1AA", area: "SW", example: "SW1A 1AA" },
        },
        {
          title: "a letter for a digit",
          inputs: { country: "DE", postcode: "1O115" },
          outputs: { valid: false, example: "10115" },
        },
        { title: "nowhere", inputs: { country: "XX", postcode: "1" }, error: "unknown-country" },
      ],
      run({ country, postcode }, context) {
        const known = country.trim().toUpperCase();
        if (!countries.includes(known)) {
          throw invalidInput("unknown-country", `the codes of \`${known.slice(0, 40)}\` are not known; those of ${countries.join(", ")} are`);
        }
        const found = check(known, postcode ?? "");
        if (!found.valid) context.log(`no postal code of ${known}: one is ${found.example}`, "debug");
        return found;
      },
    },
  ],
});
