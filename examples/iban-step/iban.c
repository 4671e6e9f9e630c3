/* Account numbers by ISO 13616. */

#include "iban.h"

#include <string.h>

/* How long numbers of a country are; of others any length from 15 on will do. */
static const struct {
  const char *country;
  size_t length;
} LENGTHS[] = {{"AT", 20}, {"BE", 16}, {"CH", 21}, {"DE", 22}, {"ES", 24}, {"FR", 27}, {"GB", 22},
               {"IE", 22}, {"IT", 27}, {"LU", 20}, {"NL", 18}, {"NO", 15}, {"PL", 28}, {"PT", 25}, {"SE", 24}};

static bool is_digit(char sign) { return sign >= '0' && sign <= '9'; }
static bool is_letter(char sign) { return sign >= 'A' && sign <= 'Z'; }

bool iban_bare(const char *text, size_t length, char bare[IBAN_LONGEST + 1]) {
  size_t count = 0;
  for (size_t place = 0; place < length; place++) {
    char sign = text[place];
    if (sign == ' ' || sign == '-' || sign == '\t') continue;
    if (sign >= 'a' && sign <= 'z') sign = (char)(sign - 'a' + 'A');
    if ((!is_digit(sign) && !is_letter(sign)) || count == IBAN_LONGEST) return false;
    bare[count++] = sign;
  }
  bare[count] = 0;
  return count > 4;
}

/* What 97 leaves of the number with its first four signs at the end, letters as 10 to 35. */
static int remainder_of(const char *bare) {
  size_t length = strlen(bare);
  int rest = 0;
  for (size_t place = 0; place < length; place++) {
    char sign = bare[(place + 4) % length];
    rest = is_digit(sign) ? (rest * 10 + (sign - '0')) % 97 : (rest * 100 + (sign - 'A' + 10)) % 97;
  }
  return rest;
}

bool iban_is_valid(const char *bare) {
  size_t length = strlen(bare);
  if (length < 15 || length > IBAN_LONGEST) return false;
  if (!is_letter(bare[0]) || !is_letter(bare[1]) || !is_digit(bare[2]) || !is_digit(bare[3])) return false;
  for (size_t place = 0; place < sizeof LENGTHS / sizeof *LENGTHS; place++) {
    if (memcmp(LENGTHS[place].country, bare, 2) == 0 && LENGTHS[place].length != length) return false;
  }
  return remainder_of(bare) == 1;
}

bool iban_check_digits(const char *bare, char digits[3]) {
  if (strlen(bare) <= 4 || !is_letter(bare[0]) || !is_letter(bare[1])) return false;
  char open[IBAN_LONGEST + 1];
  strcpy(open, bare);
  open[2] = open[3] = '0';
  int number = 98 - remainder_of(open);
  digits[0] = (char)('0' + number / 10);
  digits[1] = (char)('0' + number % 10);
  digits[2] = 0;
  return true;
}

void iban_printed(const char *bare, char printed[IBAN_LONGEST + IBAN_LONGEST / 4 + 1]) {
  size_t count = 0;
  for (size_t place = 0; bare[place]; place++) {
    if (place > 0 && place % 4 == 0) printed[count++] = ' ';
    printed[count++] = bare[place];
  }
  printed[count] = 0;
}
