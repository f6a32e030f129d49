/* libmicrohttpd, loaded when the first server starts: it drags GnuTLS in, and a
   command that serves nothing must not pay for that. */
#ifndef CLK_MHD_API_H
#define CLK_MHD_API_H

#include <microhttpd.h>

/* Every function of the library that is used, by its name without `MHD_`. */
#define CLK_MHD_FUNCTIONS(X)                                                   \
    X(add_response_header)                                                     \
    X(create_response_from_buffer)                                             \
    X(create_response_from_callback)                                           \
    X(destroy_response)                                                        \
    X(get_connection_info)                                                     \
    X(get_connection_values_n)                                                 \
    X(get_daemon_info)                                                         \
    X(get_timeout)                                                             \
    X(lookup_connection_value)                                                 \
    X(queue_response)                                                          \
    X(resume_connection)                                                       \
    X(run)                                                                     \
    X(set_connection_option)                                                   \
    X(start_daemon)                                                            \
    X(stop_daemon)                                                             \
    X(suspend_connection)

/* The loaded library. */
struct clk_mhd_api {
#define CLK_MHD_MEMBER(name) __typeof__(MHD_##name) *name;
    CLK_MHD_FUNCTIONS(CLK_MHD_MEMBER)
#undef CLK_MHD_MEMBER
};

/* The library, loaded on the first call and never unloaded. NULL when it can't
   be had; `*why` then says so (text that stays valid until the next call). */
const struct clk_mhd_api *clk_mhd_api(const char **why);

#endif
