/* The step library `iban`: whether an account number can be right, and which check digits it needs. */

#include "iban.h"
#include "stepwise.h"

static const char MANIFEST[] =
  "{\"schema\":1,\"contract\":\"1.0\",\"library\":\"iban\",\"version\":\"1.0.0\",\"sdk\":\"c 0.1\","
  "\"title\":\"Account numbers\",\"description\":\"Checks account numbers by ISO 13616.\",\"steps\":[{"
  "\"step\":\"iban.check\",\"title\":\"Check an account number\","
  "\"description\":\"Tells whether an IBAN can be right, and writes it in groups of four.\","
  "\"inputs\":{\"iban\":{\"type\":\"text\",\"required\":true,\"max-length\":60,"
  "\"description\":\"The number as somebody typed it\"}},"
  "\"outputs\":{\"valid\":{\"type\":\"boolean\",\"required\":true,\"description\":\"Whether it can be right\"},"
  "\"iban\":{\"type\":\"text\",\"description\":\"The number in groups of four; empty when it cannot be right\"},"
  "\"country\":{\"type\":\"text\",\"description\":\"The two letters of its country\"}},"
  "\"deterministic\":true,\"idempotent\":true,"
  "\"examples\":[{\"title\":\"an account in Germany\",\"inputs\":{\"iban\":\"de89370400440532013000\"},"
  "\"outputs\":{\"valid\":true,\"iban\":\"DE89 3704 0044 0532 0130 00\",\"country\":\"DE\"}},"
  "{\"title\":\"a slip of the pen\",\"inputs\":{\"iban\":\"DE89370400440532013001\"},\"outputs\":{\"valid\":false}}]},{"
  "\"step\":\"iban.complete\",\"title\":\"Complete an account number\","
  "\"description\":\"Works out the check digits of a country's account number.\","
  "\"inputs\":{\"country\":{\"type\":\"text\",\"required\":true,\"max-length\":2,\"description\":\"Two letters: DE\"},"
  "\"account\":{\"type\":\"text\",\"required\":true,\"max-length\":60,\"description\":\"Bank and account, without check digits\"}},"
  "\"outputs\":{\"iban\":{\"type\":\"text\",\"required\":true,\"description\":\"The number in groups of four\"}},"
  "\"errors\":{\"no-account\":\"Country or account has signs that no account number has\"},"
  "\"deterministic\":true,\"idempotent\":true,"
  "\"examples\":[{\"title\":\"an account in Germany\",\"inputs\":{\"country\":\"DE\",\"account\":\"370400440532013000\"},"
  "\"outputs\":{\"iban\":\"DE89 3704 0044 0532 0130 00\"}},"
  "{\"title\":\"no country\",\"inputs\":{\"country\":\"1\",\"account\":\"37040044\"},\"error\":\"no-account\"}]}]}";

void exports_stepwise_plugin_step_describe(plugin_list_u8_t *document) { stepwise_describe(document, MANIFEST); }

/* The text of an input; NULL with the failure said where there is none. */
static const plugin_string_t *text_of(const stepwise_fields *inputs, const char *name, stepwise_failure *failure) {
  const stepwise_value *value = stepwise_input(inputs, name);
  if (!value) {
    stepwise_bad_input(failure, name, "is missing");
    return NULL;
  }
  if (value->tag != STEPWISE_PLUGIN_TYPES_VALUE_TEXT) {
    stepwise_bad_input(failure, name, "should be text");
    return NULL;
  }
  return &value->val.text;
}

static void put_flag(stepwise_field *field, const char *name, bool flag) {
  field->name = stepwise_copy(name, strlen(name));
  field->value.tag = STEPWISE_PLUGIN_TYPES_VALUE_BOOLEAN;
  field->value.val.boolean = flag;
}

static bool check(const stepwise_fields *inputs, stepwise_fields *outputs, stepwise_failure *failure) {
  const plugin_string_t *text = text_of(inputs, "iban", failure);
  if (!text) return false;
  char bare[IBAN_LONGEST + 1], printed[IBAN_LONGEST + IBAN_LONGEST / 4 + 1];
  bool valid = iban_bare((const char *)text->ptr, text->len, bare) && iban_is_valid(bare);
  stepwise_outputs(outputs, valid ? 3 : 1);
  put_flag(&outputs->ptr[0], "valid", valid);
  if (!valid) return true;
  iban_printed(bare, printed);
  stepwise_put_text(&outputs->ptr[1], "iban", printed, strlen(printed));
  stepwise_put_text(&outputs->ptr[2], "country", bare, 2);
  return true;
}

static bool complete(const stepwise_fields *inputs, stepwise_fields *outputs, stepwise_failure *failure) {
  const plugin_string_t *country = text_of(inputs, "country", failure);
  const plugin_string_t *account = country ? text_of(inputs, "account", failure) : NULL;
  if (!account) return false;
  char whole[100], bare[IBAN_LONGEST + 1], digits[3], printed[IBAN_LONGEST + IBAN_LONGEST / 4 + 1];
  bool fits = country->len == 2 && account->len < sizeof whole - 5;
  if (fits) {
    memcpy(whole, country->ptr, 2);
    memcpy(whole + 2, "00", 2);
    memcpy(whole + 4, account->ptr, account->len);
    fits = iban_bare(whole, account->len + 4, bare) && iban_check_digits(bare, digits);
  }
  if (!fits) {
    return stepwise_fail(failure, STEPWISE_PLUGIN_TYPES_ERROR_KIND_INVALID_INPUT, "no-account",
                         "country or account has signs that no account number has, or too many of them");
  }
  memcpy(bare + 2, digits, 2);
  iban_printed(bare, printed);
  stepwise_outputs(outputs, 1);
  stepwise_put_text(&outputs->ptr[0], "iban", printed, strlen(printed));
  return true;
}

bool exports_stepwise_plugin_step_execute(plugin_string_t *step, stepwise_fields *inputs, stepwise_fields *outputs,
                                          stepwise_failure *failure) {
  if (stepwise_is(step, "iban.check")) return check(inputs, outputs, failure);
  if (stepwise_is(step, "iban.complete")) return complete(inputs, outputs, failure);
  return stepwise_fail(failure, STEPWISE_PLUGIN_TYPES_ERROR_KIND_INVALID_INPUT, "unknown-step",
                       "this library has no such step");
}
