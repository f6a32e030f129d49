/* host.fs: files, directories and locks. */
#include <lauxlib.h>
#include <lua.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bind/fs_handles.h"
#include "bind/l_secret.h"
#include "core/fs.h"
#include "core/watch.h"
#include "host/class.h"
#include "host/err.h"
#include "host/task.h"

#define READER_META "host.fs.reader"
#define LIST_META "host.fs.list"

enum {
    MAX_READ = 16 * 1024 * 1024, /* default bytes of read */
    MAX_NAMES = 100000,          /* default names of list */
    PATH_SIZE = 4096,
    SALT = 6,       /* random letters of a temporary name */
    NAME_TRIES = 16 /* of such names */
};

const char *clk_check_path(lua_State *L, int arg)
{
    size_t length;
    const char *path = luaL_checklstring(L, arg, &length);

    luaL_argcheck(L, length > 0, arg, "an empty path");
    luaL_argcheck(L, strlen(path) == length, arg, "a path with a NUL byte");
    return path;
}

int clk_push_fs_result(lua_State *L, int error, const char *path)
{
    switch (error) {
    case 0: lua_pushboolean(L, 1); return 1;
    case UV_ELOOP: return clk_fail(L, "ELOOP", "%s: is a symbolic link", path);
    case UV_EINVAL:
        return clk_fail(L, "EINVAL", "%s: not a regular file", path);
    default: return clk_fail_uv(L, error, path);
    }
}

/* --- reading ------------------------------------------------------------- */

/* A file being read; on the stack of the task that reads it. */
struct reader {
    struct clk_fs_reader core;
    struct clk_watch *watch; /* NULL until the reading has to wait */
    struct clk_wait wait;
};

static void reader_close(struct reader *r)
{
    if (r->watch)
        clk_watch_close(r->watch);
    r->watch = NULL;
    clk_fs_reader_close(&r->core);
}

static int reader_gc(lua_State *L)
{
    struct reader *r = luaL_checkudata(L, 1, READER_META);

    clk_unwait(&r->wait);
    reader_close(r);
    return 0;
}

static void reader_cancel(struct clk_wait *wait)
{
    reader_close(
        (struct reader *)((char *)wait - offsetof(struct reader, wait)));
}

static void on_readable(void *ud)
{
    clk_wake(&((struct reader *)ud)->wait);
}

static int read_done(lua_State *L, int status, lua_KContext ctx);

static int read_wait(lua_State *L, struct reader *r)
{
    int error = 0;

    if (!r->watch)
        error = clk_watch_open(&r->watch, clk_loop(clk_host_of(L)), r->core.fd,
                               UV_READABLE, on_readable, r);
    if (!error)
        error = clk_watch_arm(r->watch);
    if (error)
        return clk_fail_uv(L, error, lua_tostring(L, 1));
    r->wait.cancel = reader_cancel;
    return clk_wait(L, &r->wait, (lua_KContext)r, read_done);
}

static int read_done(lua_State *L, int status, lua_KContext ctx)
{
    struct reader *r = (struct reader *)ctx;
    int error = clk_fs_reader_step(&r->core);

    (void)status;
    if (error == UV_EAGAIN)
        return read_wait(L, r);
    if (error == UV_E2BIG)
        return clk_fail(L, "E2BIG", "%s: larger than %I bytes",
                        lua_tostring(L, 1), (LUAI_UACINT)r->core.max);
    if (error)
        return clk_fail_uv(L, error, lua_tostring(L, 1));
    lua_pushlstring(L, r->core.data ? r->core.data : "", r->core.length);
    reader_close(r);
    return 1;
}

/*** The content of a file. Waits when it is a pipe or a terminal.
---@async
---@param path string
---@param max? integer bytes, 16 MiB
---@return string? content
---@return string? message
---@return string? code ENOENT, EACCES, EISDIR, E2BIG … */
static int fs_read(lua_State *L)
{
    const char *path = clk_check_path(L, 1);
    lua_Integer max = luaL_optinteger(L, 2, MAX_READ);
    struct reader *r;
    int error;

    luaL_argcheck(L, max >= 0 && max <= INT_MAX, 2, "0 to 2147483647 bytes");
    lua_settop(L, 2);
    r = lua_newuserdatauv(L, sizeof(*r), 0);
    memset(r, 0, sizeof(*r));
    r->core.fd = -1;
    luaL_setmetatable(L, READER_META);
    error = clk_fs_reader_open(&r->core, path, (size_t)max);
    if (error == UV_E2BIG)
        return clk_fail(L, "E2BIG", "%s: larger than %I bytes", path,
                        (LUAI_UACINT)max);
    if (error)
        return clk_fail_uv(L, error, path);
    return read_done(L, LUA_OK, (lua_KContext)r);
}

