/* Steps in C: what is said often, said shortly. The types and verbs themselves are in plugin.h, made from the contract.
 *
 * Copied into a plugin's folder by `stepwise plugin new --lang c`. Memory that goes to the host (outputs, failures) is
 * taken by malloc and freed by the bindings; what a verb is lent may be a literal. An instance lives for one call, so
 * what is not freed is gone soon.
 */
#ifndef STEPWISE_H
#define STEPWISE_H

#include "plugin.h"
#include <stdlib.h>
#include <string.h>

typedef stepwise_plugin_types_value_t stepwise_value;
typedef stepwise_plugin_types_field_t stepwise_field;
typedef stepwise_plugin_types_reference_t stepwise_reference;
typedef exports_stepwise_plugin_step_list_field_t stepwise_fields;
typedef exports_stepwise_plugin_step_step_error_t stepwise_failure;

/* A text for the host that lasts as long as the literal. */
static inline plugin_string_t stepwise_lent(const char *text) {
  plugin_string_t lent = {(uint8_t *)text, strlen(text)};
  return lent;
}

static inline plugin_string_t stepwise_copy(const char *text, size_t length) {
  plugin_string_t copy;
  plugin_string_dup_n(&copy, text, length);
  return copy;
}

static inline bool stepwise_is(const plugin_string_t *text, const char *other) {
  return text->len == strlen(other) && memcmp(text->ptr, other, text->len) == 0;
}

/* The input of this name, or NULL where there is none or an empty one. */
static inline const stepwise_value *stepwise_input(const stepwise_fields *inputs, const char *name) {
  for (size_t place = 0; place < inputs->len; place++) {
    const stepwise_field *field = &inputs->ptr[place];
    if (stepwise_is(&field->name, name)) {
      return field->value.tag == STEPWISE_PLUGIN_TYPES_VALUE_NULL ? NULL : &field->value;
    }
  }
  return NULL;
}

/* Ends the step: `return stepwise_fail(failure, STEPWISE_PLUGIN_TYPES_ERROR_KIND_RULE_VIOLATED, "code", "text");` */
static inline bool stepwise_fail(stepwise_failure *failure, uint8_t kind, const char *code, const char *message) {
  memset(failure, 0, sizeof *failure);
  failure->kind = kind;
  failure->code = stepwise_copy(code, strlen(code));
  failure->message = stepwise_copy(message, strlen(message));
  return false;
}

/* An input is missing or of another type: the message names it. */
static inline bool stepwise_bad_input(stepwise_failure *failure, const char *name, const char *what) {
  char *message = malloc(strlen(name) + strlen(what) + 4);
  strcpy(message, "`");
  strcat(strcat(strcat(message, name), "` "), what);
  return stepwise_fail(failure, STEPWISE_PLUGIN_TYPES_ERROR_KIND_INVALID_INPUT, "invalid-input", message);
}

/* What a verb refused becomes the step's failure. */
static inline bool stepwise_refused(stepwise_failure *failure, const stepwise_plugin_records_verb_error_t *error) {
  memset(failure, 0, sizeof *failure);
  failure->kind = error->kind;
  failure->code = error->code;
  failure->message = error->message;
  return false;
}

/* Room for so many outputs. */
static inline bool stepwise_outputs(stepwise_fields *outputs, size_t count) {
  outputs->ptr = calloc(count, sizeof *outputs->ptr);
  outputs->len = count;
  return true;
}

static inline void stepwise_put_text(stepwise_field *field, const char *name, const char *text, size_t length) {
  field->name = stepwise_copy(name, strlen(name));
  field->value.tag = STEPWISE_PLUGIN_TYPES_VALUE_TEXT;
  field->value.val.text = stepwise_copy(text, length);
}

static inline void stepwise_put_lookup(stepwise_field *field, const char *name, stepwise_reference target) {
  field->name = stepwise_copy(name, strlen(name));
  field->value.tag = STEPWISE_PLUGIN_TYPES_VALUE_LOOKUP;
  field->value.val.lookup = target;
}

/* A line for the run log. */
static inline void stepwise_info(const char *message) {
  plugin_string_t text = stepwise_lent(message);
  plugin_list_tuple2_string_string_t none = {NULL, 0};
  stepwise_plugin_log_write(STEPWISE_PLUGIN_LOG_LEVEL_INFO, &text, &none);
}

/* The manifest, which is a constant. */
static inline void stepwise_describe(plugin_list_u8_t *document, const char *manifest) {
  document->len = strlen(manifest);
  document->ptr = malloc(document->len);
  memcpy(document->ptr, manifest, document->len);
}

#endif
