/* Dev builds: looks for leftover bytes in the memory of this process. */
#ifndef CLK_RESIDUE_H
#define CLK_RESIDUE_H

#include <stddef.h>

enum { CLK_RESIDUE_PLACES = 16, CLK_RESIDUE_NAME = 128 };

/* The places found; the first CLK_RESIDUE_PLACES of them. */
struct clk_residue {
    int count;
    char place[CLK_RESIDUE_PLACES][CLK_RESIDUE_NAME]; /* "7f…+offset [heap]" */
};

/* Searches all mappings of the process, through /proc/self/mem, for the bytes
   `masked` xor `key`; keeps no copy of them. 0, or a libuv error. */
int clk_residue_find(const char *masked, size_t len, unsigned char key,
                     struct clk_residue *found);

#endif
