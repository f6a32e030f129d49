/* host/loader.c: what is embedded, what is found before it, and what is not
   loaded at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <unistd.h>

#include "core/fs.h"
#include "host/host.h"
#include "host/loader.h"

static struct clk_host host;
static char dir[] = "/tmp/clanker-loader-XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    unsetenv("CLANKER_LUA");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    return clk_fs_remove(dir, true);
}

static int open_host(void **state)
{
    (void)state;
    return clk_host_open(&host);
}

static int close_host(void **state)
{
    (void)state;
    unsetenv("CLANKER_LUA");
    clk_host_close(&host);
    return 0;
}

/* Runs a chunk as the main task; leaves its results, or error and traceback. */
static int run(const char *code)
{
    lua_settop(host.L, 0);
    assert_int_equal(luaL_loadstring(host.L, code), LUA_OK);
    return clk_host_run(&host, 0);
}

static void returns(const char *code, const char *want)
{
    if (run(code) != LUA_OK)
        fail_msg("%s: %s", code, luaL_tolstring(host.L, 1, NULL));
    assert_string_equal(luaL_tolstring(host.L, 1, NULL), want);
}

static void raises(const char *code, const char *part)
{
    assert_int_equal(run(code), LUA_ERRRUN);
    if (!strstr(luaL_tolstring(host.L, 1, NULL), part))
        fail_msg("\"%s\" is not in: %s", part, lua_tostring(host.L, -1));
}

/* A file below the directory of this program's tests. */
static void write_module(const char *name, const char *text, size_t length)
{
    const struct clk_fs_write how = {.mode = 0600, .parents = true};
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    assert_int_equal(clk_fs_replace(path, text, length, &how), 0);
}

static void write_text(const char *name, const char *text)
{
    write_module(name, text, strlen(text));
}

/* "base.err" is "@lua/base/err.lua", "ops" is "@lua/ops/init.lua"; sorted, so
   that it can be searched; and each is there as a file of the tree. */
static void modules_are_named_after_their_files(void **state)
{
    (void)state;
    assert_true(clk_module_count > 100);
    for (size_t i = 0; i < clk_module_count; i++) {
        const struct clk_module *m = &clk_modules[i];
        char file[256], init[300];

        snprintf(file, sizeof(file), "@lua/%s", m->name);
        for (char *c = file; *c; c++)
            *c = *c == '.' ? '/' : *c;
        snprintf(init, sizeof(init), "%s/init.lua", file);
        strncat(file, ".lua", sizeof(file) - strlen(file) - 1);
        if (strcmp(m->chunk, file) != 0 && strcmp(m->chunk, init) != 0)
            fail_msg("%s is called %s", m->name, m->chunk);
        if (i > 0)
            assert_true(strcmp(clk_modules[i - 1].name, m->name) < 0);
        if (strcmp(m->name, "ops.snapshot") != 0) /* made by the build */
            assert_int_equal(access(m->chunk + 1, R_OK), 0);
        assert_ptr_equal(clk_loader_find(m->name), m);
    }
    assert_null(clk_loader_find("no.such"));
    assert_null(clk_loader_find(""));
}

/* Names and lines as in the source: tracebacks lead there. */
static void embedded_code_knows_its_source(void **state)
{
    (void)state;
    returns("local info = debug.getinfo(require('base.err').new, 'S')"
            " return info.source .. ' ' .. tostring(info.linedefined > 1)",
            "@lua/base/err.lua true");
    returns("return select(2, require 'base.str')", "lua/base/str.lua");
    assert_int_equal(run("require('base.str').trim()"), LUA_ERRRUN);
    assert_non_null(strstr(lua_tostring(host.L, 1), "lua/base/str.lua:"));
}

static void nothing_else_is_searched(void **state)
{
    (void)state;
    returns("return package.path .. package.cpath .. #package.searchers"
            " .. tostring(package.loadlib)",
            "4nil");
    setenv("LUA_PATH", "/tmp/?.lua", 1);
    raises("require 'no.such'", "no embedded module 'no.such'");
    assert_null(strstr(lua_tostring(host.L, 1), "/tmp/"));
    unsetenv("LUA_PATH");
}

#ifdef CLK_DEV
static void the_tree_comes_first(void **state)
{
    char roots[128];

    (void)state;
    snprintf(roots, sizeof(roots), "/nonexistent:%s/a:%s/b", dir, dir);
    setenv("CLANKER_LUA", roots, 1);
    write_text("a/base/str.lua", "return 'changed'");
    write_text("b/base/str.lua", "return 'too late'");
    write_text("b/own/init.lua", "return 'a directory'");
    returns("return require 'base.str'", "changed");
    returns("return require 'own'", "a directory");
    returns("return type(require 'base.tbl')", "table");
    /* What is C cannot be replaced. */
    write_text("a/host/task.lua", "return 'changed'");
    returns("return type(require 'host.task')", "table");
}

static void only_text_is_loaded_from_the_tree(void **state)
{
    (void)state;
    setenv("CLANKER_LUA", dir, 1);
    assert_int_equal(run("return string.dump(function() end)"), LUA_OK);
    write_module("code.lua", lua_tostring(host.L, 1), lua_rawlen(host.L, 1));
    raises("require 'code'", "attempt to load a binary chunk");
    write_text("broken.lua", "local = 1");
    raises("require 'broken'", "broken.lua:1:");
}
#endif

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, open_host, close_host)
    const struct CMUnitTest tests[] = {
        TEST(modules_are_named_after_their_files),
        TEST(embedded_code_knows_its_source),
        TEST(nothing_else_is_searched),
#ifdef CLK_DEV
        TEST(the_tree_comes_first),
        TEST(only_text_is_loaded_from_the_tree),
#endif
    };

    return cmocka_run_group_tests_name("loader", tests, make_dir, remove_dir);
}
