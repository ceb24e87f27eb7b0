/* Text that is read as a time: a cursor with the sentence that says what is wrong. For time_grammar.c. */
#pragma once

#include <stdbool.h>

#include "common/text.h"
#include "common/time_grammar.h"

enum time_input_kind { TIME_INPUT_INSTANT, TIME_INPUT_SPAN };

struct time_input {
        enum time_input_kind kind; /* what is wanted, for the sentence */
        const char *text;          /* whole, for the sentence; borrowed */
        struct span rest;
        char *error; /* TIME_ERROR_MAX bytes */
};

/* Blanks at both ends are not part of it. 0, or -EINVAL with a sentence if it is empty or too long. */
int time_input_init(struct time_input *input, enum time_input_kind kind, const char *text, char *error);

/* Each writes the sentence and returns the error: r; -EINVAL, how it is to be written; -ERANGE. */
int time_input_fail(const struct time_input *input, int r, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
int time_input_fail_form(const struct time_input *input);
int time_input_fail_range(const struct time_input *input);

bool time_input_is_digit(char c);
bool time_input_is_letter(char c);
void time_input_skip_blanks(struct span *span);
struct span time_input_take_while(struct span *span, bool (*belongs)(char));
/* False if the next one is another, or none. */
bool time_input_take_char(struct span *span, char c);
/* The digits behind a point in parts of `whole`: six are used, further ones read and dropped. 0, or -EINVAL
 * if there is none. */
int time_input_take_fraction(struct span *span, usec_t whole, usec_t *ret_usec);
