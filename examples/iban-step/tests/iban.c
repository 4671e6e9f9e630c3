/* The rules by themselves, compiled for this machine: `stepwise plugin test` does that. */

#include "../iban.h"

#include <stdio.h>
#include <string.h>

static int failed = 0;

static void check(const char *what, bool holds) {
  if (holds) return;
  fprintf(stderr, "does not hold: %s\n", what);
  failed = 1;
}

static bool valid(const char *text) {
  char bare[IBAN_LONGEST + 1];
  return iban_bare(text, strlen(text), bare) && iban_is_valid(bare);
}

int main(void) {
  check("an account in Germany", valid("DE89 3704 0044 0532 0130 00"));
  check("an account in Britain, in small letters", valid("gb29-nwbk-6016-1331-9268-19"));
  check("a slip of the pen is noticed", !valid("DE89 3704 0044 0532 0130 01"));
  check("a digit too few is noticed", !valid("DE89 3704 0044 0532 0130 0"));
  check("signs that no number has", !valid("DE89 3704 0044 0532 0130 0!"));
  check("nothing is no account", !valid(""));
  char digits[3], printed[IBAN_LONGEST + IBAN_LONGEST / 4 + 1];
  check("check digits", iban_check_digits("DE00370400440532013000", digits) && strcmp(digits, "89") == 0);
  check("no country, no digits", !iban_check_digits("1200370400", digits));
  iban_printed("DE89370400440532013000", printed);
  check("in groups of four", strcmp(printed, "DE89 3704 0044 0532 0130 00") == 0);
  return failed;
}
