/* The heap that libcurl is given: clk_malloc's, but quick where libcurl is
   lavish. For curl_api.c and the one option that has to agree with it. */
#ifndef CLK_CURL_HEAP_H
#define CLK_CURL_HEAP_H

#include <stddef.h>

/* The size of a transfer's read buffer, in bytes (CURLOPT_BUFFERSIZE). */
enum { CLK_CURL_READ_BUFFER = 16 * 1024 };

/* Like malloc, calloc, realloc and free; blocks must not be mixed with others.
   Threads that libcurl starts may call them for blocks that are smaller than a
   read buffer. */
void *clk_curl_malloc(size_t size);
void *clk_curl_calloc(size_t count, size_t size);
void *clk_curl_realloc(void *p, size_t size);
void clk_curl_free(void *p);

#endif
