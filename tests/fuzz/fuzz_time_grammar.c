/* Any text as an instant and as a span: no overflow, no result out of range, an error that says something. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/time_grammar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char error[TIME_ERROR_MAX];
        usec_t usec;
        char *text = malloc(size + 1);
        if (!text)
                return 0;
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        (void)setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
        if (time_grammar_instant(text, UINT64_C(1795442600) * USEC_PER_SEC, &usec, error) == 0)
                assert(usec <= UINT64_C(253402300799999999));
        else
                assert(error[0] != '\0');
        if (time_grammar_span(text, &usec, error) < 0)
                assert(error[0] != '\0');
        free(text);
        return 0;
}
