/* The sampler: fills a struct sample from everything in the table of collectors.c, one line per source. */
#pragma once

#include "daemon/root.h"
#include "daemon/sample/sample.h"

struct sampler;
struct aside_source;

struct sampler_options {
        bool without_taskstats; /* read /proc only, as without privileges (tests hold both ways to one answer)
                                 */
        const struct aside_source *boot; /* hands in a struct boot; NULL: none. Must outlive the sampler */
};

/* Opens what is kept open and allocates what is kept. The root and clock must outlive the sampler.
 * 0, or negative errno (no /proc at all: -ENOENT). Missing sources are not errors: see sample.collectors. */
int sampler_new(const struct root *root, const struct clock *clock, const struct sampler_options *options,
                struct sampler **ret_sampler);
struct sampler *sampler_free(struct sampler *sampler); /* returns NULL; accepts NULL */

/* Takes one sample. `ret_sample` must be zeroed before its first use; two samples are used in turn, and
 * identities of processes that ended stay valid until the second call after. Never fails as a whole. */
void sampler_collect(struct sampler *sampler, struct sample *ret_sample);
