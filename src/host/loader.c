/* Module searchers over the embedded modules. Only those, which the build made,
   are compiled code; whatever comes from elsewhere is loaded as text. */
#include "host/loader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

enum { PATH_SIZE = 4096 };

static int compare_name(const void *key, const void *item)
{
    return strcmp(key, ((const struct clk_module *)item)->name);
}

const struct clk_module *clk_loader_find(const char *name)
{
    return bsearch(name, clk_modules, clk_module_count, sizeof(clk_modules[0]),
                   compare_name);
}

static int search_native(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);

    for (size_t i = 0; i < clk_preload_count; i++) {
        if (strcmp(clk_preloads[i].name, name) == 0) {
            lua_pushcfunction(L, clk_preloads[i].open);
            lua_pushliteral(L, "[C]");
            return 2;
        }
    }
    lua_pushfstring(L, "no native module '%s'", name);
    return 1;
}

static int search_embedded(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const struct clk_module *module = clk_loader_find(name);

    if (!module) {
        lua_pushfstring(L, "no embedded module '%s'", name);
        return 1;
    }
    if (luaL_loadbufferx(L, (const char *)module->code, module->length,
                         module->chunk, "b"))
        return lua_error(L);
    lua_pushstring(L, module->chunk + 1);
    return 2;
}

#ifdef CLK_DEV
/* Loads root/path.lua or root/path/init.lua if there is such a file: pushes the
   loader and its path and returns true. A file that does not parse raises. */
static int load_from(lua_State *L, const char *root, size_t length,
                     const char *path)
{
    static const char *const forms[] = {"%.*s/%s.lua", "%.*s/%s/init.lua"};
    char file[PATH_SIZE];

    for (int i = 0; i < 2; i++) {
        FILE *probe;
        int n = snprintf(file, sizeof(file), forms[i], (int)length, root, path);

        if (n < 0 || (size_t)n >= sizeof(file))
            continue;
        probe = fopen(file, "r");
        if (!probe)
            continue;
        fclose(probe);
        if (luaL_loadfilex(L, file, "t"))
            return lua_error(L);
        lua_pushstring(L, file);
        return 1;
    }
    return 0;
}

static int search_tree(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const char *roots = getenv("CLANKER_LUA");
    const char *path = luaL_gsub(L, name, ".", "/");

    while (roots && *roots) {
        size_t length = strcspn(roots, ":");

        if (load_from(L, roots, length, path))
            return 2;
        roots += length;
        roots += *roots == ':';
    }
    lua_pushfstring(L, "no file for '%s' in $CLANKER_LUA", name);
    return 1;
}
#endif

void clk_loader_open(lua_State *L)
{
    static const lua_CFunction searchers[] = {
        search_native,
#ifdef CLK_DEV
        search_tree,
#endif
        search_embedded,
    };
    const int count = sizeof(searchers) / sizeof(searchers[0]);

    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchers");
    /* searchers[1] stays: package.preload, for modules that faces provide. */
    for (int i = 2; i <= 4; i++) {
        lua_pushnil(L);
        lua_rawseti(L, -2, i);
    }
    for (int i = 0; i < count; i++) {
        lua_pushcfunction(L, searchers[i]);
        lua_rawseti(L, -2, i + 2);
    }
    lua_pop(L, 1);
    lua_pushliteral(L, "");
    lua_setfield(L, -2, "path");
    lua_pushliteral(L, "");
    lua_setfield(L, -2, "cpath");
    lua_pushnil(L);
    lua_setfield(L, -2, "loadlib");
    lua_pop(L, 1);
}
