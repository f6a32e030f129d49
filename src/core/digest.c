/* Keyed digests of secrets, by libsodium's BLAKE2b. */
#include <sodium/crypto_generichash.h>

#include "core/secret.h"

void clk_secret_digest(const struct clk_secret *secret, const void *key,
                       size_t key_len, unsigned char out[CLK_DIGEST_SIZE])
{
    crypto_generichash_state state;

    if (key_len > crypto_generichash_KEYBYTES_MAX)
        key_len = crypto_generichash_KEYBYTES_MAX;
    crypto_generichash_init(&state, key, key_len, CLK_DIGEST_SIZE);
    crypto_generichash_update(&state, secret->bytes, secret->len);
    crypto_generichash_final(&state, out, CLK_DIGEST_SIZE);
    clk_wipe(&state, sizeof(state));
    clk_wipe_stack();
}
