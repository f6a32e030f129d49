/* Lua values as YAML; the other half of l_yaml.c. */
#ifndef CLK_YAML_ENCODE_H
#define CLK_YAML_ENCODE_H

#include <lua.h>

/* host.yaml.encode. */
int clk_yaml_encode(lua_State *L);

/* Its metatable; called when the module is opened. */
void clk_yaml_encode_open(lua_State *L);

#endif
