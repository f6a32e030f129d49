/* libcurl, loaded at the first request: commands that make none must not pay
   for its thirty shared libraries. */
#ifndef CLK_CURL_API_H
#define CLK_CURL_API_H

#include <stddef.h>

#include <curl/curl.h>

/* Every function of libcurl that the program uses, without its prefix. */
#define CLK_CURL_FUNCTIONS(X)                                                  \
    X(easy_cleanup)                                                            \
    X(easy_getinfo)                                                            \
    X(easy_init)                                                               \
    X(easy_pause)                                                              \
    X(easy_setopt)                                                             \
    X(easy_strerror)                                                           \
    X(free)                                                                    \
    X(global_init_mem)                                                         \
    X(multi_add_handle)                                                        \
    X(multi_assign)                                                            \
    X(multi_cleanup)                                                           \
    X(multi_info_read)                                                         \
    X(multi_init)                                                              \
    X(multi_remove_handle)                                                     \
    X(multi_setopt)                                                            \
    X(multi_socket_action)                                                     \
    X(url)                                                                     \
    X(url_cleanup)                                                             \
    X(url_get)                                                                 \
    X(url_set)                                                                 \
    X(version_info)

/* Pointers to those functions; their types are those of curl.h. */
struct clk_curl {
#define CLK_CURL_MEMBER(name) __typeof__(curl_##name) *name;
    CLK_CURL_FUNCTIONS(CLK_CURL_MEMBER)
#undef CLK_CURL_MEMBER
};

enum { CLK_CURL_WHY_SIZE = 200 };

/* The library, opened and initialised once per process and never closed; NULL
   when it is missing, unfit or memory is out, with the reason in `why` (empty:
   memory). A failure is tried again by the next call. */
const struct clk_curl *clk_curl_load(char why[CLK_CURL_WHY_SIZE]);

/* Starts opening the library in a thread, so that it is there when it is first
   needed: mapping and relocating its thirty dependencies takes milliseconds in
   which the caller has other things to do. What goes wrong shows in
   clk_curl_load. Only the first call counts. */
void clk_curl_preload(void);

/* Waits for the end of that thread, if there is one: before exit, whose
   destructors it must not meet. */
void clk_curl_preload_end(void);

/* The same without the once: fills `api` from the first of the NULL-ended
   `names` that can be opened. 0, or -1 with `why`. For clk_curl_load and
   tests. */
int clk_curl_open(struct clk_curl *api, const char *const *names,
                  char why[CLK_CURL_WHY_SIZE]);

#endif
