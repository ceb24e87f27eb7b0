/* The table of options: how each is called, whether it takes a value, and what it sets. */
#pragma once

#include "cli/options.h"

enum value_kind { VALUE_NONE, VALUE_OPTIONAL, VALUE_REQUIRED };

struct option_spec {
        const char *name; /* without the dashes */
        char letter;      /* 0: none */
        enum value_kind value;
        /* `value` is NULL if none was given. 0, or STATUS_WRONG_USE after a sentence. */
        int (*set)(struct options *options, const char *value, usec_t now_usec);
        struct option_help help;
};

#define OPTION_TABLE_COUNT 22
extern const struct option_spec option_table[OPTION_TABLE_COUNT];
