/* Libraries that are loaded when they are first needed. */
#ifndef CLK_DYNLIB_H
#define CLK_DYNLIB_H

#include <stdbool.h>

/* Stores the address of a library's function in the function pointer that
   `slot` points to; false: the library has no such function. */
bool clk_dynlib_find(void *library, const char *name, void *slot);

#endif
