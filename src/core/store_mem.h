/* SQLite's heap; for the store files of this directory only. */
#ifndef CLK_STORE_MEM_H
#define CLK_STORE_MEM_H

/* Has SQLite allocate through core/mem.h; nothing once SQLite has started. */
void clk_store_use_mem(void);

#endif
