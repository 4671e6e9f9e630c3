/* Account numbers by ISO 13616. Plain C: nothing here knows of Stepwise, so it is tested natively. */
#ifndef IBAN_H
#define IBAN_H

#include <stdbool.h>
#include <stddef.h>

/* The longest account number there is. */
#define IBAN_LONGEST 34

/* The letters and digits of a text in capitals, without what people write between them; false where it is too long or
 * has anything else in it. */
bool iban_bare(const char *text, size_t length, char bare[IBAN_LONGEST + 1]);

/* Whether a bare number can be right: its country, its length, its check digits. */
bool iban_is_valid(const char *bare);

/* The two check digits for a bare number, whatever stands in their place; false where it has none. */
bool iban_check_digits(const char *bare, char digits[3]);

/* A bare number in groups of four, as it is printed. */
void iban_printed(const char *bare, char printed[IBAN_LONGEST + IBAN_LONGEST / 4 + 1]);

#endif
