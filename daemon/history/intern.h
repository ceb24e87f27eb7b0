/* Names that types declare as static strings (a collector's, a check's), when they come from a file. */
#pragma once

#define INTERN_MAX 256 /* further names all become "?" */

/* The same text as a string that is never freed. Any thread may call. */
const char *intern(const char *text);
