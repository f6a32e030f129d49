/* Bytes to keys. */
#include "core/term_keys.h"

#include "core/text.h"

#define ESCAPE 0x1b

/* What the bytes so far are. */
enum verdict { MORE, WHOLE, BAD };

static enum verdict judge_escape(const struct clk_keys *keys)
{
    unsigned char last = keys->bytes[keys->count - 1];

    if (keys->count == 1)
        return MORE;
    switch (keys->bytes[1]) {
    case '[':
        if (keys->count > 2 && last >= 0x40 && last <= 0x7e)
            return WHOLE;
        return keys->count > 2 && (last < 0x20 || last > 0x3f) ? BAD : MORE;
    case 'O': return keys->count == 3 ? WHOLE : MORE;
    case ESCAPE: return BAD;
    default: return WHOLE; /* Alt and a key */
    }
}

static enum verdict judge(const struct clk_keys *keys)
{
    unsigned char first = keys->bytes[0];
    size_t need;
    unsigned code;

    if (first == ESCAPE)
        return judge_escape(keys);
    if (first < 0x80)
        return WHOLE;
    need = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (keys->count < need)
        return first >= 0xc2 && first <= 0xf4 ? MORE : BAD;
    clk_text_decode(keys->bytes, keys->count, &code);
    return code == CLK_TEXT_INVALID ? BAD : WHOLE;
}

bool clk_keys_add(struct clk_keys *keys, unsigned char byte)
{
    enum verdict verdict;

    keys->bytes[keys->count++] = byte;
    verdict = judge(keys);
    if (verdict == BAD
        || (verdict == MORE && keys->count == sizeof(keys->bytes)))
        clk_keys_clear(keys);
    return verdict == WHOLE;
}

bool clk_keys_begun(const struct clk_keys *keys)
{
    return keys->count > 0;
}

bool clk_keys_take(struct clk_keys *keys, unsigned *code)
{
    const unsigned char *next = keys->bytes + keys->taken;

    if (keys->taken == keys->count)
        return false;
    keys->taken += clk_text_decode(next, keys->count - keys->taken, code);
    return *code != CLK_TEXT_INVALID;
}

void clk_keys_clear(struct clk_keys *keys)
{
    keys->count = keys->taken = 0;
}
