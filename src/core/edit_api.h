/* libedit, loaded when the first line is edited. */
#ifndef CLK_EDIT_API_H
#define CLK_EDIT_API_H

#include <histedit.h>

/* Every function of the library that is used. */
#define CLK_EDIT_FUNCTIONS(X)                                                  \
    X(el_end)                                                                  \
    X(el_get)                                                                  \
    X(el_gets)                                                                 \
    X(el_init_fd)                                                              \
    X(el_insertstr)                                                            \
    X(el_line)                                                                 \
    X(el_resize)                                                               \
    X(el_set)                                                                  \
    X(history)                                                                 \
    X(history_end)                                                             \
    X(history_init)

/* The loaded library. */
struct clk_edit_api {
#define CLK_EDIT_MEMBER(name) __typeof__(name) *name;
    CLK_EDIT_FUNCTIONS(CLK_EDIT_MEMBER)
#undef CLK_EDIT_MEMBER
};

/* The library, loaded on the first call and never unloaded; NULL when it can't
   be had. */
const struct clk_edit_api *clk_edit_api(void);

#endif
