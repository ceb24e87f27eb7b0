/* Numbers for people: "1.5 GB", "12 min", "31 %". One place, so the daemon's sentences and the client agree.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/usec.h"

/* A buffer that holds any of the results below. */
#define UNITS_MAX 32

/* "0 B", "999 B", "1.5 kB", "12 MB", "1.5 GB": powers of 1000, two significant digits below 10. Returns
 * buffer. */
const char *format_bytes(char buffer[static UNITS_MAX], double bytes);
/* "250 ms", "3 s", "12 min", "3 h 20 min", "2 d 4 h". Returns buffer. */
const char *format_duration(char buffer[static UNITS_MAX], usec_t usec);
/* Permille as per cent: "0.2 %", "31 %", "100 %"; one digit behind the point below 10 %. Returns buffer. */
const char *format_permille(char buffer[static UNITS_MAX], double permille);
/* A plain number with grouped thousands: "12,408"; one digit behind the point below 10 ("1.5"). Returns
 * buffer. */
const char *format_count(char buffer[static UNITS_MAX], double value);