/* --- writing ------------------------------------------------------------- */

/* The bytes of a secret, or a string in which every secret is masked: bytes
   that must not leak reach a file only by a handle, never by accident. */
static const void *check_data(lua_State *L, int arg, size_t *length)
{
    struct clk_secret *secret = clk_test_secret(L, arg);
    const char *text;

    if (!secret) {
        text = luaL_checklstring(L, arg, length);
        clk_push_masked(L, text, *length);
        lua_replace(L, arg);
        return lua_tolstring(L, arg, length);
    }
    *length = secret->len;
    return secret->bytes;
}

static mode_t option_mode(lua_State *L, int arg, mode_t fallback)
{
    lua_Integer mode = (lua_Integer)fallback;
    int ok = 1;

    if (lua_isnoneornil(L, arg))
        return fallback;
    luaL_checktype(L, arg, LUA_TTABLE);
    if (lua_getfield(L, arg, "mode") != LUA_TNIL)
        mode = lua_tointegerx(L, -1, &ok);
    lua_pop(L, 1);
    luaL_argcheck(L, ok && mode >= 0 && mode <= 0777, arg,
                  "mode must be from 0 to 0x1ff");
    return (mode_t)mode;
}

static bool option_flag(lua_State *L, int arg, const char *name)
{
    bool value;

    if (lua_isnoneornil(L, arg))
        return false;
    lua_getfield(L, arg, name);
    value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

/*** Replaces or creates a file: at any moment, also after a crash, the old or
--- the
--- new content is there, whole. Refuses a symbolic link unless `follow`, and an
--- existing file when `exclusive`. `parents` makes missing directories (0700).
--- Live secrets in a string are masked; a secret itself is written as it is.
---@param path string
---@param data string|host.secret.Secret
---@param options? { mode?: integer, parents?: boolean, exclusive?: boolean,
--- follow?: boolean } mode: 0600
---@return boolean? ok
---@return string? message
---@return string? code EISDIR, EACCES, EEXIST, ELOOP, ENOSPC … */
static int fs_write(lua_State *L)
{
    const char *path = clk_check_path(L, 1);
    size_t length;
    const void *data = check_data(L, 2, &length);
    struct clk_fs_write how = {.mode = option_mode(L, 3, 0600)};

    how.parents = option_flag(L, 3, "parents");
    how.exclusive = option_flag(L, 3, "exclusive");
    how.follow = option_flag(L, 3, "follow");
    return clk_push_fs_result(L, clk_fs_replace(path, data, length, &how),
                              path);
}

/*** Adds to the end of a regular file, or creates it. `sync` waits for the
--- disk. Masks as `write` does.
---@param path string
---@param data string|host.secret.Secret
---@param options? { mode?: integer, sync?: boolean } mode: 0600
---@return boolean? ok
---@return string? message
---@return string? code */
static int fs_append(lua_State *L)
{
    const char *path = clk_check_path(L, 1);
    size_t length;
    const void *data = check_data(L, 2, &length);
    mode_t mode = option_mode(L, 3, 0600);
    bool sync = option_flag(L, 3, "sync");

    return clk_push_fs_result(L, clk_fs_append(path, data, length, mode, sync),
                              path);
}

/*** Moves a file or directory, replacing a file.
---@param from string
---@param to string
---@return boolean? ok
---@return string? message
---@return string? code */
static int fs_rename(lua_State *L)
{
    const char *from = clk_check_path(L, 1);
    const char *to = clk_check_path(L, 2);
    int error = rename(from, to) == 0 ? 0 : uv_translate_sys_error(errno);

    return clk_push_fs_result(L, error, from);
}

/*** Makes a symbolic link.
---@param target string what it points to, not looked at
---@param path string
---@return boolean? ok
---@return string? message
---@return string? code EEXIST … */
static int fs_symlink(lua_State *L)
{
    const char *target = clk_check_path(L, 1);
    const char *path = clk_check_path(L, 2);
    int error = symlink(target, path) == 0 ? 0 : uv_translate_sys_error(errno);

    return clk_push_fs_result(L, error, path);
}

/*** Removes a file, a symbolic link or an empty directory; with `recursive` a
--- directory and all it contains.
---@param path string
---@param recursive? boolean
---@return boolean? ok
---@return string? message
---@return string? code ENOENT, ENOTEMPTY, EACCES … */
static int fs_remove(lua_State *L)
{
    const char *path = clk_check_path(L, 1);

    return clk_push_fs_result(L, clk_fs_remove(path, lua_toboolean(L, 2)),
                              path);
}

/*** Removes a file or a directory with all it contains, and overwrites the
--- files before.
---@param path string
---@return boolean? ok
---@return string? message
---@return string? code ENOENT, EACCES … */
static int fs_wipe(lua_State *L)
{
    const char *path = clk_check_path(L, 1);

    return clk_push_fs_result(L, clk_fs_wipe(path), path);
}

/*** Whether what is written there stays in memory; false where that cannot be
--- told.
---@param path string
---@return boolean */
static int fs_in_memory(lua_State *L)
{
    lua_pushboolean(L, clk_fs_in_memory(clk_check_path(L, 1)));
    return 1;
}

/* --- directories --------------------------------------------------------- */

/*** Creates a directory; with `parents` also those above it, and an existing
--- one is no error.
---@param path string
---@param options? { mode?: integer, parents?: boolean } mode: 0700
---@return boolean? ok
---@return string? message
---@return string? code EEXIST, ENOENT, ENOTDIR, EACCES … */
static int fs_mkdir(lua_State *L)
{
    const char *path = clk_check_path(L, 1);
    mode_t mode = option_mode(L, 2, 0700);
    bool parents = option_flag(L, 2, "parents");

    return clk_push_fs_result(L, clk_fs_mkdir(path, mode, parents), path);
}

static const char *type_name(char type)
{
    switch (type) {
    case 'f': return "file";
    case 'd': return "directory";
    case 'l': return "link";
    case 'p': return "pipe";
    case 's': return "socket";
    case 'c':
    case 'b': return "device";
    default: return "other";
    }
}

static int list_gc(lua_State *L)
{
    clk_fs_list_free(luaL_checkudata(L, 1, LIST_META));
    return 0;
}

/*** The names in a directory, sorted by bytes, and the type of each in a second
--- list: "file", "directory", "link", "pipe", "socket", "device", "other".
---@param path string
---@param max? integer names, 100000
---@return string[]? names
---@return string[]|string types or message
---@return string? code ENOENT, ENOTDIR, EACCES, E2BIG … */
static int fs_list(lua_State *L)
{
    const char *path = clk_check_path(L, 1);
    lua_Integer max = luaL_optinteger(L, 2, MAX_NAMES);
    struct clk_fs_list *list;
    int error;

    luaL_argcheck(L, max >= 0 && max <= INT_MAX, 2, "0 to 2147483647 names");
    list = lua_newuserdatauv(L, sizeof(*list), 0);
    memset(list, 0, sizeof(*list));
    luaL_setmetatable(L, LIST_META);
    error = clk_fs_list_read(list, path, (size_t)max);
    if (error == UV_E2BIG)
        return clk_fail(L, "E2BIG", "%s: more than %I names", path,
                        (LUAI_UACINT)max);
    if (error)
        return clk_fail_uv(L, error, path);
    lua_createtable(L, (int)list->count, 0);
    lua_createtable(L, (int)list->count, 0);
    for (size_t i = 0; i < list->count; i++) {
        lua_pushstring(L, list->entries[i].name);
        lua_rawseti(L, -3, (lua_Integer)i + 1);
        lua_pushstring(L, type_name(list->entries[i].type));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    clk_fs_list_free(list);
    return 2;
}

/*** What a path is. With `nofollow` a symbolic link is told as such. `mode` are
--- the permission bits, `mtime` seconds since 1970.
---@param path string
---@param nofollow? boolean
---@return { type: string, mode: integer, size: integer, mtime: number, uid:
--- integer }?
---@return string? message
---@return string? code ENOENT, EACCES, ENOTDIR … */
static int fs_stat(lua_State *L)
{
    const char *path = clk_check_path(L, 1);
    struct stat st;
    int result = lua_toboolean(L, 2) ? lstat(path, &st) : stat(path, &st);

    if (result != 0)
        return clk_fail_uv(L, uv_translate_sys_error(errno), path);
    lua_createtable(L, 0, 5);
    lua_pushstring(L, type_name(clk_fs_type(st.st_mode)));
    lua_setfield(L, -2, "type");
    lua_pushinteger(L, st.st_mode & 07777);
    lua_setfield(L, -2, "mode");
    lua_pushinteger(L, st.st_size);
    lua_setfield(L, -2, "size");
    lua_pushnumber(L, (double)st.st_mtim.tv_sec
                          + (double)st.st_mtim.tv_nsec / 1e9);
    lua_setfield(L, -2, "mtime");
    lua_pushinteger(L, st.st_uid);
    lua_setfield(L, -2, "uid");
    return 1;
}

/*** The absolute path without symbolic links, "." and "..".
---@param path string
---@return string? path
---@return string? message
---@return string? code */
static int fs_realpath(lua_State *L)
{
    const char *path = clk_check_path(L, 1);
    char full[PATH_MAX];

    if (!realpath(path, full))
        return clk_fail_uv(L, uv_translate_sys_error(errno), path);
    lua_pushstring(L, full);
    return 1;
}

/* Fills in the random letters of a name. 0 or a libuv error. */
static int add_salt(char *at)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    unsigned char salt[SALT];
    int error = uv_random(NULL, NULL, salt, sizeof(salt), 0, NULL);

    for (size_t i = 0; !error && i < SALT; i++)
        at[i] = letters[salt[i] % (sizeof(letters) - 1)];
    at[SALT] = '\0';
    return error;
}

/*** Makes a private directory with a new name in $TMPDIR or /tmp.
---@param prefix? string of its name
---@return string? path
---@return string? message
---@return string? code */
static int fs_tmpdir(lua_State *L)
{
    const char *prefix = luaL_optstring(L, 1, "clanker-");
    char base[PATH_SIZE], path[PATH_SIZE];
    size_t size = sizeof(base);
    int error, length;

    luaL_argcheck(L, !strchr(prefix, '/'), 1, "a name, not a path");
    error = uv_os_tmpdir(base, &size);
    if (error)
        return clk_fail_uv(L, error, "temporary directory");
    length = snprintf(path, sizeof(path), "%s/%s", base, prefix);
    if (length < 0 || (size_t)length + SALT >= sizeof(path))
        return clk_fail_uv(L, UV_ENAMETOOLONG, "temporary directory");
    for (int i = 0; i < NAME_TRIES; i++) {
        error = add_salt(path + length);
        if (error)
            break;
        lua_pushstring(L, path); /* may raise: nothing is made yet */
        if (mkdir(path, 0700) == 0)
            return 1;
        error = uv_translate_sys_error(errno);
        if (error != UV_EEXIST)
            break;
    }
    return clk_fail_uv(L, error, base);
}

/* The home directory of the user database. */
static int push_home_of_user(lua_State *L)
{
    char path[PATH_SIZE];
    uv_passwd_t user;
    int length, error = uv_os_get_passwd(&user);

    if (error)
        return clk_fail_uv(L, error, "home directory");
    length = snprintf(path, sizeof(path), "%s", user.homedir);
    uv_os_free_passwd(&user);
    if (length < 0 || (size_t)length >= sizeof(path))
        return clk_fail_uv(L, UV_ENAMETOOLONG, "home directory");
    lua_pushstring(L, path);
    return 1;
}

/*** The user's home directory: $HOME, else (an empty one would mean the root
--- directory) from the user database.
---@return string? path
---@return string? message
---@return string? code */
static int fs_home(lua_State *L)
{
    char path[PATH_SIZE];
    size_t size = sizeof(path);
    int error = uv_os_homedir(path, &size);

    if (error)
        return clk_fail_uv(L, error, "home directory");
    if (size == 0)
        return push_home_of_user(L);
    lua_pushlstring(L, path, size);
    return 1;
}

static const luaL_Reg functions[] = {
    {"append", fs_append},       {"home", fs_home},
    {"in_memory", fs_in_memory}, {"list", fs_list},
    {"lock", clk_lock_take},     {"mkdir", fs_mkdir},
    {"read", fs_read},           {"realpath", fs_realpath},
    {"remove", fs_remove},       {"rename", fs_rename},
    {"stat", fs_stat},           {"symlink", fs_symlink},
    {"tmpdir", fs_tmpdir},       {"wipe", fs_wipe},
    {"write", fs_write},         {NULL, NULL},
};

int luaopen_host_fs(lua_State *L);

int luaopen_host_fs(lua_State *L)
{
    clk_class(L, READER_META, NULL, NULL, reader_gc);
    clk_class(L, LIST_META, NULL, NULL, list_gc);
    clk_lock_class(L);
    luaL_newlib(L, functions);
    return 1;
}
