// What a postal code looks like, by country. Plain JavaScript: nothing here knows of Stepwise, so it is tested by `node`.

const COUNTRIES = {
  DE: { pattern: /^(\d{2})\d{3}$/, example: "10115" },
  AT: { pattern: /^(\d)\d{3}$/, example: "1010" },
  CH: { pattern: /^(\d)\d{3}$/, example: "8001" },
  FR: { pattern: /^(\d{2})\d{3}$/, example: "75001" },
  NL: { pattern: /^(\d{2})\d{2} ?[A-Z]{2}$/, example: "1012 AB", shape: (code) => `${code.slice(0, 4)} ${code.slice(-2)}` },
  GB: {
    pattern: /^([A-Z]{1,2})\d[A-Z\d]? ?\d[A-Z]{2}$/,
    example: "SW1A 1AA",
    shape: (code) => `${code.slice(0, -3).trim()} ${code.slice(-3)}`,
  },
  US: { pattern: /^(\d{3})\d{2}(-\d{4})?$/, example: "20500" },
};

/** The countries whose codes are known. */
export const countries = Object.keys(COUNTRIES);

/** A postal code as its country writes it: whether it can be right, the code itself, and the area that it begins with. */
export function check(country, text) {
  const known = COUNTRIES[country];
  const code = text.trim().toUpperCase().replace(/\s+/g, " ");
  const found = known.pattern.exec(code);
  if (!found) return { valid: false, postcode: null, area: null, example: known.example };
  return { valid: true, postcode: known.shape ? known.shape(code) : code, area: found[1], example: known.example };
}
