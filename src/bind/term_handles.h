/* What the parts of host.term share. */
#ifndef CLK_TERM_HANDLES_H
#define CLK_TERM_HANDLES_H

#include <lua.h>

/* Functions of host.term that read. */
int clk_term_editor(lua_State *L);
int clk_term_hidden(lua_State *L);
int clk_term_prompt(lua_State *L);
int clk_term_stdin(lua_State *L);

/* The function of host.term that shows a secret. */
int clk_term_reveal(lua_State *L);

/* The metatables of what is read with. */
void clk_term_classes(lua_State *L);
void clk_editor_class(lua_State *L);

#endif
