/* host.crypto: sealed texts and keys. What is secret stays a handle; what is
   sealed or public is a string. */
#include <string.h>

#include <lauxlib.h>

#include "bind/l_secret.h"
#include "core/crypto.h"
#include "host/err.h"

/* libsodium finds no randomness: nothing can be done with it then. */
static int no_crypto(lua_State *L)
{
    return clk_fail(L, "ENOSYS", "libsodium cannot be initialised");
}

static const unsigned char *check_key(lua_State *L, int arg)
{
    struct clk_secret *key = clk_check_secret(L, arg);

    luaL_argcheck(L, key->len == CLK_CRYPTO_KEY, arg, "a key of 32 bytes");
    return key->bytes;
}

/*** A new random key.
---@return host.secret.Secret? key of 32 bytes
---@return string? message
---@return string? code */
static int crypto_key(lua_State *L)
{
    struct clk_secret *key = clk_new_secret(L, CLK_CRYPTO_KEY);

    if (!clk_crypto_random(key->bytes, CLK_CRYPTO_KEY))
        return no_crypto(L);
    clk_secret_seal(key, CLK_CRYPTO_KEY);
    return 1;
}

/*** Seals a secret with a key: nobody without it can read or change it. The
--- same text is sealed differently each time.
---@param key host.secret.Secret
---@param text host.secret.Secret
---@return string? sealed
---@return string? message
---@return string? code */
static int crypto_seal(lua_State *L)
{
    const unsigned char *key = check_key(L, 1);
    struct clk_secret *text = clk_check_secret(L, 2);
    size_t size = text->len + CLK_CRYPTO_OVERHEAD;
    luaL_Buffer b;
    unsigned char *out = (unsigned char *)luaL_buffinitsize(L, &b, size);

    if (!clk_crypto_seal(key, text->bytes, text->len, out))
        return no_crypto(L);
    luaL_pushresultsize(&b, size);
    return 1;
}

/*** Opens what was sealed.
---@param key host.secret.Secret
---@param sealed string
---@return host.secret.Secret? text
---@return string? message
---@return string? code EBADMSG */
static int crypto_open(lua_State *L)
{
    const unsigned char *key = check_key(L, 1);
    size_t len;
    const char *sealed = luaL_checklstring(L, 2, &len);
    struct clk_secret *text;

    if (len < CLK_CRYPTO_OVERHEAD || len - CLK_CRYPTO_OVERHEAD > CLK_SECRET_MAX)
        return clk_fail(L, "EBADMSG", "not a sealed text");
    text = clk_new_secret(L, len - CLK_CRYPTO_OVERHEAD);
    if (!clk_crypto_open(key, (const unsigned char *)sealed, len, text->bytes))
        return clk_fail(L, "EBADMSG",
                        "another key sealed it, or it is damaged");
    clk_secret_seal(text, len - CLK_CRYPTO_OVERHEAD);
    return 1;
}

/*** A secret in base64.
---@param bytes host.secret.Secret
---@return host.secret.Secret */
static int crypto_base64(lua_State *L)
{
    struct clk_secret *bytes = clk_check_secret(L, 1);
    size_t size = clk_base64_size(bytes->len);
    struct clk_secret *text = clk_new_secret(L, size);

    clk_base64_write(bytes->bytes, bytes->len, text->bytes);
    clk_secret_seal(text, size);
    return 1;
}

/*** The bytes that base64 stands for.
---@param text host.secret.Secret strict: padded, no white space
---@return host.secret.Secret? bytes
---@return string? message
---@return string? code EINVAL */
static int crypto_from_base64(lua_State *L)
{
    struct clk_secret *text = clk_check_secret(L, 1);
    struct clk_secret *bytes = clk_new_secret(L, text->len / 4 * 3);
    size_t size = 0;

    if (!clk_base64_read(text->bytes, text->len, bytes->bytes, &size))
        return clk_fail(L, "EINVAL", "not base64");
    clk_secret_seal(bytes, size);
    return 1;
}

/*** A new key pair as WireGuard takes it, both keys in base64.
---@return host.secret.Secret? private_key
---@return string? public_key or the message
---@return string? code */
static int crypto_key_pair(lua_State *L)
{
    unsigned char public_key[CLK_CRYPTO_KEY], text[64];
    size_t size = clk_base64_size(CLK_CRYPTO_KEY);
    struct clk_secret *key, *encoded;

    encoded = clk_new_secret(L, size);
    key = clk_new_secret(L, CLK_CRYPTO_KEY);
    if (!clk_crypto_random(key->bytes, CLK_CRYPTO_KEY)
        || !clk_crypto_public(key->bytes, public_key))
        return no_crypto(L);
    clk_base64_write(key->bytes, CLK_CRYPTO_KEY, encoded->bytes);
    clk_secret_seal(encoded, size);
    clk_wipe(key->bytes, CLK_CRYPTO_KEY);
    lua_pop(L, 1);
    clk_base64_write(public_key, CLK_CRYPTO_KEY, text);
    lua_pushlstring(L, (const char *)text, size);
    return 2;
}

static const luaL_Reg functions[] = {
    {"base64", crypto_base64},
    {"from_base64", crypto_from_base64},
    {"key", crypto_key},
    {"key_pair", crypto_key_pair},
    {"open", crypto_open},
    {"seal", crypto_seal},
    {NULL, NULL},
};

int luaopen_host_crypto(lua_State *L);

int luaopen_host_crypto(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
