/* The options table of a request on the Lua stack, for l_http.c. */
#ifndef CLK_HTTP_OPTIONS_H
#define CLK_HTTP_OPTIONS_H

#include <lua.h>

#include "core/http.h"

/* Reads the table at `index` into a request. Misuse raises; what can't be sent
   returns false with `error`. */
bool clk_http_read_options(lua_State *L, int index,
                           struct clk_http_request *request,
                           struct clk_http_error *error);

#endif
