/* Sealing with a key, keys, and WireGuard's key pairs, all by libsodium. It is
   initialised by the first call here, not at start-up. */
#ifndef CLK_CRYPTO_H
#define CLK_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>

enum {
    CLK_CRYPTO_KEY = 32,          /* bytes of every key */
    CLK_CRYPTO_OVERHEAD = 24 + 16 /* bytes a sealed text is longer */
};

/* Random bytes from the system. False when libsodium cannot be initialised. */
bool clk_crypto_random(void *out, size_t len);

/* Seals `len` bytes into `out` (len + CLK_CRYPTO_OVERHEAD bytes): a fresh
   nonce, then XSalsa20-Poly1305. False when libsodium cannot be initialised. */
bool clk_crypto_seal(const unsigned char key[CLK_CRYPTO_KEY],
                     const unsigned char *text, size_t len, unsigned char *out);

/* Opens `len` sealed bytes into `out` (len - CLK_CRYPTO_OVERHEAD bytes). False,
   with nothing in `out`, when this key did not seal exactly these bytes. */
bool clk_crypto_open(const unsigned char key[CLK_CRYPTO_KEY],
                     const unsigned char *sealed, size_t len,
                     unsigned char *out);

/* The public key of an X25519 private key, which is clamped in place, as
   WireGuard's tools do. False when it has none. */
bool clk_crypto_public(unsigned char private_key[CLK_CRYPTO_KEY],
                       unsigned char public_key[CLK_CRYPTO_KEY]);

/* Characters of `len` bytes in base64, its padding included. */
size_t clk_base64_size(size_t len);

/* Writes them, without a terminator, in a time that depends on len alone. */
void clk_base64_write(const unsigned char *bytes, size_t len,
                      unsigned char *out);

/* Reads strict base64 with padding into `out` (len / 4 * 3 bytes). False when
   it is none; else *size is the number of bytes. Time depends on len alone. */
bool clk_base64_read(const unsigned char *text, size_t len, unsigned char *out,
                     size_t *size);

#endif
