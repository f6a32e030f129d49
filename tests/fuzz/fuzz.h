/* What the fuzzed functions here have in common; `make fuzz` runs them. */
#ifndef CLK_FUZZ_H
#define CLK_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Called by libFuzzer with bytes it made up; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the run with the input kept when a promise of the code is broken. */
#define MUST(condition)                                                        \
    do {                                                                       \
        if (!(condition)) {                                                    \
            fprintf(stderr, "broken: %s\n", #condition);                       \
            abort();                                                           \
        }                                                                      \
    } while (0)

/* A copy of exactly this size, so that reading beyond it is noticed. */
static inline char *exact_copy(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1);

    MUST(copy);
    for (size_t i = 0; i < size; i++)
        copy[i] = (char)data[i];
    return copy;
}

#endif
