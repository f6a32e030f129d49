/* The memory of a rate table: what processes share. For rate_table.c and
   rate_file.c only. */
#ifndef CLK_RATE_FILE_H
#define CLK_RATE_FILE_H

#include <stdatomic.h>
#include <stdint.h>

#include "core/rate_table.h"

/* One bucket. */
struct clk_rate_slot {
    _Atomic uint64_t key;  /* of its name, 0 while unused */
    _Atomic uint64_t word; /* see core/rate.h */
    _Atomic int64_t until; /* end of a penalty, 0 for none */
};

/* What the file begins with. */
struct clk_rate_head {
    uint64_t magic; /* also tells a machine of another byte order */
    uint32_t version;
    uint32_t slot_count;
    _Atomic uint64_t boot; /* the start of the machine its times belong to */
    uint64_t reserved[5];
};

/* The whole file. */
struct clk_rate_file {
    struct clk_rate_head head;
    struct clk_rate_slot slots[CLK_RATE_SLOTS];
};

#endif
